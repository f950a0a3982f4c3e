"""The outer walls by our own hand, where bubblewrap is not installed: a root with nothing in it but Python and the kit.

New namespaces of mounts, processes, network, messages and host name (and of users, if the judge is not root); then an
empty root in memory, into which each readable folder is mounted read-only at its own place, and which is sealed at the
end. It is what bubblewrap does too. Source: man 7 mount_namespaces, man 2 pivot_root.

Also here: what replaces namespaces where there are none, by looking and cleaning up afterwards.
"""

import os
import signal
import stat
from contextlib import suppress
from pathlib import Path

from . import kernel

DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def build(config):
    """Move this process into such a root. Raises OSError where the system does not let it."""
    flags = kernel.NEWNS | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS | kernel.NEWPID
    user, group = os.getuid(), os.getgid()
    kernel.unshare(flags | (kernel.NEWUSER if user else 0))
    if user:
        _map(user, group)
    _become_the_first_process()
    kernel.mount(None, "/", flags=kernel.REC | kernel.PRIVATE)
    root = Path(config["root"])
    kernel.mount("root", root, "tmpfs", kernel.NOSUID | kernel.NODEV, "size=1m,mode=755")
    for path in config["shown"]:
        _show(root, Path(path))
    for outside, inside in config["kit"]:
        _show(root, Path(outside), at=inside)
    for path in config["hidden"]:
        with suppress(OSError):  # not below any readable folder
            kernel.mount("hidden", f"{root}{path}", "tmpfs", kernel.RDONLY, "size=4k,mode=000")
    for path in DEVICES:
        _show(root, Path(path), device=True)
    scratch = root / config["scratch"].lstrip("/")  # of this process; each cell lays its own over it
    scratch.mkdir(parents=True, exist_ok=True)
    kernel.mount("scratch", scratch, "tmpfs", kernel.NOSUID | kernel.NODEV, "size=64m,mode=1777")
    kernel.pivot_root(root)
    kernel.mount(None, "/", flags=kernel.REMOUNT | kernel.BIND | kernel.RDONLY)


def _become_the_first_process():
    """Go on as the first process of the new process numbers; what was here before only waits for it."""
    pid = os.fork()
    if pid:
        os.closerange(3, 4096)  # the judge must see it when the other one is gone
        _, status = os.waitpid(pid, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    kernel.prctl(kernel.SET_PDEATHSIG, signal.SIGKILL)


def _map(user, group):
    """In the new namespace of users this one is who it was, and there is nobody else."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _show(root, path, at="", device=False):
    """Make `path` appear in the new root, at its own place or `at` another; a link (/lib -> usr/lib) as a link."""
    target = root / (at or str(path)).lstrip("/")
    if path.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(path))
        return
    if not path.exists():
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.mount(path, target, flags=kernel.BIND | kernel.REC)
    if not device:
        kernel.make_read_only(target)


def freeze_devices():
    """They can be read and written as before, but the time at which that was done is kept nowhere: a cell could leave
    it as a sign to the next one."""
    for path in filter(os.path.exists, DEVICES):
        kernel.make_read_only(path)


def too_full(folder, most, most_files):
    """Whether the files below `folder` hold more than `most` bytes, or are more than `most_files`."""
    size, count, waiting = 0, 0, [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                size, count = size + found.st_blocks * 512, count + 1
                if size > most or count > most_files:
                    return True
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)
    return False


def end_strays(living):
    """Kill every process below this one but those of the `living` cells, until there is none: an orphan comes to this
    process, its subreaper."""
    while found := _below(os.getpid(), living):
        for deed in (signal.SIGSTOP, signal.SIGKILL):  # first all stand still, so that none starts another
            for pid in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, deed)
        for pid in found:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _below(parent, living):
    """The processes that descend from `parent` by no living cell, by /proc; none where there is no such folder."""
    children = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [parent]
    while waiting:
        fresh = [pid for pid in children.get(waiting.pop(), []) if pid not in living]
        found += fresh
        waiting += fresh
    return found
