"""What a learner handed in: a folder or a zip, with the bytes of each chapter or a sentence why not.

    alice/ch05_lora.py      bob.zip      carol/exercises/ch05_lora.py      dan/05_lora.ipynb

Files are taken by name alone, from a list; everything else is left where it is and named in the note. A notebook counts
where there is no file, or one in which nothing is written yet. What a learner did never stops the class: it becomes a
sentence.

What this file does not do: open a folder or a zip (shelves.py), change text (source.py, cells.py), or run code.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from ...bundle import NOTEBOOKS
from ...errors import UserError
from ..problem import STUB
from ..registry import PLAN, select, stem
from .cells import python
from .shelves import FOLDER, LINK, MOST_BYTES, OTHER, UNFIT, Folder, Refused, Zip, kind, shown
from .source import utf8

INNER = "exercises"  # the folder that learners know their files from
SILENT = ("__MACOSX", "__pycache__")  # what systems leave behind; hidden files besides
LONGEST = 180  # bytes of a submission's name
NAMED = 5  # ignored files that a note names
MOST_OF_BOOK = 5_000_000  # bytes of a notebook, of which most are pictures
LEFT = re.compile(rf"raise NotImplementedError\(.{STUB.pattern}")
DEFINED = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
BOOKS = dict(zip(PLAN, NOTEBOOKS, strict=True))  # chapter -> the name of its notebook


@dataclass(frozen=True)
class Handed:
    """One chapter of one submission: either a file, or why there is none."""

    name: str | None  # as it was handed in: "ch05_lora.py", "05_lora.ipynb"
    data: bytes | None  # the Python in it: UTF-8, lines end in \\n
    sha256: str | None  # of data
    why: str = ""  # one sentence, when there is no file
    written: datetime | None = None  # when the file was last changed, or the zip that it came in


@dataclass(frozen=True)
class Submission:
    """What one learner handed in."""

    name: str
    path: Path
    files: dict[int, Handed]  # every chapter of the course is in it
    note: str  # what was ignored, or why nothing could be taken; "" when there is nothing to say
    noted: datetime | None  # when it was handed in, where the teacher has written that down

    def submitted_at(self, chapters):
        """When these chapters were handed in: None when nobody knows, or there is no file of any of them."""
        times = [self.files[number].written for number in chapters if self.files[number].written]
        return self.noted or max(times, default=None)

    @property
    def handed(self):
        """chapter -> Handed, for the chapters that have a file."""
        return {number: one for number, one in self.files.items() if one.data is not None}


def submission(path, noted=None):
    """One submission, a folder or a zip. It never raises for what is in it. noted: when it was handed in, if known."""
    path = Path(os.path.abspath(Path(path).expanduser()))  # of "." the name is wanted, too
    if not os.path.lexists(path):
        raise UserError(f"there is no submission at {path}; give a folder or a zip")
    try:
        shelf = _shelf(path)
        files, ignored = _take(shelf)
    except (Refused, OSError) as error:
        why = f"{shown(path.name)} {_reason(error)}."
        return Submission(name_of(path), path, {number: _none(why) for number in PLAN}, why, noted)
    note = f"Ignored: {listed(ignored)}." if ignored else ""
    return Submission(name_of(path), path, files, note, noted)


def name_of(path):
    """What a submission is called: its folder's name, or its zip's without the ending; fit for one line and for the
    name of a file with an ending, which may have 255 bytes."""
    name = UNFIT.sub("\ufffd", path.name[:-4] if is_zip(path) else path.name)
    data = name.encode("utf-8")
    if len(data) <= LONGEST:
        return name
    return f"{data[: LONGEST - 9].decode('utf-8', 'ignore')}-{hashlib.sha256(data).hexdigest()[:8]}"


def _shelf(path):
    what = kind(path)
    if what == LINK:
        raise Refused("is a link, which is never followed; put the folder itself there")
    return Folder(path) if what == FOLDER else Zip(path)


def is_zip(path):
    return path.suffix.lower() == ".zip" and kind(path) != FOLDER


def silent(name):
    return name.startswith(".") or name in SILENT


def _take(shelf):
    """(chapter -> Handed, the names of what was ignored)."""
    places, broken = _places(shelf)
    found, ignored = {}, []
    for place in places:
        for name, what in shelf.children(*place).items():
            number = wanted().get(name)
            if number is not None:
                found.setdefault(number, []).append((*place, name))
            elif not silent(name) and (*place, name) not in places:
                ignored.append("/".join((*place[len(places[0]) :], name)) + ("/" if what == FOLDER else ""))
    files = {}
    for number in PLAN:
        scripts = [at for at in found.get(number, []) if at[-1].endswith(".py")]
        books = [at for at in found.get(number, []) if at not in scripts]
        why = broken or _no_file(number, ignored)
        one, book = _one(shelf, scripts, why), _one(shelf, books, why)
        takes_book = not scripts or (_all_stubs(one, number) and _has_answers(book, number))
        files[number] = book if takes_book else one
        ignored += [at[-1] for at in (scripts if takes_book else books)]
    return files, ignored


def _all_stubs(one, number):
    """Whether a file has a stub left in each exercise: it earns nothing then."""
    left = set(LEFT.findall((one.data or b"").decode("utf-8", "replace")))
    return all(exercise.id in left for exercise in select([number]))


def _has_answers(one, number):
    """Whether the code of a notebook defines anything that its chapter asks for."""
    defined = set(DEFINED.findall((one.data or b"").decode("utf-8", "replace")))
    return any(name.split(".")[0] in defined for exercise in select([number]) for name in exercise.functions)


def _places(shelf):
    """The folders of a submission in which chapters may lie, and a sentence on one that is not to be entered."""
    top, broken = (), ""
    inside = {name: what for name, what in shelf.children().items() if not silent(name)}
    if len(inside) == 1 and INNER not in inside and FOLDER in inside.values():  # zips mostly hold one folder with all
        top = (*inside,)
        inside = shelf.children(*top)
    inner = inside.get(INNER)
    if inner in (LINK, OTHER):
        broken = f"{INNER} is a link, which is never followed; hand in the folder itself."
    return [top, (*top, INNER)] if inner == FOLDER else [top], broken


@cache
def wanted():
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
        ready = [_ready(shelf, place) for place in places]
        written = max(shelf.changed(*place) for place in places)
    except (Refused, OSError) as error:
        return _none(f"{name} {_reason(error)}.")
    if len(set(ready)) > 1:
        return _none(f"There is more than one file for this chapter ({listed(map('/'.join, places))}); hand in one.")
    return Handed(name, ready[0], hashlib.sha256(ready[0]).hexdigest(), written=written)


def _ready(shelf, place):
    if not place[-1].endswith(".ipynb"):
        return utf8(shelf.read(*place))
    code = python(shelf.read(*place, most=MOST_OF_BOOK)).encode("utf-8")
    if len(code) > MOST_BYTES:
        raise Refused("holds more than 1 MB of code; hand in the .py file")
    return code


def _no_file(number, ignored):
    """Why there is no file of a chapter, with the name of one that may be meant."""
    start = f"ch{number:02d}"
    meant = next((name for name in ignored if name.split("/")[-1].casefold().startswith(start)), None)
    return f"There is no {stem(number)}.py" + (f"; {shown(meant)} is not its name." if meant else ".")


def _none(why):
    return Handed(None, None, None, why)


def _reason(error):
    return str(error) if isinstance(error, Refused) else f"cannot be read ({error.strerror or error})"


def listed(names):
    """The first names in a sentence, and how many more there are."""
    names = [shown(name) for name in names]
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])
