"""LoRA layers: the formula, its fast form, what learns and what stays, and every wrong choice."""

import math

import pytest
import torch
from helpers import TINY, fill, logits, snapshot, tiny, token_ids, train_steps
from torch import nn

from minilm.cache import KVCache
from minilm.errors import UserError
from minilm.folder import fingerprint
from minilm.lora import ALL_SEVEN, LoRALinear, adapters, add_lora, remove_lora
from minilm.lora_fast import low_rank_linears
from minilm.loss import lm_loss
from minilm.model import count_parameters
from minilm.optim import AdamW

both_forms = pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])


def layer(inputs=5, outputs=7, rank=3, alpha=4.0, bias=False, fast=True, **more):
    """A LoRALinear with a random B, no two sizes alike."""
    torch.manual_seed(0)
    found = LoRALinear(nn.Linear(inputs, outputs, bias=bias), rank, alpha, **more)
    nn.init.normal_(found.lora_B)
    found.fast = fast
    return found


def set_form(model, fast):
    for one in adapters(model).values():
        one.fast = fast
    return model


# --- the formula ---


@both_forms
def test_the_output_is_that_of_the_weight_plus_alpha_over_r_times_b_a(fast):
    one, x = layer(fast=fast), torch.randn(2, 6, 5)
    weight = one.base_layer.weight + 4.0 / 3 * one.lora_B @ one.lora_A
    torch.testing.assert_close(one(x), x @ weight.T, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(one(x), one.base_layer(x)), "the adapter has no effect"


@both_forms
def test_a_case_that_can_be_computed_by_hand(fast):
    one = LoRALinear(nn.Linear(2, 2, bias=False), rank=1, alpha=2)
    one.fast = fast
    with torch.no_grad():
        one.base_layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        one.lora_A.copy_(torch.tensor([[1.0, 2.0]]))
        one.lora_B.copy_(torch.tensor([[3.0], [4.0]]))
    assert one.delta().tolist() == [[6, 12], [8, 16]]
    assert one(torch.tensor([[10.0, 1.0]])).tolist() == [[10 + 72, 1 + 96]]


def test_gamma_is_alpha_over_r_and_with_rslora_alpha_over_its_root():
    assert layer(rank=4, alpha=6).gamma == 1.5
    assert layer(rank=4, alpha=6, rslora=True).gamma == 3.0


@both_forms
def test_a_bias_of_the_base_is_added_once(fast):
    one, x = layer(bias=True, fast=fast), torch.randn(4, 5)
    expected = x @ (one.base_layer.weight + one.delta()).T + one.base_layer.bias
    torch.testing.assert_close(one(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [2, 32])
def test_a_is_uniform_within_one_over_the_root_of_in_whatever_the_rank(rank):
    a = layer(inputs=900, outputs=64, rank=rank).lora_A
    assert a.abs().max() <= 1 / 30, "the bound of A is 1 / sqrt(in)"
    assert a.std().item() == pytest.approx(1 / math.sqrt(3 * 900), rel=0.05), "the spread of A is 1 / sqrt(3 in)"


# --- the fast form ---


@pytest.mark.parametrize("shape", [(5,), (6, 5), (2, 6, 5), (2, 3, 4, 5)], ids=str)
def test_fast_and_plain_agree_in_values_and_all_gradients(shape):
    assert_forms_agree(torch.randn(shape), rtol=1e-5, atol=1e-5)


def test_fast_and_plain_agree_in_bfloat16():
    assert_forms_agree(torch.randn(2, 6, 5).bfloat16(), rtol=0.03, atol=0.06)


def test_fast_and_plain_agree_on_transposed_input_and_output_gradient():
    assert_forms_agree(torch.randn(6, 2, 5).transpose(0, 1), rtol=1e-5, atol=1e-5, transpose=True)


def assert_forms_agree(x, rtol, atol, transpose=False):
    seen = []
    for fast in (True, False):
        one, own = layer(fast=fast), x.clone().requires_grad_()
        one.base_layer.to(x.dtype)
        y = one(own)
        direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(3)).to(y.dtype)
        if transpose:
            y, direction = y.transpose(0, 1), direction.transpose(0, 1).contiguous()
        y.backward(direction)
        assert one.base_layer.weight.grad is None, "the frozen weight got a gradient"
        seen.append((y, own.grad, one.lora_A.grad, one.lora_B.grad))
    for name, fast, plain in zip(("y", "dx", "dA", "dB"), *seen, strict=True):
        assert fast.dtype == plain.dtype, f"{name} has another dtype"
        torch.testing.assert_close(fast, plain, rtol=rtol, atol=atol, msg=lambda m, n=name: f"{n}: {m}")
        assert fast.abs().max() > 0, f"{name} is all zero: this test would see nothing"


def test_the_fast_gradients_are_those_of_finite_differences():
    shapes = ((2, 3, 5), (7, 5), (4, 5), (7, 4))
    x, weight, a, b = (torch.randn(shape, dtype=torch.double) for shape in shapes)
    learning = [t.requires_grad_() for t in (x, a, b)]
    assert torch.autograd.gradcheck(lambda x, a, b: low_rank_linears(x, [(weight, a, b, 1.5)])[0], learning)


def test_the_fast_form_gives_the_same_gradients_when_the_input_needs_none():
    one = layer()
    x = torch.randn(3, 5)
    one(x.clone().requires_grad_()).sum().backward()
    expected, one.lora_A.grad = one.lora_A.grad, None
    one(x).sum().backward()
    assert torch.equal(one.lora_A.grad, expected)


def test_a_second_derivative_is_refused_rather_than_wrong():
    one = layer()
    x = torch.randn(3, 5, requires_grad=True)
    (first,) = torch.autograd.grad(one(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@both_dtypes
def test_a_whole_model_gives_the_same_loss_and_gradients_in_both_forms(dtype):
    found = []
    for fast in (True, False):
        model = set_form(fill(add_lora(tiny(dtype=dtype), rank=3, alpha=5)), fast)
        ids = token_ids()
        lm_loss(model, ids[:, :-1], ids[:, 1:]).backward()
        found.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad]))
    error = ((found[0] - found[1]).norm() / found[1].norm()).item()
    assert error < (1e-5 if dtype == torch.float32 else 0.05)


# --- the first step ---


@both_forms
@both_dtypes
def test_a_new_adapter_changes_no_bit_of_the_logits(fast, dtype):
    model = tiny(dtype=dtype)
    before = logits(model)
    set_form(add_lora(model, rank=3), fast)
    assert torch.equal(logits(model), before), "with B = 0 the adapted model must be exactly the base"
    assert not torch.equal(logits(fill(model)), before), "with B filled it must not"


@both_dtypes
def test_a_new_adapter_changes_no_bit_of_a_generation_with_cache(dtype):
    model, ids = tiny(dtype=dtype), token_ids(batch=1)
    outputs = []
    for _ in range(2):
        cache = KVCache(model)
        outputs.append([logits_step(model, part, cache) for part in ids.split([4, 1, 1, 1], dim=1)])
        add_lora(model, rank=3) if not adapters(model) else None
    assert all(torch.equal(a, b) for a, b in zip(*outputs, strict=True))


@torch.no_grad()
def logits_step(model, ids, cache):
    return model(ids, cache)


@both_forms
def test_in_the_first_step_b_has_a_gradient_and_a_has_exactly_none(fast):
    model, ids = set_form(add_lora(tiny(), rank=3), fast), token_ids()
    lm_loss(model, ids[:, :-1], ids[:, 1:]).backward()
    for name, one in adapters(model).items():
        assert one.lora_A.grad.abs().max() == 0, f"{name}: B = 0, so nothing can reach A"
        assert one.lora_B.grad.abs().max() > 0, f"{name}: B must be able to leave 0"


def test_after_two_steps_both_a_and_b_have_moved_and_the_loss_has_fallen():
    model = add_lora(tiny(), rank=3)
    before = snapshot(model)
    losses = train_steps(model, AdamW(model.parameters(), lr=0.01), 6)
    assert losses[-1] < losses[0]
    assert all(not torch.equal(p, before[n]) for n, p in model.named_parameters() if ".lora_" in n)


# --- what learns and what stays ---


def test_training_an_adapter_leaves_every_bit_of_the_base():
    model = tiny()
    base, before = fingerprint(model), snapshot(add_lora(model, rank=3))
    train_steps(model, AdamW(model.parameters(), lr=0.01, weight_decay=0.1), 3)
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert fingerprint(model) == base
    assert changed == {n for n in before if n.endswith(("lora_A", "lora_B"))}


def test_full_fine_tuning_does_change_the_base():
    model = tiny()
    base = fingerprint(model)
    train_steps(model, AdamW(model.parameters(), lr=0.01), 3)
    assert fingerprint(model) != base


def test_only_a_and_b_of_the_seven_projections_are_trainable():
    model = add_lora(tiny(), rank=3)
    trainable = [n for n, p in model.named_parameters() if p.requires_grad]
    assert len(trainable) == 2 * 7 * TINY.num_hidden_layers
    assert all(n.endswith(("lora_A", "lora_B")) for n in trainable)
    assert {n.split(".")[-2] for n in trainable} == set(ALL_SEVEN)


def test_the_number_of_trained_parameters_is_r_times_in_plus_out():
    model = add_lora(tiny(), rank=3)  # k and v are 12 x 24, the MLP 40 x 24
    per_block = 2 * 3 * (24 + 24) + 2 * 3 * (24 + 12) + 3 * 3 * (24 + 40)
    assert count_parameters(model, trainable_only=True) == 2 * per_block


def test_only_the_named_layers_are_adapted():
    assert list(adapters(add_lora(tiny(), 3, targets=["q_proj"]))) == [
        "model.layers.0.self_attn.q_proj",
        "model.layers.1.self_attn.q_proj",
    ]
    whole = "model.layers.1.mlp.up_proj"
    assert list(adapters(add_lora(tiny(), 3, targets=[whole, "lm_head"]))) == [whole, "lm_head"]


def test_one_name_may_be_given_without_a_list():
    assert len(adapters(add_lora(tiny(), 3, targets="v_proj"))) == TINY.num_hidden_layers


def test_rank_and_alpha_may_differ_by_module_and_the_longest_name_wins():
    first = "model.layers.0.self_attn.q_proj"
    ranks = {"self_attn.q_proj": 2, first: 5, "up_proj": 4}
    layers = adapters(add_lora(tiny(), rank=3, alpha=6, ranks=ranks, alphas={"up_proj": 2}))
    assert layers[first].lora_A.shape == (5, 24)
    assert layers["model.layers.1.self_attn.q_proj"].rank == 2
    assert layers["model.layers.1.self_attn.v_proj"].rank == 3
    assert layers["model.layers.0.mlp.up_proj"].gamma == 0.5
    assert layers["model.layers.0.mlp.gate_proj"].gamma == 2.0


def test_a_seed_fixes_a_and_layers_differ():
    def drawn(seed):
        return [one.lora_A for one in adapters(add_lora(tiny(), 3, seed=seed)).values()]

    assert all(torch.equal(a, b) for a, b in zip(drawn(4), drawn(4), strict=True))
    assert not torch.equal(drawn(4)[0], drawn(5)[0])
    assert not torch.equal(drawn(4)[0], drawn(4)[7]), "the two blocks' q_proj got the same A"


def test_adding_an_adapter_draws_nothing_from_the_global_random_numbers():
    model = tiny()
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    add_lora(model, 3)
    assert torch.equal(torch.rand(3), expected)


def test_a_and_b_are_float32_beside_a_16_bit_base():
    model = add_lora(tiny(dtype=torch.bfloat16), 3)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == {torch.bfloat16}


# --- dropout ---


def test_dropout_acts_in_training_and_only_there():
    model = fill(add_lora(tiny(), 3, dropout=0.5))
    model.train()
    assert not torch.equal(logits(model), logits(model)), "two passes in training must differ"
    model.eval()
    assert torch.equal(logits(model), logits(model)), "evaluation must not be random"
    without = fill(add_lora(tiny(), 3)).eval()
    torch.testing.assert_close(logits(model), logits(without), rtol=1e-4, atol=1e-4)


def test_dropout_touches_the_low_rank_part_alone():
    one = layer(dropout=0.99)
    nn.init.zeros_(one.lora_B)
    x = torch.randn(6, 5)
    assert torch.equal(one(x), one.base_layer(x))


def test_an_adapter_put_on_a_model_in_evaluation_is_in_evaluation():
    model = fill(add_lora(tiny().eval(), 3, dropout=0.5))
    assert torch.equal(logits(model), logits(model))


# --- adding and removing ---


def test_a_second_adapter_is_refused():
    model = add_lora(tiny(), 3)
    with pytest.raises(UserError, match="already has an adapter"):
        add_lora(model, 3)


def test_removing_the_adapter_gives_the_base_back():
    model = tiny()
    before, names = logits(model), list(snapshot(model))
    remove_lora(fill(add_lora(model, 3)))
    assert torch.equal(logits(model), before)
    assert list(snapshot(model)) == names and not adapters(model)
    assert all(p.requires_grad for p in model.parameters())


def test_a_part_of_a_word_names_nothing():
    with pytest.raises(UserError, match="no linear layer is called 'proj'"):
        add_lora(tiny(), targets=["proj"])


def test_an_unknown_module_is_answered_with_the_valid_names():
    with pytest.raises(UserError, match="'attn_q'.*down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj"):
        add_lora(tiny(), targets=["q_proj", "attn_q"])
    with pytest.raises(UserError, match="'up_proj'"):
        add_lora(tiny(), targets=["q_proj"], ranks={"up_proj": 2})


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"rank": 0}, "rank 0 does not fit"),
        ({"rank": -3}, "rank -3"),
        ({"rank": 2.5}, "rank 2.5.*whole number"),
        ({"rank": 13}, "rank 13 does not fit model.layers.0.self_attn.k_proj .12 x 24.; .* 1 to 12"),
        ({"ranks": {"v_proj": 99}}, "rank 99 does not fit .*v_proj"),
        ({"alpha": 0}, "alpha 0"),
        ({"alpha": math.nan}, "alpha nan"),
        ({"alphas": {"q_proj": "8"}}, "alpha 8"),
        ({"dropout": 1.0}, "dropout 1.0"),
        ({"targets": []}, "no layer was chosen"),
    ],
    ids=str,
)
def test_an_impossible_choice_is_refused_and_leaves_the_model_as_it_was(choice, message):
    model = tiny()
    before = logits(model)
    with pytest.raises(UserError, match=message):
        add_lora(model, **{"rank": 3, **choice})
    assert not adapters(model) and all(p.requires_grad for p in model.parameters())
    assert torch.equal(logits(model), before)


def test_the_largest_possible_rank_is_accepted():
    assert len(adapters(add_lora(tiny(), rank=12))) == 14
