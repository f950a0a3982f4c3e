"""The solutions of chapter 2, held equal to minilm's own model, with the same weights."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import bank
import numpy as np
import pytest
import torch
from torch import nn

from minilm import model as theirs

path = Path(__file__).resolve().parents[2] / "solutions" / "ch02_transformer.py"
spec = importlib.util.spec_from_file_location("solution_ch02", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)

CONFIG = theirs.Config(
    vocab_size=13,
    hidden_size=24,
    intermediate_size=20,
    num_hidden_layers=2,
    num_attention_heads=3,
    num_key_value_heads=3,
    max_position_embeddings=40,
)


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def both():
    """minilm's model with random weights everywhere, norms too, and the solution's with the same ones."""
    model = theirs.LM(CONFIG)
    for seed, parameter in enumerate(model.parameters()):
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(seed))
    own = mine.Transformer(vocab=13, width=24, inner=20, layers=2, heads=3)
    own.load_state_dict({name.removeprefix("model."): value for name, value in model.state_dict().items()})
    return own, model


def test_the_softmax_is_torchs():
    x = random(3, 4, 5)
    for axis in (0, 1, -1):
        np.testing.assert_allclose(mine.softmax(x.numpy(), axis), x.softmax(axis).numpy(), rtol=1e-5)
    assert not np.allclose(mine.softmax(x.numpy(), 0), x.softmax(1).numpy())


def test_the_mask_is_that_of_minilm():
    for past, time in ((0, 4), (3, 2), (7, 5)):
        expected = theirs.causal_mask(past, time, torch.float64, "cpu")
        np.testing.assert_array_equal(mine.causal_mask(time, past + time), expected.numpy())
    assert theirs.causal_mask(5, 1, torch.float64, "cpu") is None and not mine.causal_mask(1, 6).any()


def test_one_head_is_torchs_attention():
    q, k, v = random(5, 4), random(5, 4, seed=1), random(5, 3, seed=2)
    expected = nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    seen = mine.causal_attention(q.numpy(), k.numpy(), v.numpy())
    np.testing.assert_allclose(seen, expected.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(mine.causal_attention(q.numpy()[3:], k.numpy(), v.numpy()), seen[3:], rtol=1e-6)


def test_one_head_in_numpy_is_one_head_in_torch():
    x, same = random(1, 5, 4), nn.Identity()
    seen = mine.multi_head_attention(x, same, same, same, same, heads=1, rotate=same)[0]
    np.testing.assert_allclose(mine.causal_attention(*[x[0].numpy()] * 3), seen.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_norm_is_that_of_minilm(dtype):
    norm = theirs.RMSNorm(6, eps=1e-3)
    nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(0))
    norm, x = norm.to(dtype), random(2, 3, 6).to(dtype)
    assert torch.equal(mine.rms_norm(x, norm.weight, 1e-3), norm(x))
    assert not torch.equal(mine.rms_norm(x, norm.weight, 1.0), norm(x))


def test_the_rotation_is_that_of_minilm():
    x, positions = random(2, 3, 5, 8), torch.tensor([4, 5, 6, 9, 30])
    cos, sin = theirs.rope_tables(positions, 8, 10_000.0, torch.float32)
    angles = mine.rope_angles(positions, 8, 10_000.0)
    torch.testing.assert_close(angles.cos(), cos)
    torch.testing.assert_close(mine.rope(x, angles), theirs.apply_rope(x, cos, sin))
    assert not torch.allclose(mine.rope(x, angles), x, atol=0.1)


def test_the_mlp_is_that_of_minilm(both):
    own, model = both
    x = random(2, 5, 24)
    torch.testing.assert_close(own.layers[1].mlp(x), model.model.layers[1].mlp(x))


def test_attention_is_that_of_minilm(both):
    own, model = both
    ids, seen = torch.randint(13, (2, 5), generator=torch.Generator().manual_seed(1)), []
    attention = model.model.layers[1].self_attn
    attention.register_forward_hook(lambda module, given, result: seen.extend([given[0], result]))
    model(ids)
    angles = mine.rope_angles(torch.arange(5), 8, 10_000.0)
    mixed = own.layers[1].self_attn(seen[0], lambda heads: mine.rope(heads, angles))
    torch.testing.assert_close(mixed, seen[1], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(own.layers[1].self_attn(seen[0], lambda heads: heads), seen[1], atol=0.1)


def test_the_logits_are_those_of_minilm(both):
    own, model = both
    ids = torch.randint(13, (3, 17), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(own(ids), model(ids), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(own(ids.flip(1)), model(ids), atol=0.1)


def test_parameters_are_counted_as_by_minilm(both):
    own, model = both
    untied = theirs.LM(replace(CONFIG, tie_word_embeddings=False))
    model.model.layers[0].requires_grad_(False)
    own.layers[0].requires_grad_(False)
    for trainable_only in (False, True):
        expected = theirs.count_parameters(model, trainable_only)
        assert mine.count_parameters(own, trainable_only) == mine.count_parameters(model, trainable_only) == expected
    assert mine.count_parameters(untied, False) == theirs.count_parameters(model) + 13 * 24


def test_without_attention_nothing_can_be_reversed():
    """The milestone alone, for a model that is right but for attention: no better than guessing."""
    source = bank.solution(2)
    line = "    return o_proj(merge_heads(weights @ v))\n"
    assert source.count(line) == 1
    blind = source.replace(line, "    return 0 * o_proj(merge_heads(weights @ v))\n")
    milestone = next(test for test in bank.graded_tests(2) if "writes_strings_backwards" in test.__name__)
    worker = bank.Worker(bank.SOLUTIONS / "ch02_transformer.py", blind.encode())
    record = bank._run(milestone, bank.Answers(worker, 40.0))
    assert not record["passed"] and record["means"] == "does not learn"
    assert int(record["seen"].split("%")[0]) <= 20, record["seen"]
