"""softmax(q k^T / sqrt(K)) v: the definition, and a form for training that skips what the causal mask would hide.

A query sees only what came before it, so half of the (T, T) weights are zero. `causal_attention` takes the queries in
blocks of 64: the first block looks at 64 keys, the second at 128, and so on; for long texts that halves the work and
the memory. Its gradient is written out by hand, with P the weights and dO the gradient of the result:

    dV = P^T dO,    dP = dO V^T,    dS = P * (dP - rowsum(dP * P)),    dQ = dS K,    dK = dS^T Q

Tests hold the two equal, values and gradients. What this file does not do: save the memory of P by computing it a
second time in the backward pass (Dao et al. 2022); a small model has the memory and not the time.
"""

import torch
from torch.autograd.function import once_differentiable

BLOCK = 64  # queries per block; smaller ones skip more and cost more calls


def attend(q, k, v, scale, mask=None):
    """The definition. Arguments: q: (B, H, T, K). k, v: (B, H, S, K). mask: (T, S), 0 or -inf, or None.

    Returns: (B, H, T, K).
    """
    scores = (q * scale) @ k.transpose(-2, -1)  # (B, H, T, S)
    if mask is not None:
        scores = scores + mask
    return torch.softmax(scores, dim=-1) @ v


def causal_mask(past, time, dtype, device=None):
    """(T, past + T): 0 where a query may look, -inf above the diagonal. None when a single query may see all."""
    if time == 1:
        return None
    blocked = torch.full((time, past + time), -torch.inf, dtype=dtype, device=device)
    return blocked.triu(past + 1)


def causal_attention(q, k, v, scale):
    """attend with the causal mask, for a whole text at once: q, k, v (B, H, T, K) -> (B, H, T, K)."""
    return InBlocks.apply(q, k, v, scale)


class InBlocks(torch.autograd.Function):
    """Block after block of queries, each with the keys up to its own end. Kept for backward: q, k, v and P."""

    @staticmethod
    def forward(ctx, q, k, v, scale):
        ctx.scale, shape = scale, q.shape
        q, k, v = (x.flatten(0, 1) for x in (q * scale, k, v))  # (B H, T, K); bmm is quicker than matmul in four axes
        time = q.shape[1]
        outputs, weights = [], []
        for start in range(0, time, BLOCK):
            end = min(start + BLOCK, time)
            scores = torch.bmm(q[:, start:end], k[:, :end].mT)  # (B H, block, end)
            if end - start > 1:  # earlier keys are seen by the whole block: the mask concerns the last square only
                scores[:, :, start:] += causal_mask(0, end - start, q.dtype, q.device)
            weights.append(torch.softmax(scores, dim=-1))
            outputs.append(torch.bmm(weights[-1], v[:, :end]))  # (B H, block, K)
        ctx.save_for_backward(q, k, v, *weights)
        return torch.cat(outputs, dim=1).view(shape)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out):
        q, k, v, *weights = ctx.saved_tensors
        need_q, need_k, need_v, _ = ctx.needs_input_grad  # with few adapters not all three
        shape, d_out = d_out.shape, d_out.flatten(0, 1)  # (B H, T, K)
        d_q, d_k, d_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for start, p in zip(range(0, q.shape[1], BLOCK), weights, strict=True):
            end = start + p.shape[1]
            d_block = d_out[:, start:end]  # (B H, block, K)
            if need_v:
                d_v[:, :end] += torch.bmm(p.mT, d_block)
            if not (need_q or need_k):
                continue
            d_p = torch.bmm(d_block, v[:, :end].mT)  # (B H, block, end)
            d_scores = torch._softmax_backward_data(d_p, p, -1, p.dtype)
            if need_q:
                d_q[:, start:end] = torch.bmm(d_scores, k[:, :end]) * ctx.scale
            if need_k:
                d_k[:, :end] += torch.bmm(d_scores.mT, q[:, start:end])
        found = (d_q, need_q), (d_k, need_k), (d_v, need_v)
        return *(grad.view(shape) if needed else None for grad, needed in found), None
