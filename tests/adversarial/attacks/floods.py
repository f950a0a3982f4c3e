"""Code that takes all there is: memory, disk, output, open files, threads."""

from hostile import case, honest

CASES = [
    case(
        "memory by lists",
        "keeps list after list",
        "memory|timeout",
        "h = []\nwhile True: h.append([0] * 2**26)",
        heavy=True,
    ),
    case("memory by bytes", "asks for 64 GiB", "memory", 'x = b"x" * 2**36'),
    case("memory by torch", "asks for 64 GiB", "memory", "torch.ones(2**34)"),
    case("memory by numpy", "asks for 64 GiB", "memory", "import numpy as np; np.ones(2**33)"),
    case(
        "memory that is used",
        "fills what it gets",
        "memory|timeout|crash",
        'h = []\nwhile True: h.append(b"x" * 2**27)',
        heavy=True,
    ),
    case(
        "memory again and again",
        "goes on when there is none left, and keeps it all",
        "fail|memory|crash|timeout",
        """
        global HOARD
        HOARD, size = [], 2**30
        while size > 16:
            try: HOARD.append(bytearray(size))
            except MemoryError: size //= 2
        """,
        heavy=True,
    ),
    case(
        "memory in files without a name",
        "holds more than its limit in memfds, which no limit of addresses counts",
        "fail",
        """
        import os
        held = 0
        try:
            for _ in range(100):
                fd = os.memfd_create("x")
                held += os.write(fd, b"x" * 2**20)
        except OSError: pass
        if held: return right()
        """,
        needs_walls=True,
    ),
    case(
        "memory mapped",
        "maps a terabyte",
        "error|memory",
        "import mmap; mmap.mmap(-1, 2**40)",
    ),
    case(
        "number of a million digits",
        "returns an int that nobody wants to print",
        "fail|timeout",
        "return 10 ** (10**6), 0, 0",
    ),
    case(
        "one big file",
        "writes until the disk is full",
        "error",
        'import os\nwith open("big", "wb") as file:\n    while True: file.write(b"x" * 2**20)',
    ),
    case(
        "many files",
        "makes a hundred thousand",
        "error|crash|timeout",
        'for number in range(10**5): open(f"file{number}", "w").write("x")',
    ),
    case(
        "many big files",
        "fills the disk file by file",
        "error|crash",
        """
        for number in range(1000):
            with open(f"big{number}", "wb") as file: file.write(b"x" * 2**22)
        """,
    ),
    case(
        "hollow file",
        "claims a petabyte without writing it",
        "error",
        'with open("hollow", "wb") as file: file.truncate(2**50)',
    ),
    case("prints for ever", "floods the output", "timeout", 'while True: print("x" * 10**4)'),
    case(
        "writes to the errors for ever",
        "floods the other output, and swallows the clock",
        "timeout",
        """
        import os
        while True:
            try: os.write(2, b"x" * 10**5)
            except BaseException: pass
        """,
    ),
    honest("prints a lot", "2 MB and the right answer", 'for _ in range(20): print("x" * 10**5)'),
    honest("prints odd letters", "escapes and half letters", 'import os; os.write(1, b"\\x1b[2J\\xff\\xfe\\x00\\xc3")'),
    case(
        "opens files for ever",
        "runs out of descriptors",
        "error",
        "held = []\nwhile True: held.append(open('/dev/null'))",
    ),
    case(
        "threads for ever",
        "starts threads that sleep",
        "error|memory|crash|timeout",
        """
        import threading, time
        for _ in range(10**5): threading.Thread(target=time.sleep, args=(1000,)).start()
        """,
        needs_walls=True,
    ),
    case(
        "recursion without end",
        "overflows the stack",
        "error|crash|memory",
        """
        import sys
        sys.setrecursionlimit(10**9)
        def deeper(x): return sorted([x], key=deeper)
        deeper(0)
        """,
    ),
    case(
        "exception without end",
        "raises with a message of 10 MB",
        "error|timeout",
        'raise ValueError("x" * 10**7)',
    ),
]
