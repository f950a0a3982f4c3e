"""Honest code is not punished: what passes on a learner's own machine passes behind walls, and what fails there fails
here, test by test and for the same reason.

`make test` grades the three milestones, which train for seconds, and the bank's right answers at the strongest level
there is; the other levels, and the milestones' other right answers, are among the slow tests.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import bank
import pytest
from handing import graded, handed, kinds
from versions import RIGHT, ROUNDS, half_solved, other_right_answers, solved, untouched

from minilm.grading import supervise
from minilm.grading.isolated.levels import LEVELS
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


# ---- solutions, stubs and what lies between ------------------------------------------------------


def at_each(lanes, check):
    """check(lane) at each level that can be had here, two at a time."""
    found = []
    for level in LEVELS:
        with suppress(pytest.skip.Exception):
            found.append(lanes(level))
    assert found, "no level can be had here"
    with ThreadPoolExecutor(2) as pool:
        return dict(zip([lane.level for lane in found], pool.map(check, found), strict=True))


def test_the_solutions_pass_at_every_level(lanes):
    """In process they pass, too: tests/grading/test_supervise.py."""
    for level, seen in at_each(lanes, lambda lane: isolated(lane, solved(), SHORT)).items():
        assert all_passed(seen, SHORT), level


def test_the_milestones_pass_at_the_strongest_level(strongest):
    assert all_passed(isolated(strongest, solved(), LONG), LONG)


@slow
def test_the_milestones_pass_at_every_level(lanes):
    for level, seen in at_each(lanes, lambda lane: isolated(lane, solved(), LONG)).items():
        assert all_passed(seen, LONG), level


@pytest.mark.parametrize("chapters", [(1, 5), pytest.param((0, 2, 3, 4, 6, 7), marks=slow)], ids=str)
def test_half_solved_files_score_the_same_at_every_level(lanes, in_process, chapters):
    mine = [one for one in SHORT if one.chapter in chapters]
    expected = in_process(half_solved(), mine)
    assert {"", "todo"} < set(expected.values()) <= {"", "todo", "waits"}
    for level, seen in at_each(lanes, lambda lane: isolated(lane, half_solved(), mine)).items():
        assert seen == expected, level


def test_half_solved_files_and_stubs_score_the_same_at_the_strongest_level(strongest, in_process):
    for files, kinds_ in ((half_solved(), {"", "todo", "waits"}), (untouched(), {"todo"})):
        expected = in_process(files, SHORT)
        assert set(expected.values()) == kinds_
        assert isolated(strongest, files, SHORT) == expected


# ---- other right answers -------------------------------------------------------------------------


@cache
def round_of(turn):
    files, exercises = other_right_answers(turn)
    return files, [one for one in exercises if one in SHORT]


def test_every_other_right_answer_is_in_a_round():
    """Each of them passes in process: tests/mutants/test_mutants.py."""
    rounds = [other_right_answers(turn) for turn in ROUNDS]
    assert sum(len(exercises) for _, exercises in rounds) == sum(map(len, RIGHT.values())) > 150
    assert rounds[0][0] != rounds[1][0] != solved()


@pytest.mark.parametrize("turn", ROUNDS)
def test_other_right_answers_pass_at_the_strongest_level(strongest, turn):
    files, exercises = round_of(turn)
    assert all_passed(isolated(strongest, files, exercises), exercises)


@slow
@pytest.mark.parametrize("turn", ROUNDS)
def test_other_right_answers_pass_at_every_level(lanes, turn):
    files, exercises = other_right_answers(turn)
    for level, seen in at_each(lanes, lambda lane: isolated(lane, files, exercises)).items():
        assert all_passed(seen, exercises), level


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
    "prints in small pieces": "[print(i, flush=True) for i in range(2000)]",
    "prints 10 MB as errors": "sys.stderr.write('spam' * 2_500_000)",
    "warns": "warnings.warn('careful')",
    "divides by zero": "np.zeros(2) / np.zeros(2)",
    "closes its output": "sys.stdout.close()",
    "puts something else in place of its output": "sys.stdout = None",
    "takes half of its time": "time.sleep(2.5 if words == [([b'b', b'a', b'c'], 1)] else 0)",
    "writes a file": "open('notes.txt', 'w').write('a' * 1_000_000)",
    "takes much memory": "np.ones(20_000_000)",
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
