"""The clock outside: graded tests run in a process of their own, and a process that takes too long is ended.

Nothing that happens in a learner's code can hang a notebook then: not a loop that catches every exception, not one long
call into C, not a crash of Python itself. The tests that were still to come run in a new process.

A notebook keeps one process ready in advance (`keep_spare`), with the heavy imports done, so that a check takes no
longer than its tests.

What this file does not do: judge (the tests do), or hide anything from the code it runs.
"""

import atexit
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import course
from .records import Report
from .registry import chapters, exercise

STARTUP = 120.0  # seconds for Python, pytest and the imports of a chapter, on a slow machine
BETWEEN = 30.0  # seconds from the end of one test to the start of the next
GRACE = 1.5  # seconds after a limit in which the clock inside may end the test itself, and say where it was


class Child:
    """One process of child.py."""

    def __init__(self, imports):
        self.imports = tuple(imports)
        package_folder = str(Path(__file__).resolve().parents[2])
        paths = [package_folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-B", "-m", "minilm.grading.child", *self.imports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=course.root(),
            env={"OMP_NUM_THREADS": "1", "RUST_BACKTRACE": "0", **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=os.name == "posix",  # so that what it starts itself can be ended with it
            text=True,
            encoding="utf-8",
        )
        self.messages = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.messages.put(json.loads(line))
        self.messages.put({"ended": True})

    def send(self, job):
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it is gone; the queue says so too

    def next(self, seconds):
        """The next message, or {"late": True} after that many seconds."""
        try:
            return self.messages.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return {"late": True}

    def end(self):
        """End it and all it started; returns its exit code."""
        if os.name == "posix":
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        else:
            self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        return code


def grade(impl, exercises, watch=None):
    """Run the graded tests of `exercises` on the answers at `impl`, and return a Report.

    watch: called with each record as it comes, or None.
    """
    impl = course.implementation(str(impl))
    records, given_up = [], set()
    while todo := left(exercises, records, given_up):
        job = {
            "impl": str(impl),
            "exercises": [one.id for one in todo],
            "files": [str(course.tests_of(number)) for number in sorted({one.chapter for one in todo})],
            "done": [[record["exercise"], record["test"]] for record in records],
        }
        fresh, lost = run_once(_take(_imports(todo)), job, watch)
        records += fresh
        given_up |= set(lost)
    return Report.of(impl, exercises, records)


def left(exercises, records, given_up):
    """The exercises of which some tests have not run yet and none was given up."""
    counts = {one.id: sum(record["exercise"] == one.id for record in records) for one in exercises}
    return [one for one in exercises if one.id not in given_up and counts[one.id] < one.tests]


def _imports(exercises):
    return sorted({name for one in exercises for name in chapters()[one.chapter].imports})


def run_once(child, job, watch=None, grace=GRACE):
    """One process, until it is done or had to be ended: (records, ids of exercises that must not run again)."""
    records, current, deadline = [], None, time.monotonic() + STARTUP
    child.send(job)
    try:
        while True:
            message = child.next(deadline - time.monotonic())
            if "start" in message:
                current = message["start"]
                deadline = time.monotonic() + exercise(current[0]).limit + grace
            elif "record" in message:
                records.append(message["record"])
                current = None
                if watch:
                    watch(message["record"])
                deadline = time.monotonic() + BETWEEN
            elif "broken" in message:
                raise RuntimeError(f"the graded tests cannot be loaded:\n{message['broken']}")
            elif "done" in message:
                return records, job["exercises"]
            elif "late" in message or "ended" in message:
                code = child.end()
                if current is not None:
                    records.append(_lost(current, late="late" in message, code=code))
                    return records, [current[0]]
                if not records:
                    raise RuntimeError(f"the process for the graded tests did not start (exit code {code})")
                return records, []  # it ended between two tests: the others get a new one
    finally:
        child.end()


def _lost(current, late, code):
    """The record of the test that was running when its process had to be ended, or died."""
    id, test = current
    if late:
        seen = f"It was still running after {exercise(id).limit:.0f} s, and did not stop when asked to."
    else:
        seen = f"Python itself stopped in the middle of the test (exit code {code})."
    return {
        "exercise": id, "test": test, "passed": False, "kind": "slow" if late else "crash",
        "seen": seen, "call": "", "means": None,
    }  # fmt: skip


# ---- one process kept ready ----------------------------------------------------------------------

_spare = []


def keep_spare(imports):
    """Start a process for the next check now, while the learner reads the result of this one."""
    if not _spare:
        _spare.append(Child(imports))


def _take(imports):
    """The process that is ready, if it has what is needed, or a new one."""
    while _spare:
        child = _spare.pop()
        if set(imports) <= set(child.imports) and child.process.poll() is None:
            return child
        child.end()
    return Child(imports)


def drop_spare():
    while _spare:
        _spare.pop().end()


atexit.register(drop_spare)
