"""One test, one process: it goes behind its walls first, and only then reads a learner's file.

The zygote (zygote.py) forks it with numpy and torch loaded. From that moment until its end nothing is shared with
another test: not memory, not files, not processes.

    walls      what goes up here, one after the other, when the system has it
    scratch    an empty folder of its own (in memory, behind namespaces)
    limits     memory, size of files, open files, processes
    user       not root, if the judge is
    landlock   no file outside of Python, the kit and the scratch folder can be opened
    seccomp    no new process, no socket, no signal to others

What this file does not do: judge. It answers on its pipe until the pipe closes.
"""

import fcntl
import marshal
import os
import random
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from ..problem import Problem
from ..worker import Worker
from . import imports, kernel, landlock, seccomp
from .book import BookWorker
from .frames import Gone, Near
from .wire import WireError

REQUEST, ANSWER = 3, 4  # the first descriptors after input, output and errors
HIGH, MOST_DESCRIPTORS = 512, 4096
TOO_MUCH = "The result is too large to be looked at."
OPEN_FILES, PROCESSES, CPU_SECONDS = 128, 64, 3600


def main(pipes, config):
    """The life of a cell; does not return."""
    code = 1
    try:
        _only(pipes)
        random.seed(0)  # it seeds itself anew after a fork
        channel = Near(REQUEST, ANSWER)
        channel.send({"walls": enter(config)})
        job = channel.receive()
        imports.install(job["support"], config["package"])
        serve(channel, worker_for(job, channel))
    except Gone:
        code = 0
    except Exception as error:  # before the learner's code, or by its doing: the judge sees the pipe close
        os.write(2, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def worker_for(job, channel):
    """The worker of the file. The first cell of a file reads it, and tells the judge; the next ones get the code: it is
    that of the very file, since none of it has run when it is made."""
    path, source, functions = Path(job["file"]), job["source"], job["functions"]
    worker = BookWorker(path, source, functions) if functions else Worker(path, source)
    if job["code"] is None:
        with suppress(Exception):  # it cannot be read, which comes up again when it is loaded, and is told then
            worker.code = worker.compile(job["source"])
        channel.send({"code": marshal.dumps(worker.code) if worker.code else None})
    else:
        worker.code = marshal.loads(job["code"])
    return worker


def serve(channel, worker):
    """Answer requests until there are no more."""
    while True:
        operation, target, args, kwargs, seconds = channel.receive()
        try:
            answer = ["value", *worker.request(operation, target, args, kwargs, seconds)]
        except Problem as problem:
            answer = _problem(problem)
        except BaseException as error:  # KeyboardInterrupt, which a learner's code may raise as well
            answer = _problem(Problem("raised", type(error).__name__, error=type(error).__name__))
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a learner's code may have put anything there
                stream.flush()
        try:
            channel.send(answer)
        except WireError:
            channel.send(_problem(Problem("type", TOO_MUCH)))


def _problem(problem):
    return ["problem", problem.kind, problem.seen, problem.error, problem.function]


def _only(pipes):
    """Of all open files keep the pipes of this cell, and put nothing at the input."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    request, answer, printed, nothing = (fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH) for fd in (*pipes, nothing))
    for fd, place in ((nothing, 0), (printed, 1), (printed, 2), (request, REQUEST), (answer, ANSWER)):
        os.dup2(fd, place)
    os.closerange(ANSWER + 1, MOST_DESCRIPTORS)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def enter(config):
    """Put up the walls that `config` asks for; returns the names of those that stand. A required one that cannot be
    had is an error: then there is no cell."""
    walls = []
    if config["namespaces"]:
        kernel.unshare(kernel.NEWNS | kernel.NEWIPC)
        room = f"size={config['disk']},nr_inodes=10000,mode=1777"
        kernel.mount("scratch", config["scratch"], "tmpfs", kernel.NOSUID | kernel.NODEV, room)
        walls.append("namespaces")
    else:
        live_in(config["scratch"])
    os.chdir(config["scratch"])
    _limit(config)
    walls.append("limits")
    if config["bare"]:
        return walls + _become(config["user"])
    kernel.prctl(kernel.SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.SET_DUMPABLE, 0)
    walls += _become(config["user"])
    kernel.drop_capabilities()
    for name, put_up in (("landlock", _landlock), ("seccomp", _seccomp)):
        with suppress(OSError):
            put_up(config)
            walls.append(name)
    missing = set(config["required"]) - set(walls)
    if missing:
        raise WireError(f"no {', '.join(sorted(missing))} here")
    return walls


def live_in(folder):
    """What asks for a place to write finds this one."""
    os.environ.update(HOME=folder, TMPDIR=folder)
    tempfile.tempdir = folder  # it looked for a place when torch was loaded


def _limit(config):
    import resource

    limits = {
        resource.RLIMIT_AS: config["memory"],
        resource.RLIMIT_FSIZE: config["disk"],
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_NPROC: PROCESSES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        with suppress(OSError, ValueError):  # a lower one is in force already
            resource.setrlimit(limit, (most, most))


def _become(user):
    if user is None:
        return []
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    return ["user"]


def _landlock(config):
    landlock.restrict(config["readable"], [config["scratch"], os.devnull])


def _seccomp(config):
    seccomp.install()
