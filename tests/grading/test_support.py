"""What isolated grading puts beside a learner's code (`support`) holds no answer to the exercise that names it."""

import ast
import importlib
import importlib.util
import inspect
from dataclasses import replace
from pathlib import Path

import bank
import pytest

from minilm.grading.registry import exercise

ROOT = Path(__file__).resolve().parents[2]
SUPPORTED = [one for one in bank.everything() if one.support]
by_id = pytest.mark.parametrize("one", SUPPORTED, ids=lambda one: f"ch{one.chapter:02d}-{one.id}")


def closure(names):
    """These modules and all of minilm that they import, wherever in the file, and the packages around them."""
    found, open_ = set(), list(names)
    while open_:
        name = open_.pop()
        if name not in found and _source(name):
            found.add(name)
            open_ += [name.rpartition(".")[0], *_imports(name)]
    return sorted(found)


def _source(name):
    """The file of a module of minilm, or None: a name that a `from ... import` brings may be no module."""
    if name.split(".")[0] != "minilm":
        return None
    places = ROOT.joinpath(*name.split(".")).with_suffix(".py"), ROOT.joinpath(*name.split("."), "__init__.py")
    return next((place for place in places if place.is_file()), None)


def _imports(name):
    path = _source(name)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def inside(one):
    """(module, name) of each function and class that the support of an exercise brings, private ones as well."""
    for module in closure(one.support):
        for name, thing in list(vars(importlib.import_module(module)).items()):
            if inspect.isroutine(thing) or inspect.isclass(thing):
                yield module, name


def lent(one, function, module, name):
    """The solution of the chapter, but with `function` taken from the support."""
    return f"{bank.solution(one.chapter)}\nfrom {module} import {name} as {function}\n"


def test_some_exercises_have_support_and_most_have_none():
    assert {"5.7", "5.8", "5.9", "6.6"} <= {one.id for one in SUPPORTED}
    assert len(SUPPORTED) < len(bank.everything()) / 3


def test_what_a_support_imports_is_found_to_the_last():
    found = closure(["minilm.pretrained"])
    assert {"minilm", "minilm.pretrained", "minilm.folder", "minilm.model", "minilm.rope", "minilm.bpe"} <= set(found)
    assert "minilm.lora" not in found and "minilm.memory" not in found
    assert closure(["minilm.grading.support"]) == ["minilm", "minilm.grading", "minilm.grading.support"]


@by_id
def test_support_is_a_module_of_minilm(one):
    assert all(_source(name) for name in one.support), one.support


@by_id
def test_no_support_has_a_name_that_the_exercise_asks_for(one):
    brought = {name for _, name in inside(one)}
    assert brought and not brought & set(one.functions)


@pytest.mark.filterwarnings("ignore")
@by_id
def test_nothing_in_the_support_passes_for_an_answer(one):
    for function in one.functions:
        for module, name in inside(one):
            result = bank.grade(lent(one, function, module, name), one.id, limit=2.0)
            assert not result.passed, f"{module}.{name} passes for {function}"


def test_a_support_that_answers_would_be_noticed():
    one = replace(exercise("1.2"), support=("minilm.bpe",))
    assert ("minilm.bpe", "merge_pair") in set(inside(one))
    assert bank.grade(lent(one, "merge_pair", "minilm.bpe", "merge_pair"), one.id).passed
    assert not bank.grade(lent(one, "merge_pair", "minilm.bpe", "train_bpe"), one.id).passed


def test_what_is_half_an_answer_is_no_support_either():
    one = exercise("5.7")
    helped = f"""{bank.solution(5)}
from minilm.model import count_parameters
def count(model):
    return count_parameters(model, True), count_parameters(model)
"""
    assert bank.grade(helped, one.id).passed, "this is why minilm.model may not stand beside 5.7"
    assert "minilm.model" not in closure(one.support)
