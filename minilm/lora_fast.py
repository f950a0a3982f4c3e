"""The LoRA layer's forward and backward pass with fewer trips through memory; same mathematics as lora.py's one line.

Written plainly, y = x W^T + gamma (x A^T) B^T makes extra tensors as large as y (the low-rank part and the sum), and
the backward pass as many again. On a CPU those trips, not the multiplications, are what LoRA costs. Here the low-rank
part is added into the result of the large product by `addmm_`, and gamma is multiplied into the small matrices. What is
saved by never computing the gradient of W then shows in the time.

Tests hold this equal to the plain form, values and gradients.
"""

import torch
from torch.autograd.function import once_differentiable


def low_rank_linear(x, weight, a, b, gamma):
    """x W^T + gamma (x A^T) B^T. Shapes: x (..., in), weight (out, in), a (r, in), b (out, r) -> (..., out)."""
    return LowRankLinear.apply(x, weight, a, b, gamma)


class LowRankLinear(torch.autograd.Function):
    """Gradients, with t = x A^T and u = gamma dy B:  dB = gamma dy^T t,  dA = u^T x,  dx = dy W + u A.

    dx passes through the frozen W: only the product for dW, a third of a linear layer's work, is skipped.
    """

    @staticmethod
    def forward(ctx, x, weight, a, b, gamma):
        flat = x.reshape(-1, x.shape[-1])  # (N, in)
        ctx.dtypes = a.dtype, b.dtype
        a, scaled_b = a.to(x.dtype), (gamma * b).to(x.dtype)
        low = flat @ a.T  # (N, r)
        y = (flat @ weight.T).addmm_(low, scaled_b.T)  # (N, out)
        ctx.save_for_backward(x, weight, a, scaled_b, low)
        ctx.gamma = gamma
        return y.view(*x.shape[:-1], len(weight))

    @staticmethod
    @once_differentiable  # a second derivative would be wrong without a word, so it is refused
    def backward(ctx, dy):
        x, weight, a, scaled_b, low = ctx.saved_tensors
        dy, flat = dy.reshape(-1, dy.shape[-1]), x.reshape(-1, x.shape[-1])  # (N, out), (N, in)
        u = dy @ scaled_b  # (N, r)
        da = (u.T @ flat).to(ctx.dtypes[0])  # (r, in)
        db = (low.T @ dy).T.to(ctx.dtypes[1]) * ctx.gamma  # (out, r); a wide product is faster than a tall one
        dx = (dy @ weight).addmm_(u, a).view(x.shape) if ctx.needs_input_grad[0] else None
        return dx, None, da, db, None
