"""The course of memory through one step: its highest point is what memory.py measures, and nothing is left behind."""

import doctest

import pytest
import torch
from helpers import TINY, snapshot, tiny, token_ids

from minilm import timeline
from minilm.lora import LoRALinear, add_lora
from minilm.loss import lm_loss
from minilm.memory import measure
from minilm.optim import AdamW
from minilm.timeline import kept, trace


def traced(method, dtype=torch.float32):
    model = tiny(dtype=dtype)
    if method == "lora":
        add_lora(model, rank=3)
    optimizer, ids = AdamW(model.parameters()), token_ids()

    def loss():
        return lm_loss(model, ids, ids)

    return model, measure(model, optimizer, loss), trace(model, optimizer, loss)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_highest_points_are_those_of_measure(method, dtype):
    _, whole, moments = traced(method, dtype)
    assert max(memory.activations for _, memory in moments) == whole.activations == dict(moments)["loss"].activations
    assert max(memory.gradients for _, memory in moments) == whole.gradients
    assert {(memory.weights, memory.optimizer) for _, memory in moments} == {(whole.weights, whole.optimizer)}


@pytest.mark.parametrize("method", ["full", "lora"])
def test_activations_rise_in_forward_and_fall_in_backward(method):
    _, _, moments = traced(method)
    kept = [memory.activations for _, memory in moments]
    top = [name for name, _ in moments].index("loss")
    assert kept[: top + 1] == sorted(kept[: top + 1]) and kept[top:] == sorted(kept[top:], reverse=True)
    assert kept[-1] == 0 and moments[-1][1].gradients == 0


def test_the_moments_come_in_the_order_of_the_step():
    blocks = [f"block {i}" for i in range(TINY.num_hidden_layers)]
    names = [name for name, _ in traced("full")[2]]
    end = ["end of backward", "update", "cleared"]
    assert names == ["start", "embedding", *blocks, "loss", "head", *blocks[::-1], *end]


def test_tracing_changes_no_weight_and_leaves_no_hook():
    model = tiny()
    before, ids = snapshot(model), token_ids()
    trace(model, AdamW(model.parameters()), lambda: lm_loss(model, ids, ids))
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_a_frozen_layer_keeps_nothing_and_an_adapter_brings_the_input_back():
    assert doctest.testmod(timeline, extraglobs={"torch": torch}).failed == 0
    x = torch.ones(2, 5, 7)
    frozen = torch.nn.Linear(7, 4, bias=False).requires_grad_(False)
    assert kept(frozen, x) == {}
    assert sum(kept(LoRALinear(frozen, rank=3), x).values()) == 4 * 10 * (7 + 3)
