"""A notebook as an answer: of its cells only what the exercises ask for, and what that needs, is run.

A lesson loads a model, trains and draws, and a learner tries things out. None of that is an answer, and all of it takes
time or needs what is not here. So the search begins at the functions that are asked for, and goes backwards:

    cell 1    from minilm import load, plots    left out: nothing that is kept reads these names
    cell 2    import numpy as np                kept: softmax reads np
    cell 3    def softmax(x): ... np.exp(x)     kept: it is asked for
    cell 4    softmax(np.ones(3))               left out: it binds no name

An answer is a def, a class or a lambda with its name: a lesson may import that name or call a variable so. Of a name
that is bound anew only the last time counts, as when all cells have run.

What this file does not do: find the code in a notebook's file (classroom/cells.py), or run any of it.
"""

import ast
import dis
import re
from bisect import bisect_right
from types import CodeType

from ..worker import Worker

READS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
BINDS = ("STORE_NAME", "STORE_GLOBAL")
ANSWERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ANEW = (*ANSWERS, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
BROKEN = (SyntaxError, ValueError, RecursionError)


class BookWorker(Worker):
    """A Worker for the code of a notebook. functions: the names that the exercises ask for."""

    def __init__(self, path, source, functions):
        super().__init__(path, source)
        self.functions = functions
        self.starts = starts(source.decode("utf-8", "replace").split("\n"))

    def parse(self, source):
        return answers(source.decode("utf-8"), self.functions)

    def spot(self, line):
        """Where a line of the whole lies, in words."""
        number = bisect_right(self.starts, line - 1)
        return f"code cell {number}, line {line - 1 - self.starts[number - 1]}" if number else f"line {line}"


def starts(lines):
    """The places of the lines that head a cell: "# cell 1", then "# cell 2" and so on."""
    found = []
    for place, line in enumerate(lines):
        if line == f"# cell {len(found) + 1}":
            found.append(place)
    return found


def answers(text, functions):
    """What of the text is needed for these functions, as an ast.Module.

    A cell that is no Python is left out, as in Jupyter, unless a function that is asked for stands nowhere else: then
    its SyntaxError is raised.
    """
    statements, broken = [], []
    lines = text.split("\n")
    heads = starts(lines) or [0]
    for first, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        cell = "\n".join(lines[first:end])
        try:
            nodes = ast.parse(cell).body
            statements += [Statement(ast.increment_lineno(node, first)) for node in nodes]
        except BROKEN as error:
            if isinstance(error, SyntaxError):
                error.lineno = (error.lineno or 1) + first
            broken.append((cell, error))
    defined = {name for one in statements if one.is_answer for name in one.binds}
    for name in set(functions) - defined:
        for cell, error in broken:
            if re.search(rf"^(async\s+def|def|class)\s+{name}\b", cell, re.MULTILINE):
                raise error
    return ast.Module(needed(statements, functions), [])


class Statement:
    """One statement of the outermost level. binds, reads: names; runs: those of them that are read at once, and not
    when a function in it is called."""

    def __init__(self, node):
        self.node = node
        code = compile(ast.Module([node], []), "cell", "exec", dont_inherit=True)
        self.runs = {step.argval for step in dis.get_instructions(code) if step.opname in READS}
        self.binds = {step.argval for step in dis.get_instructions(code) if step.opname in BINDS} | _changed(node)
        self.reads = {step.argval for step in _steps(code) if step.opname in READS}

    @property
    def is_for_all(self):
        """Whether it may bind any name, or changes how the others are read."""
        if not isinstance(self.node, ast.ImportFrom):
            return False
        star = self.node.names[0].name == "*" and (self.node.module or "").partition(".")[0] != "minilm"
        return star or self.node.module == "__future__"

    @property
    def is_answer(self):
        lambda_ = isinstance(self.node, ast.Assign | ast.AnnAssign) and isinstance(self.node.value, ast.Lambda)
        return lambda_ or isinstance(self.node, ANSWERS)

    def builds_on(self, name):
        """Whether it goes on with what the name stands for: f = cache(f), f.table = {}."""
        return isinstance(self.node, ast.Assign | ast.AugAssign | ast.AnnAssign) and not self.begins(name)

    def begins(self, name):
        """Whether it binds the name without a look at what it stood for before."""
        return isinstance(self.node, ANEW) and name not in self.runs


def _steps(code):
    yield from dis.get_instructions(code)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _steps(inner)


def _changed(node):
    """The names whose objects get another part: Layer in `Layer.forward = f`, table in `table["a"] = 1`."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    found = set()
    for target in targets:
        inner = target
        while isinstance(inner, ast.Attribute | ast.Subscript):
            inner = inner.value
        if inner is not target and isinstance(inner, ast.Name):
            found.add(inner.id)
    return found


def needed(statements, functions):
    """The nodes that bind these names, and the names that those read, and so on; in their order."""
    places = {}
    for place, one in enumerate(statements):
        for name in one.binds:
            places.setdefault(name, []).append(place)
    kept = {place for place, one in enumerate(statements) if one.is_for_all}
    waiting, seen = list(functions), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for place in _that_count(statements, places.get(name, []), name, name in functions):
            kept.add(place)
            waiting += statements[place].reads
    # `from __future__` has to be the first of all
    in_order = sorted(kept, key=lambda place: (getattr(statements[place].node, "module", "") != "__future__", place))
    return [statements[place].node for place in in_order]


def _that_count(statements, places, name, is_asked_for):
    """Of the places where a name is bound, the last one that begins anew, and what builds on that."""
    if not is_asked_for:
        first = max((place for place in places if statements[place].begins(name)), default=0)
        return [place for place in places if place >= first]
    last = max((place for place in places if statements[place].is_answer), default=None)
    if last is None:
        return []
    return [last, *(place for place in places if place > last and statements[place].builds_on(name))]
