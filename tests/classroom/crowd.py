"""Classes to grade: folders and zips of learners who solved some, got some wrong, began some, and of a few who cheat.

    crowd = Crowd(tmp_path, size=20, seed=0)      # writes tmp_path/NAME/...
    crowd.expected["learner 07"]["1.2"]           # whether this exercise has to be passed

What is expected of honest work is found out without judge and walls, by tests/mutants/bank.py in this process; who
cheats must get nothing for the chapter that is cheated in, and keeps what the other chapters are worth.
"""

import random
import sys
import zipfile
from functools import cache
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(COURSE / "tests" / "mutants"))

import bank  # noqa: E402

from minilm.grading.registry import chapters, exercise, select, stem  # noqa: E402

MILESTONES = ("2.9", "3.9", "5.9")  # seconds each: few of a class get there
CHEATS = {  # whole files of chapter 0
    "never ends": """
def surprise(p):
    while True:
        try:
            pass
        except BaseException:
            pass
""",
    "leaves at import": """
import os

os._exit(0)
""",
    "reads the solution": f"""
exec(open({str(COURSE / "solutions" / "ch00_welcome.py")!r}).read(), globals())
""",
    "takes minilm's": """
from minilm.grading.chapters.ch00 import *

def surprise(p):
    import minilm.loss
    return minilm.loss.bits(p)
""",
    "forges a verdict": """
import os

def surprise(p):
    for fd in range(3, 50):
        try:
            os.write(fd, b'{"done": true, "passed": true}' * 99)
        except OSError:
            pass
    return -1.0
""",
    "always equal": """
class Equal(float):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

def surprise(p):
    return Equal(0.5)
""",
    "starts processes": """
import os

def surprise(p):
    while True:
        os.fork()
""",
    "wants all memory": """
def surprise(p):
    return len(b"x" * 10**12)
""",
    "patches": """
import builtins, math

math.isclose = lambda *a, **k: True
builtins.abs = lambda x: 0

def surprise(p):
    return 1.0
""",
    "no Python": """
def surprise(p:
""",
}


@cache
def stub(number):
    return (COURSE / "exercises" / f"{stem(number)}.py").read_text(encoding="utf-8")


@cache
def wrong_answers(id):
    return [one for one in bank.answers() if one.exercise == id and one.draws is not None and not one.endless]


def half_written(number, left_out):
    """The solution of a chapter in which the exercises `left_out` are as they were handed out."""
    text = bank.solution(number)
    for id in left_out:
        for block in reversed(bank._blocks(text, id)):
            indent = block.group()[: len(block.group()) - len(block.group().lstrip())]
            text = (
                text[: block.start()]
                + f'{indent}raise NotImplementedError("Exercise {id}: yours")\n'
                + text[block.end() :]
            )
    return text


@cache
def needs(id):
    """The exercises that this one calls, and those that they call."""
    direct = exercise(id).uses
    return frozenset(direct).union(*map(needs, direct))


@cache
def passes(id, wrong=None, left_out=frozenset()):
    """Whether an exercise passes in the solution of its chapter, with a `wrong` answer in it or with some left out."""
    source = bank.source_of(wrong) if wrong else half_written(exercise(id).chapter, sorted(left_out))
    return bank.grade(source, id, max(20.0, exercise(id).seconds)).passed


def expected(id, wrong=None, left_out=()):
    """The same, without running what nothing has changed: the solutions pass (tests/grading holds them to it)."""
    own = {id, *needs(id)}
    if id in left_out:
        return False
    if wrong and wrong.exercise in own:
        return passes(id, wrong=wrong)
    return not own & set(left_out) or passes(id, left_out=frozenset(own & set(left_out)))


class Crowd:
    """Arguments: folder: where to put it. size: how many; one in ten cheats. seed: of choices. numbers: chapters."""

    def __init__(self, folder, size, seed=0, numbers=None):
        self.folder, self.random = Path(folder), random.Random(seed)
        self.numbers = list(chapters()) if numbers is None else numbers
        self.expected, self.cheats = {}, {}
        for index in range(size):
            self._add(f"learner {index:03d}", cheats=index % 10 == 9, zipped=index % 4 == 3)

    def _add(self, name, cheats, zipped):
        files, results = {}, {one.id: False for one in select()}
        for number in self.numbers:
            if self.random.random() < 0.9:
                files[f"{stem(number)}.py"], fresh = self._file(number)
                results |= fresh
        if cheats:
            self.cheats[name] = list(CHEATS)[len(self.cheats) % len(CHEATS)]
            files[f"{stem(0)}.py"] = CHEATS[self.cheats[name]]
            results["0.1"] = False
        self.expected[name] = results
        if zipped:
            with zipfile.ZipFile(self.folder / f"{name}.zip", "w") as archive:
                for file, text in files.items():
                    archive.writestr(f"exercises/{file}", text)
            return
        (self.folder / name).mkdir(parents=True)
        for file, text in files.items():
            (self.folder / name / file).write_text(text, encoding="utf-8")

    def _file(self, number):
        """What one learner has of a chapter, much or little or one thing in it wrong; and which exercises pass."""
        ids = [one.id for one in chapters()[number].exercises]
        kind = self.random.choice(("all", "most", "most", "some", "none", "wrong", "wrong"))
        if kind == "none":
            return stub(number), dict.fromkeys(ids, False)
        if kind == "wrong":
            wrong = self.random.choice(wrong_answers(self.random.choice(ids)))
            return bank.source_of(wrong), {id: expected(id, wrong=wrong) for id in ids}
        left_out = {id for id in ids if id in MILESTONES and self.random.random() < 0.7}
        if kind != "all":
            left_out |= set(self.random.sample(ids, k=len(ids) // (2 if kind == "some" else 4)))
        return half_written(number, sorted(left_out)), {id: expected(id, left_out=left_out) for id in ids}

    def points(self, name):
        return sum(one.points for one in select() if self.expected[name][one.id])


def wrong_grades(crowd, graded):
    """(name, exercise, passed) for every exercise that has another result than expected."""
    return [
        (one.name, entry["id"], entry["passed"])
        for one in graded
        for found in one.records.values()
        for entry in found["exercises"]
        if entry["passed"] != crowd.expected[one.name][entry["id"]]
    ]
