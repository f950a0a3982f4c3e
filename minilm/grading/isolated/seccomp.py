"""A filter on system calls: what a learner's function never needs is refused ("not permitted"), for good.

No new processes (threads are fine), no sockets, no signals to others, no looking into other processes, no mounts and
namespaces. A list of what is refused, not of what is allowed: numpy and torch need most of the rest.

Source: the kernel's documentation, userspace-api/seccomp_filter.
"""

import ctypes
import os
import struct
from functools import cache

from .kernel import MACHINES, checked, libc

ARCHITECTURES = (0xC000003E, 0xC00000B7)  # AUDIT_ARCH of x86_64, of aarch64
REFUSED = {  # name: (x86_64, aarch64); None: does not exist there
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "bind": (49, 200), "sendto": (44, 206),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "open_by_handle_at": (304, 265),
    "setrlimit": (160, 164), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "setpriority": (141, 140), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "personality": (135, 92), "acct": (163, 89),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "syslog": (103, 116),
}  # fmt: skip
CLONE, CLONE3, KILL, TGKILL, PRLIMIT = (56, 220), (435, 435), (62, 129), (234, 131), (302, 261)
THREAD = 0x00010000  # CLONE_THREAD

LOAD, EQUAL, AT_LEAST, ANY, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38
NUMBER, ARCHITECTURE, FIRST, THIRD = 0, 4, 16, 32  # offsets into seccomp_data; the lower half of an argument


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install():
    """From now on, and in every thread. The process must have no_new_privs. Raises OSError where there is none."""
    program = filter_for(os.getpid())
    buffer = ctypes.create_string_buffer(program, len(program))
    wanted = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    checked(libc().prctl(22, ctypes.c_ulong(2), ctypes.byref(wanted), 0, 0), "seccomp")  # PR_SET_SECCOMP, MODE_FILTER


@cache
def filter_for(pid):
    """The filter of the process with this number, as bytes."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(f"no filter for {machine}")
    return b"".join(_program(MACHINES.index(machine), pid))


def _program(machine, pid):
    """The instructions. A jump says how many instructions to skip when the test holds, and when not."""
    yield _step(LOAD, ARCHITECTURE)
    yield _step(EQUAL, ARCHITECTURES[machine], yes=1)
    yield _step(RETURN, KILL_PROCESS)
    yield _step(LOAD, NUMBER)
    if machine == 0:  # the x32 numbers are another way to the same calls
        yield _step(AT_LEAST, 0x40000000, no=1)
        yield _step(RETURN, ERRNO | EPERM)
    for numbers in REFUSED.values():
        if numbers[machine] is not None:
            yield _step(EQUAL, numbers[machine], no=1)
            yield _step(RETURN, ERRNO | EPERM)
    yield _step(EQUAL, CLONE3[machine], no=1)
    yield _step(RETURN, ERRNO | ENOSYS)  # its flags lie in memory, which a filter cannot read: libc then takes clone
    yield _step(EQUAL, CLONE[machine], no=4)  # a thread, or nothing
    yield _step(LOAD, FIRST)
    yield _step(ANY, THREAD, yes=1)
    yield _step(RETURN, ERRNO | EPERM)
    yield _step(RETURN, ALLOW)
    for number in (KILL[machine], TGKILL[machine]):  # to itself, as abort() does, or to nobody
        yield _step(EQUAL, number, no=4)
        yield _step(LOAD, FIRST)
        yield _step(EQUAL, pid, yes=1)
        yield _step(RETURN, ERRNO | EPERM)
        yield _step(RETURN, ALLOW)
    yield _step(EQUAL, PRLIMIT[machine], no=4)  # may look at a limit, but not set one: the third argument is a pointer
    yield _step(LOAD, THIRD)
    yield _step(EQUAL, 0, yes=1)
    yield _step(RETURN, ERRNO | EPERM)
    yield _step(RETURN, ALLOW)
    yield _step(RETURN, ALLOW)


def _step(code, value, yes=0, no=0):
    return struct.pack("<HBBI", code, yes, no, value)
