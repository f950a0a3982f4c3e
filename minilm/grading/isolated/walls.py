"""The sandbox: a process of Python behind walls, in which cells are opened. Which walls, strongest first:

    bubblewrap   no network, no files but Python and the kit, read-only, own process numbers; put up by bubblewrap
    namespaces   the same, put up by our own hand (rooms.py), and only with Landlock and the filter of system calls
    landlock     weak: no namespaces; Landlock, the filter of system calls, another user where the judge is root
    bare         weak: limits of memory, files and time, another user where the judge is root; nothing else

Within each, a cell adds what the system has (cell.py), and every record names what stood. The two weak ones share the
process numbers, and bare the files, of the machine: they keep honest code honest.

What this file does not do: speak with a cell about code (remote.py).
"""

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from . import supplies, views
from .frames import Far, Gone, Late
from .wire import WireError

LEVELS = ("bubblewrap", "namespaces", "landlock", "bare")
STRONG = LEVELS[:2]
REQUIRED = {
    "bubblewrap": ["namespaces", "limits"],
    "namespaces": ["namespaces", "limits", "landlock", "seccomp"],
    "landlock": ["limits", "landlock", "seccomp"],
    "bare": ["limits"],
}
NOBODY = 65534  # the user of the cells, when the judge is root; the threads of a user are counted, so each judge has
NOBODIES = 500  # one of these many below it: what one cell uses up is no other's loss
MEMORY = 6 * 2**30  # bytes of addresses; what is really used is far less
DISK = 64 * 2**20
PIPE = 2**20  # bytes that a pipe to a cell holds
PREFIX = "minilm-judge-"  # of the folders in which kits lie, followed by the number of the judge's process
IMPORTS = ("numpy", "tiktoken", "torch", "torch._dynamo")  # what answers import, loaded once
STARTUP = 120.0  # seconds for Python and torch
CLEAN = {
    "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc", "RUST_BACKTRACE": "0",
    # large pages for the heap: there is less to copy when a cell is forked
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


class NoSandbox(Exception):
    """This level cannot be had here; the message says why."""


@dataclass
class Cell:
    """The judge's ends of the pipes of one cell."""

    channel: Far
    life: int
    status: int
    walls: list

    def how_it_ended(self, seconds=5.0):
        """{"code": ..., "why": ...} of a cell that closed its pipe; without a code when nobody has told. "gone": there
        is nobody left to tell."""
        with suppress(OSError, ValueError):
            if select.select([self.status], [], [], seconds)[0]:
                return json.loads(os.read(self.status, 1000) or b'{"why": "gone"}')
        return {}

    def end(self):
        """Kill it, if it still lives."""
        self._close(self.life)
        self.life = None
        for fd in (self.status, self.channel.write_fd, self.channel.read_fd, self.channel.printed_fd):
            self._close(fd)

    def _close(self, fd):
        if fd is not None:
            with suppress(OSError):
                os.close(fd)


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
            raise NoSandbox(f"{self.level}: {said or error or type(error).__name__}") from None

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
        return self.stand(self.order(), seconds)

    def order(self):
        """Ask for a cell without waiting for it."""
        (life, life_w), (status_r, status) = os.pipe(), os.pipe()
        (request, request_w), (answer_r, answer), (printed_r, printed) = os.pipe(), os.pipe(), os.pipe()
        theirs = [life, status, request, answer, printed]
        with suppress(OSError, AttributeError):  # Linux: room for a file and its support, to be read when there is time
            fcntl.fcntl(request_w, fcntl.F_SETPIPE_SZ, PIPE)
        try:
            socket.send_fds(self.control, [b"c"], theirs)
        except OSError:
            raise Gone from None
        finally:
            for fd in theirs:
                os.close(fd)
        return Cell(Far(request_w, answer_r, printed_r), life_w, status_r, [])

    def stand(self, cell, seconds=20.0):
        """The ordered cell, once its walls stand."""
        try:
            cell.walls = cell.channel.receive(seconds)["walls"]
        except (Gone, Late, WireError) as error:
            cell.channel.drain()
            said = cell.channel.printed.decode("utf-8", "replace").strip()
            cell.end()
            raise NoSandbox(f"{self.level}: {said or type(error).__name__}") from None
        return cell

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


def levels(wish):
    """The levels that a wish allows: "strong", "any", or the name of one."""
    found = {"strong": STRONG, "any": LEVELS}.get(wish, (wish,) if wish in LEVELS else None)
    if found is None:
        raise UserError(f"there is no isolation {wish!r}; choose strong, any, or one of {', '.join(LEVELS)}")
    return found


class Opening:
    """The strongest sandbox there is, on its way: there is something else to do until it is `ready`.

    Arguments: wish: "strong", "any", or the name of one level. The rest as for Sandbox.
    """

    def __init__(self, wish, **options):
        self.wish, self.options = wish, options
        self.levels, self.why = list(levels(wish)), []
        self.started = self._next()

    def _next(self):
        """The first of the levels left that starts, or None."""
        while self.levels:
            try:
                return Sandbox(self.levels.pop(0), **self.options)
            except NoSandbox as error:
                self.why.append(str(error))

    def ready(self):
        """The sandbox. Raises UserError when there is none that strong."""
        while self.started:
            try:
                return self.started.ready()
            except NoSandbox as error:
                self.why.append(str(error))
                self.started = self._next()
        advice = "install bubblewrap" if sys.platform == "linux" else "use Linux, or a container"
        raise UserError(
            f"no isolation that counts as {self.wish!r} can be had here ({'; '.join(self.why)}); {advice}, or allow"
            " less with --isolation any, which marks each record as weak"
        )


def bubblewrap():
    """The program."""
    found = shutil.which("bwrap")
    if found is None:
        raise NoSandbox("bubblewrap: it is not installed")
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
