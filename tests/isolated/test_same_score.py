"""Honest code is not punished: what passes on a learner's own machine passes behind walls, and what fails there fails
here, test by test and for the same reason.

In `make test` the three milestones, which train for seconds, are graded at the strongest level there is; their other
right answers, and all at the weaker levels, with the slow tests.
"""

import warnings
from functools import cache

import bank
import pytest
from handing import graded, handed, kinds
from versions import RIGHT, ROUNDS, half_solved, other_right_answers, solved, untouched

from minilm.grading import supervise
from minilm.grading.isolated.walls import LEVELS
from minilm.grading.registry import exercise, select, stem

LONG = [one for one in select() if one.seconds > 15]
SHORT = [one for one in select() if one not in LONG]
slow = pytest.mark.slow


def isolated(lane, files, exercises):
    """test -> how it went: "" or the kind of problem, graded by a lane."""
    records = []
    for number in sorted({one.chapter for one in exercises}):
        mine = [one for one in exercises if one.chapter == number]
        records += lane.grade(handed(files[number], f"{stem(number)}.py"), mine)
    return outcomes(records)


@pytest.fixture
def in_process(tmp_path):
    """in_process(files, exercises): the same, graded as a learner grades."""

    def grade(files, exercises):
        for number, source in files.items():
            (tmp_path / f"{stem(number)}.py").write_text(source, encoding="utf-8")
        report = supervise.grade(tmp_path, exercises)
        return outcomes(record for result in report.results for record in result.records)

    return grade


def outcomes(records):
    return {(record["exercise"], record["test"]): record.get("kind", "") for record in records}


def all_passed(seen, exercises):
    """Every declared test has reported, and none failed."""
    assert {test: kind for test, kind in seen.items() if kind} == {}
    return len(seen) == sum(one.tests for one in exercises)


def mixed(seen):
    return {"", *("todo", "waits")} == set(seen.values())


# ---- solutions, stubs and what lies between ------------------------------------------------------


def test_the_solutions_pass_at_the_strongest_level(strongest):
    """In process they pass, too: tests/grading/test_supervise.py."""
    assert all_passed(isolated(strongest, solved(), select()), select())


@pytest.mark.parametrize("level", LEVELS)
def test_the_solutions_pass_at_every_level(lanes, level):
    assert all_passed(isolated(lanes(level), solved(), SHORT), SHORT)


@slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_milestones_pass_at_every_level(lanes, level):
    assert all_passed(isolated(lanes(level), solved(), LONG), LONG)


def test_half_solved_files_and_stubs_score_the_same_at_every_level(lanes, in_process):
    """One test for all levels, since the score of a learner's own machine is needed once."""
    half, stubs = in_process(half_solved(), SHORT), in_process(untouched(), SHORT)
    assert mixed(half) and set(stubs.values()) == {"todo"}
    for level in LEVELS:
        try:
            lane = lanes(level)
        except pytest.skip.Exception:
            continue
        assert isolated(lane, half_solved(), SHORT) == half, level
        assert isolated(lane, untouched(), SHORT) == stubs, level


# ---- other right answers -------------------------------------------------------------------------


@cache
def round_of(turn, long):
    files, exercises = other_right_answers(turn)
    return files, [one for one in exercises if (one in LONG) == long]


def test_every_other_right_answer_is_in_a_round():
    """Each of them passes in process: tests/mutants/test_mutants.py."""
    count = sum(len(round_of(turn, long)[1]) for turn in ROUNDS for long in (False, True))
    assert count == sum(map(len, RIGHT.values())) > 150
    assert round_of(0, False)[0] != round_of(1, False)[0] != solved()


@pytest.mark.parametrize("turn", ROUNDS)
def test_other_right_answers_pass_at_the_strongest_level(strongest, turn):
    files, exercises = round_of(turn, long=False)
    assert all_passed(isolated(strongest, files, exercises), exercises)


@slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("turn", ROUNDS)
def test_other_right_answers_pass_at_every_level(lanes, level, turn):
    files, exercises = other_right_answers(turn)
    assert all_passed(isolated(lanes(level), files, exercises), exercises)


@slow
@pytest.mark.parametrize("turn", ROUNDS)
def test_other_right_answers_in_one_file_pass_in_process(in_process, turn):
    files, exercises = other_right_answers(turn)
    assert all_passed(in_process(files, exercises), exercises)


# ---- noisy, slow and worrying, but right ---------------------------------------------------------

WRAPPED = """

import sys, time, warnings
import numpy as np
_count_pairs = count_pairs
warnings.warn("read with a warning")

def count_pairs(words):
    {}
    return _count_pairs(words)
"""
HARMLESS = {
    "prints 10 MB": "print('spam' * 2_500_000)",
    "prints 10 MB in small pieces": "[print('spam', i, flush=i % 100 == 0) for i in range(300_000)]",
    "prints 10 MB as errors": "sys.stderr.write('spam' * 2_500_000)",
    "warns": "warnings.warn('careful')",
    "divides by zero": "np.zeros(2) / np.zeros(2)",
    "closes its output": "sys.stdout.close()",
    "puts something else in place of its output": "sys.stdout = None",
    "takes half of its time": "time.sleep(2.5 if words == [([b'b', b'a', b'c'], 1)] else 0)",
    "writes a file": "open('notes.txt', 'w').write('a' * 1_000_000)",
    "takes much memory": "np.ones(60_000_000)",
    "raises its recursion limit": "sys.setrecursionlimit(5000)",
    "changes the random numbers": "np.random.seed(1)",
}


@pytest.mark.parametrize("line", HARMLESS.values(), ids=[name.replace(" ", "_") for name in HARMLESS])
def test_what_is_only_unusual_costs_nothing(strongest, line):
    source = bank.solution(1) + WRAPPED.format(line)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert kinds(graded(strongest, source, "1.1")) == {"1.1": [""] * exercise("1.1").tests}


def test_what_takes_longer_than_its_time_does_cost(strongest):
    source = bank.solution(1) + WRAPPED.format(HARMLESS["takes half of its time"].replace("2.5", "60"))
    assert "slow" in kinds(graded(strongest, source, "1.1"))["1.1"]
    assert exercise("1.1").limit == 2 * 2.5
