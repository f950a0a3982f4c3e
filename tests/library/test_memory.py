"""Every byte predicted from the shapes is found in live buffers, and the field's rules of thumb come out right."""

import doctest
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from helpers import TINY, snapshot, tiny, token_ids

from minilm import memory
from minilm.cache import KVCache
from minilm.errors import UserError
from minilm.lora import adapters, add_lora
from minilm.loss import lm_loss
from minilm.memory import adapter_size, human, kv_cache_bytes, measure, peak_rss, predict, states
from minilm.model import LM, PRESETS, count_parameters
from minilm.optim import AdamW
from minilm.recipe import Recipe
from minilm.train import make_optimizer

GB = 10**9
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
UNTIED = replace(TINY, tie_word_embeddings=False)


def measured(config, method="full", batch=2, context=16, dtype=torch.float32, optimizer="adamw", **adapter):
    """The live buffers of one step of the training loop's kind."""
    model = LM(config).to(dtype)
    if method == "lora":
        add_lora(model, **adapter)
    ids = torch.randint(config.vocab_size, (batch, context))
    optimizer = make_optimizer(model, Recipe(steps=1, optimizer=optimizer))
    return measure(model, optimizer, lambda: lm_loss(model, ids, ids, ids.numel()))


def assert_exact(config, **case):
    predicted, found = predict(config, **{"batch": 2, "context": 16, **case}), measured(config, **case)
    assert predicted.parts() == found.parts(), f"predicted {predicted}\nmeasured {found}"
    assert predicted.total == found.total > 0


# --- predicted == measured ---

METHODS = {
    "full": {"method": "full"},
    "lora r=1": {"method": "lora", "rank": 1},
    "lora r=8": {"method": "lora", "rank": 8},
    "lora r=64": {"method": "lora", "rank": 64},
    "lora attention": {"method": "lora", "rank": 8, "targets": ATTENTION},
}
both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])


@both_dtypes
@pytest.mark.parametrize("case", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("preset", ["nano", "micro", "base"])
def test_all_four_parts_are_predicted_to_the_byte(preset, case, dtype):
    assert_exact(PRESETS[preset], dtype=dtype, **case)


@pytest.mark.parametrize("batch, context", [(1, 1), (1, 32), (3, 17), (5, 2)])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_prediction_holds_for_any_batch_and_context(method, batch, context):
    assert_exact(TINY, method=method, batch=batch, context=context)


def test_the_prediction_holds_at_a_real_batch():
    for method in ("full", "lora"):
        assert_exact(PRESETS["nano"], method=method, batch=8, context=256)


@both_dtypes
@pytest.mark.parametrize("config", [TINY, UNTIED], ids=["tied", "untied"])
@pytest.mark.parametrize(
    "targets",
    [["q_proj"], ["v_proj"], ["o_proj"], ["gate_proj"], ["up_proj"], ["down_proj"], ["q_proj", "v_proj"],
     ["model.layers.1.mlp.up_proj"], ["lm_head"], ["v_proj", "lm_head"]],
    ids=str,
)  # fmt: skip
def test_the_prediction_holds_for_any_selection_of_layers(targets, config, dtype):
    """Below the first adapter nothing is kept, so each selection keeps other tensors."""
    assert_exact(config, method="lora", rank=3, targets=targets, dtype=dtype)


@both_dtypes
def test_the_prediction_holds_for_ranks_by_module_and_dropout(dtype):
    assert_exact(TINY, method="lora", rank=3, ranks={"q_proj": 1, "layers.1.mlp.up_proj": 7}, dtype=dtype)
    assert_exact(TINY, method="lora", rank=3, dropout=0.1, dtype=dtype)


@both_dtypes
@pytest.mark.parametrize("method", ["full", "lora"])
def test_muon_keeps_one_momentum_for_the_matrices_inside_the_blocks(method, dtype):
    assert_exact(TINY, method=method, optimizer="muon", dtype=dtype)
    both = [predict(TINY, method, optimizer=name, dtype=dtype).optimizer for name in ("muon", "adamw")]
    assert both[0] < both[1]


def test_the_plain_form_of_lora_keeps_the_same_but_for_the_stacked_a():
    model = add_lora(tiny(), rank=3)
    for one in adapters(model).values():
        one.fast = False
    found = measure(model, AdamW(model.parameters()), lambda: lm_loss(model, token_ids(), token_ids(), 14))
    sharing = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
    stacked = sum(4 * one.lora_A.numel() for name, one in adapters(model).items() if name.endswith(sharing))
    assert predict(TINY, "lora", 2, 7, rank=3).activations - found.activations == stacked > 0


# --- measuring ---


def test_measuring_changes_nothing():
    model = tiny()
    optimizer, before = AdamW(model.parameters()), snapshot(model)
    measure(model, optimizer, lambda: lm_loss(model, token_ids(), token_ids()))
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())
    assert all(p.grad is None for p in model.parameters()) and optimizer.steps == 0


def test_a_tied_head_is_counted_once():
    tied, untied = measured(TINY).weights, measured(UNTIED).weights
    assert untied - tied == 4 * TINY.vocab_size * TINY.hidden_size
    assert tied == 4 * count_parameters(LM(TINY))


def test_a_tensor_that_is_kept_twice_is_counted_once():
    x = torch.ones(100, requires_grad=True)
    model = SimpleNamespace(parameters=lambda: [])
    optimizer = SimpleNamespace(zero_grad=lambda: None, state=dict)

    def loss():
        y = x * 2
        return (y * y).sum() + (y[:10] * y[10:20]).sum()  # y four times, in whole and in part

    assert measure(model, optimizer, loss).kept == {"float32 (10,)": 400}


# --- what full fine-tuning and LoRA cost ---


def test_lora_has_optimizer_state_and_gradients_for_a_and_b_only():
    config = PRESETS["base"]
    numbers = adapter_size(config, rank=8)
    lora, full = predict(config, "lora", rank=8), predict(config)
    assert lora.gradients == 4 * numbers and lora.optimizer == 8 * numbers
    assert lora.weights == full.weights + 4 * numbers
    assert full.optimizer == 2 * full.weights


def test_16_bit_weights_come_with_a_32_bit_master_in_the_optimizer():
    wide, narrow = predict(TINY), predict(TINY, dtype=torch.bfloat16)
    assert (wide.weights, wide.gradients) == (2 * narrow.weights, 2 * narrow.gradients)
    assert wide.optimizer * 12 == narrow.optimizer * 8
    assert sum(list(wide.parts().values())[:3]) == sum(list(narrow.parts().values())[:3]), "both are 16 bytes each"


def test_activations_hardly_shrink_under_lora():
    config = PRESETS["base"]
    full, lora = predict(config), predict(config, "lora", rank=8)
    assert 0.8 < lora.activations / full.activations < 1
    assert lora.optimizer / full.optimizer < 0.05


def test_activations_grow_with_the_batch_and_the_states_do_not():
    one, two = predict(TINY, batch=4, context=16), predict(TINY, batch=8, context=16)
    shared = sum(one.kept[part] for part in ("attention: cos, sin", "head: gradient of its weight"))
    assert two.activations - shared == 2 * (one.activations - shared)
    assert (one.weights, one.gradients, one.optimizer) == (two.weights, two.gradients, two.optimizer)


def test_only_the_attention_weights_grow_with_the_square_of_the_context():
    short, long = predict(TINY, "lora", context=8, rank=3).kept, predict(TINY, "lora", context=16, rank=3).kept
    growth = {part: long[part] / short[part] for part in short}
    assert growth.pop("attention: weights") == 4
    assert growth.pop("adapters: copies of A and B") == 1
    assert set(growth.values()) == {2}


def test_the_parts_of_the_activations_add_up():
    found = predict(TINY)
    assert sum(found.kept.values()) == found.activations
    assert sum(found.parts().values()) == found.total
    assert f"{found.total:,} bytes" in str(found)


def test_adapter_size_is_that_of_the_model():
    for choice in ({"rank": 3}, {"rank": 1, "targets": ATTENTION}, {"rank": 2, "ranks": {"up_proj": 5}}):
        model = add_lora(LM(TINY), **choice)
        assert adapter_size(TINY, **choice) == count_parameters(model, trainable_only=True)


def test_the_shapes_are_those_of_the_model_in_its_order():
    for config in (TINY, UNTIED, *PRESETS.values()):
        with torch.device("meta"):
            model = LM(config)
        assert list(memory.shapes(config).items()) == [(n, tuple(p.shape)) for n, p in model.named_parameters()]


def test_a_layer_4096_wide_needs_65536_numbers_at_rank_8():
    wide = replace(TINY, hidden_size=4096, num_attention_heads=32, num_key_value_heads=32, num_hidden_layers=1)
    assert adapter_size(wide, rank=8, targets=["q_proj"]) == 65_536 == math.prod((4096, 4096)) // 256


def test_the_cache_has_keys_and_values_of_the_key_value_heads():
    for batch, context in ((1, None), (3, 10)):
        live = KVCache(tiny(), batch, context).nbytes()
        assert kv_cache_bytes(TINY, batch, context) == live
        assert kv_cache_bytes(TINY, batch, context, torch.bfloat16) * 2 == live


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"method": "dora"}, "'dora'.*full or lora"),
        ({"optimizer": "sgd"}, "'sgd'"),
        ({"method": "lora", "rank": 25}, "rank 25 does not fit model.layers.0.self_attn"),
        ({"method": "lora", "rank": 0}, "rank 0"),
        ({"method": "lora", "targets": ["proj"]}, "'proj'.*q_proj"),
    ],
    ids=str,
)
def test_what_cannot_be_trained_cannot_be_predicted(case, message):
    with pytest.raises(UserError, match=message):
        predict(TINY, **case)


# --- models of any size ---


@pytest.mark.parametrize(
    ("convention", "each"), [("fp32", 16), ("mixed16", 16), ("mixed16_no_master", 12), ("fp32_muon", 12)]
)
def test_a_convention_is_so_many_bytes_per_trained_parameter(convention, each):
    assert states(1000, convention=convention).total == 1000 * each


def test_the_fp32_convention_is_what_the_library_does():
    for method, frozen in (("full", 0), ("lora", count_parameters(LM(TINY)))):
        found = predict(TINY, method, rank=3)
        trained = adapter_size(TINY, 3) if frozen else count_parameters(LM(TINY))
        assert states(trained, frozen, "fp32").total == found.total - found.activations


def test_65_billion_without_a_master_are_the_780_gb_of_qlora():
    assert states(65 * GB, convention="mixed16_no_master").total == 780 * GB
    assert states(65 * GB).total == 1040 * GB


def test_7_billion_fit_on_two_gpus_of_80_gb_before_activations():
    assert states(7 * GB).total == 112 * GB < 2 * 80 * GB


def test_a_trillion_parameters_are_16_tb_and_200_gpus():
    found = states(10**12)
    assert (found.weights, found.gradients, found.optimizer) == (2 * 10**12, 2 * 10**12, 12 * 10**12)
    assert found.total == 16 * 10**12 == 200 * 80 * GB


def test_lora_on_a_trillion_adds_16_gb_to_a_base_of_25_gpus():
    found = states(trained=GB, frozen=10**12)
    assert found.total - 2 * 10**12 == 16 * GB
    assert states(0, frozen=10**12).total / (80 * GB) == 25, "inference holds the weights alone"


def test_training_all_costs_8_times_the_memory_of_inference():
    assert states(1000).total == 8 * states(0, frozen=1000).total


def test_an_unknown_convention_is_answered_with_the_known():
    with pytest.raises(UserError, match="fp8.*fp32, mixed16"):
        states(1, convention="fp8")


# --- units ---


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB (0.977 KiB)"),
        (1024, "1.02 kB (1 KiB)"),
        (999_999, "1000 kB (977 KiB)"),
        (10**6, "1 MB (0.954 MiB)"),
        (2**30, "1.07 GB (1 GiB)"),
        (780 * GB, "780 GB (726 GiB)"),
        (16 * 10**12, "16 TB (14.6 TiB)"),
        (3 * 10**16, "30000 TB (27285 TiB)"),
    ],
)
def test_bytes_are_shown_in_decimal_and_binary_units(count, text):
    assert human(count) == text


def test_a_gb_is_7_percent_less_than_a_gib():
    assert 1 - 10**9 / 2**30 == pytest.approx(0.069, abs=0.001)
    assert human(10**9) != human(2**30)


def test_the_peak_of_this_process_is_a_plausible_number_of_bytes():
    peak = peak_rss()
    assert peak is None or 50 * 10**6 < peak < 10**12, "torch alone takes 100 MB; is the unit right?"


def test_the_examples_in_the_docstrings_are_right():
    outcome = doctest.testmod(memory)
    assert outcome.attempted >= 8 and outcome.failed == 0
