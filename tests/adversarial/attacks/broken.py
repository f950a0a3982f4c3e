"""Files that cannot be read, and functions that are not what they were: mistakes, most of them."""

from hostile import case, honest, ruins

NAME = "training_bytes"


def instead(name, tries, expected, top, **more):
    """A definition that comes after the right one and takes its place."""
    return case(name, tries, expected, top=top, **more)


def file(name, tries, expected, whole):
    return case(name, tries, expected, whole=whole, at_import=True)


CASES = [
    file("syntax error", "forgets a bracket", "error", "def training_bytes(trained, frozen, master:\n    return 1\n"),
    file("no Python", "hands in a letter", "error", "Dear teacher,\n\nmy dog ate it.\n"),
    file("null bytes", "holds a byte 0", "error", "x = 1\0\n"),
    file("half letters", "holds a backslash for a letter that is none", "missing", "x = '\\ud800'\n"),
    file("empty", "hands in nothing", "missing", ""),
    file("only spaces", "hands in nothing, at length", "missing", " \n" * 1000),
    file("brackets", "nests 100 000 brackets", "error|crash|memory", "x = " + "(" * 10**5 + ")" * 10**5),
    file("minus signs", "nests 100 000 signs", "error|crash|memory", "x = " + "-" * 10**5 + "1"),
    file("long sum", "adds 100 000 numbers", "error|crash|memory|missing|timeout", "x = " + "1+" * 10**5 + "1"),
    file(
        "power", "lets the compiler compute", "error|timeout|missing|memory", "x = 'a' * 10**6 * 10**6\ny = 9**9**9\n"
    ),
    file("strange encoding", "announces a cipher", "error", "# -*- coding: rot13 -*-\nqrs s(): cnff\n"),
    file("nothing else in it", "loads, and has no function", "missing", "x = 1\n"),
    ruins("package that is missing", "imports what is not installed", "error", "import pandas_that_is_not_there"),
    ruins("another chapter", "imports a file that was not sent along", "error", "from ch05_lora import merge"),
    ruins("error at import", "has a call at its end that fails", "error", "training_bytes()"),
    ruins("asks at import", "waits for input", "error", "name = input('Who are you? ')"),
    case("asks", "waits for input", "error", "int(input('How many? '))"),
    instead("function deleted", "has no such function any more", "missing", f"del {NAME}"),
    instead("function renamed", "has it by another name", "missing", f"train_bytes = {NAME}\ndel {NAME}"),
    instead("function is None", "has a name and no function", "missing", f"{NAME} = None"),
    instead("function is a number", "has a name and no function", "error", f"{NAME} = 3"),
    instead(
        "other arguments", "takes one argument too many", "error", f"def {NAME}(trained, frozen, master, more): pass"
    ),
    instead("async function", "returns what nobody awaits", "fail", f"async def {NAME}(*args): return 1, 2, 3"),
    instead("generator function", "yields instead of returning", "fail", f"def {NAME}(*args): yield from (1, 2, 3)"),
    instead(
        "class instead of a function", "makes an object", "fail", f"class {NAME}:\n    def __init__(self, *args): pass"
    ),
    instead("no return", "forgets to return", "fail", f"def {NAME}(*args): pass"),
    instead(
        "module that answers for all names",
        "has a __getattr__ of its own",
        "fail",
        f"del {NAME}\ndef __getattr__(name): return lambda *args: (0, 0, 0)",
    ),
    instead(
        "lookup that fails",
        "raises when the function is looked for",
        "error|missing",
        f"del {NAME}\ndef __getattr__(name): raise RuntimeError(name)",
    ),
    instead(
        "module that is another",
        "puts an object in its own place",
        "fail|missing|error",
        f"import sys\nsys.modules[__name__] = None\ndef {NAME}(*args): return sys.modules[__name__].x",
    ),
    instead(
        "a lambda",
        "writes it in one line",
        "pass",
        f"{NAME} = lambda t, f, master: (2 * (t + f), 2 * t, (12 if master else 8) * t)",
    ),
    instead(
        "a class that is right",
        "returns a tuple from __new__",
        "pass",
        f"right = {NAME}\nclass {NAME}:\n    def __new__(cls, *args): return right(*args)",
    ),
    instead("a cache", "remembers what it has computed", "pass", f"import functools\n{NAME} = functools.cache({NAME})"),
    instead(
        "a method",
        "has the function in an object",
        "pass",
        f"class Box:\n    def __init__(self, f): self.f = f\n    def __call__(self, *args): return self.f(*args)\n"
        f"{NAME} = Box({NAME})",
    ),
    honest("much else in the file", "has a main part and a doctest", "import doctest; doctest.DocTestFinder()"),
]
