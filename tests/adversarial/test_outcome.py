"""How an exercise ended, in one word."""

from dataclasses import replace

import pytest

from minilm.grading.isolated.outcome import BY_KIND, OUTCOMES, outcome
from minilm.grading.problem import KINDS
from minilm.grading.records import Result
from minilm.grading.registry import exercise

ONE = replace(exercise("6.1"), tests=2)
PASSED = {"exercise": "6.1", "test": "a", "passed": True}


def failing(kind, seen=""):
    return {"exercise": "6.1", "test": "b", "passed": False, "kind": kind, "seen": seen, "call": "", "means": None}


def ended(*records):
    return outcome(Result(ONE, records))


def test_every_kind_of_problem_has_an_outcome():
    assert set(BY_KIND) == set(KINDS)


def test_an_exercise_passes_with_all_its_tests_and_not_with_one_less():
    assert ended(PASSED, PASSED) == "pass"
    assert ended(PASSED) == "not_run"


def test_without_a_report_it_was_not_run():
    assert ended() == "not_run"


@pytest.mark.parametrize("kind", KINDS)
def test_one_failing_test_decides(kind):
    assert ended(PASSED, failing(kind)) == BY_KIND[kind]
    assert BY_KIND[kind] in OUTCOMES


def test_a_wrong_answer_says_more_than_a_stub():
    assert ended(failing("todo"), failing("value")) == "fail"


@pytest.mark.parametrize(
    "seen",
    [
        "ch06_memory.py, line 3, in f:  x = [0] * 10**12\nMemoryError",
        "ch06_memory.py, line 3, in f:  np.ones(10**12)\n_ArrayMemoryError: Unable to allocate 7.28 TiB",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory",
    ],
    ids=["python", "numpy", "torch"],
)
def test_want_of_memory_is_told_from_other_errors(seen):
    assert ended(failing("raised", seen)) == ended(failing("load", seen)) == "memory"


def test_an_error_that_only_mentions_memory_is_an_error():
    assert ended(failing("raised", "ValueError: no MemoryError here")) == "error"
    assert ended(failing("value", "MemoryError")) == "fail"
