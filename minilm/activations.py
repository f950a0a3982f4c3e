"""What the forward pass keeps for the backward pass: the activations, counted by formula before any model exists.

One rule decides everything. For y = a * b, the gradient of a needs b, and the gradient of b needs a. So b is
kept exactly when a needs a gradient, and a exactly when b does. Follow it through one projection y = x W^T:

    full fine-tuning    W learns, so x is kept (to compute dW)
    LoRA                W is frozen, but A learns and A multiplies the same x: x is kept all the same
    frozen, no adapter  x is not kept; W is needed for dx, but W is there anyway

That is why LoRA hardly shrinks the activations: it saves gradients and optimizer state, which belong to parameters,
while the attention weights, the gates of the MLP and the inputs of the adapted projections are needed as before.
What it does save is small: the gradient of the head, and the first norm (below the first adapter nothing needs a
gradient at all).

N = B x T tokens. Sizes: the residual stream and 1/rms are float32; everything else has the model's dtype.

What this file does not do: count weights, gradients and optimizer state, or measure (memory.py).
"""

from collections import Counter

from .attend import BLOCK


def activation_parts(config, batch, context, size, ranks=None, dropout=0.0, plain=False):
    """Part -> bytes kept for backward by one training step's forward pass and loss (all blocks together).

    Arguments: size: bytes of one number in the model's dtype, 4 or 2. ranks: None in full fine-tuning, else the
    adapted layers, name -> rank. dropout: of the adapters. plain: the adapters run lora.py's formula as it is written,
    as they do with dropout and over a base in 8 bits.
    """
    walk = Walk(config, batch, context, size, ranks, dropout, plain)
    live = walk.full  # does the residual stream need a gradient yet? Not before the first layer that learns
    if walk.full:
        walk.keep("token ids", walk.tokens, 8)  # they say which rows of the embedding the gradient belongs to
    for layer in range(config.num_hidden_layers):
        live = walk.attention(f"model.layers.{layer}.self_attn.", live)
        live = walk.mlp(f"model.layers.{layer}.mlp.", live)
    walk.head(walk.norm(live))
    return dict(walk.parts)


class Walk:
    """A walk through the model in the order of its forward pass. Each method takes and returns `live`: whether the
    tensor that goes in, or comes out, needs a gradient. `parts` collects name -> bytes."""

    def __init__(self, config, batch, context, size, ranks, dropout, plain):
        self.config, self.batch, self.context, self.size = config, batch, context, size
        self.tokens = batch * context  # N
        self.full, self.ranks, self.dropout = ranks is None, ranks or {}, dropout
        self.plain = plain or bool(dropout)
        self.parts = Counter()

    def keep(self, part, numbers, size=None):
        self.parts[part] += numbers * (size or self.size)

    def norm(self, live):
        """Kept are the scaled stream, for the sake of both gradients, and 1 / rms (norm.py)."""
        if live or self.full:
            self.keep("norms: scaled stream", self.tokens * self.config.hidden_size)
            self.keep("norms: 1/rms", self.tokens, 4)
        return live or self.full

    def project(self, names, outs, width, live):
        """Projections that share one input of `width`; returns one `live` per projection.

        Whoever learns keeps the input, once for all of them (dropout makes an input of its own for each).
        """
        adapted = [name for name in names if name in self.ranks]
        if self.full or (adapted and not self.dropout):
            self.keep("projections: input", self.tokens * width)
        stacked = len(adapted) == len(names) > 1  # then all their A are put on top of each other (lora_fast.py)
        for name, out in zip(names, outs, strict=True):
            if name in adapted:
                self.adapter(self.ranks[name], out, width, live, stacked)
        return [live or self.full or name in adapted for name in names]

    def adapter(self, rank, out, width, live, stacked):
        """x A^T is kept for the gradient of B; so are copies of A and B, unless the parameter itself can serve."""
        self.keep("adapters: x A^T", self.tokens * rank)
        copies_b = self.size != 4  # converted to 16 bits
        copies_a = copies_b or stacked
        if self.plain:  # the plain form needs A only for the gradient of its input
            copies_a = copies_b and live
        if self.dropout:
            self.keep("adapters: dropped input", self.tokens * width)
            if live:
                self.keep("adapters: dropout mask", self.tokens * width)
        self.keep("adapters: copies of A and B", copies_a * rank * width + copies_b * rank * out)

    def attention(self, name, stream):
        """softmax(q k^T) v, between a norm and the output projection; returns whether the stream is live after it."""
        config = self.config
        width, heads = config.hidden_size, config.num_attention_heads
        kv_width = config.num_key_value_heads * config.head_dim
        names = [name + part for part in ("q_proj", "k_proj", "v_proj")]
        q, k, v = self.project(names, [width, kv_width, kv_width], width, self.norm(stream))
        each = self.tokens * width  # shared key/value heads are repeated to full width before the products
        if q or k:
            self.parts["attention: cos, sin"] = self.context * config.head_dim * self.size  # one pair for all blocks
        if q or k or v:  # attend.py keeps all it read
            self.keep("attention: q, k, v", 3 * each)
            self.keep(
                "attention: weights", self.batch * heads * seen(self.context)
            )  # the only part that grows with T^2
        (out,) = self.project([name + "o_proj"], [width], width, q or k or v)
        return stream or out

    def mlp(self, name, stream):
        """down(silu(gate x) * (up x)); returns whether the stream is live after it."""
        width, inner = self.config.hidden_size, self.config.intermediate_size
        gate, up = self.project([name + "gate_proj", name + "up_proj"], [inner] * 2, width, self.norm(stream))
        # silu keeps its input, and the product keeps silu(gate) for `up` and `up` for silu(gate).
        self.keep("mlp: gate, silu(gate), up", self.tokens * inner * (gate + up + gate))
        (out,) = self.project([name + "down_proj"], [width], inner, gate or up)
        return stream or out

    def head(self, live):
        """The loss computes the head's gradients in its forward pass and keeps these, not the logits (loss.py)."""
        width, vocabulary = self.config.hidden_size, self.config.vocab_size
        if "lm_head" in self.ranks:  # an adapted head takes the ordinary way: all log-probabilities are kept
            self.project(["lm_head"], [vocabulary], width, live)
            self.keep("head: log-probabilities", self.tokens * vocabulary, 4)
            self.keep("head: targets", self.tokens, 8)
            self.keep("head: number of targets", 1, 4)
            return
        self.keep("head: gradient of its input", self.tokens * width)
        if self.full:
            self.keep("head: gradient of its weight", vocabulary * width, 4)


def seen(context):
    """How many weights one head keeps for T tokens: each block of queries looks at the keys up to its own end.

    >>> seen(256), 256 * 256
    (49152, 65536)
    """
    return sum(
        (min(start + BLOCK, context) - start) * min(start + BLOCK, context) for start in range(0, context, BLOCK)
    )
