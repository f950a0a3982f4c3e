"""Keep freed memory in the process: training allocates and frees the same large tensors in every step.

On Linux the C library returns large freed blocks to the system at once and gets fresh ones on demand, and the system
must then fill each page of those with zeros before its first use. At a base-sized model that is some 25,000 pages per
step, a tenth or more of a step's time. Three settings tell the C library to hold on to what it has.

The price: the process keeps its peak memory until it ends. On other systems nothing happens.
"""

import ctypes
import sys

# Names and numbers of the settings are those of glibc's <malloc.h>.
SETTINGS = {
    "M_MMAP_THRESHOLD": (-3, 32 * 2**20),  # blocks up to this size come from the heap (32 MiB is the most it accepts)
    "M_TRIM_THRESHOLD": (-1, 2**31 - 1),  # the heap may keep this many free bytes at its end
    "M_TOP_PAD": (-2, 256 * 2**20),  # and grows by this much at a time
}


def keep_freed_memory():
    """Apply the settings to this process; True where the C library took all of them."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # missing in other C libraries, such as musl
    return mallopt is not None and all([mallopt(number, value) == 1 for number, value in SETTINGS.values()])
