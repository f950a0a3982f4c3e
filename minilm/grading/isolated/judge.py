"""The judge: `python -m minilm.grading.isolated.judge`, started by lane.py and nobody else.

One process with pytest, the graded tests and torch loaded, and a sandbox of its own. It collects the tests once, and
for each job (one submitted file) it forks: the fork runs the tests of that file and reports as child.py does, so every
job starts from the same fresh state, and nothing that one of them does to the judge outlives it.

    in:   {"file", "source", "why", "sha256", "secret", "exercises", "done"}, one line of JSON for each job
    out:  {"ready": level, "walls": [...]} or {"refused": ...}, once;
          {"pid": ...}, then {"start": ...} and {"record": ...} for each test, {"done": true} or {"infra": ...}, and at
          last {"over": exit code}, for each job
"""

import gc
import json
import os
import select
import signal
import sys
from importlib import import_module

import pytest

from ...errors import UserError
from .. import course, plugin
from ..child import OPTIONS, Reporter, quiet_channel
from ..registry import chapters, exercise
from . import seeds, supplies
from .opening import Opening
from .remote import Cells, File, RemoteWorker, told

# What comes with the file of a chapter and is called by its tests: in a notebook these count as well.
GIVEN = {2: ("learn_to_reverse",), 3: ("batch_loss", "loss_in_parts", "tiny_model")}


class Judge(Reporter):
    """A pytest plugin: keeps the session open and runs jobs in it."""

    def __init__(self, opening, send, options):
        super().__init__(None, send)
        self.opening, self.options = opening, options
        self.worker = None

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if hasattr(item.function, "graded")]

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            return True
        self.items = {}  # by exercise: a fork copies what it looks at
        for item in session.items:
            self.items.setdefault(item.function.graded.exercise, []).append(item)
        for id in self.items:
            supplies.support(exercise(id).support)  # read once, before the forks
        try:
            self.sandbox = self.opening.ready()
        except UserError as error:
            self.send({"refused": str(error)})
            return True
        gc.freeze()  # a fork need not look through what is loaded
        gc.enable()
        self.send({"ready": self.sandbox.level, "walls": self.sandbox.walls})
        for line in sys.stdin:
            if not self.sandbox.alive():
                self.sandbox.close()
                self.sandbox = open_sandbox(self.options).ready()
            self._in_a_fork(json.loads(line))
        self.sandbox.close()
        return True

    def _in_a_fork(self, job):
        over, open_while_it_runs = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self._run(job)
            finally:
                os._exit(code)
        os.close(open_while_it_runs)
        self.send({"pid": pid})
        select.select([over, 0], [], [])
        if not select.select([over], [], [], 0)[0]:  # the input closed: nobody waits for this job any more
            os.kill(pid, signal.SIGKILL)
        os.close(over)
        _, status = os.waitpid(pid, 0)
        self.send({"over": os.waitstatus_to_exitcode(status)})

    def _run(self, job):
        self.job = job
        plugin.worker_for = self._worker
        plugin.seed_for = self._seed
        items = self.chosen(item for id in job["exercises"] for item in self.items.get(id, ()))
        source = None if job["source"] is None else job["source"].encode("utf-8")
        exercises = [exercise(item.function.graded.exercise) for item in items]
        file = File(job["file"], source, job["why"], functions=_asked_for(job["file"], exercises))
        self.cells = Cells(self.sandbox, file, exercises)
        for self.place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.worker:
                self.worker.close()
            if self.cells.failed:
                self.send({"infra": self.cells.failed})
                return 3
        self.cells.close()
        self.send({"done": True})
        return 0

    def _worker(self, one, request):
        self.worker = RemoteWorker(self.cells, self.place)
        self.worker.open()
        return self.worker

    def _seed(self, one, request):
        return seeds.seed(bytes.fromhex(self.job["secret"]), one.id, request.function.__name__, self.job["sha256"])

    def printed(self, report):
        return self.worker.printed if self.worker else ""

    def pytest_runtest_logreport(self, report):
        if self.cells.failed:
            return
        if hasattr(report, "record"):  # the name of a class, say, is a learner's own
            texts = report.record.items()
            report.record = {key: told(value) if type(value) is str else value for key, value in texts}
        super().pytest_runtest_logreport(report)


def _asked_for(file, exercises):
    """The names that the chapter of these exercises asks for, if the file is a notebook: its others do not count."""
    if not file.endswith(".ipynb") or not exercises:
        return ()
    number = exercises[0].chapter
    names = [name.split(".")[0] for one in chapters()[number].exercises for name in one.functions]
    return tuple(dict.fromkeys([*names, *GIVEN.get(number, ())]))


def open_sandbox(options):
    return Opening(options["isolation"], hidden=options["hidden"])


def main(options):
    send = quiet_channel()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        opening = open_sandbox(options)  # its torch is loaded at the same time as the one here
    except UserError as error:
        send({"refused": str(error)})
        return
    gc.disable()  # until all is loaded: nothing of it is garbage
    for name in ("torch", "torch._dynamo"):
        import_module(name)
    sys.modules["torch"].set_num_threads(1)
    files = [str(course.tests_of(number)) for number in chapters()]
    graded = course.root() / "tests" / "exercises"
    chosen = [*OPTIONS, "-q", "-s", "--confcutdir", str(graded)]
    pytest.main([*chosen, "--rootdir", str(course.root()), *files], plugins=[Judge(opening, send, options)])
    os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
