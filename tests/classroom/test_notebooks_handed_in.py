"""Answers in the course's own notebooks: they win what they would win in files, and the lesson around them nothing."""

import json

import pytest
from crowd import COURSE, bank

from minilm.bundle import NOTEBOOKS
from minilm.grading.classroom.run import grade_class
from minilm.grading.registry import PLAN


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """name -> records: of one who handed in the notebooks as they are, and one with all answers in a last cell."""
    folder = tmp_path_factory.mktemp("books")
    for number, name in zip(PLAN, NOTEBOOKS, strict=True):
        book = json.loads((COURSE / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        answers = {"cell_type": "code", "source": bank.solution(number), "outputs": [], "metadata": {}}
        for who, cells in {"as they are": book["cells"], "solved": [*book["cells"], answers]}.items():
            (folder / "in" / who).mkdir(parents=True, exist_ok=True)
            text = json.dumps({**book, "cells": cells})
            (folder / "in" / who / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return {one.name: one.records for one in grade_class(folder / "in", folder / "out")}


@pytest.mark.parametrize("number", PLAN)
def test_answers_in_a_lesson_win_all_points_of_its_chapter(graded, number):
    found = graded["solved"][number]
    lost = [entry for entry in found["exercises"] if not entry["passed"]]
    assert found["points"] == found["possible"], lost


@pytest.mark.parametrize("number", PLAN)
def test_a_lesson_alone_wins_nothing_and_does_not_stop(graded, number):
    found = graded["as they are"][number]
    assert found["points"] == 0
    assert {entry["outcome"] for entry in found["exercises"]} <= {"missing"}
