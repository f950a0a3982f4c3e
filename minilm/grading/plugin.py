"""What makes the graded tests run under pytest. tests/exercises/conftest.py takes these names in.

A failing graded test prints the message for the learner instead of a stack of our own code. Warnings in a learner's
code stay warnings: a softmax that overflows should hear about its NaN.

What this file does not do: start or end processes (supervise.py).
"""

import pytest

from . import course, records
from .answers import Answers
from .explain import as_text
from .problem import Problem
from .registry import exercise as find
from .worker import Worker

gone = {}  # what was too slow once, an exercise or a whole file -> the Problem: waiting for it again helps nobody


@pytest.fixture
def answers(request):
    """The functions of the file that is being graded, freshly loaded."""
    one = find(request.function.graded.exercise)
    for known in (one.id, one.chapter):
        if known in gone:
            raise gone[known]
    return Answers(worker_for(one, request), one.limit, seed_for(one, request))


def worker_for(one, request):
    """Who runs the learner's code of an exercise: it stands in this process, unless the judge has put its own here."""
    impl = course.default_implementation(request.config.args)
    return Worker(course.answer_file(impl, one.chapter))


def seed_for(one, request):
    """What `answers.random` starts from: for a learner at work always the same."""
    return 0


def pytest_collection_modifyitems(items):
    for item in items:
        grade = getattr(getattr(item, "function", None), "graded", None)
        if grade is not None:
            item.add_marker(pytest.mark.filterwarnings("default"))
            item.user_properties += [("exercise", grade.exercise), ("points", find(grade.exercise).points)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    test, error = getattr(item, "function", None), call.excinfo.value if call.excinfo else None
    if not hasattr(test, "graded") or isinstance(error, KeyboardInterrupt):
        return report
    if error is None:
        if call.when == "call":
            report.record = records.passed(test)
        return report
    handed = item.funcargs.get("answers")
    if isinstance(error, Problem) and error.kind == "slow" and handed:
        gone[test.graded.exercise if handed.loaded else find(test.graded.exercise).chapter] = error
    report.record = records.failed(test, error, handed.last if handed else "")
    report.outcome = "failed"  # a skip inside a learner's function is no pass
    report.longrepr = as_text(find(test.graded.exercise), report.record)
    return report
