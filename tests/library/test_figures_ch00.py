"""The figures of chapter 0 say in words what they show, and a check of a text is what a learner would see."""

import doctest

import numpy as np
import pytest

from minilm.figures import ch00
from minilm.grading.registry import chapters
from minilm.picture import Picture


def test_the_road_has_one_station_for_each_chapter():
    figure = ch00.road()
    assert isinstance(figure, Picture)
    assert list(ch00.ROAD) == list(chapters()) and len(ch00.SKETCHES) == len(ch00.ROAD)
    assert all(f"{number} {title}" in figure.alt for number, (title, _) in ch00.ROAD.items())


def test_surprise_is_named_with_its_bits():
    alt = ch00.surprise_curve({"certain": 1, "a coin": 1 / 2, "a six": 1 / 6}).alt
    assert "certain 0 bits" in alt and "a coin 1 bit," in alt and "a six 2.58 bits" in alt


def test_the_bars_of_a_line_show_blanks_and_line_ends():
    figure = ch00.surprise_bars(["Is", " this", ",\n"], [8.04, 1.0, 2.96])
    assert "Is 8.0, ·this 1.0, ,↵ 3.0; the mean is 4.0" in figure.alt


def test_the_product_is_computed_not_given():
    alt = ch00.product_picture([[3], [4]], [[1, 2]], gamma=2).alt
    assert "ΔW is [[6.0, 12.0], [8.0, 16.0]]" in alt


def test_the_spread_is_two_standard_errors():
    alt = ch00.spread_picture(np.arange(400) % 2 == 0, claimed=0.52, other=0.5, marks=(100, 400)).alt
    assert "after 100 between 40.0% and 60.0%" in alt and "after 400 between 45.0% and 55.0%" in alt


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("def surprise(p):\n    return 1 / p\n", "wrong value"),
        ("def surprise(p)\n    return 0\n", "syntax error"),
    ],
)
def test_what_a_check_would_show(source, seen):
    shown = ch00.would_show(source, "0.1")
    assert seen in repr(shown) and "0 of 2 points" in repr(shown)
    assert shown._repr_html_().startswith("<div") and seen in shown._repr_html_()


def test_the_same_data_give_the_same_bytes():
    assert ch00.road().png() == ch00.road().png()


def test_examples():
    assert doctest.testmod(ch00).failed == 0
