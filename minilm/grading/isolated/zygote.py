"""The process that every cell is forked from: numpy and torch are loaded once, and no learner's code ever runs in it.

It stands inside the outer walls (walls.py) and listens to the judge on one socket. Each request brings five ends of
pipes, and a new cell gets three of them. The other two stay here: `life`, whose other end the judge holds (when it
closes, for whatever reason, the cell is killed), and `status`, on which the end of the cell is told.

What this file does not do: understand what judge and cell say to each other.
"""

import gc
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from importlib import import_module

from . import cell, kernel, rooms, seccomp

POLL = 0.05  # seconds between two looks at a scratch folder on a disk
MOST_FILES = 10_000


class Zygote:
    """Arguments: config: see walls.py."""

    def __init__(self, config):
        self.config = config
        self.control = socket.socket(fileno=config["control"])
        self.cells = {}  # pid -> (life, status, scratch)
        self.woken, wake = os.pipe()
        for fd in (self.woken, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.control, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.own = kernel.call("pidfd_open", os.getpid(), 0) if config["namespaces"] else None

    def serve(self):
        """Until the judge closes its end."""
        self.control.send(b"r")
        while True:
            watching = bool(self.cells) and not self.config["namespaces"]
            for key, _ in self.selector.select(POLL if watching else None):
                if key.fileobj is self.control:
                    self._start()
                elif key.fd == self.woken:
                    with suppress(BlockingIOError):
                        os.read(self.woken, 4096)
                else:
                    self.selector.unregister(key.fd)  # a closed pipe can be read for ever, and it dies only once
                    self._kill(key.data)
            self._bury()
            if watching:
                self._measure()

    def _start(self):
        message, fds, _, _ = socket.recv_fds(self.control, 1, 5)
        if not message:  # the judge is gone
            for pid in list(self.cells):
                self._kill(pid)
                os.waitpid(pid, 0)
            os._exit(0)
        life, status, *pipes = fds
        scratch = self._scratch()
        pid = self._fork(pipes, scratch)
        for fd in pipes:
            os.close(fd)
        self.cells[pid] = (life, status, scratch)
        self.selector.register(life, selectors.EVENT_READ, pid)

    def _fork(self, pipes, scratch):
        """A new cell. Where there are namespaces it is the first process in process numbers of its own: it sees no
        other, and when it ends all that it started ends with it."""
        if self.own is not None:
            kernel.unshare(kernel.NEWPID)
        pid = kernel.fork()
        if pid == 0:
            cell.main(pipes, {**self.config, "scratch": scratch})
        if self.own is not None:
            kernel.setns(self.own, kernel.NEWPID)  # the next cell gets numbers beside these, not inside them
        return pid

    def _scratch(self):
        if self.config["namespaces"]:
            return self.config["scratch"]
        folder = tempfile.mkdtemp(dir=self.config["scratch"])
        if self.config["user"] is not None:
            os.chown(folder, self.config["user"], self.config["user"])
        return folder

    def _kill(self, pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _bury(self):
        """Every process that has ended: cells, and what a cell without namespaces left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.cells:
                self._end(pid, os.waitstatus_to_exitcode(status))

    def _end(self, pid, code, why=""):
        life, status, scratch = self.cells.pop(pid)
        if not self.config["namespaces"]:
            rooms.end_strays(self.cells)
            shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):
            os.write(status, json.dumps({"code": code, "why": why}).encode())
        with suppress(KeyError):
            self.selector.unregister(life)
        os.close(life)
        os.close(status)

    def _measure(self):
        """A scratch folder on a disk has no size of its own: a cell that fills it is ended."""
        for pid, (_, _, scratch) in list(self.cells.items()):
            if rooms.too_full(scratch, self.config["disk"], MOST_FILES):
                self._kill(pid)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
                self._end(pid, -signal.SIGKILL, "disk")


def main(config):
    if sys.platform == "linux":
        kernel.prctl(kernel.SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(kernel.SET_CHILD_SUBREAPER, 1)
    if config["build"]:
        rooms.build(config)
    if config["namespaces"]:
        rooms.freeze_devices()
        cell.live_in(config["scratch"])
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.disable()  # nothing of what is loaded is garbage
    for name in config["imports"]:
        import_module(name)
    _prepare()
    _settle()
    Zygote(config).serve()


def _prepare():
    """What is the same for every cell."""
    with suppress(OSError):
        kernel.never_more_capabilities()
        seccomp.filter_for(1)  # a cell with process numbers of its own is the first


def _warm(torch):
    """What torch does once, at the first use, is done before the forks: it finds out about the processor, for one."""
    torch.set_num_threads(1)
    torch.ones(2, 2).half().float()
    layer = torch.nn.Linear(4, 4)
    layer(torch.ones(2, 4)).sum().backward()
    torch.manual_seed(0)


def _settle():
    """The same random numbers of numpy and torch in every cell, one thread, and a heap that a fork can share."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        _warm(sys.modules["torch"])
    gc.freeze()
    gc.enable()
