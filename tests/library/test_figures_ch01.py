"""The views of chapter 1: what they show is what the library does, and each says it in words."""

import doctest
from itertools import pairwise

import pytest

from minilm.bpe import train_bpe
from minilm.figures import ch01
from minilm.picture import Picture
from minilm.tokenizer import Tokenizer

TINY = {b"low": 3, b"lower": 1, b"aaa": 1}
TEXT = "the cat that chased the rat that the other cat chased, and then they rested there"


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXT, 280)


@pytest.fixture(scope="module")
def ranks(tokenizer):
    return {tokenizer.token_bytes(i): i for i in range(tokenizer.n_vocab - 1)}


def test_watching_learns_what_the_library_learns():
    words = {b"low": 3, b"lower": 1, b"newest": 6, b"widest": 3, b"aaaa": 4, "é’😀".encode(): 2}
    for n in (0, 1, 5, 100):
        assert [step.pair for step in ch01.watch(words, n)[:-1]] == train_bpe(words, n)


def test_the_counts_of_a_step_are_those_of_its_words():
    for step in ch01.watch(TINY, 9):
        seen = {}
        for tokens, times in step.words:
            for pair in pairwise(tokens):
                seen[pair] = seen.get(pair, 0) + times
        assert {pair: count for pair, count in step.counts.items() if count} == seen


def test_rounds_end_where_the_tokenizer_ends(tokenizer, ranks):
    for word in (b" that", b" chased", b" they", b"x"):
        states = ch01.rounds(word, ranks)
        assert [ranks[token] for token in states[-1]] == tokenizer.encode(word.decode())
        assert all(len(after) < len(before) for before, after in pairwise(states))
        assert all(b"".join(state) == word for state in states)


def test_the_longest_match_is_another_way():
    ranks = {b"a": 97, b"b": 98, b"c": 99, b"bc": 256, b"ab": 257}
    assert ch01.rounds(b"abc", ranks)[-1] == [b"a", b"bc"]
    assert ch01.longest_match(b"abc", ranks) == [b"ab", b"c"]


def test_boxes_are_told_apart_without_colours(tokenizer):
    shown = ch01.boxes(tokenizer, "the cat\nz<b>")
    assert "│" in repr(shown) and "·" in repr(shown) and "↵" in repr(shown)
    html = shown._repr_html_()
    assert html.count("<code") == len(tokenizer.encode("the cat\nz<b>"))
    assert "border:" in html and "<b>" not in html


def test_rows_of_boxes_keep_their_names():
    shown = ch01.Boxes({"one": [b"a", b"b"], "two & more": [b"ab"]})
    assert repr(shown) == "one         a│b\ntwo & more  ab"
    assert "two &amp; more" in shown._repr_html_()


def test_the_bytes_of_a_picture_are_named():
    alt = ch01.utf8_picture("Aé’😀").alt
    assert "A is 41" in alt and "é is c3 a9" in alt and "e2 80 99" in alt and "f0 9f 98 80" in alt


def test_the_steps_are_told_in_words():
    alt = ch01.steps_picture(ch01.watch(TINY, 9)).alt
    assert "after 0: l|o|w, l|o|w|e|r, a|a|a, 17 tokens" in alt and "after 3: low, low|e|r, aa|a, 8 tokens" in alt


def test_the_tree_of_a_token_goes_back_along_its_merges(tokenizer, ranks):
    number = {left + right: k for k, (left, right) in enumerate(tokenizer.merges, 1)}
    left, right = tokenizer.merges[number[b" that"] - 1]
    alt = ch01.merge_tree(b" that", ranks).alt
    for part in (left, right, b" that"):
        assert len(part) == 1 or f"{ch01.readable_token(part)} by merge {number[part]}" in alt


def test_the_rounds_of_a_word_are_told_with_their_merges(ranks):
    states = ch01.rounds(b" the", ranks)
    alt = ch01.rounds_picture(states, ranks).alt
    assert "·|t|h|e, then " in alt and f"·the by merge {ranks[b' the'] - 255}." in alt


SIZES = (256, 512, 1024)


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (lambda: ch01.merge_bars(ch01.watch(TINY, 9)), "l+o 4, lo+w 4, a+a 2"),
        (
            lambda: ch01.compression_curve({"plays": dict.fromkeys(SIZES, 2), "code": dict.fromkeys(SIZES, 1)}),
            "plays 2.00 at 256, 2.00 at 512, 2.00 at 1,024; code 1.00 at 256",
        ),
        (lambda: ch01.share_bars({256: (1, 3), 512: (2, 2)}), "25% at 256, 50% at 512"),
        (
            lambda: ch01.two_units({256: 3.0, 512: 5.0}, {256: 4.5, 512: 4.0}),
            "Nats per token: 3.00 at 256, 5.00 at 512. Bits per byte: 4.50 at 256, 4.00 at 512",
        ),
        (lambda: ch01.length_bars({1: 256, 2: 40}), "256 of 1, 40 of 2"),
        (lambda: ch01.word_lengths({"often": 1.0, "never": 3.5}), "often 1.00, never 3.50"),
    ],
)
def test_each_figure_names_its_values(figure, told):
    drawn = figure()
    assert isinstance(drawn, Picture) and told in drawn.alt
    assert drawn.png().startswith(b"\x89PNG")


def test_examples():
    assert doctest.testmod(ch01).failed == 0
