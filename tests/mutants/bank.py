"""The bank of answers that test the graded tests: wrong ones, each with the message it must draw, and other right ones.

A file such as chNN/merge_pair.py holds those of one exercise:

    from bank import body, right, swap, wrong

    EXERCISE = "1.2"
    ANSWERS = [
        wrong("jumps one token, not two", "overlap", swap("i += 2", "i += 1")),
        right("by slices", body("merge_pair", '''...''')),
    ]

A change is a small patch of the solution: `swap(old, new)` replaces text that occurs exactly once between the
exercise's markers, and `body(function, code)` the whole marked part of a function. What a wrong answer must draw is the
key of a misconception of the exercise, or a kind of problem (problem.KINDS) that has a message of its own, such as
"mutated" or "nan".

SURVIVORS = {label: reason} in such a file lists the mechanical changes of auto.py that make no difference.
"""

import importlib.util
import re
import textwrap
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch._dynamo  # noqa: F401  the first optimizer imports it: a short limit would leave that half done for good

from minilm.grading import course, records
from minilm.grading.answers import Answers
from minilm.grading.registry import chapters, exercise, stem
from minilm.grading.worker import Worker

HERE = Path(__file__).resolve().parent
SOLUTIONS = HERE.parents[1] / "solutions"


@dataclass(frozen=True)
class Answer:
    """One answer to one exercise. draws is None for a right one."""

    name: str
    draws: str | None
    changes: tuple
    endless: bool = False  # never ends, so that waiting long for it is no use
    exercise: str = ""


def wrong(name, draws, *changes, endless=False):
    return Answer(name, draws, changes, endless)


def right(name, *changes):
    return Answer(name, None, changes)


def swap(old, new):
    """Replace `old`, which the exercise's marked part must hold exactly once."""

    def change(source, id):
        blocks = _blocks(source, id)
        count = sum(block.group().count(old) for block in blocks)
        assert count == 1, f"{old!r} is {count} times in the solution of {id}, it should be there once"
        block = next(block for block in blocks if old in block.group())
        return source[: block.start()] + block.group().replace(old, new) + source[block.end() :]

    return change


def body(function, code):
    """Replace the marked part of `function` by `code` (dedented here)."""

    def change(source, id):
        start = re.search(rf"^( *)def {function}\(", source, re.MULTILINE)
        block = next(block for block in _blocks(source, id) if block.start() > start.start())
        indented = textwrap.indent(textwrap.dedent(code).strip("\n"), start.group(1) + "    ")
        return source[: block.start()] + indented + "\n" + source[block.end() :]

    return change


def _blocks(source, id):
    pattern = rf"^ *# BEGIN SOLUTION {re.escape(id)}:.*?# END SOLUTION\n"
    return list(re.finditer(pattern, source, re.MULTILINE | re.DOTALL))


@cache
def solution(number):
    return (SOLUTIONS / f"{stem(number)}.py").read_text(encoding="utf-8")


@cache
def files():
    """The files of the bank, loaded."""
    loaded = []
    for path in sorted(HERE.glob("ch*/*.py")):
        module = _load(path)
        assert exercise(module.EXERCISE).chapter == int(path.parent.name[2:]), f"{path} lies in the wrong folder"
        loaded.append(module)
    return tuple(loaded)


def answers():
    """Every answer of the bank, in the order of the files."""
    return [replace(one, exercise=module.EXERCISE) for module in files() for one in module.ANSWERS]


def survivors(id):
    """The mechanical changes (auto.py) to an exercise that make no difference: label -> reason."""
    return {
        label: reason
        for module in files()
        if module.EXERCISE == id
        for label, reason in getattr(module, "SURVIVORS", {}).items()
    }


def source_of(answer):
    """The whole file with this answer in it."""
    source = solution(exercise(answer.exercise).chapter)
    for change in answer.changes:
        source = change(source, answer.exercise)
    return source


@cache
def graded_tests(number):
    """The graded tests of a chapter, in the order of the file."""
    module = _load(course.tests_of(number))
    return [thing for thing in vars(module).values() if hasattr(thing, "graded")]


def grade(source, id, limit=20.0):
    """The result of one exercise for a file with this source, without starting a process or pytest.

    Called with the same tests, the same `answers` and the same records as the real thing, so it ends the same way:
    tests/grading/test_supervise.py holds the two together.
    """
    number = exercise(id).chapter
    found = []
    for test in graded_tests(number):
        if test.graded.exercise == id:
            worker = Worker(SOLUTIONS / f"{stem(number)}.py", source.encode())
            found.append(_run(test, Answers(worker, limit)))
            if not found[-1]["passed"]:
                break
    return records.Result(exercise(id), tuple(found))


def draws(source, id, seeds, limit=20.0):
    """Whether the exercise passes, for each seed of what its tests draw. Tests that draw nothing run once."""
    number, passes = exercise(id).chapter, [True] * len(seeds)
    for test in graded_tests(number):
        for place, seed in enumerate(seeds):
            if test.graded.exercise != id or not passes[place]:
                continue
            handed = Answers(Worker(SOLUTIONS / f"{stem(number)}.py", source.encode()), limit, seed)
            before = handed.random.bit_generator.state
            passed = _run(test, handed)["passed"]
            if handed.random.bit_generator.state == before:  # the same whatever the seed
                passes = [known and passed for known in passes]
                break
            passes[place] = passed
    return passes


def patience(one):
    """Seconds for each test of a mechanical change to an exercise: few, since some changes never end; but where the
    tests need long, what the clock stops would only look as if a test had noticed it."""
    return 0.5 if one.seconds <= 5 else one.seconds


def _run(test, handed):
    try:
        test(handed)
    except Exception as error:
        return records.failed(test, error, handed.last)
    return records.passed(test)


def _load(path):
    spec = importlib.util.spec_from_file_location(f"bank_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result_of(answer):
    limit = 0.5 if answer.endless else max(20.0, exercise(answer.exercise).seconds)
    return grade(source_of(answer), answer.exercise, limit)


def everything():
    """All declared exercises."""
    return [one for chapter in chapters().values() for one in chapter.exercises]
