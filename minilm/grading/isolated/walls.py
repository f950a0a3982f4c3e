"""The sandbox: a process of Python behind walls, in which cells are opened.

What this file does not do: choose how strong the walls are (opening.py), or speak with a cell about code (remote.py).
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from . import supplies, views
from .ends import Cell
from .frames import Gone, Late
from .levels import REQUIRED, STRONG, NoSandbox
from .wire import WireError

NOBODY = 65534  # the user of the cells, when the judge is root; the threads of a user are counted, so each judge has
NOBODIES = 500  # one of these many below it: what one cell uses up is no other's loss
MEMORY = 6 * 2**30  # bytes of addresses; what is really used is far less
DISK = 64 * 2**20
PREFIX = "minilm-judge-"  # of the folders in which kits lie, followed by the number of the judge's process
IMPORTS = ("numpy", "tiktoken", "torch", "torch._dynamo")  # what answers import, loaded once
STARTUP = 120.0  # seconds for Python and torch
CLEAN = {
    "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc", "RUST_BACKTRACE": "0",
    # large pages for the heap: there is less to copy when a cell is forked
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


class Sandbox:
    """One level of walls with a zygote behind it, which starts now; it can be used once it is `ready`.

    Arguments: level: one of LEVELS. imports: modules to load ahead. hidden: folders that must not be seen, wherever
    they lie. Raises NoSandbox where the level cannot be had.
    """

    def __init__(self, level, imports=IMPORTS, hidden=(), memory=MEMORY):
        self.level = level
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.folder.chmod(0o755)
        with self._closed_unless_it_stands():
            self._start(imports, hidden, memory)

    def ready(self):
        """Itself, once it has opened a cell with all its walls. Raises NoSandbox."""
        with self._closed_unless_it_stands():
            self.control.settimeout(STARTUP)
            if self.control.recv(1) != b"r":
                raise Gone
            probe = self.open(seconds=STARTUP)
            self.walls = probe.walls
            probe.end()
        return self

    @contextmanager
    def _closed_unless_it_stands(self):
        try:
            yield
        except NoSandbox:
            self.close()
            raise
        except (OSError, Gone, Late, WireError, subprocess.SubprocessError) as error:
            said = self._said()
            self.close()
            raise NoSandbox(said or str(error) or type(error).__name__) from None

    def _start(self, imports, hidden, memory):
        kit = self.folder / "kit"
        seen_as = Path("/kit") if self.level in STRONG else kit
        supplies.lay_out(kit, seen_as)
        readable = views.readable()
        scratch = views.scratch(readable) if self.level in STRONG else self.folder / "scratch"
        root = self.folder / "root"
        for folder in (self.folder / "scratch", root):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        base = str(supplies.PACKAGE / supplies.BASE)
        placed = [[str(kit), str(seen_as)], [base, str(seen_as / "minilm" / supplies.BASE)]]
        hidden = [str(path) for path in (*views.answers(), *map(Path, hidden)) if views.below(path, readable)]
        ours, theirs = socket.socketpair()
        self.control = ours
        config = {
            "level": self.level, "control": theirs.fileno(), "namespaces": self.level in STRONG,
            "build": self.level == "namespaces", "bare": self.level == "bare", "required": REQUIRED[self.level],
            "user": self._user(), "memory": memory, "disk": DISK if self.level in STRONG else 2**20 * 8,
            "scratch": str(scratch), "root": str(root), "package": str(seen_as / "minilm"), "hidden": hidden,
            "readable": [*views.without(readable, hidden), str(seen_as), base, *views.DEVICES],
            "shown": readable, "kit": placed, "imports": list(imports),
        }  # fmt: skip
        try:
            first = seen_as if self.level == "bubblewrap" else kit
            command = [sys.executable, "-P", "-s", "-B", "-X", "utf8", str(first / "start.py"), json.dumps(config)]
            if self.level == "bubblewrap":
                command = [bubblewrap(), *views.as_bubblewrap(readable, hidden, placed, scratch), *command]
            self.errors = open(self.folder / "errors", "w+b")
            with first_to_go():
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=self.errors,
                    stderr=self.errors,
                    env=CLEAN,
                    cwd="/",
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        finally:
            theirs.close()

    def _user(self):
        """Who the cells are: a nobody, if the judge is root and nobody can read Python."""
        if not hasattr(os, "getuid") or os.getuid() != 0:
            return None
        nobody = NOBODY - os.getpid() % NOBODIES
        return nobody if self.level in STRONG or all(map(views.open_to_all, views.pythons())) else None

    def open(self, seconds=20.0):
        """A new cell, behind its walls."""
        return self.order().stand(seconds)

    def order(self):
        """Ask for a cell without waiting for it."""
        return Cell.ordered(self.control)

    def _said(self):
        with suppress(OSError, AttributeError):
            self.errors.seek(0)
            lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def alive(self):
        return self.process.poll() is None

    def close(self):
        """End everything in it, and take its folder away."""
        for name in ("control", "errors"):
            if hasattr(self, name):
                getattr(self, name).close()
        if hasattr(self, "process"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def first_to_go():
    """When the machine has no memory left, Linux ends a process of those that are started here, and not the judge."""
    mark = Path("/proc/self/oom_score_adj")
    try:
        before = mark.read_text()
        mark.write_text("800")
    except OSError:
        yield
        return
    try:
        yield
    finally:
        mark.write_text(before)


def bubblewrap():
    """The program."""
    found = shutil.which("bwrap")
    if found is None:
        raise NoSandbox("it is not installed")
    return found


def sweep():
    """Take away the folders of judges that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).split("-")[0]
        if number.isdigit() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it does, and it is somebody else's
    return True
