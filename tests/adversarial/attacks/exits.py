"""Code that ends its process, in every way there is, as if all had gone well."""

from hostile import case, ruins

GONE = "fail|crash|timeout"  # the first process of its namespace does not hear these signals

CASES = [
    case("os._exit inside", "ends with code 0", "crash", "import os; os._exit(0)"),
    case("sys.exit inside", "ends with code 0", "error", "import sys; sys.exit(0)"),
    case("quit inside", "ends as in a shell", "error", "quit()"),
    case("abort", "stops Python", "crash", "import os; os.abort()"),
    case("address 0", "reads where nothing is", "crash", "import ctypes; ctypes.string_at(0)"),
    case("keyboard interrupt", "looks like the teacher's Ctrl-C", "error", "raise KeyboardInterrupt"),
    case("generator exit", "an exception that is none", "error", "raise GeneratorExit"),
    case("kills itself", "SIGKILL to its own process", GONE, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    case("stops itself", "SIGSTOP, and is never heard of", GONE, "import signal; signal.raise_signal(signal.SIGSTOP)"),
    ruins("os._exit at import", "ends with code 0", "crash", "import os; os._exit(0)"),
    ruins("sys.exit at import", "ends with code 0", "error", "import sys; sys.exit(0)"),
    ruins("quit at import", "ends as in a shell", "error", "quit()"),
    ruins("abort at import", "stops Python", "crash", "import os; os.abort()"),
    case(
        "exit at exit",
        "leaves something for the end of the process",
        "fail",
        "import atexit, os; atexit.register(os._exit, 0)",
    ),
    case(
        "exit in a thread",
        "ends the process a moment later",
        "fail|crash",
        """
        import os, threading
        threading.Timer(0.01, os._exit, (0,)).start()
        """,
    ),
]
