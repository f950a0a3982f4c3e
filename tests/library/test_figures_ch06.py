"""The figures of chapter 6 say in words what they show, and draw the same bytes twice."""

import pytest

from minilm.figures import ch06
from minilm.memory import Memory

BLOCKS = [("start", Memory(4_000_000, 0, 8_000_000)), ("block 0", Memory(4_000_000, 0, 8_000_000, 3_000_000)),
          ("block 0", Memory(4_000_000, 4_000_000, 8_000_000, 1_000_000)),
          ("cleared", Memory(4_000_000, 0, 8_000_000))]  # fmt: skip
LINES = {"a": [(1, 2e6), (16, 9e6)], "b": [(1, 1e6), (16, 8e6)]}
RATIOS = {"one": [(1, 0.7), (64, 1.4)], "two": [(1, 0.68), (64, 0.9)]}

FIGURES = {
    "formats": (lambda: ch06.number_formats({"float32": (1, 8, 23), "int8": (1, 0, 7)}), "float32 1 sign, 8 exponent"),
    "timeline": (lambda: ch06.timeline({"full": BLOCKS, "LoRA": BLOCKS[1:]}), "full rises to 17.0 MB"),
    "sweeps": (lambda: ch06.sweeps({"batch": LINES, "tokens": LINES}, {"batch": LINES, "tokens": LINES}),
               "by batch, a from 2.0 MB at 1 to 9.0 MB at 16"),
    "bits": (lambda: ch06.bits_and_quality([(8, 1.8), (2, 5.1)], 1.79), "not rounded 1.79; 2 bits 5.10, 8 bits 1.80"),
    "ratios": (lambda: ch06.ratio_by_rank(RATIOS, break_even={"one": 30, "two": 90}), "one breaks even at rank 30"),
    "clock": (lambda: ch06.ratio_by_rank({"arithmetic": RATIOS["one"]}, {"clock": RATIOS["two"]}), "clock from 0.68"),
    "saving": (lambda: ch06.saving({"a": [(256, 5.8), (1024, 1.2)]}), "a from 5.8 at 256 tokens to 1.20 at 1,024"),
    "fits": (lambda: ch06.fits({"full": 16, "LoRA": 2.1}, {"24 GB": 24e9}, {"8B": 8e9}), "24 GB holds full up to 1.5B"),
    "cache": (lambda: ch06.cache_lines({"a": [(1024, 1e9), (2048, 2e9)]}, {"weights": 16e9}), "a 2.0 GB at 2,048"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_the_description_gives_the_numbers(name):
    draw, words = FIGURES[name]
    assert words in draw().alt


def test_the_same_data_give_the_same_bytes():
    assert FIGURES["timeline"][0]().png() == FIGURES["timeline"][0]().png()


def test_a_table_is_markdown_in_a_notebook_and_lines_in_a_terminal():
    table = ch06.Table(["r", "size"], [[8, "16 MB"], [128, "1 GB"]])
    assert table._repr_markdown_() == "| r | size |\n| --- | --- |\n| 8 | 16 MB |\n| 128 | 1 GB |"
    assert repr(table).splitlines()[1] == "8    16 MB"
