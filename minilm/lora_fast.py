"""LoRA layers' forward and backward pass with fewer trips through memory; same mathematics as lora.py's one line.

Written plainly, y = x W^T + gamma (x A^T) B^T makes extra tensors as large as y (the low-rank part and the sum), and
the backward pass as many again. On a CPU those trips and the many thin products are what LoRA costs, not its
multiplications. Here the low-rank part is added into the result of the large product by `addmm_`, gamma is multiplied
into the small matrices, and layers that read the same x (q, k and v; gate and up) share one thin product with all their
A on top of each other. What is saved by never computing the gradient of W then shows in the time.

In float32 there is a shorter way still: W + gamma B A is made first (little work: r products per number of W, where
the tokens are thousands), serves all tokens in one product, and is made again for the backward pass. In 16 bits the
sum would round small corrections away (chapter 7), so there the two parts stay apart.

Tests hold this equal to the plain form, values and gradients.
"""

import torch
from torch.autograd.function import once_differentiable


def low_rank_linears(x, layers):
    """[x W^T + gamma (x A^T) B^T for each layer], in one pass.

    Arguments: x: (..., in). layers: (W, A, B, gamma) each, with W (out, in), A (r, in), B (out, r); sizes other than
    `in` may differ from layer to layer. Returns: as many tensors (..., out).
    """
    weights, downs, ups, gammas = zip(*layers, strict=True)
    return LowRankLinears.apply(x, gammas, *weights, *downs, *ups)


class LowRankLinears(torch.autograd.Function):
    """Gradients, with t = gamma x A^T and u = gamma dy B:  dB = dy^T t,  dA = u^T x,  dx = dy W + u A.

    dx passes through the frozen W: only the product for dW, a third of a linear layer's work, is skipped. The t, u and
    A of all layers stand side by side in one tensor; `ranks` says where one ends.
    """

    @staticmethod
    def forward(ctx, x, gammas, *tensors):
        count = len(gammas)
        weights, downs, ups = tensors[:count], tensors[count : 2 * count], tensors[2 * count :]
        ctx.gammas, ctx.ranks = gammas, [len(a) for a in downs]
        ctx.dtypes = [t.dtype for t in tensors[count:]]
        flat = x.reshape(-1, x.shape[-1])  # (N, in)
        a = together([down.to(x.dtype) for down in downs])  # (R, in), R the sum of all ranks
        ups = [up.to(x.dtype) for up in ups]  # (out, r) each
        low = times(flat @ a.T, gammas, ctx.ranks)  # (N, R)
        outputs = []
        for weight, b, t in zip(sums(weights, a, ups, ctx), ups, low.split(ctx.ranks, dim=1), strict=True):
            y = flat @ weight.T  # (N, out)
            outputs.append((y if summed(x) else y.addmm_(t, b.T)).view(*x.shape[:-1], len(weight)))
        ctx.save_for_backward(x, a, low, *weights, *ups)
        return tuple(outputs)

    @staticmethod
    @once_differentiable  # a second derivative would be wrong without a word, so it is refused
    def backward(ctx, *dys):
        x, a, low, *rest = ctx.saved_tensors
        count = len(dys)
        weights, ups = rest[:count], rest[count:]
        flat = x.reshape(-1, x.shape[-1])  # (N, in)
        dys = [dy.reshape(-1, dy.shape[-1]) for dy in dys]  # (N, out) each
        u = together([dy @ b for dy, b in zip(dys, ups, strict=True)], dim=1)  # (N, R)
        u = times(u, ctx.gammas, ctx.ranks)
        das = (u.T @ flat).split(ctx.ranks)  # (r, in) each
        # A wide product is faster than a tall one, hence (t^T dy)^T: (out, r) each
        dbs = [(t.T @ dy).T for t, dy in zip(low.split(ctx.ranks, dim=1), dys, strict=True)]
        small = [d.to(dtype) for d, dtype in zip([*das, *dbs], ctx.dtypes, strict=True)]
        dx = None
        if ctx.needs_input_grad[0]:
            first, *others = sums(weights, a, ups, ctx)
            dx = dys[0] @ first  # (N, in)
            for dy, weight in zip(dys[1:], others, strict=True):
                dx.addmm_(dy, weight)
            dx = (dx if summed(x) else dx.addmm_(u, a)).view(x.shape)
        return dx, None, *[None] * count, *small


def summed(x):
    """Whether W + gamma B A may stand in for its two parts: a sum in 16 bits would lose the small one."""
    return x.dtype == torch.float32


def sums(weights, a, ups, ctx):
    """W + gamma B A of each layer where that loses nothing, else W. a: (R, in), the A of all layers."""
    if not summed(a):
        return weights
    parts = zip(weights, ups, a.split(ctx.ranks), ctx.gammas, strict=True)
    return [torch.addmm(weight, up, down, alpha=gamma) for weight, up, down, gamma in parts]


def together(tensors, dim=0):
    """One tensor of several, without a copy when there is only one."""
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def times(low, gammas, ranks):
    """Multiply each layer's columns of `low` (N, R) by that layer's gamma, in place."""
    if len(set(gammas)) == 1:
        return low.mul_(gammas[0])
    for part, gamma in zip(low.split(ranks, dim=1), gammas, strict=True):
        part.mul_(gamma)
    return low
