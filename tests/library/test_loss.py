"""The fast loss against the plain one, in value and in every gradient."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import minilm.loss
from minilm.loss import IGNORE, LinearCrossEntropy, lm_loss, token_losses


@pytest.fixture(autouse=True)
def short_slices(monkeypatch):
    """Seven tokens a slice, so that small tests cross slices, with a shorter one at the end."""
    monkeypatch.setattr(minilm.loss, "SLICE", 7)


@pytest.fixture
def problem():
    """hidden (17, 6), weight (11, 6), targets (17,) of which three are IGNORE."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(17, 6, generator=generator).requires_grad_()
    weight = torch.randn(11, 6, generator=generator).requires_grad_()
    targets = torch.randint(11, (17,), generator=generator)
    targets[[2, 7, 16]] = IGNORE
    return hidden, weight, targets


def plain(hidden, weight, targets):
    return F.cross_entropy(hidden @ weight.T, targets, ignore_index=IGNORE, reduction="sum")


def gradients(loss, *tensors):
    for tensor in tensors:
        tensor.grad = None
    loss.backward()
    return [tensor.grad for tensor in tensors]


def all_gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def test_a_token_loss_is_minus_the_log_of_its_probability():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    losses = token_losses(logits, torch.tensor([0, 1]))
    torch.testing.assert_close(losses, torch.tensor([math.log(2), math.log(10)]))
    assert token_losses(logits, torch.tensor([0, IGNORE]))[1] == 0


def test_the_fast_form_has_the_value_of_the_plain_one(problem):
    hidden, weight, targets = problem
    torch.testing.assert_close(LinearCrossEntropy.apply(*problem), plain(*problem))
    moved = targets.clone()
    moved[0] = (targets[0] + 1) % 11
    assert not torch.isclose(LinearCrossEntropy.apply(hidden, weight, moved), plain(*problem))


def test_the_fast_form_has_both_gradients_of_the_plain_one(problem):
    hidden, weight, targets = problem
    expected = gradients(plain(*problem) / 14, hidden, weight)
    seen = gradients(LinearCrossEntropy.apply(*problem) / 14, hidden, weight)
    for ours, theirs in zip(seen, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        assert theirs.abs().max() > 1e-3
    unscaled = gradients(LinearCrossEntropy.apply(*problem), hidden, weight)
    assert not torch.allclose(unscaled[0], expected[0]), "the factor from above must reach the gradients"


def test_an_ignored_token_has_no_loss_and_no_gradient(problem):
    hidden, weight, targets = problem
    (d_hidden,) = gradients(LinearCrossEntropy.apply(*problem), hidden)
    ignored = targets == IGNORE
    assert d_hidden[ignored].abs().max() == 0
    assert d_hidden[~ignored].abs().amin(dim=0).max() > 0
    as_if_zero = targets.clamp(min=0)
    assert not torch.isclose(LinearCrossEntropy.apply(hidden, weight, as_if_zero), plain(*problem))


def test_a_frozen_head_gets_no_gradient_and_passes_one_on(problem):
    hidden, weight, targets = problem
    expected, _ = gradients(plain(*problem), hidden, weight)
    weight.grad = None
    (seen,) = gradients(LinearCrossEntropy.apply(hidden, weight.requires_grad_(False), targets), hidden)
    torch.testing.assert_close(seen, expected, atol=1e-6, rtol=1e-5)
    assert weight.grad is None


def test_a_head_alone_can_learn(problem):
    hidden, weight, targets = problem
    _, expected = gradients(plain(*problem), hidden, weight)
    (seen,) = gradients(LinearCrossEntropy.apply(hidden.detach(), weight, targets), weight)
    torch.testing.assert_close(seen, expected, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_without_gradients_only_the_value_is_computed(problem):
    value = LinearCrossEntropy.apply(*problem)
    torch.testing.assert_close(value, plain(*problem))
    assert not value.requires_grad


def test_in_bfloat16_it_stays_near_the_float32_result(problem):
    hidden, weight, targets = problem
    exact = gradients(plain(*problem), hidden, weight)
    rough = [t.detach().to(torch.bfloat16).requires_grad_() for t in (hidden, weight)]
    loss = LinearCrossEntropy.apply(*rough, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, plain(*problem), atol=0, rtol=0.02)
    for ours, theirs in zip(gradients(loss, *rough), exact, strict=True):
        assert ours.dtype == torch.bfloat16
        assert 0 < (ours.float() - theirs).norm() < 0.03 * theirs.norm()


@torch.no_grad()
def test_a_target_thought_impossible_costs_much_but_never_infinity():
    sure_of_the_first = torch.tensor([[1.0], [0.0], [0.0]])
    loss = LinearCrossEntropy.apply(torch.tensor([[1e4]]), sure_of_the_first, torch.tensor([2]))
    assert 80 < loss.item() < math.inf
    assert LinearCrossEntropy.apply(torch.tensor([[1e4]]), sure_of_the_first, torch.tensor([0])) == 0


@torch.no_grad()
def test_spoiled_weights_show_in_the_loss(problem):
    hidden, weight, targets = problem
    weight[3, 3] = torch.nan
    assert LinearCrossEntropy.apply(hidden, weight, targets).isnan()


@pytest.mark.parametrize("tied", [True, False])
def test_lm_loss_is_the_mean_cross_entropy_of_the_logits(make_model, ids, tied):
    model = make_model(tie_word_embeddings=tied)
    inputs, targets = ids[:, :-1], ids[:, 1:]
    F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).backward()
    expected = all_gradients(model)
    model.zero_grad()
    loss = lm_loss(model, inputs, targets)
    loss.backward()
    torch.testing.assert_close(loss, token_losses(model(inputs), targets).mean())
    for name, gradient in all_gradients(model).items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-4)
    assert not torch.isclose(loss, lm_loss(model, inputs, inputs)), "targets are one token ahead"


def test_a_head_that_is_not_one_matrix_takes_the_plain_way(tiny_model, ids):
    expected = lm_loss(tiny_model, ids[:, :-1], ids[:, 1:])
    tiny_model.lm_head = nn.Sequential(tiny_model.lm_head)
    torch.testing.assert_close(lm_loss(tiny_model, ids[:, :-1], ids[:, 1:]), expected)
    tiny_model.lm_head.append(nn.Softsign())
    assert not torch.isclose(lm_loss(tiny_model, ids[:, :-1], ids[:, 1:]), expected)


def test_accumulated_micro_batches_of_unequal_length_are_one_batch(tiny_model):
    ids = torch.randint(290, (4, 10), generator=torch.Generator().manual_seed(3))
    targets = ids.roll(-1, dims=1)
    for row, length in enumerate((9, 2, 5, 1)):
        targets[row, length:] = IGNORE
    whole = lm_loss(tiny_model, ids, targets)
    whole.backward()
    expected = all_gradients(tiny_model)

    def accumulate(denominator):
        tiny_model.zero_grad()
        parts = [lm_loss(tiny_model, ids[i : i + 1], targets[i : i + 1], denominator) for i in range(4)]
        for part in parts:
            part.backward()
        return sum(parts).item(), all_gradients(tiny_model)

    loss, seen = accumulate(denominator=9 + 2 + 5 + 1)
    assert loss == pytest.approx(whole.item(), rel=1e-5)
    for name in expected:
        torch.testing.assert_close(seen[name], expected[name], atol=1e-6, rtol=1e-4)
    sum_of_means, wrong = accumulate(denominator=None)
    assert abs(sum_of_means / 4 - whole.item()) > 0.01, "the mean of means gives short rows too much weight"
    assert any(not torch.allclose(wrong[name] / 4, expected[name], atol=1e-3) for name in expected)
