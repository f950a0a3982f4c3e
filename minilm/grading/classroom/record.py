"""One record per submission and chapter: what was graded, behind which walls, and what came of it.

A record holds no time and no path, so grading the same file again gives the same bytes. Its key is a hash of everything
that its points depend on: a run that finds a record with the right key leaves it as it is.

What this file does not do: grade (isolated/), or decide what is graded again (run.py).
"""

import hashlib
import json
import os

from ..isolated.outcome import outcome
from ..records import Report, entry
from ..registry import PLAN, chapters, stem

VERSION = 1


def key(name, handed, number, course):
    """What the points of one file depend on, as a hash.

    Arguments: name: of the submission. handed: an intake.Handed. number: of the chapter. course: what is the same for
    the whole class (course_key).
    """
    parts = (course, name, str(number), handed.name or "", handed.sha256 or "", handed.why)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def course_key(secret):
    """The same for a whole run: grader, tests, versions, the secret behind the hidden inputs, and the time allowed."""
    from ..isolated import supplies

    parts = (supplies.fingerprint().encode(), secret, os.environ.get("MINILM_PATIENCE", "1").encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def record(submission, number, key, isolation, records, infra=""):
    """The record of one chapter of an intake.Submission.

    Arguments: isolation: as Lane.isolation. records: of the tests. infra: why grading did not finish, when it did not;
    then the exercises that have no result say so, and nobody loses points for it.
    """
    handed = submission.files[number]
    report = Report.of("", chapters()[number].exercises, records)
    rows = [_exercise(result, infra) for result in report.results]
    return {
        "version": VERSION,
        "submission": submission.name,
        "chapter": number,
        "file": handed.name,
        "sha256": handed.sha256,
        "key": "" if infra else key,
        "isolation": isolation,
        "note": "\n".join(filter(None, [submission.note, infra])),
        "points": sum(row["points"] for row in rows),
        "possible": PLAN[number][1],
        "exercises": rows,
    }


def _exercise(result, infra):
    unfinished = infra and len(result.records) < result.exercise.tests
    unfinished = unfinished and all(record["passed"] for record in result.records)
    return {**entry(result), "outcome": "infra" if unfinished else outcome(result)}


def as_text(record):
    return json.dumps(record, indent=1, ensure_ascii=True, sort_keys=False) + "\n"


def read(path):
    """The record in a file, or None when there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("version") == VERSION else None


def file_name(number):
    return f"ch{number:02d}.json"


def is_for(number):
    """The name of the chapter's file."""
    return f"{stem(number)}.py"
