"""An answer learned by heart: every call of the graded tests and its result, from a run with other hidden inputs."""

import importlib.util

from minilm.grading import course
from minilm.grading.answers import Answers
from minilm.grading.registry import exercise
from minilm.grading.worker import Worker


class Recorder:
    """A worker that keeps what it is asked and what it answers."""

    def __init__(self, path):
        self.worker, self.table = Worker(path), {}

    def request(self, operation, target, args=(), kwargs=None, seconds=5.0):
        value, after = self.worker.request(operation, target, args, kwargs, seconds)
        if operation == "call":
            self.table[repr(tuple(args))] = value
        return value, after


def table(id, seed=0):
    """repr(arguments) -> result of all calls that the graded tests of an exercise make."""
    chapter = exercise(id).chapter
    recorder = Recorder(course.answer_file(course.implementation("solutions"), chapter))
    spec = importlib.util.spec_from_file_location(f"learned_{chapter}", course.tests_of(chapter))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for test in vars(module).values():
        if hasattr(test, "graded") and test.graded.exercise == id:
            test(Answers(recorder, 20.0, seed))
    return recorder.table
