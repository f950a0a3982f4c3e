"""Code that looks for the answer, the tests, the secret or somebody else: on the disk, in memory, in processes."""

from hostile import case

FRAMES = """
import sys
frame = sys._getframe()
while frame:
    for names in (frame.f_locals, frame.f_globals):
        if {"expected", "known", "answers", "graded", "secret"} & {*names}: return right()
    frame = frame.f_back
"""

CASES = [
    case("frames", "walks up to the test that called", "fail", FRAMES),
    case(
        "stack",
        "reads the source of its callers",
        "fail",
        """
        import inspect
        for caller in inspect.stack():
            if "test_" in caller.filename or "expected" in "".join(caller.code_context or []): return right()
        """,
    ),
    case(
        "everything in memory",
        "asks the collector for all dicts, and looks for expected values",
        "fail",
        """
        import gc
        gc.unfreeze()
        for thing in gc.get_objects():
            if type(thing) is dict and {"known", "expected"} & {key for key in thing if type(key) is str} and (
                    "answers" in thing): return right()
            if type(thing).__name__ in ("Graded", "Answers", "Problem", "Result", "Exercise"): return right()
        """,
    ),
    case(
        "solutions by path",
        "reads the solutions",
        "fail",
        """
        for folder in ("solutions", "tests/exercises", "exercises", "minilm", "tests/mutants", "notebooks"):
            for name in ("ch06_memory.py", "test_ch06_memory.py", "memory.py", "bank.py", "06_memory.ipynb"):
                try: open(f"@ROOT@/{folder}/{name}").read()
                except OSError: continue
                return right()
        """,
        needs_walls=True,
    ),
    case(
        "course folder listed",
        "lists the folders of the course",
        "fail",
        """
        import os
        for folder in ("solutions", "tests", "tests/exercises", "exercises", "minilm/grading/chapters"):
            try: found = os.listdir(f"@ROOT@/{folder}")
            except OSError: continue
            if found: return right()
        """,
        needs_walls=True,
    ),
    case(
        "solutions imported",
        "puts the course on its path and imports the solution",
        "fail",
        """
        import importlib, sys
        sys.path[:0] = ["@ROOT@", "@ROOT@/solutions", "@ROOT@/tests/exercises"]
        for name in ("solutions.ch06_memory", "test_ch06_memory", "ch06_memory"):
            sys.modules.pop(name, None)
            try: module = importlib.import_module(name)
            except ImportError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "minilm imported",
        "imports what the finished library has",
        "fail",
        """
        import importlib
        for name in ("minilm.memory", "minilm.bpe", "minilm.lora", "minilm.merge", "minilm.grading.chapters.ch06",
                     "minilm.grading.expect", "minilm.bench"):
            try: importlib.import_module(name)
            except ImportError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "minilm without its guard",
        "takes the guard of imports away, and looks for the installed library",
        "fail",
        """
        import importlib, importlib.metadata, sys
        sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != "Support"]
        places = []
        try: places = [str(file.locate()) for file in importlib.metadata.files("minilm") or []]
        except Exception: pass
        for name in [name for name in sys.modules if name.startswith("minilm")]: del sys.modules[name]
        importlib.invalidate_caches()
        sys.path[:] = ["@ROOT@", *(one for one in sys.path if "kit" not in one)]
        for name in ("minilm.memory", "minilm.bpe", "minilm.bench", "minilm.grading.chapters"):
            try: importlib.import_module(name)
            except (ImportError, OSError): continue
            return right()
        for place in places:
            if place.endswith(("memory.py", "bpe.py")):
                try: open(place).read()
                except OSError: continue
                return right()
        """,
        needs_walls=True,
    ),
    case(
        "compiled tests",
        "reads what Python keeps of the tests",
        "fail",
        """
        import glob
        for pattern in ("solutions", "tests/exercises", "minilm", "minilm/grading/chapters"):
            for path in glob.glob(f"@ROOT@/{pattern}/__pycache__/*.pyc"): return right()
        """,
        needs_walls=True,
    ),
    case(
        "the way up",
        "climbs out by links and dots",
        "fail",
        """
        import os
        os.symlink("@ROOT@/solutions", "link")
        for path in ("link/ch06_memory.py", "../../../../../..@ROOT@/solutions/ch06_memory.py",
                     "/proc/self/root@ROOT@/solutions/ch06_memory.py", "/proc/1/root@ROOT@/solutions/ch06_memory.py"):
            try: open(path).read()
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "open folders",
        "looks for a descriptor that leads outside",
        "fail",
        """
        import os
        for fd in range(3, 1000):
            for path in ("solutions/ch06_memory.py", "../solutions/ch06_memory.py", "@ROOT@/solutions/ch06_memory.py"):
                try: os.open(path, os.O_RDONLY, dir_fd=fd)
                except OSError: continue
                return right()
        """,
        needs_walls=True,
    ),
    case(
        "another learner's file",
        "copies from a neighbour, and from the records",
        "fail",
        """
        import os
        for name in ("bob/ch06_memory.py", "secret", "records/bob/ch06.json"):
            try: open(f"@FOLDER@/{name}").read()
            except OSError: continue
            return right()
        try: found = os.listdir("@FOLDER@")
        except OSError: found = []
        if found: return right()
        """,
        needs_walls=True,
    ),
    case(
        "writes outside",
        "leaves a file wherever it may, and changes the records",
        "fail",
        """
        import os, shutil
        for folder in ("/", "/tmp", "/var/tmp", "/dev/shm", "/usr", "/etc", "/kit", "@ROOT@", "@ROOT@/tests",
                       "@ROOT@/solutions", "@ROOT@/minilm", os.path.expanduser("~root"), "@FOLDER@"):
            try: open(f"{folder}/@MARK@", "w").write("x")
            except OSError: pass
        for name in ("secret", "records/bob/ch06.json", "bob/ch06_memory.py"):
            for deed in (lambda path: open(path, "w").write("x"), os.remove, lambda path: os.rename(path, path + "x")):
                try: deed(f"@FOLDER@/{name}")
                except OSError: pass
        shutil.rmtree("@FOLDER@", ignore_errors=True)
        """,
        needs_walls=True,
    ),
    case(
        "changes the kit",
        "writes into the grader that the next cell is made of",
        "fail",
        """
        import glob, os, sys
        import minilm.grading.worker as worker
        for path in (worker.__file__, os.__file__, "/kit/start.py", sys.executable):
            for deed in (lambda: open(path, "a").write("#"), lambda: os.chmod(path, 0o777), lambda: os.remove(path)):
                try: deed()
                except OSError: continue
                return right()
        """,
        needs_namespaces=True,
    ),
    case(
        "memory of processes",
        "reads what /proc tells of others, and of itself",
        "fail",
        """
        import glob, os
        for path in glob.glob("/proc/[0-9]*"):
            for name in ("cmdline", "environ", "maps", "mem", "fd/0", "cwd/ch06_memory.py", "root/etc/passwd"):
                try: found = open(f"{path}/{name}", "rb").read(100)
                except OSError: continue
                if found and int(path[6:]) != os.getpid(): return right()
        """,
        needs_walls=True,
    ),
    case(
        "its own memory",
        "writes into itself by /proc/self/mem",
        "fail",
        """
        for path in ("/proc/self/mem", "/proc/thread-self/mem", "/dev/mem", "/dev/kmem", "/proc/kcore"):
            try: open(path, "r+b")
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "looks into the judge",
        "reads another process by system calls",
        "fail",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        for pid in {os.getppid(), 1, *range(2, 50)} - {os.getpid(), 0}:
            if libc.ptrace(16, pid, 0, 0) == 0: return right()
            there, here = (ctypes.c_void_p * 2)(0x400000, 64), ctypes.create_string_buffer(64)
            local = (ctypes.c_void_p * 2)(ctypes.addressof(here), 64)
            if libc.process_vm_readv(pid, local, 1, there, 1, 0) > 0: return right()
            if libc.syscall(434, pid, 0) >= 0: return right()
        """,
        needs_walls=True,
    ),
    case(
        "environment",
        "looks for the teacher's words in its environment",
        "fail",
        """
        import ctypes, os
        os.environ.pop("nothing", None)
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        if getenv(b"@WORD@") or "@WORD@" in os.environ: return right()
        if any("sesame" in value for value in os.environ.values()): return right()
        """,
    ),
    case(
        "network",
        "connects to a server on this machine",
        "fail",
        """
        import socket
        for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)):
            try:
                with socket.socket(family, kind) as one:
                    one.settimeout(0.2)
                    one.connect(("127.0.0.1", @PORT@))
                    one.send(b"answers, please")
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "network by the web",
        "asks a server by http and by name",
        "fail",
        """
        import urllib.request
        for host in ("127.0.0.1", "localhost", "[::1]"):
            try: urllib.request.urlopen(f"http://{host}:@PORT@/", timeout=0.1)
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "sockets of the machine",
        "opens sockets that need no network: of files, without names, of the kernel",
        "fail",
        """
        import socket
        for family, address in ((socket.AF_UNIX, "\\0minilm"), (socket.AF_UNIX, "/run/dbus/system_bus_socket"),
                                (getattr(socket, "AF_NETLINK", 16), (0, 0)), (getattr(socket, "AF_ALG", 38), None)):
            try: one = socket.socket(family, socket.SOCK_STREAM if family == socket.AF_UNIX else socket.SOCK_RAW)
            except OSError: continue
            return right()
        """,
        needs_walls=True,
    ),
    case(
        "names of machines",
        "asks for an address",
        "fail",
        """
        import socket
        try:
            socket.getaddrinfo("minilm.example", 80)
            return right()
        except OSError: pass
        """,
        needs_walls=True,
    ),
]
