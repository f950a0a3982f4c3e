"""The records of a class on the disk: what a stopped run has done already, and who writes there now.

    DIR/records/NAME/ch05.json    written as soon as it is known, and never half

What this file does not do: say what is in a record (record.py).
"""

import fcntl
from contextlib import contextmanager

from ...errors import UserError
from ...files import write_text
from . import record


class Store:
    """Arguments: folder: of the records. course: see record.course_key. levels: of isolation that are strong enough.
    chapters: the numbers of those that are graded now."""

    def __init__(self, folder, course, levels, chapters):
        self.folder, self.course, self.levels, self.chapters = folder, course, levels, chapters

    def path(self, submission, number):
        return self.folder / submission.name / record.file_name(number)

    def has(self, submission, number):
        """Whether the record of this very file is there, made behind walls as strong as they are asked for."""
        found = record.read(self.path(submission, number))
        if found is None or found["key"] != record.key(submission.name, submission.files[number], number, self.course):
            return False
        return found["isolation"]["level"] in self.levels

    def put(self, submission, number, made):
        path = self.path(submission, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.as_text(made))

    def all_of(self, submission):
        found = {number: record.read(self.path(submission, number)) for number in self.chapters}
        return {number: entry for number, entry in found.items() if entry is not None}


@contextmanager
def alone(out):
    """One run at a time in one folder."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)  # grades and the secret are nobody else's business
        lock = open(out / ".lock", "w")
    except OSError as error:
        raise UserError(f"{out} cannot be written to ({error.strerror}); choose another --out") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"another run is grading into {out}; wait for it, or choose another --out") from None
        yield
