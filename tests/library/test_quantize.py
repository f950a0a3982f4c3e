"""A base in 8 bits: the same function up to rounding, the predicted bytes, and gradients that pass through."""

import doctest

import pytest
import torch
from helpers import TINY, fill, logits, snapshot, tiny, token_ids, train_steps
from torch import nn

from minilm import quantize
from minilm.errors import UserError
from minilm.lora import adapters, add_lora
from minilm.loss import lm_loss
from minilm.memory import measure, predict
from minilm.merge import merge
from minilm.model import LM
from minilm.optim import AdamW
from minilm.quantize import Int8Linear, quantize_base, quantize_rows, rebuild

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def weight(rows=5, columns=7, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def int8_lora(dtype=torch.float32, **adapter):
    return quantize_base(add_lora(tiny(dtype=dtype), rank=3, **adapter))


def test_examples():
    assert doctest.testmod(quantize, extraglobs={"torch": torch}).failed == 0


# --- one matrix ---


@pytest.mark.parametrize("bits", range(2, 9))
def test_no_number_moves_by_more_than_half_a_level_of_its_own_row(bits):
    w = weight() * torch.tensor([[1.0], [10.0], [100.0], [0.1], [1.0]])
    codes, scale = quantize_rows(w, bits)
    assert codes.dtype == torch.int8 and scale.shape == (5, 1)
    assert ((rebuild(codes, scale) - w).abs() <= scale * 0.5001).all()
    assert codes.abs().amax(dim=1).tolist() == [2 ** (bits - 1) - 1] * 5  # the largest of each row uses the last level


def test_more_bits_lose_less():
    w = weight(30, 40)
    errors = [(rebuild(*quantize_rows(w, bits)) - w).norm().item() for bits in range(2, 9)]
    assert errors == sorted(errors, reverse=True) and errors[-1] > 0


def test_a_row_of_zeros_stays_zero():
    codes, scale = quantize_rows(torch.zeros(2, 3))
    assert torch.equal(rebuild(codes, scale), torch.zeros(2, 3))


@pytest.mark.parametrize("bits", [0, 1, 9])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(UserError, match="2 to 8"):
        quantize_rows(weight(), bits)


# --- one layer ---


@pytest.mark.parametrize("bias", [False, True])
def test_value_and_gradient_are_those_of_the_rebuilt_weight(bias):
    torch.manual_seed(0)
    linear = nn.Linear(7, 5, bias=bias)
    layer = Int8Linear(linear)
    x, y = (torch.randn(2, 3, 7).requires_grad_() for _ in range(2))
    y.data.copy_(x.data)
    w = rebuild(layer.codes, layer.scale)
    ours, theirs = layer(x), nn.functional.linear(y, w, linear.bias)
    direction = torch.randn(ours.shape)
    ours.backward(direction), theirs.backward(direction)
    assert torch.equal(ours, theirs) and torch.equal(x.grad, y.grad)
    assert not torch.equal(w, linear.weight)


def test_nothing_in_the_layer_learns():
    assert not any(p.requires_grad for p in Int8Linear(nn.Linear(7, 5)).parameters())


# --- a model ---


def test_the_model_computes_nearly_what_it_computed_before():
    model = fill(add_lora(tiny(), rank=3))
    before = logits(model)
    after = logits(quantize_base(model))
    assert 0 < (after - before).norm() / before.norm() < 0.05


def test_every_frozen_layer_inside_the_blocks_is_stored_in_8_bits_and_nothing_else():
    model = int8_lora(targets=ATTENTION)
    assert sum(isinstance(m, Int8Linear) for m in model.modules()) == 7 * TINY.num_hidden_layers
    assert isinstance(model.lm_head, nn.Linear) and len(adapters(model)) == 4 * TINY.num_hidden_layers


def test_training_changes_the_adapter_and_lowers_the_loss():
    model = int8_lora()
    before = snapshot(model)
    losses = train_steps(model, AdamW(model.parameters(), lr=1e-2), steps=12)
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed and all("lora_" in name for name in changed)
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("targets", [None, ATTENTION, ["v_proj"], ["down_proj"]], ids=str)
def test_predicted_bytes_are_measured_bytes(dtype, targets):
    choice = {"targets": targets} if targets else {}
    model = quantize_base(add_lora(LM(TINY).to(dtype), rank=3, **choice))
    ids = torch.randint(TINY.vocab_size, (2, 16))
    found = measure(model, AdamW(model.parameters()), lambda: lm_loss(model, ids, ids, ids.numel()))
    expected = predict(TINY, "lora", 2, 16, rank=3, dtype=dtype, int8_base=True, **choice)
    assert found.parts() == expected.parts()
    assert expected.weights < predict(TINY, "lora", 2, 16, rank=3, dtype=dtype, **choice).weights


# --- refusals ---


def test_a_base_that_learns_is_refused():
    with pytest.raises(UserError, match="no layer is frozen"):
        quantize_base(tiny())
    with pytest.raises(UserError, match="only a frozen base"):
        predict(TINY, "full", int8_base=True)


def test_a_merged_adapter_is_refused_and_merging_into_8_bits_is_too():
    with pytest.raises(UserError, match="unmerge"):
        quantize_base(merge(add_lora(tiny(), rank=3)))
    model = int8_lora()
    with pytest.raises(UserError, match="8 bits"):
        merge(model)


def test_a_frozen_model_without_an_adapter_can_be_stored_in_8_bits():
    model = quantize_base(tiny().requires_grad_(False))
    with torch.no_grad():
        assert model(token_ids()).isfinite().all()
