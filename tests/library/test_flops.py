"""FLOPs by formula are those that torch counts; and what LoRA saves is a third at most."""

import doctest
from dataclasses import replace

import pytest
import torch
from helpers import TINY, tiny, token_ids
from torch.utils.flop_counter import FlopCounterMode

from minilm import flops
from minilm.cache import KVCache
from minilm.flops import applied_parameters, break_even_rank, inference_flops, layer_ratio, training_flops
from minilm.lora import ALL_SEVEN, adapters, add_lora
from minilm.loss import lm_loss
from minilm.model import PRESETS, count_parameters

UNTIED = replace(TINY, tie_word_embeddings=False)


def counted(config, method="full", batch=2, context=7, **adapter):
    """FLOPs of all matrix products of a forward and backward pass, as torch sees them."""
    model, ids = tiny(config), token_ids(batch, context)
    if method == "lora":
        add_lora(model, **adapter)
    for one in adapters(model).values():
        one.fast = False  # torch's counter overlooks the in-place product of the fast form
    with FlopCounterMode(display=False) as counter:
        lm_loss(model, ids, ids, ids.numel()).backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("config", [TINY, UNTIED], ids=["tied", "untied"])
@pytest.mark.parametrize(
    "targets",
    [None, ALL_SEVEN, ["q_proj"], ["v_proj"], ["o_proj"], ["gate_proj"], ["down_proj"],
     ["model.layers.1.mlp.up_proj"], ["lm_head"]],
    ids=str,
)  # fmt: skip
def test_the_formula_counts_what_torch_counts(targets, config):
    case = {"method": "lora", "rank": 3, "targets": targets} if targets else {"method": "full"}
    assert training_flops(config, context=7, **case).total * 2 * 7 == counted(config, **case)


def test_backward_costs_twice_the_forward_pass_in_full_fine_tuning():
    found = training_flops(PRESETS["base"], 256)
    assert found.backward == 2 * found.forward


def test_the_rule_of_6_n_leaves_out_only_attention():
    config = PRESETS["base"]
    exact = training_flops(config, 256).total
    attention = 3 * 2 * 2 * 256 * config.hidden_size * config.num_hidden_layers  # x3, 2 FLOPs, 2 products
    assert exact - attention == 6 * applied_parameters(config)
    assert 0.8 < 6 * applied_parameters(config) / exact < 1


def test_the_n_of_the_rules_counts_a_head_and_not_a_look_up():
    norms = (2 * TINY.num_hidden_layers + 1) * TINY.hidden_size
    assert applied_parameters(TINY) == applied_parameters(UNTIED) == count_parameters(tiny()) - norms


@torch.no_grad()
@pytest.mark.parametrize("past", [0, 5])
def test_inference_costs_2_n_and_attention_to_the_past(past):
    model = tiny()
    cache = KVCache(model)
    if past:
        model(token_ids(1, past), cache)
    with FlopCounterMode(display=False) as counter:
        model(token_ids(1, 1), cache)
    assert inference_flops(TINY, past) == counter.get_total_flops()


def test_a_square_layer_saves_a_third_at_most():
    assert layer_ratio(4096, 4096, 1) == pytest.approx(2 / 3 + 2 / 4096)
    assert layer_ratio(4096, 4096, 256) == pytest.approx(0.79, abs=0.005)
    assert layer_ratio(4096, 4096, 512) == pytest.approx(0.92, abs=0.005)


def test_at_the_break_even_rank_lora_costs_as_much_as_full_fine_tuning():
    assert break_even_rank(192, 192) == 32 and round(break_even_rank(4096, 4096)) == 683
    for inputs, outputs in ((192, 192), (256, 512), (40, 24)):
        rank = break_even_rank(inputs, outputs)
        assert layer_ratio(inputs, outputs, rank) == pytest.approx(1)
        assert layer_ratio(inputs, outputs, rank - 1) < 1 < layer_ratio(inputs, outputs, rank + 1)


def test_a_rectangular_layer_breaks_even_elsewhere_than_a_square_one():
    assert break_even_rank(256, 512) == pytest.approx(256 * 512 / (3 * 768))
    assert break_even_rank(256, 512) != pytest.approx(256 / 6)


def test_a_whole_model_saves_about_a_quarter_at_rank_8():
    config = PRESETS["base"]
    full = training_flops(config, 256).total
    ratios = [training_flops(config, 256, "lora", rank=rank).total / full for rank in (1, 8, 64)]
    assert ratios == sorted(ratios)
    assert 2 / 3 < ratios[0] and ratios[1] == pytest.approx(0.73, abs=0.01) and ratios[2] == pytest.approx(1, abs=0.01)


def test_the_examples_in_the_docstring_are_right():
    outcome = doctest.testmod(flops)
    assert outcome.attempted >= 2 and outcome.failed == 0
