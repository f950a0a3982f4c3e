"""Chapter 2's figures: what they say in words comes from the data, and nothing is drawn outside the page."""

import functools

import numpy as np
import pytest
from matplotlib.text import Text

from minilm.figures import ch02

TOKENS = ["To", " be", " or"]
LOWER = np.where(np.tri(3) > 0, 0.5, 0.0)
FIGURES = {
    "streams": lambda: ch02.streams(TOKENS, [(" a", 0.19), (" so", 0.5), (" the", 0.25)], layers=2),
    "block": lambda: ch02.block_diagram(256, 512, 4),
    "pairs": lambda: ch02.turning_pairs(np.outer([1, 0.1], np.arange(3)), ["pair 0", "pair 8"], TOKENS),
    "panels": lambda: ch02.panels({"scores": np.where(LOWER > 0, -1.5, -np.inf), "weights": LOWER}, TOKENS, "A head"),
    "maps": lambda: ch02.attention_maps(np.tile(LOWER, (2, 3, 1, 1)), "Maps", [(1, 2, "previous token")]),
    "looks": lambda: ch02.looks_at(["F", "R", ".\n\n"], LOWER, [1, 2], "A head looks"),
    "lines": lambda: ch02.line_chart([4, 16], {"plain": [2.0, 4.0]}, "K", "spread", "Spread", xscale="log"),
    "next": lambda: ch02.next_tokens(["To", "To be"], [[(" be", 0.5), (",", 0.1)]] * 2, "Next"),
    "losses": lambda: ch02.loss_bars({"right": 1.5, "wrong": 2.5}, "right", "bits per byte", "Mistakes"),
    "shares": lambda: ch02.share_bars({"ours": {"MLP": 75, "attention": 25}, "big": {"MLP": 3e9}}, "Parameters"),
}


@functools.cache
def drawn(name):
    return FIGURES[name]()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_shows(name):
    assert len(drawn(name).alt) > 40


def test_the_same_data_give_the_same_bytes():
    assert FIGURES["maps"]().png() == FIGURES["maps"]().png()


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page(name):
    figure = drawn(name)
    figure.draw_without_rendering()
    page = figure.bbox.padded(3)
    for axes in figure.axes:
        for text in filter(Text.get_text, [*axes.texts, axes.title, *(axes.get_yticklabels() if axes.axison else [])]):
            box = text.get_window_extent()
            assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text


def test_words_come_from_the_data():
    assert "after To it expects a (19%)" in drawn("streams").alt
    assert "MLP 75.0%" in drawn("shares").alt
    assert "block 1, head 2: previous token" in drawn("maps").alt
    assert "from 'R' most weight (50%) goes to 'F' at 0" in drawn("looks").alt


def test_what_is_forbidden_stays_blank():
    figure = drawn("panels")
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["\N{MINUS SIGN}1.50"] * 6
