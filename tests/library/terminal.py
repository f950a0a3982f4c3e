"""The `minilm` command for the tests: inside this process or in one of its own; and a world small enough for it.

In the small world "shakespeare" and "pydocs" are a few thousand made-up words, the demo takes three steps of
fine-tuning,
and nothing else differs: the same commands, files and code.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from minilm import cli, corpus
from minilm.corpus import Dataset

STEPS = 3
HERE = Path(__file__).parent
PATH = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": PATH, "COLUMNS": "80"}


def words(seed, count=3000):
    """Lines of made-up words, another language for each seed."""
    rng = random.Random(seed)
    known = ["".join(rng.choices("aeioubdglmnrst", k=rng.randint(2, 7))) for _ in range(150)]
    lines = (" ".join(rng.choices(known, k=8)) for _ in range(count // 8))
    return "".join(f"{line}.\n" for line in lines)


def small_load(spec):
    """corpus.load, but with next to nothing in the two large data sets."""
    if spec not in ("shakespeare", "pydocs"):
        return corpus.load(spec)
    seed = len(spec)
    return Dataset(spec, words(seed), words(seed, 400), "made-up words")


def enter_small_world(patch):
    """Make this process's commands and demo work on little; `patch(module, name, value)` sets a name."""
    from minilm import demo, jobs

    for module in (demo, jobs):
        patch(module, "load", small_load)
    patch(demo, "STEPS", {"small": STEPS, "large": STEPS})


def die(module, name, number):
    """Let this process be killed, as by `kill -9`, at call `number` of module.name."""
    real, calls = getattr(module, name), []

    def deadly(*arguments, **options):
        calls.append(name)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(module, name, deadly)


class Terminal:
    """`minilm` inside this process: terminal("eval", "--data", "pydocs") -> (exit code, stdout, stderr)."""

    def __init__(self, monkeypatch, capsys):
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *words):
        self.monkeypatch.setattr(sys, "argv", ["minilm", *map(str, words)])
        self.capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        out, err = self.capsys.readouterr()
        return code, out, err

    def works(self, *words):
        """stdout of a command that must succeed."""
        code, out, err = self(*words)
        assert code == 0, f"minilm {' '.join(map(str, words))} ended with {code}: {err}"
        return out

    def refuses(self, *words):
        """The one sentence of a command that must fail."""
        code, _, err = self(*words)
        shown = f"minilm {' '.join(map(str, words))}: exit code {code}, stderr {err!r}"
        assert code == 2, f"{shown}: the exit code of bad input is 2"
        assert err.startswith("error: ") and err.count("\n") == 1, f"{shown}: should be one line, from error: on"
        assert "Traceback" not in err, shown
        return err


def child(*words, before="", **options):
    """A process of its own that runs `before` (Python) in the small world and then `minilm` with these words."""
    code = f"""
import sys
import terminal
terminal.enter_small_world(setattr)
{before}
sys.argv = ["minilm", *{[str(word) for word in words]!r}]
terminal.cli.main()
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-c", code], env=ENVIRONMENT, **pipes, **options)


def contents(folder):
    """Relative path -> bytes of every file below `folder`."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}
