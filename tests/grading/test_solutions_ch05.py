"""The solutions of chapter 5, held equal to minilm's own LoRA."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from minilm.adapter import PREFIX, adapter_weights
from minilm.errors import UserError
from minilm.folder import base_weights, fingerprint
from minilm.lora import ALL_SEVEN, LoRALinear, adapters, add_lora
from minilm.loss import lm_loss
from minilm.model import count_parameters
from minilm.optim import AdamW

path = Path(__file__).resolve().parents[2] / "solutions" / "ch05_lora.py"
spec = importlib.util.spec_from_file_location("solution_ch05", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)

CHOICES = {"rank": 3, "alpha": 5.0, "targets": ["q_proj", "up_proj"]}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def their_layer(bias=True, rank=3, **more):
    """minilm's layer 5 -> 7, with a B that is not zero."""
    torch.manual_seed(0)
    layer = LoRALinear(nn.Linear(5, 7, bias=bias), rank, 6.0, **more)
    layer.lora_B.data = random(7, rank)
    return layer


@pytest.fixture
def both(tiny_model, make_model):
    """(adapted by the solution, adapted by minilm): equal bases, equal A and B."""
    ours, theirs = tiny_model, add_lora(make_model(), **CHOICES)
    names = mine.inject(ours, CHOICES["targets"], CHOICES["rank"], CHOICES["alpha"])
    for i, layer in enumerate(adapters(theirs).values()):
        layer.lora_B.data = random(*layer.lora_B.shape, seed=i)
    mine.load_adapter(ours, {n: p.detach() for n, p in theirs.named_parameters() if ".lora_" in n})
    assert names == list(adapters(theirs))
    return ours, theirs


def test_the_factors_start_as_those_of_minilm():
    theirs = LoRALinear(nn.Linear(5, 7), 3, generator=torch.Generator().manual_seed(4))
    A, B = mine.init_factors(7, 5, 3, seed=4)
    assert torch.equal(A, theirs.lora_A) and torch.equal(B, theirs.lora_B)
    assert not torch.equal(A, mine.init_factors(7, 5, 3, seed=5)[0])


@pytest.mark.parametrize("bias", [True, False])
def test_the_output_is_that_of_minilms_layer(bias):
    theirs, x = their_layer(bias), random(2, 4, 5)
    weight, bias = theirs.base_layer.weight, theirs.base_layer.bias
    seen = mine.lora_forward(x, weight, theirs.lora_A, theirs.lora_B, 6.0, bias)
    torch.testing.assert_close(seen, theirs(x))
    layer = mine.LoRALinear(theirs.base_layer, 3, 6.0)
    layer.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(layer(x), theirs(x))
    assert not torch.allclose(seen, theirs.base_layer(x))


@pytest.mark.parametrize("zero", [True, False], ids=["step 0", "later"])
def test_the_gradients_are_those_of_minilms_layer(zero):
    theirs, x, dy = their_layer(bias=False), random(6, 5), random(6, 7)
    theirs.lora_B.data *= 0 if zero else 1
    theirs(x).backward(dy)
    A, B = theirs.lora_A.detach().numpy(), theirs.lora_B.detach().numpy()
    dA, dB = mine.lora_gradients(x.numpy(), dy.numpy(), A, B, 6.0)
    np.testing.assert_allclose(dA, theirs.lora_A.grad, atol=1e-5)
    np.testing.assert_allclose(dB, theirs.lora_B.grad, atol=1e-5)
    assert dB.any() and dA.any() == (not zero)


@pytest.mark.parametrize("rule", ["sgd", "adam"])
@pytest.mark.parametrize("rslora", [False, True])
def test_the_first_change_is_that_of_minilms_layer(rule, rslora):
    theirs, x, dy = their_layer(rslora=rslora), random(6, 5), random(6, 7)
    theirs.lora_B.data.zero_()
    before = theirs(x).detach()
    theirs(x).backward(dy)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1) if rule == "sgd" else AdamW(theirs.parameters(), lr=0.1)
    optimizer.step()
    seen = mine.first_change(x.numpy(), dy.numpy(), theirs.lora_A.detach().numpy(), theirs.gamma, 0.1, rule)
    np.testing.assert_allclose(seen, (theirs(x) - before).detach().numpy(), rtol=1e-3, atol=1e-4)


def test_the_growth_is_that_of_the_mean_over_many_seeds():
    x, dy = np.array([random(64).numpy()]), np.array([[1.0, -2.0, 0.5]])

    def size(rank, rule, gamma):
        factors = [mine.init_factors(3, 64, rank, seed)[0].numpy() for seed in range(300)]
        return np.mean([np.abs(mine.first_change(x, dy, A, gamma, 0.1, rule)) for A in factors])

    gammas = {"alpha": lambda r: 6.0, "alpha/r": lambda r: 6.0 / r, "alpha/sqrt(r)": lambda r: 6.0 / math.sqrt(r)}
    for rule in ("sgd", "adam"):
        for scaling, gamma in gammas.items():
            measured = size(8, rule, gamma(8)) / size(2, rule, gamma(2))
            assert mine.growth(4, rule, scaling) == pytest.approx(measured, rel=0.1), (rule, scaling)
    assert their_layer(rank=4).gamma == gammas["alpha/r"](4)
    assert their_layer(rank=4, rslora=True).gamma == gammas["alpha/sqrt(r)"](4)


def test_the_same_layers_are_adapted_and_the_logits_agree(both, ids):
    ours, theirs = both
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    torch.testing.assert_close(ours(ids), theirs(ids))
    assert fingerprint(ours) == fingerprint(theirs)


def test_an_unknown_name_is_refused_as_by_minilm(tiny_model):
    for refuse, error in ((mine.inject, ValueError), (add_lora, UserError)):
        args = (["q_prj"], 3, 5.0) if refuse is mine.inject else (3, 5.0, ["q_prj"])
        with pytest.raises(error, match="q_prj.*down_proj.*q_proj"):
            refuse(tiny_model, *args)


def test_what_learns_is_what_learns_in_minilm(both):
    ours, theirs = both
    mine.freeze(ours)
    learning = [[n for n, p in model.named_parameters() if p.requires_grad] for model in both]
    assert learning[0] == learning[1] and len(learning[0]) == 2 * len(adapters(theirs))
    assert mine.count(ours) == (count_parameters(theirs, trainable_only=True), count_parameters(theirs))


def test_a_saved_adapter_has_minilms_tensors(both):
    ours, theirs = both
    seen = {f"{PREFIX}{name}.weight": value for name, value in mine.adapter_state(ours).items()}
    wanted = adapter_weights(theirs)
    assert seen.keys() == wanted.keys() and not seen.keys() & base_weights(theirs).keys()
    assert all(torch.equal(seen[name], wanted[name]) for name in wanted)


def test_a_fine_tuning_is_that_of_minilms_parts(tiny_model, make_model, tiny_config):
    batches = torch.randint(tiny_config.vocab_size, (5, 2, 9), generator=torch.Generator().manual_seed(1))
    theirs = add_lora(make_model(), rank=3, alpha=5.0)
    twin = make_model()
    mine.inject(twin, list(ALL_SEVEN), 3, 5.0)
    mine.load_adapter(theirs, mine.adapter_state(twin))  # the seeds differ, so start from the same A
    before = fingerprint(tiny_model)
    losses = mine.adapt(tiny_model, batches, list(ALL_SEVEN), 3, 5.0, lr=0.01)
    optimizer, wanted = AdamW([p for p in theirs.parameters() if p.requires_grad], lr=0.01), []
    for batch in batches:
        optimizer.zero_grad()
        loss = lm_loss(theirs, batch[:, :-1], batch[:, 1:])
        loss.backward()
        optimizer.step()
        wanted.append(loss.item())
    assert losses == pytest.approx(wanted, rel=1e-3) and losses[0] != losses[-1]
    assert fingerprint(tiny_model) == before == fingerprint(theirs)
