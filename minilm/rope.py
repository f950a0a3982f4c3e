"""Rotary positions: queries and keys are turned by an angle that grows with their place in the text.

The product of a query at place m and a key at place n then depends on m - n alone: on how far, not on where.

Turning is linear, and the gradient of a turn is the turn back. So its gradient needs neither x nor the result.

Source: RoPE (Su et al. 2021), in the "half-split" form of Hugging Face's Llama.
"""

import torch
from torch.autograd.function import once_differentiable


def rope_tables(positions, head_dim, theta, dtype):
    """Cosines and sines of the rotary angles.

    Arguments: positions: (T,) whole numbers. head_dim: K, even.
    Returns: two (T, K/2) tensors. Pair i of a head turns by position * theta^(-2i/K) radians.
    """
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions.float()[:, None] * theta**-exponents  # (T, K/2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def apply_rope(x, cos, sin):
    """Rotate the pairs (x[i], x[i + K/2]) of every head.

    Arguments: x: (B, H, T, K). cos, sin: (T, K/2). Returns: (B, H, T, K), contiguous.
    """
    return Turn.apply(x, cos, sin) if x.requires_grad else turn(x, cos, sin)


def turn(x, cos, sin):
    first, second = x.chunk(2, dim=-1)  # (B, H, T, K/2) each
    turned = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    left, right = turned.chunk(2, dim=-1)
    torch.mul(first, cos, out=left).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=right).addcmul_(first, sin)
    return turned


class Turn(torch.autograd.Function):
    """turn, and for the gradient the turn by the opposite angle."""

    @staticmethod
    def forward(ctx, x, cos, sin):
        ctx.save_for_backward(cos, sin)
        return turn(x, cos, sin)

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        cos, sin = ctx.saved_tensors
        return turn(dy, cos, -sin), None, None
