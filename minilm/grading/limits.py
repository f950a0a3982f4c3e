"""A clock inside the process: it ends an ordinary endless loop and knows the line it was in.

It is the polite one of two. A loop that catches every exception, or one long call into C, does not hear it; for that
supervise.py stands outside with a second clock and ends the whole process.
"""

import signal
import threading
from contextlib import contextmanager

from .problem import TooSlow


@contextmanager
def time_limit(seconds):
    """Raise TooSlow in the block when it takes longer than `seconds`.

    Only where the system has alarms (not on Windows) and only in the main thread; elsewhere the block just runs.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))  # rings once: a second ring could hit our own code
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number, frame):
    raise TooSlow
