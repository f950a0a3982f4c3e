"""The process that runs graded tests: `python -m minilm.grading.child`, started by supervise.py and nobody else.

It warms up (imports pytest and what it is told to), waits for one job on its input, runs pytest once, and reports on
its output as lines of JSON: {"ready": true}, for each test {"start": id} and {"record": {...}}, then {"done": true}.
A process does one job only, so every check starts from fresh modules.
"""

import json
import os
import sys
import threading
from importlib import import_module

import pytest

from . import course
from .records import MOST

# pytest's own account of a failure would be thrown away (plugin.py): the native one takes the least time to make
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:logging", "--tb=native")


class Reporter:
    """A pytest plugin: picks the tests of the job, and tells what happens while it happens."""

    def __init__(self, job, send):
        self.job, self.send = job, send

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = self.chosen(items)

    def chosen(self, items):
        """The tests of the job."""
        wanted, done = set(self.job["exercises"]), {tuple(pair) for pair in self.job["done"]}
        return [
            item
            for item in items
            if hasattr(item.function, "graded")
            and item.function.graded.exercise in wanted
            and (item.function.graded.exercise, item.function.__name__) not in done
        ]

    def printed(self, report):
        """What the learner's code printed."""
        return report.capstdout

    def pytest_runtest_protocol(self, item):
        self.send({"start": [item.function.graded.exercise, item.function.__name__]})

    def pytest_runtest_logreport(self, report):
        record = getattr(report, "record", None)
        if record is not None:
            self.send({"record": {**record, "printed": self.printed(report)[:MOST]}})

    def pytest_collectreport(self, report):
        if report.failed:
            self.send({"broken": str(report.longrepr)[-MOST:]})


def quiet_channel():
    """send(message): a line of JSON on what was the output until now. From here on, what anything prints goes nowhere:
    it must not reach the channel."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)

    def send(message):
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return send


def main(imports):
    send = quiet_channel()
    for name in imports:
        import_module(name)
    send({"ready": True})
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if line:
        run(json.loads(line), send)
        send({"done": True})
    os._exit(0)  # threads that a learner's code left behind must not keep the process


def _end_with_parent():
    """The input closes when the process that asked is gone: then an endless loop here must not go on alone."""
    sys.stdin.read()
    os._exit(1)


def run(job, send):
    os.environ[course.IMPL] = job["impl"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # quicker, and no plugin that happens to be installed interferes
    graded = course.root() / "tests" / "exercises"
    options = [*OPTIONS, "-q", "--confcutdir", str(graded), "--rootdir", str(course.root())]
    pytest.main([*options, *job["files"]], plugins=[Reporter(job, send)])


if __name__ == "__main__":
    main(sys.argv[1:])
