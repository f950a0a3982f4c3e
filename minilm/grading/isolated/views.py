"""What is seen from inside the walls: this Python with its packages, and nothing that holds an answer.

What this file does not do: put up walls (walls.py, rooms.py).
"""

import os
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from ...errors import UserError
from .. import course
from . import supplies
from .rooms import DEVICES

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")
PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")  # torch looks there for what the processor can do
# libc looks there whether a heap may have large pages: a fork is then twice as fast
LARGE_PAGES = "/sys/kernel/mm/transparent_hugepage"


def readable():
    """All that is there, at its own place, and cannot be written to."""
    return visible([*SYSTEM, *PROCESSOR, LARGE_PAGES, *pythons()])


def pythons():
    """The folders of this Python, its environment and their packages."""
    found = {sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix), *sysconfig.get_paths().values()}
    found = {path for path in found if os.path.isdir(path) and path != "/"}
    real = os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))
    return sorted(path for path in {*found, real} if not any(path != other and below(path, [other]) for other in found))


def visible(paths):
    """Without those that lie in another one or do not exist."""
    paths = sorted({str(path) for path in paths if os.path.lexists(path)})
    return [path for path in paths if not any(path != other and below(path, [other]) for other in paths)]


def below(path, folders):
    path = str(path)
    return any(path == str(folder) or path.startswith(str(folder).rstrip("/") + "/") for folder in folders)


def answers():
    """What no cell may see: the finished library, and the course folder's tests and solutions."""
    hidden = [supplies.PACKAGE]
    with suppress(UserError):
        hidden += [course.root() / name for name in ("tests", "solutions", "exercises", "notebooks", "minilm")]
    return [path for path in dict.fromkeys(hidden) if path.exists()]


def without(folders, hidden):
    """`folders` without the hidden ones: a folder that holds one is replaced by what else is in it."""
    kept = []
    for folder in map(str, folders):
        if folder in hidden or (os.path.islink(folder) and _leads_to(folder, hidden)):
            continue
        if any(below(path, [folder]) for path in hidden):
            kept += without([os.path.join(folder, name) for name in sorted(os.listdir(folder))], hidden)
        else:
            kept.append(folder)
    return kept


def _leads_to(link, hidden):
    """Whether a link would be another way to a hidden folder: lib64 -> lib. What it leads to has its own place."""
    real = os.path.realpath(link)
    return any(below(real, [path]) or below(path, [real]) for path in map(os.path.realpath, hidden))


def open_to_all(path):
    """Whether every user can read below this folder: each folder above it can be passed."""
    path = Path(path)
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)) and path.stat().st_mode & 0o004


def scratch(readable):
    """Where a cell may write: it lies over what else would be seen there, so not where this Python is."""
    return Path("/cell" if any(below(path, ["/tmp"]) for path in readable) else "/tmp")


def as_bubblewrap(readable, hidden, placed, scratch):
    """The options of bubblewrap that put up these walls around another command.

    Arguments: readable: paths that are seen at their own place. hidden: folders in them that are covered. placed: pairs
    of a path and where it is seen. scratch: where there is an empty folder.
    """
    options = ["--die-with-parent", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--new-session"]
    if os.getuid() != 0:
        options += ["--unshare-user", "--cap-add", "CAP_SYS_ADMIN"]
    for folder in sorted({str(above) for path in (*readable, *DEVICES) for above in Path(path).parents} - {"/"}):
        options += ["--perms", "0755", "--dir", folder]  # else a folder that is private outside is private inside
    for path in readable:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        else:
            options += ["--ro-bind", path, path]
    for outside, inside in placed:
        options += ["--ro-bind", outside, inside]
    for path in hidden:
        options += ["--tmpfs", path, "--remount-ro", path]
    for path in DEVICES:
        options += ["--dev-bind", path, path]
    return [*options, "--tmpfs", str(scratch), "--remount-ro", "/", "--"]
