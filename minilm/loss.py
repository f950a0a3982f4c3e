"""Cross-entropy: how surprised the model is, in nats per token, and a fast form that trains the head with it.

`token_losses` is the definition. `lm_loss` is what training uses: it walks over the tokens in slices, so that the
(B*T, V) logits, the largest tensor of a small model, never exist all at once; and since the gradient of the
loss with respect to the logits is known in closed form (softmax minus one-hot), it is computed in the same pass.
Tests hold the two equal.

What this file does not do: bits per byte (evaluate.py).
"""

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

IGNORE = -100  # a target that counts for nothing: padding, or a prompt that is given and not learned
SLICE = 512  # tokens per slice: 512 x 2,048 logits in float32 are 4 MB, which stays in the processor's cache


def token_losses(logits, targets):
    """-log p(target) for every token, in nats; 0 where the target is IGNORE.

    Arguments: logits: (..., V). targets: (...) whole numbers. Returns: (...) float32.
    """
    flat = F.cross_entropy(logits.float().flatten(0, -2), targets.flatten(), ignore_index=IGNORE, reduction="none")
    return flat.view(targets.shape)


def lm_loss(model, ids, targets, denominator=None):
    """Sum of the token losses / denominator, ready for `.backward()`.

    Arguments: model: an LM. ids, targets: (B, T). denominator: what to divide by; default the number of targets that
    count. With gradient accumulation pass the total over all micro-batches: the mean of means is wrong when lengths
    differ.
    """
    if denominator is None:
        denominator = (targets != IGNORE).sum()
    hidden = model.model(ids).flatten(0, 1)  # (B*T, D)
    targets = targets.flatten()  # (B*T,)
    if isinstance(model.lm_head, torch.nn.Linear):
        total = LinearCrossEntropy.apply(hidden, model.lm_head.weight, targets)
    else:  # an adapted head is more than one matrix
        total = token_losses(model.lm_head(hidden), targets).sum()
    return total / denominator


class LinearCrossEntropy(torch.autograd.Function):
    """sum over tokens of cross_entropy(hidden @ weight.T, target), and both gradients, slice by slice."""

    @staticmethod
    def forward(ctx, hidden, weight, targets):
        total = torch.zeros((), device=hidden.device)
        need_hidden, need_weight = ctx.needs_input_grad[:2]
        d_hidden = torch.empty_like(hidden) if need_hidden else None
        d_weight = torch.zeros_like(weight, dtype=torch.float32) if need_weight else None
        all_count = bool((targets != IGNORE).all())
        for start in range(0, len(hidden), SLICE):
            part, goal = hidden[start : start + SLICE], targets[start : start + SLICE]
            p = torch.softmax(part @ weight.T, dim=-1)  # (S, V)
            counts = goal != IGNORE  # (S,)
            rows, goal = torch.arange(len(goal), device=goal.device), goal.clamp(min=0)  # 0 stands in for IGNORE
            hit = p[rows, goal]  # (S,) probability of each right token
            total -= (hit.float().clamp(min=1e-38).log() * counts).sum()
            if not (need_hidden or need_weight):
                continue
            p[rows, goal] = hit - 1  # softmax minus one-hot: the gradient of the logits
            d_logits = p if all_count else p.mul_(counts[:, None])
            if need_hidden:
                torch.mm(d_logits, weight, out=d_hidden[start : start + SLICE])  # (S, D)
            if need_weight:
                d_weight += d_logits.T @ part  # (V, D)
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, scale):
        d_hidden, d_weight = ctx.saved_tensors
        if d_hidden is not None:
            d_hidden = d_hidden * scale.to(d_hidden.dtype)
        if d_weight is not None:
            d_weight = (d_weight * scale).to(ctx.weight_dtype)
        return d_hidden, d_weight, None
