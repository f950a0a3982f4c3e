"""How much arithmetic a token costs: forward and backward, full fine-tuning against LoRA, rules of thumb against exact.

A product of matrices does one multiplication and one addition per weight and token: 2 FLOPs. Its backward pass is
made of products of the same size, one for each factor that needs a gradient. Hence 6 N for training and 2 N for
inference, and hence what LoRA can save: of forward, dx and dW, a third of the work each, it leaves out dW.

    full fine-tuning of an N x N layer    3 N^2                (in multiply-adds per token)
    LoRA of rank R on it                  2 N^2 + 6 N R        ratio 2/3 + 2 R / N: break-even at R = N / 6

    >>> layer_ratio(4096, 4096, rank=256)        # far from the 100 times less that one sometimes reads
    0.7916666666666666
    >>> break_even_rank(192, 192)
    32.0

Counted are matrix products, as everywhere in the literature; norms, rotations, softmax and the optimizer come on
top. FLOPs are not seconds: thin products are limited by memory, so LoRA saves less time than arithmetic (lora_fast.py).

Sources: 6 N (Kaplan et al. 2020), the LoRA ratio (Schulman et al. 2025, "LoRA Without Regret").
"""

import math
from dataclasses import dataclass

from .errors import UserError
from .lora import ALL_SEVEN
from .memory import adapter_ranks, linear_shapes


def layer_ratio(inputs, outputs, rank):
    """FLOPs of a LoRA layer over those of full fine-tuning, forward and backward: 2/3 + r (in + out) / (in out)."""
    return 2 / 3 + rank * (inputs + outputs) / (inputs * outputs)


def break_even_rank(inputs, outputs):
    """The rank at which LoRA does as much arithmetic as full fine-tuning: in out / (3 (in + out)); N / 6 if square."""
    return inputs * outputs / (3 * (inputs + outputs))


def applied_parameters(config):
    """The N of the rules 2 N and 6 N: weights that multiply every token. Looking up an embedding multiplies nothing,
    so an embedding counts only where it is the head as well."""
    return sum(math.prod(shape) for shape in linear_shapes(config).values())


def inference_flops(config, past=0):
    """FLOPs to process one token after `past` others that are in the cache: 2 N, and attention over past + 1 tokens."""
    attention = 2 * (past + 1) * config.hidden_size * config.num_hidden_layers  # multiply-adds of q k^T and of the mix
    return 2 * (applied_parameters(config) + attention)


@dataclass
class Flops:
    """FLOPs per token, as they are added up."""

    forward: int = 0
    backward: int = 0

    @property
    def total(self):
        return self.forward + self.backward

    def product(self, count, *live):
        """`count` multiply-adds per token, and as many in backward for each factor that needs a gradient."""
        self.forward += 2 * count
        self.backward += 2 * count * sum(live)


def training_flops(config, context, method="full", rank=8, targets=ALL_SEVEN, ranks=None):
    """FLOPs per token of one training step of this library, counted product by product.

    Arguments: context: T, tokens per sequence; attention is computed for all T x T pairs and then masked.
    method: "full" or "lora"; rank, targets, ranks as in add_lora. Returns: Flops.
    """
    if method not in ("full", "lora"):
        raise UserError(f"no FLOPs for method {method!r}; choose full or lora")
    adapted = adapter_ranks(config, rank, targets, ranks) if method == "lora" else None
    flops, linears = Flops(), linear_shapes(config)
    full = adapted is None

    def linear(name, live):
        """Whether the output of this layer needs a gradient, given whether its input does; counts what that costs."""
        outputs, inputs = linears[name]
        flops.product(outputs * inputs, live, full)
        if full or name not in adapted:
            return live or full
        flops.product(adapted[name] * inputs, live, True)  # x A^T
        flops.product(adapted[name] * outputs, True, True)  # (x A^T) B^T
        return True

    live = full  # with the embedding frozen, nothing below the first adapter needs a gradient
    for layer in range(config.num_hidden_layers):
        name = f"model.layers.{layer}."
        q, k, v = (linear(f"{name}self_attn.{part}_proj", live) for part in "qkv")
        flops.product(context * config.hidden_size, q, k)  # scores
        flops.product(context * config.hidden_size, q or k, v)  # mix
        live = linear(f"{name}self_attn.o_proj", q or k or v) or live
        inner = [linear(f"{name}mlp.{part}_proj", live) for part in ("gate", "up")]
        live = linear(f"{name}mlp.down_proj", any(inner)) or live
    linear("lm_head", live)
    return flops
