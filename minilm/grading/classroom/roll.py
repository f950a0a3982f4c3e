"""Who handed in: every submission in the folder of a class, and when, where a teacher has written that down.

    SUBMISSIONS/alice/...      SUBMISSIONS/bob.zip      SUBMISSIONS/times.csv

What the teacher can mend (two of one name, a file outside every submission) is a UserError.

What this file does not do: look into a submission (intake.py).
"""

import csv
import unicodedata
from pathlib import Path

from ...errors import UserError
from .intake import is_zip, listed, name_of, silent, submission, wanted
from .late import moment
from .shelves import FOLDER, LINK, UNFIT, kind

TIMES = "times.csv"


def submissions(folder):
    """Every submission in a folder, sorted by name.

    Raises UserError for what the teacher can mend: no such folder, nothing in it, two of one name, a chapter's file
    that lies outside every learner's folder, and a times.csv that cannot be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; give the folder that holds one folder or zip per learner")
    paths, others = _sorted_out(folder)
    loose = [name for name in others if name in wanted()]
    if loose:
        raise UserError(f"{folder / loose[0]} lies outside every submission; put each learner's files into a folder")
    if not paths:
        raise UserError(f"{folder} holds no submission; put one folder or one zip per learner into it")
    _no_two_alike(paths)
    times = times_of(folder)
    return sorted((submission(path, times.get(_key(name_of(path)))) for path in paths), key=lambda one: one.name)


def left_out(folder):
    """One sentence naming what lies in a folder of submissions and is none (bob.rar), or ""."""
    others = [name for name in _sorted_out(Path(folder).expanduser())[1] if name != TIMES]
    return f"Not a folder and not a zip, so not graded: {listed(others)}." if others else ""


def left_over(folder, submissions):
    """One sentence naming who stands in times.csv and handed nothing in, or ""."""
    here = {_key(one.name) for one in submissions}
    others = [name for name in times_of(folder) if name not in here]
    return f"{TIMES} names nobody who handed in with: {listed(others)}." if others else ""


def _sorted_out(folder):
    """The paths of the submissions, and the names of everything else that is not hidden."""
    visible = sorted(path for path in folder.iterdir() if not silent(path.name))
    paths = [path for path in visible if _is_submission(path)]
    return paths, [path.name for path in visible if path not in paths]


def _is_submission(path):
    """A folder, a zip, or a link: nobody knows to what, so it is listed and refused rather than passed over."""
    return path.name != TIMES and (kind(path) in (FOLDER, LINK) or is_zip(path))


def _no_two_alike(paths):
    """Names become folders of records, and some systems do not tell "Ann" from "ann"."""
    seen = {}
    for path in paths:
        key = _key(name_of(path)).casefold()
        if key in seen:
            raise UserError(f"{seen[key]} and {path} would be one submission; rename one of them")
        seen[key] = path


def _key(name):
    """The same for é written as one letter and as two: systems differ."""
    return unicodedata.normalize("NFC", name)


def times_of(folder):
    """name -> when it was handed in, from a CSV of name,submitted; a head line may stand above."""
    path = Path(folder).expanduser() / TIMES
    if not path.exists():
        return {}
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}; write name,submitted in each line") from None
    times = {}
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line]
        if not any(cells) or (number == 1 and cells[0].casefold() == "name"):
            continue
        if len(cells) < 2:
            raise UserError(f"{path}, line {number}: {','.join(line)[:40]!r} has no time; write name,submitted")
        times[_key(UNFIT.sub("\ufffd", cells[0]))] = moment(cells[1], f"{path}, line {number}: the time")
    return times
