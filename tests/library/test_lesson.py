"""Verdict boxes and exercise cards: what every notebook shows alike."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from minilm.errors import UserError
from minilm.grading.registry import chapters
from minilm.lesson import CONFIRMED, CONTRADICTED, NOT_VISIBLE, card_head, slider, verdict

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [one for chapter in chapters().values() for one in chapter.exercises]


def box(result=CONFIRMED):
    return verdict("A14", "it is faster", "0.86 of the time", result, "arithmetic (2025)")


@pytest.mark.parametrize(
    ("result", "shown"),
    [(CONFIRMED, "✓ confirmed"), (CONTRADICTED, "✗ contradicted"), (NOT_VISIBLE, "○ not visible at this scale")],
)
def test_a_verdict_has_a_sign_and_words(result, shown):
    assert f"Verdict: {shown}" in repr(box(result))
    assert f"**Verdict** · {shown}" in box(result)._repr_markdown_()


def test_a_box_says_claim_measurement_verdict_and_source_in_this_order():
    lines = repr(box()).splitlines()
    assert lines[0] == "Claim A14: it is faster"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["Measured here", "Verdict", "Literature"]


def test_a_box_in_a_notebook_is_one_quotation_with_a_paragraph_for_each_part():
    text = box()._repr_markdown_()
    assert all(line.startswith(">") for line in text.splitlines())
    assert text.count("\n>\n") == 3


def test_a_verdict_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match="verdict 'true' is not one of confirmed, contradicted, not visible"):
        box("true")


@pytest.mark.parametrize("one", EXERCISES, ids=lambda one: one.id)
def test_a_card_says_title_points_minutes_and_the_functions_in_a_file_that_exists(one):
    title, line = card_head(one.id).splitlines()
    assert title == f"### ✎ Exercise {one.id} · {one.title}"
    assert re.match(
        rf"\*\*{one.points} points?\*\* · difficulty [●○]{{3}} · about {one.minutes} minutes · write `", line
    )
    (target,) = re.findall(r"\]\(\.\./(.+)\)", line)
    source = (ROOT / target).read_text(encoding="utf-8")
    for name in one.functions:
        assert f"`{name}`" in line and re.search(rf"^(def|class) {name}\b", source, re.MULTILINE)


def test_one_point_is_one_point():
    singles = [one.id for one in EXERCISES if one.points == 1]
    assert singles and all("**1 point** " in card_head(id) for id in singles)


def test_a_card_of_an_exercise_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match="there is no exercise 9.9"):
        card_head("9.9")


def test_a_slider_draws_its_start_and_then_what_it_is_moved_to():
    drawn = []

    def draw(rank):
        drawn.append(rank)
        return SimpleNamespace(png=lambda: f"picture {rank}".encode())

    handle, image = slider(draw, low=1, high=50, start=10, name="rank").children
    assert (handle.min, handle.max, handle.value, handle.description) == (1, 50, 10, "rank")
    assert bytes(image.value) == b"picture 10"
    handle.value = 3
    assert bytes(image.value) == b"picture 3" and drawn == [10, 3]
