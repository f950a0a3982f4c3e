"""`python -m minilm.grading.exports.roster SUBMISSIONS SECRET OUT.json`: what there is to grade, told to an engine.

    {"alice": {"name": "alice", "path": "/class/alice", "key": "hash of all that her points depend on"}, ...}

An engine that keeps the key beside what it has made knows when to make it again: when the submission, the tests, the
grader, the libraries or the secret change. On the left stands the name in letters that no shell and no engine takes for
its own.

What this file does not do: grade, or decide what a submission is (classroom/intake.py).
"""

import hashlib
import re
import sys
from urllib.parse import quote

from ...errors import UserError
from ..classroom import record
from ..classroom.roll import submissions
from ..isolated import seeds


def roster(folder, secret):
    """The roster of a folder of submissions. Raises UserError for what the teacher can mend in it."""
    course = record.course_key(seeds.read(secret))
    found = submissions(folder)
    return {plain(one.name): {"name": one.name, "path": str(one.path), "key": key(one, course)} for one in found}


def key(one, course):
    """One hash for a whole submission: of the keys of its chapters, and of what its records say about ignored files."""
    parts = [one.note, *(record.key(one.name, handed, number, course) for number, handed in sorted(one.files.items()))]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def plain(name):
    """A name as one that can stand in any pattern and any command; two names never become one.

    >>> plain("ann-Zoë_1"), plain("an{n} o'hara")
    ('ann-Zoë_1', 'an%7Bn%7D%20o%27hara')
    """
    return re.sub(r"[^\w.-]", lambda match: quote(match[0], safe=""), name)


def main(folder, secret, out):
    from ...files import write_json  # it imports torch

    write_json(out, roster(folder, secret))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"Error: {error}")
