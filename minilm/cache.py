"""The key/value cache: what attention may keep between two tokens of the same text.

A key or value never changes once its token is written (no later token can alter an earlier one), so generation computes
each only once. Memory: 2 (key and value) x L x H_kv x T x K numbers per sequence.

    >>> cache = KVCache(model, batch=1)
    >>> logits = model(prompt_ids, cache)      # (1, T, V): fills T slots
    >>> logits = model(next_id, cache)         # (1, 1, V): one more, at the cost of one token

What this file does not do: choose the next token (generate.py).
"""

import torch

from .errors import UserError
from .rope import rope_tables


class KVCache:
    """Room for `capacity` tokens of keys and values in every layer.

    Arguments: model: an LM. batch: sequences side by side. capacity: tokens; default the model's context.
    """

    def __init__(self, model, batch=1, capacity=None):
        config = model.config
        capacity = capacity or config.max_position_embeddings
        like = model.model.embed_tokens.weight
        shape = (config.num_hidden_layers, 2, batch, config.num_key_value_heads, capacity, config.head_dim)
        self.both = torch.empty(shape, dtype=like.dtype, device=like.device)
        self.keys, self.values = self.both.unbind(1)  # (L, B, H_kv, T, K) each
        # Angles do not depend on the text: all of them once, rather than one row per token.
        positions = torch.arange(capacity, device=like.device)
        cos, sin = rope_tables(positions, config.head_dim, config.rope_theta, like.dtype)  # (capacity, K/2) each
        self.rope = cos, sin
        self.turns = torch.cat([cos, cos], dim=1), torch.cat([-sin, sin], dim=1)  # (capacity, K) each, for decode.py
        self.length = 0  # tokens already written in every layer; the model advances it after the last layer

    def angles(self, time):
        """The rotary tables of the next `time` tokens: cos and sin, (T, K/2) each."""
        end = self.end_of(time)
        return tuple(table[self.length : end] for table in self.rope)

    def extend(self, layer, k, v):
        """Write k, v (B, H_kv, T, K) behind what is there; return all of it, (B, H_kv, length + T, K)."""
        end = self.end_of(k.shape[2])
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def end_of(self, time):
        """Where `time` more tokens would end; UserError when there is no room for them."""
        end, capacity = self.length + time, self.keys.shape[3]
        if end > capacity:  # else a slice of length 0 would silently take a single token
            raise UserError(f"{end} tokens do not fit into a cache of {capacity}; make it larger with capacity=")
        return end

    def nbytes(self):
        """Bytes held, used or not."""
        return self.both.nbytes
