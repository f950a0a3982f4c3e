"""The solutions of chapter 3, held equal to minilm's own data, loss, optimizer, schedule and sampling, and to torch."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minilm import generate, loss, optim, schedule
from minilm.data import Windows

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mine = load(ROOT / "solutions" / "ch03_pretraining.py")
graded = load(ROOT / "tests" / "exercises" / "test_ch03_pretraining.py")


def gaussian(*shape, seed=0, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_a_batch_is_one_of_minilms_windows():
    tokens = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    windows = Windows(tokens, context=7, batch=3, seed=1)
    for index in range(4):
        inputs, targets = windows[index]
        starts = (tokens == inputs[:, :1]).nonzero()[:, 1]  # every id is there once
        seen = mine.make_batch(tokens, starts, 7)
        assert torch.equal(seen[0], inputs) and torch.equal(seen[1], targets)
        assert not torch.equal(seen[0], targets)


def test_the_last_start_is_the_last_of_minilms_windows():
    runs = [Windows(range(25), context=5, batch=1, seed=seed) for seed in range(40)]
    starts = {int(windows[number][0][0, 0]) for windows in runs for number in range(windows.per_epoch)}
    assert max(starts) == mine.last_start(25, 5) == 19 and min(starts) == 0


def test_the_loss_is_that_of_minilm_and_of_torch():
    logits, targets = gaussian(2, 3, 5, scale=4.0), torch.tensor([[4, 0, 1], [2, 2, 3]])
    seen = mine.cross_entropy(logits, targets)
    torch.testing.assert_close(seen, loss.token_losses(logits, targets).mean())
    torch.testing.assert_close(seen, F.cross_entropy(logits.flatten(0, 1), targets.flatten()))
    assert seen != mine.cross_entropy(logits, targets.flip(1))


def test_the_sum_and_the_accumulated_loss_are_those_of_minilm():
    logits, targets = gaussian(4, 3, 5, scale=4.0), torch.tensor([[4, 0, 1], [2, -100, 3], [-100] * 3, [1, -100, -100]])
    total, count = mine.loss_sum(logits, targets)
    torch.testing.assert_close(total, loss.token_losses(logits, targets).sum())
    assert count == 6 and mine.IGNORE == loss.IGNORE
    parts = [(logits[:1], targets[:1]), (logits[1:], targets[1:])]
    torch.testing.assert_close(mine.accumulated_loss(parts), loss.token_losses(logits, targets).sum() / 6)
    assert mine.accumulated_loss(parts) != sum(mine.cross_entropy(x, y.clamp(min=0)) for x, y in parts) / 2


@pytest.mark.parametrize("theirs", [optim.AdamW, torch.optim.AdamW], ids=["minilm", "torch"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_four_steps_are_those_of_minilm_and_of_torch(theirs, weight_decay):
    w, m, v = gaussian(3, 4), torch.zeros(3, 4), torch.zeros(3, 4)
    parameter = torch.nn.Parameter(w.clone())
    optimizer = theirs([parameter], lr=0.02, betas=(0.8, 0.9), eps=1e-4, weight_decay=weight_decay)
    for t in range(1, 5):
        parameter.grad = gaussian(3, 4, seed=t, scale=0.1**t)
        w, m, v = mine.adamw_step(w, parameter.grad, m, v, t, 0.02, (0.8, 0.9), 1e-4, weight_decay)
        optimizer.step()
        torch.testing.assert_close(w, parameter.detach(), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(w, gaussian(3, 4), atol=1e-2)


@pytest.mark.parametrize(("steps", "warmup", "peak", "floor"), [(20, 5, 0.8, 0.2), (50, 0, 0.3, 0.0), (6, 6, 1.0, 0.1)])
def test_the_rate_is_minilms_cosine(steps, warmup, peak, floor):
    for t in range(1, steps + 1):
        seen = mine.learning_rate(t, steps, warmup, peak, floor)
        if t == warmup == steps:
            assert seen == peak  # there, minilm's share of a share would be 0 / 0
        else:
            assert seen == pytest.approx(peak * schedule.cosine(t / steps, warmup / steps, floor / peak), abs=1e-12)
    assert mine.learning_rate(1, steps, warmup, peak, floor) > 0


def test_clipping_is_that_of_minilm():
    for limit in (0.5, 1e6):
        grads = [gaussian(2, 3, seed=1), gaussian(4, seed=2, scale=3.0)]
        seen, length = mine.clip_gradients(grads, limit)
        holders = [SimpleNamespace(grad=grad.clone()) for grad in grads]
        assert length == pytest.approx(float(optim.clip_gradients(holders, limit)))
        for one, holder, grad in zip(seen, holders, grads, strict=True):
            torch.testing.assert_close(one, holder.grad, atol=1e-6, rtol=1e-5)
            assert torch.equal(one, grad) == (limit > 100)


def test_top_k_and_top_p_are_those_of_minilm():
    logits = gaussian(40, scale=2.0)
    for k in (1, 7, 40, 99):
        assert torch.equal(mine.top_k(logits, k), generate.keep_top(logits, top_k=k))
    for p in (0.01, 0.4, 0.9, 0.999):
        assert torch.equal(mine.top_p(logits, p), generate.keep_top(logits, top_p=p))
        both = mine.top_p(mine.top_k(logits, 9), p)
        assert torch.equal(both, generate.keep_top(logits, top_k=9, top_p=p))
    assert not torch.equal(mine.top_k(logits, 7), mine.top_k(logits, 8))


def test_training_is_that_of_minilms_loss_clipping_and_optimizer():
    tokens = torch.randint(9, (50,), generator=torch.Generator().manual_seed(0))
    starts = torch.randint(50 - 8, (6, 3), generator=torch.Generator().manual_seed(1))
    model, other = mine.tiny_model(9, seed=4), mine.tiny_model(9, seed=4)
    before = [w.detach().clone() for w in model.parameters()]
    seen = mine.memorise(model, tokens, starts, 8, peak=0.01, warmup=2, limit=0.3)
    optimizer = optim.AdamW(other.parameters(), lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    for t, row in enumerate(starts, start=1):
        block = torch.stack([tokens[start : start + 9] for start in row])
        value = loss.lm_loss(other, block[:, :-1], block[:, 1:])
        assert seen[t - 1] == pytest.approx(value.item(), rel=1e-4)
        value.backward()
        optim.clip_gradients(optimizer.parameters, 0.3)
        optimizer.step(schedule.cosine(t / 6, warmup=2 / 6, final=0.1))
        optimizer.zero_grad()
    for w, theirs, old in zip(model.parameters(), other.parameters(), before, strict=True):
        torch.testing.assert_close(w, theirs, atol=1e-4, rtol=1e-3)
        assert not torch.equal(w, old)


def test_a_model_that_learned_to_copy_has_a_wonderful_loss_and_cannot_write():
    """Why the milestone asks for the text and not for the loss."""
    text, T = graded.numbered(graded.paragraph(np.random.default_rng(0))), graded.T
    starts = torch.randint(len(text) - T, (60, 16), generator=torch.Generator().manual_seed(1))
    model = mine.tiny_model(len(graded.LETTERS), 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for row in starts:
        inputs, _ = mine.make_batch(text, row, T)
        copied = mine.cross_entropy(model(inputs), inputs)
        optimizer.zero_grad()
        copied.backward()
        optimizer.step()
    assert copied.item() < 0.05
    inputs, targets = mine.make_batch(text, torch.arange(0, len(text) - T, 7), T)
    assert mine.cross_entropy(model(inputs), targets).item() > 3
    assert (model(inputs).argmax(-1) == targets).float().mean() < 0.1
