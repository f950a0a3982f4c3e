"""What Gradescope's run_autograder does: grade one submission, say how late it is, put results.json in its place.

There is no silent zero. To Gradescope a results.json without a score is malformed, and one with a score, even 0, is a
grade. So when grading did not finish, no results.json is left: Gradescope then says that the autograder failed, enters
no grade, and shows what was printed here to the teacher alone. Running the autograder again is all that is needed.

    base/submission/                 what the learner handed in
    base/submission_metadata.json    when, and when it was due
    base/source/secret               the course secret
    base/source/late.txt             what lateness costs (classroom/late.py); without it, nothing
    base/source/chapters.txt         the chapters that count; without it, all
    base/results/results.json        what Gradescope reads

What this file does not do: judge (`minilm grade-one`), or know that single learners were given more time: Gradescope
tells it the due date of the assignment only.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from ..classroom.late import Late

TRIES = 2  # an infrastructure failure (exit 3) gets a second chance
INFRA = 3
COMMAND = (sys.executable, "-B", "-X", "utf8", "-m", "minilm", "grade-one")


class Unfinished(Exception):
    """Why there is no grade, for the teacher."""


def main(base, command=COMMAND):
    """Grade the submission below `base` with `command`; returns the exit status."""
    base = Path(base)
    place = base / "results" / "results.json"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)  # what stands there must be of this run or not there at all
        shut(base)
        metadata = read_metadata(base / "submission_metadata.json")
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".grading-") as draft:
            result = grade(base, Path(draft), metadata, command)
            result |= lateness(result, metadata, base / "source" / "late.txt")
            finished = Path(draft) / place.name
            finished.write_text(json.dumps(result, indent=2), encoding="utf-8")
            os.replace(finished, place)
    except (Unfinished, OSError) as error:
        print(f"No grade was entered: {error}.\nRun the autograder again; if that does not help, see above.")
        return 1
    return 0


def shut(base):
    """Nobody but the owner may read the course, the secret, the results and the other learners' names."""
    for folder in (base / "source", base / "results"):
        if folder.is_dir():
            folder.chmod(0o700)
    for file in (base / "source" / "secret", base / "submission_metadata.json"):
        if file.is_file():
            file.chmod(0o600)


def grade(base, draft, metadata, command):
    """What `minilm grade-one` says, in Gradescope's format."""
    graded = draft / "graded.json"
    words = ["--submission", base / "submission", "--out", draft / "record.json", "--gradescope", graded]
    words += ["--isolation", "any", "--secret", base / "source" / "secret", "--name", name_of(metadata)]
    chosen = base / "source" / "chapters.txt"
    words += ["--chapters", chosen.read_text(encoding="utf-8")] if chosen.is_file() else []
    for _ in range(TRIES):
        graded.unlink(missing_ok=True)
        status = subprocess.run([*command, *map(str, words)], stdin=subprocess.DEVNULL).returncode
        if status != INFRA:
            break
    if status:
        why = "the machine, not the submission, was at fault" if status == INFRA else "minilm grade-one failed"
        raise Unfinished(f"{why} (exit status {status})")
    return checked(read_object(graded))


def name_of(metadata):
    """What the record calls the submission: a number, since names and addresses have no place in it."""
    number = metadata.get("id")
    return f"submission-{number}" if type(number) is int else "submission"


def checked(result):
    """`result`, if Gradescope would take it for a grade."""
    score = result.get("score")
    if type(score) not in (int, float) or not math.isfinite(score):
        raise Unfinished(f"minilm grade-one wrote results without a score ({score!r})")
    return result


def lateness(result, metadata, table):
    """What changes in the results: when it was handed in and due, and, if that was late, a sentence and the score."""
    created, due = when(metadata.get("created_at")), when((metadata.get("assignment") or {}).get("due_date"))
    dates = {"created_at": created and created.isoformat(), "due_date": due and due.isoformat()}
    changed = {"output_format": "text", "extra_data": {**(result.get("extra_data") or {}), **dates}}
    seconds = int((created - due).total_seconds()) if created and due else 0
    if seconds <= 0:
        return changed
    late, score = f"Handed in {spell(seconds)} after the due date of the assignment", result["score"]
    changed["extra_data"] |= {"seconds_late": seconds, "score_without_lateness": score}
    if table.is_file():
        changed["score"] = float(Late(due, table).points(score, created))
        late += f": {changed['score']:g} of the {score:g} points are left"
    changed["output"] = "\n\n".join(filter(None, [result.get("output"), late + "."]))
    return changed


def when(text):
    """A time with its zone, or None when `text` is none.

    >>> when("2026-03-02T08:00:00Z").hour, when(None)
    (8, None)
    """
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.astimezone()


def spell(seconds):
    """A duration in words.

    >>> spell(90_000)
    '1 day 1 h'
    """
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    named = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in named if number) or "less than a minute"


def read_metadata(path):
    """What Gradescope says about the submission; {} when it says nothing that can be read: grading needs none of it."""
    try:
        return read_object(path)
    except Unfinished as error:
        print(f"{error}: the record will not say how late it is")
        return {}


def read_object(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unfinished(f"cannot read {path.name} ({error})") from error
    if not isinstance(value, dict):
        raise Unfinished(f"{path.name} does not hold an object")
    return value


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
