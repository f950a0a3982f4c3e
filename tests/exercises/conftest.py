"""The graded tests run on a learner's exercises/ when they are named, on solutions/ within the whole test suite, and on
what MINILM_IMPL names (see minilm/grading/course.py)."""

from minilm.grading.plugin import answers, pytest_collection_modifyitems, pytest_runtest_makereport

__all__ = ["answers", "pytest_collection_modifyitems", "pytest_runtest_makereport"]
