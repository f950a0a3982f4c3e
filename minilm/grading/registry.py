"""What can be earned: the chapters, their exercises and points, fixed before any answer is opened.

PLAN is the whole course, 100 points. A chapter whose exercises exist declares them in chapters/chNN.py; one that
does not is "not yet written", and its points are shown as such, neither won nor lost.

What this file does not do: read a learner's file, or know how a test runs.
"""

import os
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from ..errors import UserError

PLAN = {  # number: (name, points)
    0: ("welcome", 2),
    1: ("tokenizer", 12),
    2: ("transformer", 20),
    3: ("pretraining", 16),
    4: ("lowrank", 14),
    5: ("lora", 18),
    6: ("memory", 10),
    7: ("merging", 8),
}


@dataclass(frozen=True)
class Exercise:
    """One exercise. It pays when every one of its tests passes, and nothing otherwise: right, or not yet right."""

    id: str  # "1.2"
    title: str
    functions: tuple[str, ...]  # what the learner writes
    points: int
    difficulty: int  # 1 (one idea, a few lines) to 3
    minutes: int
    tests: int  # how many graded tests there are: a test that goes missing must not turn into points
    hints: tuple[str, ...]  # opened one after the other; the last still leaves the work to the learner
    misconceptions: dict[str, str]  # key -> what the mistake usually is and where to look
    uses: tuple[str, ...] = ()  # exercises that a solution calls: while they are wrong, look there first
    seconds: float = 5.0  # that one test may take, on an ordinary machine
    support: tuple[str, ...] = ()  # modules of minilm that may stand beside the answer: none of them holds it

    @property
    def chapter(self):
        return int(self.id.split(".")[0])

    @property
    def limit(self):
        """Seconds that one test may take here: MINILM_PATIENCE=3 gives a slow machine three times as long."""
        return self.seconds * float(os.environ.get("MINILM_PATIENCE", "1"))


@dataclass(frozen=True)
class Chapter:
    """The exercises of one chapter, in the order of the text."""

    number: int
    title: str
    exercises: tuple[Exercise, ...]
    imports: tuple[str, ...] = ()  # heavy modules to load ahead, so that the second check is quick

    @property
    def name(self):
        """What ties a chapter's files together: "ch01_tokenizer"."""
        return stem(self.number)

    @property
    def points(self):
        return sum(exercise.points for exercise in self.exercises)


def stem(number):
    """The name of a chapter's files, without the ending.

    >>> stem(5)
    'ch05_lora'
    """
    return f"ch{number:02d}_{PLAN[number][0]}"


@cache
def chapters():
    """number -> Chapter, for the chapters that are written."""
    from . import chapters as package

    found = sorted(module.name for module in iter_modules(package.__path__) if module.name.startswith("ch"))
    written = [import_module(f"{package.__name__}.{name}").CHAPTER for name in found]
    return {chapter.number: chapter for chapter in written}


def exercise(id):
    """The exercise with this id; an unknown one is a UserError."""
    return select([id])[0]


def select(names=()):
    """The exercises that `names` stand for, in the order of the course: "5.2" is one, "5" a chapter, none all.

    >>> [chosen.id for chosen in select(["0", "1.2"])]
    ['0.1', '1.2']
    """
    everything = [one for chapter in chapters().values() for one in chapter.exercises]
    wanted = [str(name).strip() for name in names]
    for name in wanted:
        if not any(name in (one.id, str(one.chapter)) for one in everything):
            raise UserError(_unknown(name, everything))
    return [one for one in everything if not wanted or one.id in wanted or str(one.chapter) in wanted]


def _unknown(name, everything):
    if name.isdigit() and int(name) in PLAN:
        return f"chapter {name} ({PLAN[int(name)][0]}) has no exercises yet; choose {_or(map(str, chapters()))}"
    inside = [one.id for one in everything if str(one.chapter) == name.split(".")[0]]
    choice = _or(inside) if inside else f"a chapter ({_or(map(str, chapters()))}) or an exercise such as 1.2"
    return f"there is no exercise {name}; choose {choice}"


def _or(names):
    names = list(names)
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
