"""The solutions of chapter 7, held equal to minilm's merge, lora and lowrank."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import nn

from minilm import lowrank
from minilm.lora import LoRALinear
from minilm.merge import merge, merge_error, unmerge

path = Path(__file__).resolve().parents[2] / "solutions" / "ch07_merging.py"
spec = importlib.util.spec_from_file_location("solution_ch07", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)


def adapted(rank=3, alpha=5.0, seed=0, dtype=torch.float32, scale=1.0):
    """minilm's adapter on a layer of 6 -> 4, with B != 0, in a model."""
    generator = torch.Generator().manual_seed(seed)
    base = nn.Linear(6, 4, bias=False)
    with torch.no_grad():
        base.weight.copy_(torch.randn(4, 6, generator=torch.Generator().manual_seed(99)))
    layer = LoRALinear(base.to(dtype), rank=rank, alpha=alpha, generator=generator)
    with torch.no_grad():
        layer.lora_B.copy_(scale * torch.randn(4, rank, generator=generator))
    return nn.Sequential(layer).eval()


def parts(model):
    """(W, A, B, alpha) of the layer."""
    layer = model[0]
    return layer.base_layer.weight.detach(), layer.lora_A.detach(), layer.lora_B.detach(), layer.alpha


X = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))


def test_merging_and_unmerging_are_those_of_minilm():
    theirs = adapted()
    W = parts(theirs)[0].clone()
    layer = mine.MergeableLinear(*parts(theirs))
    torch.testing.assert_close(layer.forward(X), theirs(X).detach())
    merge(theirs)
    layer.merge()
    torch.testing.assert_close(layer.weight, theirs[0].base_layer.weight.detach())
    torch.testing.assert_close(layer.forward(X), theirs(X).detach())
    assert not torch.equal(layer.weight, W)
    unmerge(theirs)
    layer.unmerge()
    assert torch.equal(layer.weight, W) and torch.equal(theirs[0].base_layer.weight, W)


def test_what_vanishes_is_what_minilms_merge_leaves_as_it_was():
    shares = []
    for scale in (1e-5, 0.003, 1.0):
        model = adapted(dtype=torch.bfloat16, scale=scale)
        before, delta = parts(model)[0].clone(), model[0].delta().detach()
        error = merge_error(model)["0"]
        merge(model)
        shares.append(mine.vanished(before, delta))
        assert shares[-1] == (model[0].base_layer.weight == before).double().mean().item()
        assert (shares[-1] == 1) == (error == pytest.approx(1))
    assert shares == sorted(shares, reverse=True) and shares[0] == 1 and 0 < shares[1] < 1


def test_combined_adapters_do_what_minilms_do_together():
    models = [adapted(3, 5.0, 1), adapted(2, 7.0, 2)]
    A, B, alpha = mine.combine([parts(model)[1:] for model in models], [1.0, -2.0])
    both = adapted(2, 1.0)
    W = parts(both)[0]
    expected = X @ (W + models[0][0].delta() - 2 * models[1][0].delta()).T
    torch.testing.assert_close(X @ (W + alpha / len(A) * B @ A).T, expected.detach())
    assert not torch.allclose(expected, X @ W.T)


def test_an_average_of_factors_is_another_model_than_the_average_of_minilms_changes():
    models = [adapted(3, 3.0, seed) for seed in (1, 2, 3)]
    pairs = [parts(model)[1:3] for model in models]
    right = sum(n / 6 * model[0].delta() for n, model in zip((1, 2, 3), models, strict=True))
    naive = sum(n / 6 * B for n, (A, B) in zip((1, 2, 3), pairs, strict=True)) @ sum(
        n / 6 * A for n, (A, B) in zip((1, 2, 3), pairs, strict=True)
    )
    gap = mine.averaging_gap(pairs, [1, 2, 3])
    torch.testing.assert_close(naive + gap, right.detach())
    assert gap.norm() > 0.1 * right.norm()


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_the_extracted_change_is_minilms_truncation(rank):
    before, after = torch.randn(6, 4), torch.randn(6, 4)
    A, B = mine.extract(before, after, rank, 5.0)
    theirs_B, theirs_A = lowrank.truncate(after - before, rank)
    torch.testing.assert_close(5 / rank * B @ A, (theirs_B @ theirs_A).float(), atol=1e-5, rtol=1e-5)


def test_swapping_gives_what_minilms_layers_give_one_by_one():
    models = {"a": adapted(3, 5.0, 1), "b": adapted(2, 7.0, 2)}
    swap = mine.HotSwap(parts(models["a"])[0])
    for name, model in models.items():
        swap.add(name, *parts(model)[1:])
    for name in ("a", "b", "a"):
        torch.testing.assert_close(swap.serve(X, name), models[name](X).detach())
    torch.testing.assert_close(swap.serve(X, None), X @ parts(models["a"])[0].T)
    assert not torch.allclose(swap.serve(X, "a"), swap.serve(X, "b"))
