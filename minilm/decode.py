"""Writing one token in as few calls as possible.

A small model's single token is little arithmetic: what takes the time is the number of calls into torch. So here the
forward pass of model.py is written once more, for one text and one token, where a batch has no axis and no mask is
needed: q, k, v come from one product, gate and up from another, q and k are turned together, and what is the same for
every token (joined weights, angles) is made once.

    >>> cache = KVCache(model)                                         # doctest: +SKIP
    >>> logits = model(prompt_ids, cache)[0, -1]                       # the prompt at once      # doctest: +SKIP
    >>> logits = Decoder(model)(next_id, cache)                        # (V,), then one by one   # doctest: +SKIP

Tests hold it equal to `model(ids, cache)`. What this file does not do: adapters that are not merged, several texts.
"""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn


def plain(model):
    """Whether a Decoder can stand in for `model`: ordinary linear layers, on the CPU."""
    linears = [module for name, module in model.named_modules() if name.endswith(("_proj", "lm_head"))]
    return model.device.type == "cpu" and all(type(module) is nn.Linear for module in linears)


@contextmanager
def one_thread():
    """Products as small as these are done before a second thread has woken up; on a busy machine it may be late."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Decoder:
    """The next token's logits, one id at a time. It takes copies of the weights of `model`, for which `plain` holds."""

    def __init__(self, model):
        config = model.config
        self.heads, self.kv_heads, self.width = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        self.eps, self.scale = config.rms_norm_eps, model.model.layers[0].self_attn.scale
        self.embeddings, self.norm_at_end = model.model.embed_tokens.weight, model.model.norm.weight
        self.layers = [Joined(layer) for layer in model.model.layers]
        self.head = by_columns([model.lm_head])  # (V, D)
        self.nothing = self.head.new_zeros(1, 1, 1)  # what baddbmm wants to have something to add to

    @one_thread()
    def __call__(self, index, cache):
        """The logits (V,) of what follows the token `index`; cache: a KVCache of one text, which grows by the token."""
        place, cache.length = cache.length, cache.end_of(1)
        turn = cache.turns[0][place], cache.turns[1][place]  # (K,) each
        x = self.embeddings[index].float()  # (D,): the stream
        for layer, both in zip(self.layers, cache.both[:, :, 0], strict=True):
            x = x + layer.o.mv(self.attention(self.norm(x, layer.norm_1), layer, both, place, *turn))
            gate, up = layer.gate_up.mv(self.norm(x, layer.norm_2)).chunk(2)  # (F,) each
            x = x + layer.down.mv(F.silu(gate) * up)
        return self.head.mv(self.norm(x, self.norm_at_end)).float()

    def norm(self, x, weight):
        """RMSNorm of one vector (D,): its mean square is a single number, so Python may take the root."""
        return (x * (x.dot(x).item() / len(x) + self.eps) ** -0.5).to(weight.dtype) * weight

    def attention(self, x, layer, both, place, cos, sin):
        """What the token at `place` gathers from all up to itself: (H K,). both: keys, values (2, H_kv, T, K)."""
        qkv = layer.qkv.mv(x).view(-1, self.width)  # (H + 2 H_kv, K)
        qk = qkv[: -self.kv_heads]
        others = qk.roll(self.width // 2, 1)  # of each pair that is turned, the other one
        qk.mul_(cos).addcmul_(others, sin)
        both[:, :, place] = qkv[self.heads :].view(2, self.kv_heads, self.width)
        keys, values = both[:, :, : place + 1]  # (H_kv, place + 1, K) each
        q = qkv[: self.heads].view(self.kv_heads, -1, self.width)  # (H_kv, H / H_kv, K)
        scores = torch.baddbmm(self.nothing, q, keys.mT, beta=0, alpha=self.scale)  # (H_kv, H / H_kv, place + 1)
        return torch.bmm(scores.softmax(-1), values).view(-1)


class Joined:
    """A block's weights, with those that share an input one above the other."""

    def __init__(self, block):
        attention, mlp = block.self_attn, block.mlp
        self.norm_1, self.norm_2 = block.input_layernorm.weight, block.post_attention_layernorm.weight
        self.qkv = by_columns([attention.q_proj, attention.k_proj, attention.v_proj])  # (H K + 2 H_kv K, D)
        self.gate_up = by_columns([mlp.gate_proj, mlp.up_proj])  # (2 F, D)
        self.o, self.down = by_columns([attention.o_proj]), by_columns([mlp.down_proj])


def by_columns(layers):
    """One weight (out, in) of several layers, laid out column after column: so W x runs through memory the fastest."""
    return torch.cat([layer.weight for layer in layers]).T.contiguous().T
