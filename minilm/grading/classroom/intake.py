"""What a class handed in: one Submission per folder or zip, with the bytes of each chapter or a sentence why not.

    SUBMISSIONS/alice/ch05_lora.py            SUBMISSIONS/bob.zip            SUBMISSIONS/times.csv
    SUBMISSIONS/carol/exercises/ch05_lora.py  SUBMISSIONS/dan/05_lora.ipynb

Files are taken by name alone, from a list; everything else is left where it is and named in the note. What a learner
did never stops the class: it becomes a sentence. What the teacher can mend (two of one name) is a UserError.

What this file does not do: open a folder or a zip (shelves.py), change text (source.py, cells.py), or run code.
"""

import csv
import hashlib
import os
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from ...bundle import NOTEBOOKS
from ...errors import UserError
from ..registry import PLAN, stem
from .cells import python
from .late import moment
from .shelves import FOLDER, LINK, OTHER, UNFIT, Folder, Refused, Zip, kind, shown
from .source import utf8

TIMES = "times.csv"
INNER = "exercises"  # the folder that learners know their files from
SILENT = ("__MACOSX", "__pycache__")  # what systems leave behind; hidden files besides
LONGEST = 180  # bytes of a submission's name
NAMED = 5  # ignored files that a note names
BOOKS = dict(zip(PLAN, NOTEBOOKS, strict=True))  # chapter -> the name of its notebook


@dataclass(frozen=True)
class Handed:
    """One chapter of one submission: either a file, or why there is none."""

    name: str | None  # as it was handed in: "ch05_lora.py", "05_lora.ipynb"
    data: bytes | None  # the Python in it: UTF-8, lines end in \\n
    sha256: str | None  # of data
    why: str = ""  # one sentence, when there is no file


@dataclass(frozen=True)
class Submission:
    """What one learner handed in."""

    name: str
    path: Path
    files: dict[int, Handed]  # every chapter of the course is in it
    note: str  # what was ignored, or why nothing could be taken; "" when there is nothing to say
    submitted_at: datetime | None  # None when no file was taken and nobody wrote down a time

    @property
    def handed(self):
        """chapter -> Handed, for the chapters that have a file."""
        return {number: one for number, one in self.files.items() if one.data is not None}


def submissions(folder):
    """Every submission in a folder, sorted by name.

    Raises UserError for what the teacher can mend: no such folder, nothing in it, two of one name, a chapter's file
    that lies outside every learner's folder, and a times.csv that cannot be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; give the folder that holds one folder or zip per learner")
    paths, others = _sorted_out(folder)
    loose = [name for name in others if name in _wanted()]
    if loose:
        raise UserError(f"{folder / loose[0]} lies outside every submission; put each learner's files into a folder")
    if not paths:
        raise UserError(f"{folder} holds no submission; put one folder or one zip per learner into it")
    _no_two_alike(paths)
    times = _times(folder / TIMES)
    return sorted((submission(path, times.get(_key(name_of(path)))) for path in paths), key=lambda one: one.name)


def left_out(folder):
    """One sentence naming what lies in a folder of submissions and is none (bob.rar), or ""."""
    others = [name for name in _sorted_out(Path(folder).expanduser())[1] if name != TIMES]
    return f"Not a folder and not a zip, so not graded: {_listed(others)}." if others else ""


def submission(path, submitted_at=None):
    """One submission, a folder or a zip. It never raises for what is in it."""
    path = Path(os.path.abspath(Path(path).expanduser()))  # of "." the name is wanted, too
    if not os.path.lexists(path):
        raise UserError(f"there is no submission at {path}; give a folder or a zip")
    try:
        shelf = _shelf(path)
        files, taken, ignored = _take(shelf)
    except (Refused, OSError) as error:
        why = f"{shown(path.name)} {_reason(error)}."
        return Submission(name_of(path), path, {number: _none(why) for number in PLAN}, why, submitted_at)
    note = f"Ignored: {_listed(ignored)}." if ignored else ""
    newest = max((shelf.changed(*place) for place in taken), default=None)
    return Submission(name_of(path), path, files, note, submitted_at or newest)


def name_of(path):
    """What a submission is called: its folder's name, or its zip's without the ending; fit for one line and for the
    name of a file with an ending, which may have 255 bytes."""
    name = UNFIT.sub("\ufffd", path.name[:-4] if _is_zip(path) else path.name)
    data = name.encode("utf-8")
    if len(data) <= LONGEST:
        return name
    return f"{data[: LONGEST - 9].decode('utf-8', 'ignore')}-{hashlib.sha256(data).hexdigest()[:8]}"


# ---- the folder of a class -----------------------------------------------------------------------


def _sorted_out(folder):
    """The paths of the submissions, and the names of everything else that is not hidden."""
    visible = sorted(path for path in folder.iterdir() if not _silent(path.name))
    paths = [path for path in visible if _is_submission(path)]
    return paths, [path.name for path in visible if path not in paths]


def _is_submission(path):
    """A folder, a zip, or a link: nobody knows to what, so it is listed and refused rather than passed over."""
    return path.name != TIMES and (kind(path) in (FOLDER, LINK) or _is_zip(path))


def _is_zip(path):
    return path.suffix.lower() == ".zip" and kind(path) != FOLDER


def _silent(name):
    return name.startswith(".") or name in SILENT


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


def _times(path):
    """name -> when it was handed in, from a CSV of name,submitted; a head line may stand above."""
    if not path.exists():
        return {}
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}; write name,submitted in each line") from None
    times = {}
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line]
        if not any(cells) or (number == 1 and cells[:2] == ["name", "submitted"]):
            continue
        if len(cells) < 2:
            raise UserError(f"{path}, line {number}: {','.join(line)[:40]!r} has no time; write name,submitted")
        times[_key(UNFIT.sub("\ufffd", cells[0]))] = moment(cells[1], f"{path}, line {number}: the time")
    return times


# ---- one submission ------------------------------------------------------------------------------


def _shelf(path):
    what = kind(path)
    if what == LINK:
        raise Refused("is a link, which is never followed; put the folder itself there")
    return Folder(path) if what == FOLDER else Zip(path)


def _take(shelf):
    """(chapter -> Handed, the places of the files that were taken, the names of what was ignored)."""
    places, broken = _places(shelf)
    found, ignored = {}, []
    for place in places:
        for name, what in shelf.children(*place).items():
            number = _wanted().get(name)
            if number is not None:
                found.setdefault(number, []).append((*place, name))
            elif not _silent(name) and (*place, name) not in places:
                ignored.append("/".join((*place[len(places[0]) :], name)) + ("/" if what == FOLDER else ""))
    files, taken = {}, []
    for number in PLAN:
        scripts = [at for at in found.get(number, []) if at[-1].endswith(".py")]
        candidates = scripts or found.get(number, [])
        ignored += [at[-1] for at in found.get(number, []) if at not in candidates]
        files[number] = _one(shelf, candidates, broken or _no_file(number, ignored))
        taken += candidates if files[number].data is not None else []
    return files, taken, ignored


def _places(shelf):
    """The folders of a submission in which chapters may lie, and a sentence on one that is not to be entered."""
    top, broken = (), ""
    inside = {name: what for name, what in shelf.children().items() if not _silent(name)}
    if len(inside) == 1 and INNER not in inside and FOLDER in inside.values():  # zips mostly hold one folder with all
        top = (*inside,)
        inside = shelf.children(*top)
    inner = inside.get(INNER)
    if inner in (LINK, OTHER):
        broken = f"{INNER} is a link, which is never followed; hand in the folder itself."
    return [top, (*top, INNER)] if inner == FOLDER else [top], broken


@cache
def _wanted():
    """name of a file -> chapter, for every name that is taken."""
    names = {f"{stem(number)}.py": number for number in PLAN}
    names |= {f"{stem(number)}.ipynb": number for number in PLAN}
    return names | {f"{book}.ipynb": number for number, book in BOOKS.items()}


def _one(shelf, places, why):
    """The chapter's one file, made ready for Python."""
    if not places:
        return _none(why)
    name = places[0][-1]
    try:
        ready = [_ready(shelf.read(*place), place[-1]) for place in places]
    except (Refused, OSError) as error:
        return _none(f"{name} {_reason(error)}.")
    if len(set(ready)) > 1:
        return _none(f"There is more than one file for this chapter ({_listed(map('/'.join, places))}); hand in one.")
    return Handed(name, ready[0], hashlib.sha256(ready[0]).hexdigest())


def _ready(data, name):
    return python(data).encode("utf-8") if name.endswith(".ipynb") else utf8(data)


def _no_file(number, ignored):
    """Why there is no file of a chapter, with the name of one that may be meant."""
    start = f"ch{number:02d}"
    meant = next((name for name in ignored if name.split("/")[-1].casefold().startswith(start)), None)
    return f"There is no {stem(number)}.py" + (f"; {shown(meant)} is not its name." if meant else ".")


def _none(why):
    return Handed(None, None, None, why)


def _reason(error):
    return str(error) if isinstance(error, Refused) else f"cannot be read ({error.strerror or error})"


def _listed(names):
    """The first names in a sentence, and how many more there are."""
    names = [shown(name) for name in names]
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])
