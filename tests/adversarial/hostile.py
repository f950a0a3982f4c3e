"""The bank of submissions that mean harm, or look as if they did: what each tries, and how its exercise must end.

A file such as attacks/endless.py holds those of one kind:

    CASES = [
        case("plain loop", "never returns", "timeout", "while True: pass"),
    ]

The code stands in a right solution, in place of the body of the function that EXERCISES names. In it `right()` gives
the right answer, so that code which gets hold of something it should not see can say so: `if seen: return right()`.
When it comes to its end, it returns what is wrong. So a case that must end with "fail" has points as soon as it finds
a hole. @ROOT@, @FOLDER@, @PORT@ and @MARK@ become the places that an attack would like to reach (places.py).

What this file does not do: run anything (lanes.py).
"""

import importlib.util
import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minilm.grading.isolated.levels import STRONG
from minilm.grading.registry import exercise, stem

HERE = Path(__file__).resolve().parent
SOLUTIONS = HERE.parents[1] / "solutions"

EXERCISES = {  # attacked: (another one of the same file, what is wrong as an answer)
    "0.1": (None, "-1.0"),
    "1.2": ("1.7", "[]"),  # lists of bytes
    "1.7": ("1.5", "-1.0"),
    "4.2": ("4.4", "(-1.0, -1.0)"),  # a numpy array
    "6.1": ("6.3", "(0, 0, 0)"),  # whole numbers
    "7.2": ("7.4", "-1.0"),  # tensors
}
LOST = "fail|error|timeout|memory|crash|protocol|missing"  # whatever: without points


@dataclass(frozen=True)
class Case:
    """One submission.

    expected: the outcomes that are right, joined by "|". whole: the whole file, when it is no patch. at_import: it
    costs the whole file. needs_walls: limits alone (level "bare") do not stand against it; needs_namespaces: nor
    do they with Landlock, where the cells are root. partly: a test may pass, by
    good luck or for a right call, but not all. heavy: it takes gigabytes.
    """

    name: str
    tries: str
    expected: str
    code: str = ""
    top: str = ""
    whole: str | None = None
    exercise: str = "6.1"
    at_import: bool = False
    needs_walls: bool = False
    needs_namespaces: bool = False
    partly: bool = False
    heavy: bool = False

    @property
    def witness(self):
        """Another exercise of the file, which this one must not harm."""
        return EXERCISES[self.exercise][0]

    def stands_at(self, level):
        """Whether this level claims to stand against it."""
        return level in STRONG or not (self.needs_namespaces or (self.needs_walls and level == "bare"))

    @property
    def exercises(self):
        return [exercise(id) for id in (self.exercise, self.witness) if id]

    @property
    def file(self):
        return f"{stem(exercise(self.exercise).chapter)}.py"

    @property
    def id(self):
        return re.sub(r"\W+", "-", self.name)


def case(name, tries, expected, code="", **more):
    """A case whose `code` (dedented here) replaces the body; `top` comes below the whole file, at its import."""
    return Case(name, tries, expected, textwrap.dedent(code).strip("\n"), **more)


def honest(name, tries, code="", **more):
    """Code that looks strange and is right."""
    return case(name, tries, "pass", f"{textwrap.dedent(code).strip()}\nreturn right()", **more)


def ruins(name, tries, expected, top, **more):
    """What happens while the file is read, and costs all of it."""
    return case(name, tries, expected, top=top, at_import=True, **more)


def source_of(one, places):
    """The file of a case; places: name -> text for each @NAME@ in it."""
    text = one.whole if one.whole is not None else patched(one)
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def patched(one):
    source = solution(one.exercise)
    top = textwrap.dedent(one.top).strip("\n")
    if one.code:
        source = _replaced(source, one)
    return f"{source}\n\n{top}\n" if top else source


def _replaced(source, one):
    pattern = rf"^( *)# BEGIN SOLUTION {re.escape(one.exercise)}:.*?\n(.*?)^ *# END SOLUTION\n"
    found = re.search(pattern, source, re.MULTILINE | re.DOTALL)
    right = "def right():\n" + textwrap.indent(textwrap.dedent(found.group(2)), "    ")
    body = f"{right}\n{one.code}\nreturn {EXERCISES[one.exercise][1]}\n"
    return source[: found.start()] + textwrap.indent(body, found.group(1)) + source[found.end() :]


@cache
def solution(id):
    return (SOLUTIONS / f"{stem(exercise(id).chapter)}.py").read_text(encoding="utf-8")


@cache
def cases():
    """Every case of the bank, in the order of the files."""
    found = []
    for path in sorted((HERE / "attacks").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"attacks_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.CASES
    return tuple(found)
