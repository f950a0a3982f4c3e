"""Bits per byte: against a sum by hand, and every token counted exactly once."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.errors import UserError
from minilm.evaluate import _windows, bits_per_byte

QUICK = settings(max_examples=200, deadline=None, derandomize=True, database=None)
TEXT = "whether 'tis nobler in the mind, naïve café, to suffer"


@QUICK
@given(targets=st.integers(1, 80), context=st.integers(1, 13), batch=st.integers(1, 4))
def test_every_target_counts_exactly_once(targets, context, batch):
    ids, counted = torch.arange(targets + 1), []
    for block, first in _windows(ids, context, batch):
        assert block.shape[0] <= batch and 2 <= block.shape[1] <= context + 1
        counted += block[:, 1:][:, first:].flatten().tolist()
    assert sorted(counted) == list(range(1, targets + 1))


@QUICK
@given(targets=st.integers(1, 80), context=st.integers(1, 13))
def test_every_target_is_predicted_from_half_a_context_or_from_the_beginning(targets, context):
    for block, first in _windows(torch.arange(targets + 1), context, batch=1):
        assert first >= context // 2 or block[0, 0] == 0


@torch.no_grad()
def test_a_model_that_knows_nothing_pays_the_same_for_every_token(tiny_model, tokenizer):
    tiny_model.lm_head.weight.zero_()  # all logits 0: each token costs log2 V bits
    expected = len(tokenizer.encode(TEXT)) * math.log2(tokenizer.n_vocab) / len(TEXT.encode())
    assert bits_per_byte(tiny_model, tokenizer, TEXT) == pytest.approx(expected, rel=1e-6)
    per_letter = len(tokenizer.encode(TEXT)) * math.log2(tokenizer.n_vocab) / len(TEXT)
    assert expected != pytest.approx(per_letter, rel=1e-3), "bytes, not letters"


@torch.no_grad()
def test_a_text_of_one_window_is_a_plain_sum_of_logarithms(tiny_model, tokenizer):
    text = "to be, or not to be"
    ids = [tokenizer.eot, *tokenizer.encode(text)]
    p = tiny_model(torch.tensor([ids]))[0].double().softmax(-1)
    bits = sum(-math.log2(p[t, ids[t + 1]]) for t in range(len(ids) - 1))
    assert len(ids) <= 32, "one window"
    assert bits_per_byte(tiny_model, tokenizer, text) == pytest.approx(bits / len(text), rel=1e-5)
    tiny_model.model.norm.weight.mul_(1.1)
    assert bits_per_byte(tiny_model, tokenizer, text) != pytest.approx(bits / len(text), rel=1e-4)


@torch.no_grad()
def test_overlapping_windows_by_hand(tiny_model, tokenizer):
    ids = torch.tensor([tokenizer.eot, *tokenizer.encode(TEXT)])
    nats = 0.0
    for target in range(1, len(ids)):  # context 8: whole windows start at 0, 4, 8, ...
        start = max(0, (target - 1) // 4 * 4 - 4)
        logits = tiny_model(ids[None, start:target])[0, -1]
        nats -= logits.double().log_softmax(-1)[ids[target]].item()
    expected = nats / math.log(2) / len(TEXT.encode())
    assert bits_per_byte(tiny_model, tokenizer, TEXT, context=8) == pytest.approx(expected, rel=1e-5)
    assert bits_per_byte(tiny_model, tokenizer, TEXT, context=32) != pytest.approx(expected, rel=1e-4)


def test_the_number_of_windows_side_by_side_does_not_matter(tiny_model, tokenizer):
    at_once = bits_per_byte(tiny_model, tokenizer, TEXT * 3, context=8, batch=32)
    for batch in (1, 3):
        again = bits_per_byte(tiny_model, tokenizer, TEXT * 3, context=8, batch=batch)
        assert again == pytest.approx(at_once, rel=1e-6)
    assert bits_per_byte(tiny_model, tokenizer, TEXT * 2, context=8) != pytest.approx(at_once, rel=1e-6)


def test_a_limit_measures_exactly_the_beginning(tiny_model, tokenizer):
    cut = len(tokenizer.encode("to be, naïve")) - 1  # the tokens up to "naï" and a half
    beginning = tokenizer.decode(tokenizer.encode("to be, naïve")[:cut])
    text = "to be, naïve to suffer"
    limited = bits_per_byte(tiny_model, tokenizer, text, limit=cut)
    assert limited == pytest.approx(bits_per_byte(tiny_model, tokenizer, beginning), rel=1e-6)
    assert limited != pytest.approx(bits_per_byte(tiny_model, tokenizer, text), rel=1e-4)
    assert bits_per_byte(tiny_model, tokenizer, text, limit=10_000) == bits_per_byte(tiny_model, tokenizer, text)


def test_a_limit_inside_a_letter_counts_its_bytes_as_they_are(tiny_model, tokenizer):
    ids = tokenizer.encode("ïï")
    assert len(ids) == 4, "two tokens a letter"
    with torch.no_grad():
        tiny_model.lm_head.weight.zero_()
    per_byte = math.log2(tokenizer.n_vocab)  # three tokens, three bytes
    assert bits_per_byte(tiny_model, tokenizer, "ïï", limit=3) == pytest.approx(per_byte, rel=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_measuring_leaves_the_model_in_the_mode_it_was_in(tiny_model, tokenizer, training):
    tiny_model.train(training)
    bits_per_byte(tiny_model, tokenizer, TEXT)
    assert tiny_model.training == training


def test_an_empty_text_is_refused(tiny_model, tokenizer):
    with pytest.raises(UserError, match="no text"):
        bits_per_byte(tiny_model, tokenizer, "")
