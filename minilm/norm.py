"""RMSNorm, with its gradient by hand.

    y = w * u,    u = x / rms(x),    rms(x) = sqrt(mean(x^2) + eps)

Autograd would differentiate square, mean, root and two products one after the other: a dozen trips through memory for a
layer that hardly computes. Done on paper, what remains is short. With g = dy * w:

    dw = sum over tokens of dy * u
    dx = (g - u * mean(g * u)) / rms(x)

The bracket takes out of g its part along u: making x longer changes nothing about y, so no gradient may point there.

Source: Zhang & Sennrich 2019. Tests hold this equal to autograd's own gradient of `rms_norm`.
"""

import torch
from torch import nn
from torch.autograd.function import once_differentiable


def rms_norm(x, weight, eps):
    """The definition. Arguments: x: (..., D). weight: (D,). Returns: (..., D) in the dtype of `weight`.

    >>> rms_norm(torch.tensor([3.0, 4.0]), torch.ones(2), eps=0.0)
    tensor([0.8485, 1.1314])
    """
    unit, _ = scale_to_unit(x, weight.dtype, eps)
    return unit * weight


def scale_to_unit(x, dtype, eps):
    """u (..., D) in `dtype` and 1 / rms (..., 1) in float32: squares of bfloat16 numbers would lose most digits."""
    x = x.float()
    inverse_rms = torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)  # (..., 1)
    return (x * inverse_rms).to(dtype), inverse_rms


class RMSNorm(nn.Module):
    """Scale each vector to root-mean-square 1, then by a learned weight per channel."""

    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        if torch.is_grad_enabled():
            return ByHand.apply(x, self.weight, self.eps)  # the same, with its gradient as above
        return rms_norm(x, self.weight, self.eps)


class ByHand(torch.autograd.Function):
    """rms_norm and its gradient; kept for backward are u, 1 / rms and w."""

    @staticmethod
    def forward(ctx, x, weight, eps):
        unit, inverse_rms = scale_to_unit(x, weight.dtype, eps)
        ctx.save_for_backward(unit, inverse_rms, weight)
        ctx.dtype = x.dtype
        return unit * weight

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        unit, inverse_rms, weight = ctx.saved_tensors
        product = dy * unit  # (..., D)
        dw = product.flatten(0, -2).sum(0) if ctx.needs_input_grad[1] else None
        along = (product @ weight)[..., None]  # (..., 1): sum of g * u
        dx = torch.addcmul(dy * weight, unit, along, value=-1 / len(weight)) * inverse_rms
        return dx.to(ctx.dtype), dw, None
