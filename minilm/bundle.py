"""`minilm bundle`: the learners' copy of the course as one zip, without solutions, mutants and maintainers' tests.

Three walls, one behind the other:

1. A positive list. RULES names what goes in; a file that nobody thought of stays out, wherever it lies.
2. Fresh exercises. They are made from the solutions, so what somebody wrote into exercises/ does not travel.
3. A search. What is about to be packed is searched for the solutions; one hit, and nothing is written.

The same course gives the same bytes: names are sorted, dates are fixed.

What this file does not do: protect anything that a learner can read in minilm/, which is the finished library.
"""

import importlib.util
import io
import json
import re
import zipfile
from pathlib import Path

from .errors import UserError
from .grading import course
from .grading.registry import PLAN, stem

TOP = "minilm-course"  # the folder that the zip unpacks into
NOTEBOOKS = (
    "00_welcome",
    "01_tokenizer",
    "02_transformer",
    "03_pretraining",
    "04_low_rank",
    "05_lora",
    "06_memory",
    "07_merging",
)
RULES = (  # patterns below the course folder; `*` does not cross a folder
    *("README.md", "LICENSE", "Makefile", "pyproject.toml", "constraints.txt", "environment.yml"),
    *(f"notebooks/{name}.ipynb" for name in NOTEBOOKS),
    "minilm/*.py",
    *(f"minilm/{part}/*.py" for part in ("bench", "experiments", "figures", "grading", "pretrained")),
    *(f"minilm/grading/{part}/*.py" for part in ("chapters", "classroom", "exports", "isolated")),
    "minilm/experiments/results/*.json",
    *(f"minilm/pretrained/base/{name}" for name in ("about.json", "bpe.json", "config.json", "model.safetensors")),
    *("tests/conftest.py", "tests/exercises/conftest.py"),
    *(f"tests/exercises/test_{stem(number)}.py" for number in PLAN),
)
NEVER = re.compile(r"solution|mutant|hidden|secret|(^|/)\.", re.IGNORECASE)  # in a name, even if a rule fits
FOR_TEACHERS = re.compile(r"<!-- for teachers -->.*?<!-- end -->\n", re.DOTALL)  # left out of README.md
BLOCK = re.compile(r"# BEGIN SOLUTION(?: (\d+\.\d+))?[^\n]*\n(.*?)^ *# END SOLUTION", re.DOTALL | re.MULTILINE)
SHORTEST = 60  # characters of three lines in a row that count as part of a solution
DATE = (1980, 1, 1, 0, 0, 0)


def write_bundle(out="course.zip", with_text=False, say=print):
    """Write the learners' zip; `with_text` puts the plays in, for machines without a network.

    Raises UserError outside the full course, for a name that is not a zip's, and when a solution would get out.
    """
    out = Path(out).expanduser()
    if out.is_dir():
        raise UserError(f"{out} is a folder; name the file to write, such as {out / 'course.zip'}")
    if out.suffix != ".zip":
        raise UserError(f"{out} does not end in .zip; name the file to write, such as course.zip")
    root = course.root()
    files = contents(root, with_text)
    if found := leaks(files, root):
        raise UserError(f"nothing was written, since {'; '.join(found)}; take that out first")
    data = packed(files)
    from .files import write_bytes  # it imports torch

    write_bytes(out, data)
    say(f"wrote {out}: {len(files)} files, {len(data) / 1e6:.1f} MB, no solutions in it")


def contents(root, with_text=False):
    """Name -> bytes of every file that learners get."""
    stubs = fresh_exercises(root)
    files = {name: (root / name).read_bytes() for rule in RULES for name in matching(root, rule)}
    files["README.md"] = FOR_TEACHERS.sub("", files["README.md"].decode("utf-8")).encode("utf-8")
    if with_text:
        from .wheel import WHEEL, wheel

        files[f"data/{WHEEL}"] = wheel().read_bytes()
    return dict(sorted({**files, **stubs}.items()))


def matching(root, rule):
    """The names of the files that a rule stands for; a rule without a star must find its file."""
    found = [path.relative_to(root).as_posix() for path in root.glob(rule) if path.is_file() and not path.is_symlink()]
    if not found and "*" not in rule:
        raise UserError(f"the course in {root} is not complete: there is no {rule}")
    return [name for name in found if not NEVER.search(name)]


def fresh_exercises(root):
    """Name -> bytes of the exercises as they are before anybody has worked on them."""
    tool = root / "tools" / "strip_solutions.py"
    if not tool.is_file() or not (root / "solutions").is_dir():
        raise UserError(f"{root} has no solutions/; learners' copies are packed from the full course")
    spec = importlib.util.spec_from_file_location("strip_solutions", tool)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = {path.relative_to(root).as_posix(): text.encode("utf-8") for path, text in module.exercises(root)}
    missing = [name for name in (f"exercises/{stem(number)}.py" for number in PLAN) if name not in made]
    if missing:
        raise UserError(f"the course in {root} is not complete: there is no solution for {missing[0]}")
    return made


def packed(files):
    """The bytes of a zip with these files, the same ones each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{TOP}/{name}", DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


# ---------------------------------------------------------------- the search


def leaks(files, root):
    """What of solutions/ is in `files` (name -> bytes): a list of clauses, empty if all is well.

    Searched for are whole marked answers and any three lines of one in a row. Layout, quotes and comments do not
    matter. An answer of one line may stand in minilm/, which has each topic's code in a version of its own.
    """
    texts = {name: squashed(readable(name, data)) for name, data in files.items() if b"\0" not in data}
    found = []
    for path in sorted((root / "solutions").glob("ch*.py")):
        for id, body in BLOCK.findall(path.read_text(encoding="utf-8")):
            lines = list(filter(None, map(squashed, body.splitlines())))
            three = ["".join(lines[start : start + 3]) for start in range(len(lines) - 2)]
            for name, text in texts.items():
                whole = "".join(lines) in text and not (len(lines) == 1 and name.startswith("minilm/"))
                if whole or any(part in text for part in three if len(part) >= SHORTEST):
                    what = f"the solution of {id}" if id else f"a part of solutions/{path.name}"
                    found.append(f"{name} holds {what}")
    return sorted(set(found))


def squashed(text):
    """A text without comment lines, blanks, commas and quotes: what code looks like, however it is written down."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return re.sub(r"""\\[nt]|[\s\\"',]""", "", "\n".join(lines))


def readable(name, data):
    """The text of a file; of a notebook, what its cells say and show."""
    text = data.decode("utf-8", errors="replace")
    if not name.endswith(".ipynb"):
        return text
    try:
        return "\n".join(_strings(json.loads(text)))
    except ValueError as error:
        raise UserError(f"{name} is damaged ({error}); mend it first") from error


def _strings(value):
    """All strings in a JSON value but the pictures."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield "".join(value) if all(isinstance(item, str) for item in value) else ""
        for item in value:
            if not isinstance(item, str):
                yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.startswith("image/"):
                yield from _strings(item)
