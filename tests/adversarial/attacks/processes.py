"""Code that starts processes, or sends signals to those that are there."""

from hostile import case, honest

CASES = [
    case("fork bomb", "forks until nothing else runs", "error", "import os\nwhile True: os.fork()", needs_walls=True),
    case(
        "fork bomb by system calls",
        "forks past Python: fork, vfork, clone, clone3",
        "fail",
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for number, first in ((57, 0), (58, 0), (56, 17), (435, 0), (0x40000000 + 57, 0)):
            if libc.syscall(number, first, 0, 0, 0, 0) >= 0: return right()
        """,
        needs_walls=True,
    ),
    case(
        "shell",
        "runs a command that leaves a file",
        "fail",
        'import os\nif os.system("touch /tmp/@MARK@ @FOLDER@/@MARK@") == 0: return right()',
        needs_walls=True,
    ),
    case(
        "subprocess",
        "runs another Python",
        "error",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', '1'])",
        needs_walls=True,
    ),
    case(
        "spawn",
        "runs another program without fork",
        "error",
        'import os; os.posix_spawn("/bin/true", ["true"], {})',
        needs_walls=True,
    ),
    case(
        "another program in its place",
        "becomes a shell that prints a forged report",
        "error|protocol|crash|timeout",
        'import os; os.execv("/bin/sh", ["sh", "-c", "echo passed >&4"])',
    ),
    case(
        "multiprocessing",
        "starts a pool",
        "fail|error",
        """
        import multiprocessing
        process = multiprocessing.get_context("fork").Process(target=print)
        process.start()
        """,
        needs_walls=True,
    ),
    case(
        "child that stays",
        "forks twice and leaves the session, to live on",
        "fail",
        """
        import os, time
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: time.sleep(300)
                os._exit(0)
        except OSError: pass
        """,
    ),
    case(
        "child that talks",
        "lets a child go on as if it were the cell",
        "fail|protocol|error",
        """
        import os
        try:
            if os.fork() == 0: return right()
        except OSError: pass
        """,
        needs_walls=True,
    ),
    case(
        "kills its parent",
        "SIGKILL to whoever started it",
        "fail",
        """
        import os
        for pid in {os.getppid(), 0, 1} - {os.getpid()}:
            try: os.kill(pid, 9)
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "kills everybody",
        "SIGKILL to all that it may",
        "fail",
        """
        import os
        for deed in (lambda: os.kill(-1, 9), lambda: os.killpg(0, 9), lambda: os.killpg(os.getpgid(0), 9)):
            try: deed()
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "kills number by number",
        "tries every process there may be, by every way to send a signal",
        "fail",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        info = ctypes.create_string_buffer(128)
        for pid in sorted({os.getppid(), *range(1, 3000)} - {os.getpid(), 0}):
            if 0 in (libc.kill(pid, 0), libc.syscall(200, pid, 9), libc.syscall(234, pid, pid, 9),
                     libc.syscall(129, pid, 9, info), libc.syscall(297, pid, pid, 9, info)): return right()
        """,
        needs_walls=True,
    ),
    case(
        "namespaces of its own",
        "makes a world in which it is root",
        "fail",
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (0x10000000, 0x10020000, 0x20000000, 0x40000000):
            if libc.unshare(flags) == 0: return right()
        if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 or libc.chroot(b"/tmp") == 0: return right()
        if libc.setuid(0) == 0 and libc.setgid(0) == 0 and libc.chown(b"/usr", 0, 0) == 0: return right()
        """,
        needs_namespaces=True,
    ),
    case(
        "limits lifted",
        "raises its own limits",
        "fail",
        """
        import resource
        for limit in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
            try: resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (OSError, ValueError): continue
            return right()
        """,
        needs_walls=True,
    ),
    honest(
        "thread that stays",
        "leaves a thread behind that is no daemon",
        "import threading, time; threading.Thread(target=time.sleep, args=(300,)).start()",
    ),
    honest(
        "busy thread",
        "leaves a thread behind that never rests",
        """
        import threading, time
        def spin():
            while True: time.sleep(0)
        threading.Thread(target=spin).start()
        """,
    ),
    honest(
        "pool of threads",
        "computes in threads",
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(3) as pool: list(pool.map(abs, range(10)))
        """,
    ),
]
