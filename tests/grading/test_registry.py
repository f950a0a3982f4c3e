"""What is declared, and that solutions, stubs and graded tests agree with it."""

import ast
import doctest
import importlib.util
import re
from pathlib import Path

import pytest

from minilm.errors import UserError
from minilm.grading import course
from minilm.grading.answers import RESERVED
from minilm.grading.registry import PLAN, chapters, exercise, select, stem

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [one for chapter in chapters().values() for one in chapter.exercises]
by_id = pytest.mark.parametrize("one", EXERCISES, ids=lambda one: f"ch{one.chapter:02d}-{one.id}")
by_chapter = pytest.mark.parametrize("chapter", chapters().values(), ids=lambda chapter: f"ch{chapter.number:02d}")


def load(path):
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(folder, number):
    source = (ROOT / folder / f"{stem(number)}.py").read_text(encoding="utf-8")
    return {node.name: node for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def test_the_course_is_worth_100_points():
    assert sum(points for _, points in PLAN.values()) == 100


@by_chapter
def test_a_chapter_pays_what_the_plan_says(chapter):
    assert chapter.points == PLAN[chapter.number][1]


@by_chapter
def test_the_ids_of_a_chapter_count_up_from_1(chapter):
    wanted = [f"{chapter.number}.{place}" for place in range(1, len(chapter.exercises) + 1)]
    assert [one.id for one in chapter.exercises] == wanted


@by_id
def test_an_exercise_has_two_or_three_hints_and_a_fair_estimate(one):
    assert 2 <= len(one.hints) <= 3 and all(hint.strip() for hint in one.hints)
    assert one.difficulty in (1, 2, 3) and 5 <= one.minutes <= 60 and one.points >= 1
    assert not set(one.functions) & set(RESERVED)


@by_id
def test_no_hint_holds_the_solution(one):
    source = (ROOT / "solutions" / f"{stem(one.chapter)}.py").read_text(encoding="utf-8")
    blocks = re.findall(rf"# BEGIN SOLUTION {re.escape(one.id)}:[^\n]*\n(.*?)# END SOLUTION", source, re.DOTALL)
    lines = {
        line.strip().removeprefix("return ")
        for block in blocks
        for line in block.splitlines()
        if len(line.strip()) > 24
    }
    for text in (*one.hints, *one.misconceptions.values()):
        assert not [line for line in lines if line in text], "a hint gives a whole line of the solution away"


@by_chapter
def test_as_many_graded_tests_are_collected_as_are_declared(chapter):
    module = load(course.tests_of(chapter.number))
    tests = [thing for name, thing in vars(module).items() if name.startswith("test_")]
    assert all(hasattr(test, "graded") for test in tests), "a test without @graded would never count"
    collected = {one.id: sum(test.graded.exercise == one.id for test in tests) for one in chapter.exercises}
    assert collected == {one.id: one.tests for one in chapter.exercises}
    assert sum(collected.values()) == len(tests)


@by_chapter
def test_the_tests_of_an_exercise_stand_together_and_in_order(chapter):
    module = load(course.tests_of(chapter.number))
    ids = [thing.graded.exercise for name, thing in vars(module).items() if name.startswith("test_")]
    assert ids == sorted(ids)


@by_chapter
def test_a_graded_test_takes_answers_and_nothing_else(chapter):
    tree = ast.parse(course.tests_of(chapter.number).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert [argument.arg for argument in node.args.args] == ["answers"], node.name
            assert "isinstance" not in ast.unparse(node) and "monkeypatch" not in ast.unparse(node), node.name


@by_id
def test_the_functions_of_an_exercise_are_in_the_solution_and_in_the_stub(one):
    for name in one.functions:
        solved, stub = functions("solutions", one.chapter)[name], functions("exercises", one.chapter)[name]
        assert ast.get_docstring(solved) == ast.get_docstring(stub)
        if isinstance(solved, ast.FunctionDef):
            assert ast.unparse(solved.args) == ast.unparse(stub.args)
            assert solved.returns and all(argument.annotation for argument in solved.args.args), f"{name} is not typed"


@by_id
def test_a_docstring_names_its_exercise_and_has_a_worked_example(one):
    for name in one.functions:
        text = ast.get_docstring(functions("solutions", one.chapter)[name])
        assert text.startswith(f"Exercise {one.id}: "), name
        assert ">>>" in text, name


@by_chapter
def test_the_worked_examples_in_the_solutions_are_right(chapter):
    result = doctest.testmod(load(ROOT / "solutions" / f"{chapter.name}.py"))
    assert result.attempted and not result.failed


def test_one_exercise_one_chapter_or_everything_can_be_chosen():
    assert [one.id for one in select(["1.2"])] == ["1.2"]
    assert [one.id for one in select(["1"])] == [one.id for one in EXERCISES if one.chapter == 1]
    assert select() == EXERCISES
    assert [one.id for one in select(["4.1", "0"])] == ["0.1", "4.1"], "in the order of the course"


@pytest.mark.parametrize("name", ["9", "1.99", "1.", "one", "", "1.2.3"])
def test_what_does_not_exist_is_one_sentence_with_the_choice(name):
    with pytest.raises(UserError, match="choose"):
        select([name])


def test_patience_stretches_every_limit(monkeypatch):
    before = exercise("1.2").limit
    monkeypatch.setenv("MINILM_PATIENCE", "3")
    assert exercise("1.2").limit == 3 * before
