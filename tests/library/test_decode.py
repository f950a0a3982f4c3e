"""decode.py writes the forward pass once more, for a single token: it must be the model's own, whatever its shape."""

import pytest
import torch

from minilm.cache import KVCache
from minilm.decode import Decoder, one_thread, plain
from minilm.generate import stream
from minilm.lora import adapters, add_lora
from minilm.merge import fold


def both_ways(model, ids, prompt=5):
    """Logits (T - prompt, V) of the last ids, one by one: from a Decoder, and from the model."""
    caches = KVCache(model), KVCache(model)
    for cache in caches:
        model(ids[None, :prompt], cache)
    decoder, rest = Decoder(model), ids[prompt:].tolist()
    ours = torch.stack([decoder(index, caches[0]) for index in rest])
    theirs = torch.stack([model(torch.tensor([[index]]), caches[1])[0, -1] for index in rest])
    return ours, theirs


@pytest.mark.parametrize("shape", [{}, {"num_key_value_heads": 2}, {"tie_word_embeddings": False, "hidden_size": 32}])
@torch.no_grad()
def test_a_token_gets_the_logits_that_the_model_gives_it(make_model, ids, shape):
    ours, theirs = both_ways(make_model(**shape), ids[0])
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-5)
    assert (ours[1:] - theirs[:-1]).abs().max() > 0.1  # and not those of its neighbour


@torch.no_grad()
def test_in_sixteen_bits_it_is_as_near_as_rounding_allows(make_model, ids):
    ours, theirs = both_ways(make_model().to(torch.bfloat16), ids[0])
    assert (ours - theirs).abs().max() < 0.05 * theirs.abs().max()


@torch.no_grad()
def test_the_cache_holds_the_same_keys_and_values_afterwards(tiny_model, ids):
    caches = KVCache(tiny_model), KVCache(tiny_model)
    tiny_model(ids[:1, :7], caches[0])
    tiny_model(ids[:1, :6], caches[1])
    Decoder(tiny_model)(ids[0, 6].item(), caches[1])
    assert caches[0].length == caches[1].length == 7
    for one, other in zip(*((cache.keys[..., :7, :], cache.values[..., :7, :]) for cache in caches), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert not torch.equal(caches[0].keys[..., 6, :], caches[0].keys[..., 5, :])


def test_writing_past_the_end_of_the_context_goes_on_as_without_a_cache(tiny_model, ids):
    start = ids[0].tolist()
    tokens = 3 * tiny_model.config.max_position_embeddings
    cached = list(stream(tiny_model, start, tokens, temperature=0))
    assert cached == list(stream(tiny_model, start, tokens, temperature=0, use_cache=False))
    assert len(set(cached)) > 3


def test_a_model_with_an_adapter_is_left_to_the_model_itself_until_the_adapter_is_folded_in(make_model, ids):
    model = add_lora(make_model(), rank=2, alpha=8.0)
    for layer in adapters(model).values():
        torch.nn.init.normal_(layer.lora_B)
    assert not plain(model)
    adapted = list(stream(model, ids[0].tolist(), 12, temperature=0))
    assert adapted != list(stream(make_model(), ids[0].tolist(), 12, temperature=0))
    fold(model)
    assert plain(model)
    assert adapted == list(stream(model, ids[0].tolist(), 12, temperature=0))


def test_the_threads_are_as_they_were_after_one_thread_also_when_something_fails():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError), one_thread():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
