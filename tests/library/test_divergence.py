"""When a run is given up: never for a passing spike, always for what cannot mend."""

import math

import pytest
import torch

from minilm.data import Windows
from minilm.divergence import WINDOW, blind, losses_now, lost, past_warmup
from minilm.loss import lm_loss

GUESS = math.log(290)  # the loss of equal odds for every token


@pytest.mark.parametrize(
    ("loss", "first", "verdict"),
    [
        (3.0, 3.5, False),
        (4.4, 3.5, False),  # worse, but a run may begin with an easy batch
        (4.6, 3.5, True),
        (math.nan, 3.5, True),
        (math.inf, 3.5, True),
        (GUESS, 5.0, True),  # it knew something, and now it guesses
        (GUESS - 0.02, 5.0, False),
        (GUESS, GUESS, False),  # it knew nothing before
        (GUESS + 0.2, GUESS + 3, False),
    ],
)
def test_a_loss_is_judged_by_the_first_one_and_by_guessing(loss, first, verdict):
    assert lost(loss, first, 290) is verdict


@pytest.mark.parametrize("steps", [100, 1000])
def test_losses_are_judged_only_when_the_whole_window_lies_after_the_warmup(steps):
    first = steps // 10 + WINDOW - 1  # this loss, and the 19 before it
    judged = [s for s in range(steps) if past_warmup(s, s / steps, warmup=0.1)]
    assert judged[0] in (first, first + 1), "one later is a matter of rounding"
    assert judged == list(range(judged[0], steps))


def test_without_a_warmup_the_first_whole_window_is_judged():
    assert not past_warmup(WINDOW - 2, 0.3, warmup=0)
    assert past_warmup(WINDOW - 1, 0.3, warmup=0)
    assert not past_warmup(0, 0, warmup=0)


def test_the_loss_of_the_weights_as_they_are_is_that_of_the_first_batch(tiny_model):
    windows = Windows(torch.arange(200) % 97, 8, 4)
    expected = lm_loss(tiny_model, *windows[0]).item()
    losses = losses_now(tiny_model, windows[0])
    assert losses.shape == (4, 8)
    assert losses.mean().item() == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(losses_now(tiny_model, windows[0], accumulate=4), losses, atol=1e-5)
    assert lm_loss(tiny_model, *windows[1]).item() != pytest.approx(expected, abs=1e-3)
    assert all(p.grad is None for p in tiny_model.parameters())


@pytest.mark.parametrize("spoiled", [math.nan, math.inf])
def test_one_spoiled_weight_is_enough_even_where_the_batch_does_not_meet_it(make_model, spoiled):
    model, windows = make_model(tie_word_embeddings=False), Windows(torch.arange(200) % 97, 8, 4)
    model.model.embed_tokens.weight.data[280, 3] = spoiled  # a token that does not occur
    assert math.isfinite(lm_loss(model, *windows[0]).item())
    assert losses_now(model, windows[0]).isnan().all()


def test_a_model_is_blind_only_when_it_tells_no_token_from_another(tiny_model):
    windows = Windows(torch.arange(200) % 97, 8, 4)
    assert not blind(losses_now(tiny_model, windows[0]))
    tiny_model.model.norm.weight.data.zero_()
    assert blind(losses_now(tiny_model, windows[0]))
    assert not blind(torch.tensor([[5.0]])), "one token alone says nothing"
    assert not blind(torch.tensor([math.nan, math.nan])), "that is told otherwise"
