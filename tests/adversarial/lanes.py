"""Grades the bank: one submission after the other on a lane, each followed by an honest one, and looks at what is left.

A few lanes of one level share the work. What this file does not do: say what is right (test_hostile.py).
"""

import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hostile import solution, source_of

from minilm.errors import UserError
from minilm.grading.isolated.lane import Handed, Lane
from minilm.grading.isolated.levels import LEVELS
from minilm.grading.records import Report
from minilm.grading.registry import exercise

PATIENCE = "0.5"  # of the 5 seconds of a test: a loop is no less endless for being watched briefly
SECRET = b"not the course's"
MOST = 3  # lanes of a level
FLOODS = threading.Lock()  # only one submission at a time takes all the memory it gets


@dataclass
class Seen:
    """What came of one submission."""

    results: dict  # id -> Result
    records: list
    next: int  # points of the honest file after it
    same_judge: bool
    left: list = field(default_factory=list)  # processes that should be gone
    harm: list = field(default_factory=list)


def handed(file, source):
    return Handed(file, source, hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest())


class Level:
    """The lanes of one level; `jobs`: the cases that are wanted of it. Raises UserError where it does not exist."""

    def __init__(self, level, jobs, places):
        self.places = places
        self.lanes = queue.Queue()
        self.opened = []
        before = os.environ.get("MINILM_PATIENCE")
        os.environ["MINILM_PATIENCE"] = PATIENCE
        try:
            with ThreadPoolExecutor() as pool:
                makes = [pool.submit(Watched, level, places) for _ in range(MOST if len(jobs) > 3 else 1)]
                for made in makes:
                    self.opened.append(made.result())
                    self.lanes.put(self.opened[-1])
        finally:
            os.environ.pop("MINILM_PATIENCE")
            if before is not None:
                os.environ["MINILM_PATIENCE"] = before
        self.pool = ThreadPoolExecutor(len(self.opened))
        self.futures = {one.name: self.pool.submit(self._grade, one) for one in jobs}

    def seen(self, one):
        return self.futures[one.name].result()

    def _grade(self, one):
        lane = self.lanes.get()
        try:
            with FLOODS if one.heavy else nullcontext():
                return lane.grade(one)
        finally:
            self.lanes.put(lane)

    def close(self):
        for future in self.futures.values():
            future.cancel()
        self.pool.shutdown()
        for lane in self.opened:
            lane.lane.close()


class Watched:
    """A lane, and the processes that belong to it."""

    def __init__(self, level, places):
        self.lane = Lane(level, SECRET, hidden=[places.folder])
        self.places = places
        self.own = set(below(self.lane.process.pid))
        self.token = next((word for pid in self.own for word in _folders(pid)), None)

    def grade(self, one):
        judge = self.lane.process.pid
        source = source_of(one, self.places.names)
        records = self.lane.grade(handed(one.file, source), one.exercises)
        results = {result.exercise.id: result for result in Report.of("", one.exercises, records).results}
        after = self.honest()
        same = self.lane.process is not None and self.lane.process.pid == judge
        return Seen(results, records, after, same, self.left(), self.places.harm())

    def honest(self):
        """Points of a right file."""
        one = exercise("0.1")
        return Report.of("", [one], self.lane.grade(handed("ch00_welcome.py", solution("0.1")), [one])).points

    def left(self, seconds=3.0):
        """Processes of this lane besides those that it began with and one cell that is ready for the next test."""
        until = time.monotonic() + seconds
        while len(found := self._more()) > 1 and time.monotonic() < until:
            time.sleep(0.02)
        return [_words(pid) for pid in found] if len(found) > 1 else []

    def _more(self):
        if not self.lane.process or not Path("/proc/self/stat").exists():
            return []
        named = [pid for pid in _pids() if self.token and self.token in _words(pid)]
        return sorted({*below(self.lane.process.pid), *named} - self.own)


def _pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc") else []


def _words(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
    except OSError:
        return ""


def _folders(pid):
    """The folder that names a judge's sandbox, in the arguments of one of its processes."""
    words = _words(pid)
    start = words.find("minilm-judge-")
    return [words[start : start + 21]] if start >= 0 else []


def below(parent):
    """`parent` and all processes that descend from it, but for those that have ended and only wait to be counted."""
    children = {}
    for pid in _pids():
        try:
            state, above = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z":
            children.setdefault(int(above), []).append(pid)
    found = [parent]
    for pid in found:
        found += children.get(pid, [])
    return found


@cache
def strongest():
    """The level that `make test` takes: the strongest that seems to be here."""
    if sys.platform != "linux":
        return LEVELS[-1]
    program = shutil.which("bwrap")
    tried = [program, "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"]
    if program and subprocess.run(tried, capture_output=True).returncode == 0:
        return LEVELS[0]
    return LEVELS[1] if _unshares() else LEVELS[2] if _landlock() else LEVELS[3]


def _unshares():
    code = "from minilm.grading.isolated import kernel as k; k.unshare(k.NEWNS | k.NEWNET | k.NEWUSER)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def _landlock():
    from minilm.grading.isolated import landlock

    return landlock.abi() > 0


__all__ = ["LEVELS", "Level", "UserError", "handed", "strongest"]
