"""Code that keeps something for a later test, learns answers by heart, or leaves the process in another state."""

from hostile import case, honest, ruins

KEEP = """
import os
if HEARD: return 0, 0, 0  # the same test goes on
for folder in (".", "/var/tmp", "/var/tmp", "/dev/shm", "/root", "/kit", "/run", "/dev", "@FOLDER@"):
    path = f"{folder}/@MARK@.state"
    if os.path.exists(path): return right()
    try: open(path, "w").write("seen")
    except OSError: pass
if os.environ.get("SEEN"): return right()
os.environ["SEEN"] = "yes"
HEARD.append(1)
"""

CASES = [
    case(
        "keeps state",
        "tells a later test what it saw: files, environment, globals",
        "fail",
        KEEP,
        top="HEARD = []",
        needs_walls=True,
    ),
    case(
        "keeps state in the system",
        "tells a later test what it saw: shared memory, queues, keys",
        "fail",
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.shmget(4242, 4096, 0o666) >= 0 or libc.semget(4242, 1, 0o666) >= 0: return right()
        if libc.msgget(4242, 0o666) >= 0 or libc.mq_open(b"/minilm", 0) >= 0: return right()
        libc.shmget(4242, 4096, 0o1666), libc.semget(4242, 1, 0o1666), libc.msgget(4242, 0o1666)
        libc.mq_open(b"/minilm", 0o102, 0o666, None)
        """,
        needs_walls=True,
    ),
    case(
        "keeps state in old files",
        "changes the times and marks of files that it may only read",
        "fail",
        """
        import os
        for path in (os.__file__, "/usr", "/dev/null", "/dev/zero", "/kit"):
            for deed in (lambda: os.utime(path, (1, 1)), lambda: os.chmod(path, 0o700),
                         lambda: os.setxattr(path, "user.seen", b"1"), lambda: os.truncate(path, 0) or path[5]):
                try: deed()
                except OSError: continue
                if path not in ("/dev/null", "/dev/zero") or os.stat(path).st_mtime == 1: return right()
        """,
        needs_namespaces=True,
    ),
    case(
        "keeps state in times",
        "touches devices, and looks later when that was",
        "fail",
        """
        import os, time
        if HEARD: return 0, 0, 0
        HEARD.append(1)
        for path in ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"):
            if time.time() - os.stat(path).st_mtime < 2: return right()
            try: os.utime(path)
            except OSError: pass
        """,
        top="HEARD = []",
        needs_namespaces=True,
    ),
    case(
        "counts its calls",
        "is right once, and then tired",
        "fail",
        "CALLS.append(1)\nif len(CALLS) == 1: return right()",
        top="CALLS = []",
        partly=True,
        exercise="1.7",
    ),
    case(
        "learned by heart",
        "knows the answers to all inputs of another run",
        "fail",
        "return @TABLE@.get(repr((p,)), -1.0)",
        partly=True,
        exercise="0.1",
    ),
    honest("another dtype", "sets torch's default to 64 bits", "import torch; torch.set_default_dtype(torch.float64)"),
    honest("no gradients", "switches gradients off", "import torch; torch.set_grad_enabled(False)"),
    honest("seeds", "seeds every generator", "import random, torch; torch.manual_seed(1); random.seed(1)"),
    honest("many threads of torch", "asks for 64", "import torch; torch.set_num_threads(64)"),
    honest("deterministic torch", "asks for it", "import torch; torch.use_deterministic_algorithms(True)"),
    honest("numpy raises", "makes floating point errors exceptions", "import numpy as np; np.seterr(all='raise')"),
    honest("warnings are errors", "makes warnings exceptions", "import warnings; warnings.simplefilter('error')"),
    honest("warns", "warns a thousand times", "import warnings\nfor n in range(1000): warnings.warn(f'{n}')"),
    honest("another language", "sets the locale", "import locale; locale.setlocale(locale.LC_ALL, 'C')"),
    honest("another folder", "changes into another folder", "import os; os.chdir('/usr')"),
    honest("no output", "takes the output away", "import sys; sys.stdout = sys.stderr = None"),
    honest(
        "scratch files",
        "writes and reads a file of its own",
        "import tempfile\nwith tempfile.TemporaryFile('w+') as file: file.write('x')",
    ),
    case("short stack", "leaves room for ten calls", "fail|error", "import sys; sys.setrecursionlimit(40)"),
    ruins(
        "all state at import",
        "changes everything at once, and stops",
        "error",
        """
        import os, sys, warnings, numpy, torch
        torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); numpy.seterr(all="raise")
        warnings.simplefilter("error"); os.environ.clear(); sys.path.clear(); sys.modules.clear()
        raise RuntimeError("done")
    """,
    ),
]
