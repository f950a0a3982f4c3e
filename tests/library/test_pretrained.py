"""The shipped base: what is recorded beside it is true of it."""

import math
import os

import pytest
import torch

from minilm.corpus import load
from minilm.evaluate import bits_per_byte
from minilm.folder import fingerprint
from minilm.generate import generate
from minilm.model import count_parameters
from minilm.precision import choose_precision
from minilm.pretrained import BASE, about_base, load_base
from minilm.wheel import SHA256


@pytest.fixture(scope="module")
def base():
    """(model, tokenizer), loaded once: no test may change them."""
    return load_base()


def test_it_is_at_most_8_mb():
    assert sum(file.stat().st_size for file in BASE.iterdir()) <= 8_000_000


def test_its_making_is_recorded():
    about = about_base()
    recipe = about["recipe"]
    assert about["preset"] == "base" and about["data"] == "shakespeare" and about["corpus_sha256"] == SHA256
    assert recipe["seed"] == 0 and recipe["steps"], "made by steps and a seed, so that it can be made again"
    assert about["steps"] == recipe["steps"]
    assert about["tokens"] == recipe["steps"] * recipe["batch"] * recipe["context"]
    assert 0 < about["seconds"] <= 30 * 60
    assert about["history"][-1]["step"] == about["steps"]


def test_it_has_about_3_million_parameters_as_recorded(base):
    assert count_parameters(base[0]) == about_base()["parameters"]
    assert 2.5e6 < count_parameters(base[0]) < 3.5e6


def test_its_fingerprint_is_the_recorded_one_in_both_formats(base):
    assert fingerprint(base[0]) == fingerprint(load_base(torch.bfloat16)[0]) == about_base()["fingerprint"]


def test_a_changed_weight_would_show_in_the_fingerprint():
    model, _ = load_base()
    model.model.norm.weight.data[0] += 0.01
    assert fingerprint(model) != about_base()["fingerprint"]


def test_it_reaches_the_recorded_bits_per_byte_on_the_validation_plays():
    quick = load_base(choose_precision().dtype)  # 16 bits, where they are faster, change the fifth digit
    torch.set_num_threads(os.cpu_count())  # two plays take a while with one
    measured = bits_per_byte(*quick, load("shakespeare").validation)
    torch.set_num_threads(1)
    assert measured == pytest.approx(about_base()["bits_per_byte"], abs=1e-3)
    assert measured <= 1.75, "worse than what the course ships"


def test_it_does_better_than_a_guess_and_than_a_base_without_its_layers(base):
    model, tokenizer = load_base()
    text = load("shakespeare").validation[:5000]
    whole = bits_per_byte(*base, text)
    model.model.layers = model.model.layers[:0]
    assert whole < bits_per_byte(model, tokenizer, text)
    assert whole < math.log2(256)


def test_it_writes_on_and_differs_by_seed(base):
    texts = [generate(*base, "ROMEO:\n", tokens=30, seed=seed) for seed in (1, 1, 2)]
    assert texts[0].startswith("ROMEO:\n") and len(texts[0]) > 20
    assert texts[0] == texts[1] != texts[2]


def test_each_load_is_a_copy_of_its_own(base):
    one, two = load_base()[0], load_base()[0]
    one.model.norm.weight.data.zero_()
    assert two.model.norm.weight.abs().sum() > 0
