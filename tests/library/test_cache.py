"""The key/value cache: the same logits, without computing them again."""

import pytest
import torch

from minilm.cache import KVCache
from minilm.errors import UserError


@torch.no_grad()
def read(model, ids, pieces):
    """The logits of `ids`, fed to the model in pieces of the given lengths; the unwritten slots hold NaN."""
    cache = KVCache(model, batch=len(ids))
    cache.keys.fill_(torch.nan), cache.values.fill_(torch.nan)
    return torch.cat([model(piece, cache) for piece in ids.split(pieces, dim=1)], dim=1)


@torch.no_grad()
@pytest.mark.parametrize("pieces", [[20], [3, 1, 9, 7], [1] * 20, [19, 1]], ids=str)
def test_reading_in_pieces_gives_the_logits_of_reading_at_once(tiny_model, ids, pieces):
    torch.testing.assert_close(read(tiny_model, ids, pieces), tiny_model(ids), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_another_text_in_the_cache_gives_other_logits(tiny_model, ids):
    right, wrong = KVCache(tiny_model), KVCache(tiny_model)
    tiny_model(ids[:1, :-1], right)
    tiny_model(ids[1:, :-1], wrong)
    last, uncached = ids[:1, -1:], tiny_model(ids[:1])[:, -1:]
    torch.testing.assert_close(tiny_model(last, right), uncached, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(tiny_model(last, wrong), uncached, atol=1e-2)


@torch.no_grad()
def test_positions_go_on_where_the_cache_ends(make_model, ids):
    model = make_model(num_hidden_layers=1)
    cache = KVCache(model, batch=2)
    model(ids[:, :9], cache)
    assert cache.length == 9
    moved = KVCache(model, batch=2)
    moved.keys, moved.values = cache.keys.clone(), cache.values.clone()
    moved.keys[:, :, :, 1:10], moved.values[:, :, :, 1:10] = cache.keys[:, :, :, :9], cache.values[:, :, :, :9]
    moved.length = 10  # the same keys, but the next token believes that it stands one place further on
    at_nine, at_ten, uncached = model(ids[:, 9:10], cache), model(ids[:, 9:10], moved), model(ids[:, :10])[:, 9:]
    torch.testing.assert_close(at_nine, uncached, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(at_ten, uncached, atol=1e-3)


@torch.no_grad()
def test_reading_on_leaves_the_earlier_keys_alone(tiny_model, ids):
    cache = KVCache(tiny_model, batch=2)
    tiny_model(ids[:, :9], cache)
    before = cache.keys[:, :, :, :9].clone()
    tiny_model(ids[:, 9:12], cache)
    assert torch.equal(cache.keys[:, :, :, :9], before)
    assert cache.length == 12


@torch.no_grad()
@pytest.mark.parametrize("more", [1, 2])
def test_a_full_cache_refuses_and_drops_nothing_silently(tiny_model, ids, more):
    cache = KVCache(tiny_model, batch=2, capacity=5)
    tiny_model(ids[:, :5], cache)
    with pytest.raises(UserError, match="do not fit into a cache of 5"):
        tiny_model(ids[:, 5 : 5 + more], cache)


@torch.no_grad()
def test_the_context_is_the_limit_over_all_pieces(tiny_model):
    cache = KVCache(tiny_model)
    tiny_model(torch.zeros(1, 32, dtype=torch.long), cache)
    with pytest.raises(UserError, match="33 tokens do not fit into the context of 32"):
        tiny_model(torch.zeros(1, 1, dtype=torch.long), cache)


def test_its_bytes_are_two_numbers_per_layer_head_token_and_channel(tiny_model):
    assert KVCache(tiny_model, batch=5, capacity=7).nbytes() == 2 * 3 * 5 * 1 * 7 * 12 * 4
    assert KVCache(tiny_model.to(torch.bfloat16), batch=5, capacity=7).nbytes() == 2 * 3 * 5 * 1 * 7 * 12 * 2
