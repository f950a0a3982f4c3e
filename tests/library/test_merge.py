"""Merging adds exactly gamma B A, costs nothing to run, and can be taken back to the bit."""

import copy
from dataclasses import replace

import pytest
import torch
from helpers import TINY, fill, logits, snapshot, tiny, token_ids, train_steps
from torch import nn

from minilm.errors import UserError
from minilm.folder import fingerprint
from minilm.lora import ALL_SEVEN, LoRALinear, adapters, add_lora, remove_lora
from minilm.merge import fold, merge, merge_error, unmerge
from minilm.optim import AdamW

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])


def adapted(dtype=torch.float32, config=TINY, targets=ALL_SEVEN, **more):
    return fill(add_lora(tiny(config, dtype), rank=3, alpha=5, targets=targets, **more)).eval()


def by_hand():
    """A=[[1, 2]], B=[[3], [4]], alpha=2, r=1 on W=[[1, 0], [0, 2]]."""
    one = LoRALinear(nn.Linear(2, 2, bias=False), rank=1, alpha=2)
    with torch.no_grad():
        one.base_layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        one.lora_A.copy_(torch.tensor([[1.0, 2.0]]))
        one.lora_B.copy_(torch.tensor([[3.0], [4.0]]))
    return nn.Sequential(one)


def base_weights(model):
    return [one.base_layer.weight.clone() for one in adapters(model).values()]


def test_a_merge_that_can_be_computed_by_hand():
    model = by_hand()
    x = torch.tensor([[10.0, 1.0]])
    before = model(x)
    merge(model)
    assert model[0].base_layer.weight.tolist() == [[1 + 6, 12], [8, 2 + 16]], "W + gamma B A, with gamma = 2"
    assert model(x).tolist() == before.tolist() == [[82.0, 98.0]]


def test_merged_logits_equal_unmerged_ones_and_not_the_base():
    model = adapted()
    base = logits(remove_lora(copy.deepcopy(model)))
    before = logits(model)
    after = logits(merge(model))
    scale = before.abs().max()
    torch.testing.assert_close(after / scale, before / scale, rtol=1e-5, atol=1e-5)
    assert (after - base).abs().max() > 0.01 * scale, "the merge did nothing"


def test_a_merge_uses_the_gamma_of_every_layer():
    model = adapted(rslora=True, ranks={"up_proj": 7}, alphas={"q_proj": 1})
    before = logits(model)
    torch.testing.assert_close(logits(merge(model)), before, rtol=1e-4, atol=1e-3)


def test_merging_leaves_a_and_b_and_the_parameter_names():
    model = adapted()
    before = snapshot(model)
    merge(model)
    after = snapshot(model)
    assert list(after) == list(before)
    assert all(torch.equal(after[n], before[n]) for n in before if ".lora_" in n)
    assert not any(p.requires_grad for n, p in model.named_parameters() if ".lora_" not in n)


@both_dtypes
def test_unmerging_gives_back_every_bit_of_the_base(dtype):
    model = adapted(dtype)
    weights, print_before, before = base_weights(model), fingerprint(model), logits(model)
    merge(model)
    assert not any(torch.equal(a, b) for a, b in zip(base_weights(model), weights, strict=True))
    unmerge(model)
    assert all(torch.equal(a, b) for a, b in zip(base_weights(model), weights, strict=True))
    assert fingerprint(model) == print_before
    assert torch.equal(logits(model), before)


def test_merging_and_unmerging_a_hundred_times_does_not_drift():
    model = by_hand()
    with torch.no_grad():
        model[0].base_layer.weight.add_(0.1)  # no longer exact in binary
    before = base_weights(model)[0]
    for _ in range(100):
        unmerge(merge(model))
    assert torch.equal(base_weights(model)[0], before)


def test_a_second_merge_is_refused_and_adds_nothing():
    model = merge(adapted())
    before = base_weights(model)
    with pytest.raises(UserError, match="merged already"):
        merge(model)
    assert all(torch.equal(a, b) for a, b in zip(base_weights(model), before, strict=True))


def test_unmerging_what_is_not_merged_is_refused():
    with pytest.raises(UserError, match="nothing to unmerge"):
        unmerge(adapted())
    with pytest.raises(UserError, match="nothing to unmerge"):
        unmerge(unmerge(merge(adapted())))


@pytest.mark.parametrize("action", [merge, unmerge, fold, merge_error])
def test_a_model_without_an_adapter_is_refused(action):
    with pytest.raises(UserError, match="no adapter"):
        action(tiny())


def test_training_while_merged_is_refused_and_works_again_after_unmerging():
    model = merge(adapted())
    with pytest.raises(UserError, match="unmerge"):
        model.train()
    unmerge(model).train()
    losses = train_steps(model, AdamW(model.parameters(), lr=0.003), 5)
    assert losses[-1] < losses[0]


def test_removing_a_merged_adapter_is_refused():
    with pytest.raises(UserError, match="unmerge"):
        remove_lora(merge(adapted()))


def test_a_merged_model_skips_its_dropout():
    model = adapted(dropout=0.5)
    before = logits(model)
    merge(model)
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-3)
    assert torch.equal(logits(model), logits(model))


@pytest.mark.parametrize("first", [False, True], ids=["from unmerged", "from merged"])
def test_folding_leaves_an_ordinary_model_with_the_same_logits(first):
    model = adapted()
    before = logits(model)
    folded = fold(merge(model) if first else model)
    torch.testing.assert_close(logits(folded), before, rtol=1e-4, atol=1e-3)
    assert snapshot(folded).keys() == snapshot(tiny()).keys()
    assert not adapters(folded) and all(p.requires_grad for p in folded.parameters())
    assert fingerprint(folded) != fingerprint(tiny())


def test_a_folded_model_can_take_a_new_adapter():
    model = fold(adapted())
    before = logits(model)
    assert torch.equal(logits(add_lora(model, 3)), before)


def test_a_tied_head_is_merged_without_touching_the_embedding():
    model = adapted(targets=["q_proj", "lm_head"])
    embedding, before = model.model.embed_tokens.weight.clone(), logits(model)
    merge(model)
    assert torch.equal(model.model.embed_tokens.weight, embedding), "the head's correction leaked into the embedding"
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-3)
    unmerge(model)
    assert model.lm_head.base_layer.weight is model.model.embed_tokens.weight, "the head must be tied again"
    assert torch.equal(logits(model), before)


def test_folding_an_adapted_tied_head_unties_it():
    model = fold(adapted(targets=["lm_head"]))
    assert not model.config.tie_word_embeddings
    assert snapshot(model).keys() == snapshot(tiny(replace(TINY, tie_word_embeddings=False))).keys()


def test_a_model_converted_while_merged_unmerges_in_its_new_precision():
    model = merge(adapted(targets=["q_proj", "lm_head"])).to(torch.bfloat16)
    unmerge(model)
    assert {one.base_layer.weight.dtype for one in adapters(model).values()} == {torch.bfloat16}
    assert logits(model).isfinite().all()


def test_merging_in_16_bits_loses_what_32_bits_keep():
    exact, rounded = merge_error(adapted()), merge_error(adapted(torch.bfloat16))
    assert exact.keys() == rounded.keys() == adapters(adapted()).keys()
    assert max(exact.values()) < 1e-5
    assert all(1e-4 < error < 1 for error in rounded.values())


def test_a_correction_below_half_a_rounding_step_is_lost_whole():
    model = add_lora(tiny(dtype=torch.bfloat16), rank=3, targets=["q_proj"])
    fill(model, scale=1e-7)
    assert all(error > 0.99 for error in merge_error(model).values())
    before = base_weights(model)
    changed = [(a != b).float().mean() for a, b in zip(base_weights(merge(model)), before, strict=True)]
    assert max(changed) < 0.01, "the merge into 16 bits was expected to round the correction away"


def test_the_merge_error_is_that_of_the_merged_weights_and_the_same_before_and_after():
    model = adapted(torch.bfloat16, targets=["v_proj"])
    before = merge_error(model)
    weights = dict(zip(adapters(model), base_weights(model), strict=True))
    assert merge_error(merge(model)) == before
    for name, one in adapters(model).items():
        exact = weights[name].double() + one.delta().double()
        error = (one.base_layer.weight.double() - exact).norm() / one.delta().norm()
        assert error.item() == pytest.approx(before[name], rel=1e-3)


def test_an_untrained_adapter_merges_into_the_very_same_weights():
    model = add_lora(tiny(), 3)
    before = base_weights(model)
    assert set(merge_error(model).values()) == {0.0}
    assert all(torch.equal(a, b) for a, b in zip(base_weights(merge(model)), before, strict=True))


def test_nothing_in_a_merged_model_can_learn():
    model = merge(adapted())
    assert not model(token_ids()).requires_grad


def test_merging_puts_the_model_into_evaluation():
    model = adapted().train()
    assert not merge(model).training
