"""Writing text: one token after another, each drawn from what the model thinks may follow.

    >>> generate(model, tokenizer, "ROMEO:\\n", tokens=40, seed=1)      # doctest: +SKIP

Greedy takes the likeliest token (temperature 0). Otherwise the logits are divided by the temperature, cut to the top
k tokens and to the smallest set that holds a share top_p of the probability (Holtzman et al. 2020), and one is drawn
with a seeded generator of its own, so the same seed gives the same text whatever else the program draws.
"""

import codecs
import math

import torch

from .cache import KVCache
from .decode import Decoder, plain
from .errors import UserError


def generate(model, tokenizer, prompt="", tokens=100, **sampling):
    """`prompt` and what the model writes after it: a str. `sampling`: see `stream`."""
    ids = [tokenizer.eot, *tokenizer.encode(prompt)]
    ids += list(stream(model, ids, tokens, stop=tokenizer.eot, **sampling))
    return tokenizer.decode([i for i in ids if i != tokenizer.eot])


def as_text(tokenizer, ids):
    """Yield the text of `ids`, piece by piece as they come; a letter that is cut in two waits for its second half.

    Joined, the pieces are `tokenizer.decode(ids)`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for index in ids:
        yield decoder.decode(tokenizer.token_bytes(index))
    yield decoder.decode(b"", final=True)


@torch.inference_mode()
def stream(model, ids, tokens, temperature=0.8, top_k=None, top_p=None, seed=0, stop=None, use_cache=True):
    """Yield up to `tokens` new ids after `ids` (a list), one at a time; end early at the id `stop`.

    When the context is full, the newest half of it is read again and writing goes on from there.
    `use_cache=False` computes everything again for every token: the same ids, slowly.
    """
    if not ids:
        raise UserError("there is nothing to go on from; give at least one token")
    check_sampling(temperature, top_k, top_p)
    generator = torch.Generator().manual_seed(seed)
    context = model.config.max_position_embeddings
    seen, cache = list(ids)[-context:], None
    model.eval()
    decoder = Decoder(model) if plain(model) else lambda index, cache: logits_after(model, [index], cache)
    for _ in range(tokens):
        if len(seen) > context:  # no place left for the newest token
            seen, cache = seen[-context // 2 :], None
        if cache is None:
            cache = KVCache(model) if use_cache else None
            logits = logits_after(model, seen, cache)
        else:
            logits = decoder(seen[-1], cache)
        if not math.isfinite(logits.sum()):
            raise UserError("the model's output is NaN or infinite; train it again with a lower learning rate")
        chosen = pick(logits.cpu(), temperature, top_k, top_p, generator)
        if chosen == stop:
            return
        yield chosen
        seen.append(chosen)


def logits_after(model, ids, cache=None):
    """The logits (V,) of what follows `ids` (a list), behind what the cache holds."""
    return model(torch.tensor([ids], device=model.device), cache)[0, -1]


def pick(logits, temperature=0.8, top_k=None, top_p=None, generator=None):
    """One id drawn from logits (V,); the likeliest one at temperature 0."""
    if temperature < 1e-6:  # 0, or so near to it that dividing would overflow
        return int(logits.argmax())
    p = torch.softmax(keep_top(logits / temperature, top_k, top_p), dim=-1)
    return int(torch.multinomial(p, 1, generator=generator))


def keep_top(logits, top_k=None, top_p=None):
    """The logits with everything outside the top k, and outside the smallest set of probability top_p, at -inf."""
    if top_k is not None and top_k < len(logits):
        ids = logits.topk(top_k).indices  # exactly k, also where logits tie
        logits = torch.full_like(logits, -torch.inf).scatter(0, ids, logits[ids])
    if top_p is not None and top_p < 1:
        p, order = torch.softmax(logits, dim=-1).sort(descending=True, stable=True)
        outside = p.cumsum(0) - p >= top_p  # the first token is always inside
        logits = logits.index_fill(0, order[outside], -torch.inf)
    return logits


def check_sampling(temperature, top_k, top_p):
    if not temperature >= 0:  # written so that NaN is refused too
        raise UserError(f"temperature {temperature} is not 0 or more; choose 0 (greedy), or more for variety")
    if top_k is not None and top_k < 1:
        raise UserError(f"top-k {top_k} keeps no token; choose 1 or more")
    if top_p is not None and not 0 < top_p <= 1:
        raise UserError(f"top-p {top_p} is not a share; choose a number above 0 and up to 1")
