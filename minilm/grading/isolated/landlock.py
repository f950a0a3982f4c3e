"""Landlock: a process gives up, for good, every file but those it names, and signals to processes outside.

Needs Linux 5.13; newer kernels (the number is called ABI) also close TCP (4) and signals (6).

Source: the kernel's documentation, userspace-api/landlock.
"""

import ctypes
import os
import struct
from contextlib import suppress

from .kernel import call

EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
READ = EXECUTE | READ_FILE | READ_DIR
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # since which ABI
TCP = 0b11  # bind and connect
OUTSIDE = 0b11  # abstract sockets and signals
PATH_BENEATH = 1


def abi():
    """The version here; 0: there is none."""
    try:
        return call("landlock_create_ruleset", ctypes.c_void_p(None), 0, 1)
    except OSError:
        return 0


def restrict(readable, writable):
    """From now on only files below `readable` can be read and only those below `writable` can be changed.

    The process must have no_new_privs. Returns the ABI. Raises OSError where Landlock is missing.
    """
    version = abi()
    if not version:
        raise OSError("this kernel has no Landlock")
    every = max(rights for since, rights in RIGHTS.items() if since <= version)
    attributes = struct.pack("<QQQ", every, TCP if version >= 4 else 0, OUTSIDE if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = call("landlock_create_ruleset", ctypes.c_char_p(attributes[:size]), size, 0)
    for path, rights in [*((path, READ) for path in readable), *((path, every) for path in writable)]:
        with suppress(FileNotFoundError):
            _allow(ruleset, path, rights & every)
    call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
    return version


def _allow(ruleset, path, rights):
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights &= rights if os.path.isdir(path) else OF_FILES
        rule = struct.pack("<Qi", rights, fd)
        call("landlock_add_rule", ruleset, PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(fd)
