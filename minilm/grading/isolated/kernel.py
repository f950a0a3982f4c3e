"""The system calls of the walls, which Python 3.11 has no names for: namespaces, mounts, capabilities.

Linux only; on another system each of them raises OSError, and the walls that need it are not there.

What this file does not do: decide which walls stand (walls.py, cell.py).
"""

import ctypes
import os
import struct
import sys
from functools import cache

NEWNS, NEWUTS, NEWIPC, NEWUSER = 0x00020000, 0x04000000, 0x08000000, 0x10000000
NEWPID, NEWNET = 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2

SET_PDEATHSIG, SET_DUMPABLE, SET_NO_NEW_PRIVS, CAPBSET_DROP, SET_CHILD_SUBREAPER, CAP_AMBIENT = 1, 4, 38, 24, 36, 47
NUMBERS = {  # system calls without a wrapper in every libc: (x86_64, aarch64)
    "pivot_root": (155, 41),
    "capset": (126, 91),
    "mount_setattr": (442, 442),
    "pidfd_open": (434, 434),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
MACHINES = ("x86_64", "aarch64")
AT_FDCWD, AT_RECURSIVE = -100, 0x8000


@cache
def libc():
    if sys.platform != "linux":
        raise OSError(f"no walls of Linux on {sys.platform}")
    return ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    """`result`, or the OSError of the call that gave it."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(name, *arguments):
    """A system call by its name."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(f"the numbers of the system calls of {machine} are not known here")
    number = NUMBERS[name][MACHINES.index(machine)]
    long = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return checked(libc().syscall(ctypes.c_long(number), *long), name)


def fork():
    """os.fork for a process with one thread. Python's own puts right what other threads may have held, of which there
    are none here; with torch loaded that takes longer than the fork."""
    if sys.platform != "linux":
        return os.fork()
    return checked(_libc_with_the_interpreter_held().fork(), "fork")


@cache
def _libc_with_the_interpreter_held():
    return ctypes.PyDLL(None, use_errno=True)  # CDLL lets other threads run meanwhile: the child would wait for them


def unshare(flags):
    checked(libc().unshare(flags), "unshare")


def setns(fd, flags):
    checked(libc().setns(fd, flags), "setns")


def mount(source, target, kind="", flags=0, options=""):
    texts = [os.fsencode(text) if text else None for text in (source, target, kind)]
    checked(libc().mount(*texts, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def unmount(target):
    checked(libc().umount2(os.fsencode(target), DETACH), f"umount {target}")


def make_read_only(target):
    """`target` and all that is mounted below it: no writing, no set-user programs, no devices."""
    attributes = struct.pack("<QQQQ", RDONLY | NOSUID, 0, 0, 0)
    path = ctypes.c_char_p(os.fsencode(target))
    call("mount_setattr", AT_FDCWD, path, AT_RECURSIVE, ctypes.c_char_p(attributes), len(attributes))


def pivot_root(new):
    """Make the folder `new`, a mount of its own, the root; the old root is gone afterwards."""
    os.chdir(new)
    here = ctypes.c_char_p(b".")
    call("pivot_root", here, here)  # the old root now lies on top of the new one
    unmount(".")
    os.chdir("/")


def prctl(option, *values):
    values = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return checked(libc().prctl(option, *values), "prctl")


def never_more_capabilities():
    """What this process starts, and what is forked from it, gets none that it does not hold already."""
    for number in range(64):
        try:
            prctl(CAPBSET_DROP, number)
        except OSError:
            break  # past the last one, or already without the right to drop


def drop_capabilities():
    """None left, in no set; after never_more_capabilities there is no way back."""
    prctl(CAP_AMBIENT, 4)  # clear all
    header = struct.pack("<Ii", 0x20080522, 0)
    call("capset", ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))
