"""Code that does not come to an end, and does not want to hear that its time is up."""

from hostile import case, honest, ruins

CASES = [
    case("plain loop", "never returns", "timeout", "while True: pass"),
    case(
        "loop that swallows everything",
        "catches the clock's own exception",
        "timeout",
        """
        while True:
            try:
                while True: pass
            except BaseException: pass
        """,
    ),
    case(
        "loop in finally",
        "goes on in the handler that cleans up",
        "timeout",
        """
        try:
            while True: pass
        finally:
            while True: pass
        """,
    ),
    case(
        "alarm switched off",
        "cancels the timer and ignores its signal",
        "timeout",
        """
        import signal
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        while True: pass
        """,
    ),
    case(
        "all signals blocked",
        "masks every signal there is",
        "timeout",
        """
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True: pass
        """,
    ),
    case(
        "clock inside replaced",
        "makes the limit of the worker do nothing",
        "timeout",
        """
        import signal, minilm.grading.limits as limits, minilm.grading.worker as worker
        signal.setitimer = lambda *_: None
        signal.setitimer(0, 0)
        limits._ring.__code__ = (lambda number, frame: None).__code__
        while True: pass
        """,
    ),
    case("one long call", "stays in C, where no signal is heard", "timeout", "sum(range(10**13))"),
    case("regular expression", "backtracks for ever", "timeout", 'import re; re.match(r"(a+)+$", "a" * 64 + "b")'),
    case(
        "one long operation of torch",
        "stays in one decomposition",
        "timeout",
        "torch.linalg.svd(torch.rand(3500, 3500))",
    ),
    case("sleeps", "waits for a thousand seconds", "timeout", "import time; time.sleep(1000)"),
    case(
        "sleeps in a thread and joins it",
        "waits where no signal arrives",
        "timeout",
        """
        import threading, time
        thread = threading.Thread(target=time.sleep, args=(1000,))
        thread.start()
        while True:
            try: thread.join()
            except BaseException: pass
        """,
    ),
    case(
        "deadlock", "takes a lock twice", "timeout", "import threading; l = threading.Lock(); l.acquire(); l.acquire()"
    ),
    case(
        "list that never ends",
        "gives one more item whenever the result is copied",
        "timeout|memory",
        """
        class Endless(list):
            def __iter__(self):
                while True: yield 0
        return Endless()
        """,
    ),
    ruins("loop at import", "never lets the file be read", "timeout", "while True: pass"),
    ruins(
        "decorator that hangs",
        "stops while a function is defined",
        "timeout",
        """
        def hang(function):
            while True: pass
        @hang
        def training_bytes(trained, frozen, master): pass
        """,
    ),
    honest("slow and right", "takes its time within the limit", "import time; time.sleep(0.1)"),
    honest(
        "frozen clocks",
        "replaces every clock in its own process",
        """
        import time
        time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
        """,
    ),
    case(
        "clocks that stand still, and a loop",
        "hopes that the judge reads the same clock",
        "timeout",
        """
        import time
        time.time = time.monotonic = time.perf_counter = lambda: 0.0
        while True:
            try: time.sleep(1)
            except BaseException: pass
        """,
    ),
]
