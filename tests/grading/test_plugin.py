"""Plain pytest on a graded file: the learner's message, and no points by another way."""

import os
import subprocess
import sys

import bank
import pytest

from minilm.grading import course


def pytest_on(impl, *options, file="test_ch00_welcome.py"):
    environment = {name: value for name, value in os.environ.items() if name != course.IMPL}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # only to be quick
    if impl:
        environment[course.IMPL] = str(impl)
    tests = course.root() / "tests" / "exercises"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--confcutdir", str(tests), *options]
    done = subprocess.run([*command, str(tests / file)], capture_output=True, text=True, env=environment)
    return done.stdout


def test_a_failing_test_prints_the_message_and_no_stack(folder):
    printed = pytest_on(folder(ch00=bank.solution(0).replace("log2", "log")))
    assert "0.1 Bits of surprise: wrong value\n    surprise(0.25)\n        gave      1.3863" in printed
    assert "Usually: the natural logarithm" in printed
    assert "expect.py" not in printed and "Problem" not in printed
    assert "3 failed, 2 passed" in printed


def test_right_answers_pass_and_stubs_do_not(folder):
    assert "5 passed" in pytest_on("solutions")
    assert "5 failed" in pytest_on(folder())


@pytest.mark.parametrize("trick", ["import pytest; pytest.skip('no')", "import pytest; pytest.xfail('no')", "exit(0)"])
def test_a_skip_or_an_exit_inside_an_answer_is_a_failure(folder, trick):
    printed = pytest_on(folder(ch00=bank.solution(0).replace("return math", f"{trick}\n    return math")))
    assert "5 failed" in printed and "passed" not in printed


def test_a_warning_in_an_answer_is_no_failure(folder):
    noisy = "import warnings; warnings.warn('mind')\n    return math"
    assert "5 passed" in pytest_on(folder(ch00=bank.solution(0).replace("return math", noisy)))


def test_named_tests_grade_the_exercises_and_the_whole_suite_the_solutions(monkeypatch):
    monkeypatch.delenv(course.IMPL, raising=False)
    root = course.root()
    assert course.default_implementation(["tests/exercises/test_ch01_tokenizer.py::test_x"]) == root / "exercises"
    assert course.default_implementation([str(root / "tests" / "exercises")]) == root / "exercises"
    assert course.default_implementation(["tests"]) == root / "solutions"
    assert course.default_implementation([]) == root / "solutions"
    monkeypatch.setenv(course.IMPL, "exercises")
    assert course.default_implementation([]) == root / "exercises"


def test_where_there_are_no_solutions_the_exercises_are_graded(monkeypatch, tmp_path):
    monkeypatch.delenv(course.IMPL, raising=False)
    for name in ("tests/exercises", "exercises"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert course.default_implementation([]) == tmp_path.resolve() / "exercises"
