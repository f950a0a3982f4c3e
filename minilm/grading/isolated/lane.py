"""One judge with its sandbox, kept for many files: the lane that submissions are graded on, one after the other.

    with Lane("strong") as lane:
        records = lane.grade(handed, exercises)

The clock outside the judge is kept here (by supervise.run_once): a job that gets stuck is killed and goes on behind the
test that it was stuck in.

What this file does not do: choose what is graded, or keep anything (classroom/).
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from .. import course
from ..supervise import left, run_once
from . import seeds
from .levels import STRONG

STARTUP = 180.0  # seconds for two Pythons with torch, on a slow machine
JUDGING = 60.0  # seconds that a test may take beside the learner's code, before its judge counts as stuck
TRIES = 3  # for what is nobody's fault


@dataclass(frozen=True)
class Handed:
    """One file as it is graded. source None: there is none, and `why` is the sentence about that."""

    file: str  # "ch05_lora.py"
    source: str | None
    sha256: str
    why: str = ""


class Infra(Exception):
    """This file could not be graded, through no fault of its own."""


class Died(Infra):
    """The fork of a job ended in the middle of a test; its judge is well."""


class Lane:
    """Arguments: isolation: "strong", "any" or a level (levels.LEVELS). secret: bytes behind the hidden inputs. hidden:
    folders that no cell may see. Raises UserError when such walls cannot be had here."""

    def __init__(self, isolation="strong", secret=seeds.OPEN, hidden=()):
        self.options = {"isolation": isolation, "hidden": [str(Path(path).resolve()) for path in hidden]}
        self.secret = secret
        self.process = None
        self._start()

    def _start(self):
        package_folder = str(Path(__file__).resolve().parents[3])
        paths = [package_folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        heap = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-B", "-m", "minilm.grading.isolated.judge", json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=course.root(),
            env={**os.environ, **threads, **heap, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        self.messages = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process, self.messages), daemon=True).start()
        first = self._next(STARTUP)
        if "ready" not in first:
            self.close()
            raise UserError(
                first.get("refused") or "the judge of isolated grading did not start; is there memory left?"
            )
        self.level, self.walls = first["ready"], first["walls"]

    @staticmethod
    def _listen(process, messages):
        for line in process.stdout:
            with suppress(ValueError):  # a module that prints while it is imported says nothing to us
                messages.put(json.loads(line))
        messages.put({"gone": True})

    def _next(self, seconds):
        try:
            return self.messages.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return {"late": True}

    @property
    def isolation(self):
        """What every record says about the walls."""
        return {"level": self.level, "strong": self.level in STRONG, "walls": self.walls}

    def grade(self, handed, exercises, watch=None):
        """The records of the tests of `exercises`, all of one chapter, on the file `handed`.

        watch: called with each record as it comes, or None. Raises Infra.
        """
        records, given_up, tries = [], set(), 0

        def keep(record):
            records.append(record)
            if watch:
                watch(record)

        while todo := left(exercises, records, given_up):
            job = {
                "file": handed.file, "source": handed.source, "why": handed.why, "sha256": handed.sha256,
                "secret": self.secret.hex(), "exercises": [one.id for one in todo],
                "done": [[record["exercise"], record["test"]] for record in records],
            }  # fmt: skip
            try:
                told = len(records)
                fresh, lost = run_once(Job(self, last=tries == TRIES - 1), job, keep, grace=JUDGING)
            except Infra as error:
                tries += 1
                if tries == TRIES:
                    raise
                if not isinstance(error, Died):
                    self.close()
                    self._start()
                continue
            records += fresh[len(records) - told :]  # a test that was lost has told nothing itself
            given_up |= set(lost)
        return records

    def close(self):
        """End the judge, its sandbox and all cells."""
        if self.process is None:
            return
        with suppress(OSError):  # the judge may be gone, with a job still to be written
            self.process.stdin.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Job:
    """One job of a lane, as supervise.run_once wants it: send, next, end.

    A fork that ends in the middle of a test was ended by the machine, and the test comes again; only at the `last` try
    is it held for what the test itself does.
    """

    def __init__(self, lane, last=True):
        self.lane, self.last, self.pid, self.over = lane, last, None, None

    def send(self, job):
        try:
            self.lane.process.stdin.write(json.dumps(job) + "\n")
            self.lane.process.stdin.flush()
        except OSError:
            raise Infra("the judge is gone") from None

    def next(self, seconds):
        while True:
            message = self.lane._next(seconds)
            if "pid" in message:
                self.pid = message["pid"]
            elif "over" in message:
                self.over = message["over"]
                if not self.last:
                    raise Died(f"a process of the judge ended (exit code {self.over})")
                return {"ended": True}
            elif "infra" in message or "gone" in message:
                raise Infra(message.get("infra", "the judge is gone"))
            else:
                return message

    def end(self):
        """End the job if it still runs, and wait until the judge is ready for the next; returns its exit code."""
        while self.over is None:
            if self.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            message = self.lane._next(30.0)
            if "pid" in message:
                self.pid = message["pid"]
            elif "over" in message:
                self.over = message["over"]
            elif "gone" in message or "late" in message:
                return 1
        return self.over
