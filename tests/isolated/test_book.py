"""Of a notebook only the functions that are asked for are run, and what these need."""

import ast
import json

import pytest

from minilm.grading.classroom import cells
from minilm.grading.isolated.book import BookWorker, answers, starts
from minilm.grading.problem import Problem


def book(*codes):
    """The text that classroom/cells.py makes of a notebook with these cells."""
    notebook = {"cells": [{"cell_type": "code", "source": code} for code in codes]}

    return cells.python(json.dumps(notebook).encode())


def kept(*codes, asked=("f",)):
    """What of these cells is run, statement by statement."""
    return [ast.unparse(node) for node in answers(book(*codes), asked).body]


def worker(*codes, asked=("f",)):
    return BookWorker("05_lora.ipynb", book(*codes).encode(), asked)


def test_what_is_tried_out_is_not_run():
    lesson = ["from minilm import load_base\nmodel = load_base()", "model.eval()\nprint(model)", "import nowhere"]
    assert kept(*lesson, "def f(x):\n    return x", "f(3)\nassert f(2) == 3") == ["def f(x):\n    return x"]


def test_what_an_answer_needs_is_kept_and_what_that_needs():
    found = kept(
        "import numpy as np",
        "import torch",
        "BASE = 2\nLIMIT = BASE + 1",
        "def helper(x):\n    return np.log(x) / LIMIT",
        "def other(x):\n    return torch.log(x)",
        "def f(x):\n    return helper(x)",
    )
    assert found[:3] == ["import numpy as np", "BASE = 2", "LIMIT = BASE + 1"]
    assert [line.splitlines()[0] for line in found[3:]] == ["def helper(x):", "def f(x):"]


def test_a_local_name_or_an_attribute_is_not_one_of_the_notebook():
    assert kept("model = train()", "mean = train()", "def f(model):\n    loss = model.mean()\n    return loss") == [
        "def f(model):\n    loss = model.mean()\n    return loss"
    ]
    assert kept("model = 1", "def f():\n    return model") == ["model = 1", "def f():\n    return model"]


def test_the_last_of_several_definitions_counts():
    assert kept("def f():\n    return 1", "def f():\n    return 2") == ["def f():\n    return 2"]
    assert kept("from minilm.lora import f", "def f():\n    return 2") == ["def f():\n    return 2"]
    assert kept("f = lambda: 1", "f = lambda: 2") == ["f = lambda: 2"]
    assert kept("def g():\n    return 1", "g = 2", "def f():\n    return g")[0] == "g = 2"


@pytest.mark.parametrize("lesson", ["f = train()", "from minilm.lora import f", "for f in train():\n    print(f)"])
def test_a_name_of_a_lesson_is_no_answer_even_if_it_is_that_of_one(lesson):
    answer = "def f():\n    return 2"
    assert kept(lesson) == []
    assert kept(lesson, answer) == kept(answer, lesson) == [answer]


def test_what_builds_on_an_earlier_definition_keeps_that():
    once = ["from functools import cache", "def f():\n    return 1", "f = cache(f)"]
    assert kept(*once) == once
    more = ["x = 1", "x += 1", "def f():\n    return x"]
    assert kept(*more) == more


@pytest.mark.parametrize("change", ["f.twice = True", "f.table['a'] = 1", "TABLE['a'] = 1", "TABLE['a'] += 1"])
def test_what_changes_a_needed_object_is_kept(change):
    whole = ["TABLE = {}", "def f():\n    return TABLE", change]
    assert kept(*whole) == whole
    assert kept("TABLE = {}", "other = {}", whole[1], "other['a'] = 1") == whole[:2]


def test_a_class_brings_its_bases_and_a_function_its_decorators_and_defaults():
    whole = [
        "from torch import nn", "WIDTH = 3", "def wrap(f):\n    return f", "class Base(nn.Module):\n    width = WIDTH",
        "@wrap\ndef f(x=Base()):\n    return x",
    ]  # fmt: skip
    assert kept(*whole, "class Other(nn.Module):\n    pass") == whole


def test_names_bound_in_a_block_are_found():
    whole = ["if 1 < 2:\n    A = 1\nelse:\n    A = 2", "for B in range(3):\n    pass", "def f():\n    return A + B"]
    assert kept(*whole, "for C in range(3):\n    pass") == whole


def test_imports_that_change_everything_come_first_or_stay():
    found = kept("def f(x: nowhere):\n    return sqrt(x)", "from math import *", "from __future__ import annotations")
    assert [line.splitlines()[0] for line in found] == [
        "from __future__ import annotations", "def f(x: nowhere):", "from math import *",
    ]  # fmt: skip
    assert kept("from minilm.lora import *", "def f():\n    pass") == ["def f():\n    pass"]


def test_a_cell_that_is_no_python_costs_nothing_unless_an_answer_stands_in_it():
    assert kept("def g(:", "def f():\n    pass", "return 1") == ["def f():\n    pass"]
    assert kept("def f(:", "def f():\n    pass") == ["def f():\n    pass"]
    with pytest.raises(SyntaxError) as caught:
        kept("x = 1", "def g(:", "y = 1\ndef f(:\n    pass")
    assert caught.value.lineno == 9


def test_the_heads_of_cells_are_counted():
    assert starts("# cell 1\nx\n\n\n# cell 2\n# cell 2\n# cell 4\n# cell 3".split("\n")) == [0, 4, 7]
    assert starts(["x"]) == []


# ---- as a learner meets it -----------------------------------------------------------------------


def test_an_answer_is_called():
    one = worker("import numpy as np", "def f(x):\n    return float(np.sum(x))", "1 / 0")
    assert one.request("call", "f", [[1, 2]]) == (3.0, [[1, 2]])


def problem(*codes, asked=("f",)):
    with pytest.raises(Problem) as caught:
        worker(*codes, asked=asked).request("call", "f")
    return caught.value


def test_a_message_names_the_cell_and_the_line_in_it():
    found = problem("import math", "def g():\n    return 1 / 0\n\ndef f():\n    return g()")
    assert found.kind == "raised"
    assert found.seen.splitlines()[:2] == [
        "05_lora.ipynb, code cell 2, line 5, in f:  return g()",
        "05_lora.ipynb, code cell 2, line 2, in g:  return 1 / 0",
    ]
    found = problem("x = 1", "\ndef f(:\n    pass")
    assert found.kind == "syntax" and found.seen.startswith("05_lora.ipynb, code cell 2, line 2: ")
    found = problem("BASE = nowhere", "def f():\n    return BASE")
    assert found.kind == "load" and "05_lora.ipynb stops at code cell 1, line 1 while it is read" in found.seen


def test_an_answer_that_is_not_there_is_missing():
    found = problem("x = 1")
    assert (found.kind, found.seen) == ("missing", "05_lora.ipynb has no function f.")


def test_a_stub_in_a_notebook_is_not_started():
    assert problem('def f():\n    raise NotImplementedError("Exercise 5.1: write it")').kind == "todo"
