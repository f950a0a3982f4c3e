"""Where things lie: the course folder, the graded tests, and the file that answers a chapter.

What this file does not do: open an answer.
"""

import os
from pathlib import Path

from ..errors import UserError
from .registry import PLAN, chapters, stem

IMPL = "MINILM_IMPL"  # environment variable: the answers that plain pytest grades


def root():
    """The course folder: this one or the nearest above that holds tests/exercises, else the one minilm lies in."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "tests" / "exercises").is_dir():
            return folder
    raise UserError(f"{here} is not inside the course folder; go to the folder that has exercises/ and tests/ in it")


def tests_of(number):
    """The file of graded tests of a chapter."""
    return root() / "tests" / "exercises" / f"test_{stem(number)}.py"


def implementation(name):
    """What is graded, as an absolute path: "exercises", "solutions", or the path of a folder or of one file."""
    path = root() / name if name in ("exercises", "solutions") else Path(name).expanduser()
    if not path.exists():
        raise UserError(f"there are no answers at {path}; pass exercises, solutions, a folder, or a file chNN_*.py")
    if path.is_file() and path.stem not in map(stem, PLAN):
        raise UserError(f"{path.name} is no chapter's file; name it as in exercises/ (ch01_tokenizer.py)")
    return path.resolve()


def answer_file(impl, number):
    """The file below `impl` that answers a chapter (it may be missing)."""
    impl = Path(impl)
    return impl if impl.is_file() else impl / f"{stem(number)}.py"


def answered(impl):
    """The numbers of the written chapters that `impl` is about: one for a file, all for a folder."""
    impl = Path(impl)
    return [number for number in chapters() if not impl.is_file() or impl.stem == stem(number)]


def default_implementation(arguments):
    """What plain pytest grades: MINILM_IMPL if it is set; a learner's exercises when graded tests were asked for by
    name (`pytest tests/exercises/test_ch01_tokenizer.py`), and where there are no solutions, as in a learner's copy of
    the course; else, as part of the whole test suite, the solutions.
    """
    chosen = os.environ.get(IMPL)
    if chosen:
        return implementation(chosen)
    graded = root() / "tests" / "exercises"
    named = [Path(str(argument).split("::")[0]).resolve() for argument in arguments]
    by_name = any(path == graded or graded in path.parents for path in named)
    return implementation("solutions" if (root() / "solutions").is_dir() and not by_name else "exercises")
