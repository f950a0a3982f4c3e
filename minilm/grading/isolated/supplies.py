"""What the judge lays out for the other side: the kit of files that a cell needs, and the sources of support modules.

What this file does not do: let any file through that is not named here.
"""

import ast
import hashlib
import marshal
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]  # minilm
BASE = Path("pretrained") / "base"  # the weights that ship with the course: no answer to anything
HERE = ("wire", "frames", "kernel", "landlock", "seccomp", "imports", "rooms", "book", "cell", "zygote")
ABOVE = ("worker", "limits", "plain", "problem")
LOOKS = ("show.py", "notebook.py", "command.py", "cli.py", "lesson.py", "plots.py")  # these change no grade
START = """import json, sys
sys.path[:0] = {folders!r}
from minilm.grading.isolated.zygote import main
main(json.loads(sys.argv[1]))
"""


def kit_files():
    """Name below the kit -> bytes."""
    files = {"minilm/__init__.py": b"", "minilm/grading/__init__.py": b"", "minilm/grading/isolated/__init__.py": b""}
    for folder, names in (("grading/isolated", HERE), ("grading", ABOVE)):
        for name in names:
            files[f"minilm/{folder}/{name}.py"] = (PACKAGE / folder / f"{name}.py").read_bytes()
    return files


def lay_out(folder, seen_as):
    """Write the kit into `folder`, which the other side sees as `seen_as` once its walls stand. Where the weights of
    the base lie in it there is a link to them, or an empty folder that they are to be mounted on."""
    folder = Path(folder)
    for name, data in {**kit_files(), "start.py": START.format(folders=[str(folder), str(seen_as)]).encode()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    place = folder / "minilm" / BASE
    place.parent.mkdir()
    place.mkdir() if folder != Path(seen_as) else place.symlink_to(PACKAGE / BASE)


@cache
def support(modules):
    """name -> [is a package, code] of these modules of minilm and of all that they import from it."""
    found, waiting = {}, list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name in ("minilm", "minilm.grading"):
            continue
        path = PACKAGE.joinpath(*name.split(".")[1:])
        is_package = path.is_dir()
        text = (path / "__init__.py" if is_package else path.with_suffix(".py")).read_text(encoding="utf-8")
        code = compile(text, f"{name.replace('.', '/')}.py", "exec", dont_inherit=True)
        found[name] = [is_package, marshal.dumps(code)]
        waiting += _imported(name, is_package, text)
    return found


def _imported(name, is_package, text):
    """The modules of minilm that a text imports, wherever in it."""
    package = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            yield from _modules(".".join([*base, *filter(None, [node.module])]), node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minilm"):
            yield from _modules(node.module, node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("minilm."))


def _modules(module, names):
    """`from . import a, b` names modules, `from .a import b` one (and what is in it)."""
    if module != "minilm":
        yield module
    for alias in names:
        path = PACKAGE.joinpath(*module.split(".")[1:], alias.name)
        if path.is_dir() or path.with_suffix(".py").is_file():
            yield f"{module}.{alias.name}"


def fingerprint():
    """A hash of everything that decides a grade besides the submission: grader, tests, and the environment."""
    from .. import course
    from ..registry import chapters
    from . import environment

    hashed = hashlib.sha256(environment.describe().encode())
    folders = (PACKAGE, *(PACKAGE / "grading" / name for name in (".", "isolated", "chapters")))
    files = [path for folder in folders for path in sorted(folder.glob("*.py")) if path.name not in LOOKS]
    for path in [*files, *(course.tests_of(number) for number in chapters())]:
        hashed.update(path.name.encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()
