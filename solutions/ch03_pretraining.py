"""Chapter 3, pretraining: from a row of tokens to a model that knows a text by heart.

Everything here is torch. Token ids are whole numbers. B is the batch (windows), T the context (tokens per window), V
the vocabulary; a model maps ids (B, T) to logits (B, T, V), where logits[:, t] are about the token that comes after t.
"""

import math

import torch

from minilm.model import LM, Config

IGNORE = -100  # a target that counts for nothing


def last_start(n_tokens: int, context: int) -> int:
    """Exercise 3.1: the last place in a row of tokens where a window can begin.

    A window has `context` inputs, and every input needs the token right after it as its target.

    Arguments: n_tokens: N, the length of the row. context: T, less than N.
    Returns: the largest start that leaves room for all inputs and all targets. The first start is 0.

    >>> last_start(10, context=4)   # inputs from places 5 6 7 8, targets from 6 7 8 9
    5
    """
    # BEGIN SOLUTION 3.1: batches with shifted targets
    return n_tokens - context - 1
    # END SOLUTION


def make_batch(tokens: torch.Tensor, starts: torch.Tensor, context: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Exercise 3.1: cut windows out of a long row of tokens.

    Arguments: tokens: (N,) ids. starts: (B,) where each window begins, in any order, from 0 to the last start.
    context: T.
    Returns: inputs (B, T) and targets (B, T). Row i of the inputs holds the T tokens from place starts[i] on. Each
    target is the token that follows its input in `tokens`.

    >>> inputs, targets = make_batch(torch.tensor([5, 3, 8, 6, 4]), torch.tensor([1, 0]), context=3)
    >>> inputs.tolist(), targets.tolist()
    ([[3, 8, 6], [5, 3, 8]], [[8, 6, 4], [3, 8, 6]])
    """
    # BEGIN SOLUTION 3.1: batches with shifted targets
    places = starts[:, None] + torch.arange(context)  # (B, T)
    return tokens[places], tokens[places + 1]
    # END SOLUTION


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Exercise 3.2: how surprised a model is, in nats per token.

    The surprise of one token is -ln p, where p is the share that the softmax of its V logits gives to its target. Write
    it with exp, sum and log, so that logits of 1,000 or -1,000 do no harm. (Torch's own cross-entropy is what you check
    it against. The tests cannot tell the two apart; but then you have not seen where a loss of infinity comes from.)

    Arguments: logits: (B, T, V) floats. targets: (B, T) ids.
    Returns: the mean over all B T tokens, a tensor without dimensions (not a float: training needs its gradient).

    >>> round(cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, 0]])).item(), 4)   # one of four each time: ln 4
    1.3863
    """
    # BEGIN SOLUTION 3.2: cross-entropy from logits
    shifted = logits - logits.amax(-1, keepdim=True)  # softmax stays the same, and no exp can overflow
    log_p = shifted - shifted.exp().sum(-1, keepdim=True).log()  # (B, T, V)
    return -log_p.gather(-1, targets[..., None]).mean()
    # END SOLUTION


def loss_sum(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Exercise 3.3: the surprise of the tokens that count, added up, and how many they are.

    A target of IGNORE (-100) counts for nothing: padding, or a prompt that is given and not to be learned. Every other
    id counts, 0 too. `torch.log_softmax` is fine from here on.

    Arguments: logits: (B, T, V). targets: (B, T) ids or IGNORE; perhaps none of them counts.
    Returns: the sum of -ln p in nats (a tensor without dimensions, as in 3.2), and how many tokens count (an int).

    >>> total, count = loss_sum(torch.zeros(1, 3, 4), torch.tensor([[1, IGNORE, 2]]))
    >>> round(total.item(), 4), count   # 2 ln 4
    (2.7726, 2)
    """
    # BEGIN SOLUTION 3.3: only what counts
    counts = targets != IGNORE  # (B, T)
    log_p = logits[counts].log_softmax(1)  # (n, V)
    return -log_p.gather(1, targets[counts][:, None]).sum(), int(counts.sum())
    # END SOLUTION


def accumulated_loss(parts: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Exercise 3.3: the loss of a batch that was too large for the memory and came in parts.

    Arguments: parts: (logits, targets) of each part, as for `loss_sum`. The parts have different sizes, and different
    numbers of tokens that count; a part may have none, but not all of them.
    Returns: the mean per token that counts, a tensor without dimensions (training needs its gradient): what all parts
    would have given as one batch.

    >>> short, long = torch.zeros(1, 1, 2), torch.zeros(1, 3, 4)
    >>> loss = accumulated_loss([(short, torch.tensor([[1]])), (long, torch.tensor([[3, 0, 2]]))])
    >>> round(loss.item(), 4)   # (1 ln 2 + 3 ln 4) / 4 = 7 ln 2 / 4
    1.213
    """
    # BEGIN SOLUTION 3.3: only what counts
    sums = [loss_sum(logits, targets) for logits, targets in parts]
    return sum(total for total, _ in sums) / sum(count for _, count in sums)
    # END SOLUTION


def batch_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Given: what a training step makes of your `loss_sum`, the mean per token that counts."""
    total, count = loss_sum(logits, targets)
    return total / count


def loss_in_parts(logits: torch.Tensor, targets: torch.Tensor, size: int) -> torch.Tensor:
    """Given: the same for a batch that is cut into parts of `size` windows, by your `accumulated_loss`."""
    starts = range(0, len(logits), size)
    return accumulated_loss([(logits[i : i + size], targets[i : i + size]) for i in starts])


def adamw_step(
    w: torch.Tensor,
    grad: torch.Tensor,
    m: torch.Tensor,
    v: torch.Tensor,
    t: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Exercise 3.4: one step of AdamW for one parameter.

    1. m is a running average of the gradient, v one of its square: the old value counts betas[0] (betas[1] for v), the
       new one what is missing to 1.
    2. Both averages began at 0 and are still too small; dividing them by 1 - betaᵗ takes that out. Only this step
       uses the corrected values: the m and v that go into the next step are those of 1.
    3. w moves by lr times corrected m over (root of corrected v, plus eps), against the gradient.
    4. And w shrinks by lr * weight_decay of what it was before the step. The decay enters neither m nor v.

    Arguments: w, grad, m, v: one shape, any; leave them as they are. t: the number of this step, 1 for the first. lr:
    learning rate of this step.
    Returns: the new (w, m, v), three new tensors.
    Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); Kingma and Ba, "Adam" (2015).

    >>> zero = torch.zeros(2)
    >>> grad = torch.tensor([5.0, -0.01])
    >>> w, m, v = adamw_step(torch.tensor([2.0, 2.0]), grad, zero, zero, t=1, lr=0.1, weight_decay=0.0)
    >>> [round(number, 4) for number in w.tolist()]   # the first step is lr in size, whatever the gradient's size
    [1.9, 2.1]
    """
    # BEGIN SOLUTION 3.4: one AdamW step
    beta1, beta2 = betas
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    direction = m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + eps)
    return w - lr * direction - lr * weight_decay * w, m, v
    # END SOLUTION


def learning_rate(t: int, steps: int, warmup: int, peak: float, floor: float = 0.0) -> float:
    """Exercise 3.5: up in a line, then down along half a cosine wave.

    Steps count from 1, as in AdamW. Over the first `warmup` steps the rate climbs in a line from 0, where step 0 would
    be, so that step `warmup` has exactly `peak`. From there it follows half a cosine wave, and the last step (number
    `steps`) has exactly `floor`.

    Arguments: t: the number of the step, 1 to steps. steps: of the whole run. warmup: 0 (none: the wave begins at step
    0) to steps (nothing but warm-up, which ends at the peak). peak, floor: the largest and the last rate.
    Returns: the learning rate of step t, a float.
    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).

    >>> [round(learning_rate(t, steps=6, warmup=2, peak=1.0, floor=0.2), 2) for t in (1, 2, 4, 6)]
    [0.5, 1.0, 0.6, 0.2]
    """
    # BEGIN SOLUTION 3.5: warm up, then cool down
    if t <= warmup:
        return peak * t / warmup
    share = (t - warmup) / (steps - warmup)
    return floor + (peak - floor) * (1 + math.cos(math.pi * share)) / 2
    # END SOLUTION


def clip_gradients(grads: list[torch.Tensor], limit: float) -> tuple[list[torch.Tensor], float]:
    """Exercise 3.6: shorten a gradient that is too long, without turning it.

    The gradients of all parameters together are one long vector. When its length (the root of the sum of all squares)
    is above `limit`, all of it is scaled by one factor so that the length becomes `limit`; otherwise nothing changes.

    Arguments: grads: one tensor per parameter, of any shapes; leave them as they are. limit: above 0.
    Returns: the list of new gradients, in the same order and shapes, and the length before, a float.
    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).

    >>> clipped, length = clip_gradients([torch.tensor([2.0, 1.0]), torch.tensor([[2.0]])], limit=1.5)
    >>> [grad.tolist() for grad in clipped], length
    ([[1.0, 0.5], [[1.0]]], 3.0)
    """
    # BEGIN SOLUTION 3.6: clip by the joint length
    length = torch.stack([grad.norm() for grad in grads]).norm()
    factor = (limit / length).clamp(max=1.0)
    return [grad * factor for grad in grads], float(length)
    # END SOLUTION


def top_k(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Exercise 3.7: keep the k likeliest tokens.

    Arguments: logits: (V,); leave them as they are. k: at least 1, perhaps more than V.
    Returns: (V,) the logits of k tokens, each in its place, and -inf (no chance at all) for all others. It is exactly k
    tokens (all V if k is larger) even where logits are equal; which of the equal ones stay is up to you.
    Source: Fan, Lewis and Dauphin, "Hierarchical neural story generation" (2018).

    >>> top_k(torch.tensor([1.0, 4.0, -2.0, 3.0]), k=2).tolist()
    [-inf, 4.0, -inf, 3.0]
    """
    # BEGIN SOLUTION 3.7: top-k
    kept = logits.topk(min(k, len(logits))).indices  # (k,)
    filtered = torch.full_like(logits, -torch.inf)
    filtered[kept] = logits[kept]
    return filtered
    # END SOLUTION


def top_p(logits: torch.Tensor, p: float) -> torch.Tensor:
    """Exercise 3.8: keep the fewest tokens that together have probability p.

    Go from the likeliest token downwards and stop as soon as the tokens kept hold a share of at least p. The token that
    crosses p is kept, so there is always one.

    Arguments: logits: (V,); leave them as they are; some may be -inf. p: above 0, below 1.
    Returns: (V,) the logits of the tokens kept, each in its place, and -inf for all others. Which of several equal ones
    stay is up to you.
    Source: Holtzman et al., "The curious case of neural text degeneration" (2020).

    >>> logits = torch.tensor([0.1, 0.6, 0.3]).log()
    >>> top_p(logits, 0.5).isfinite().tolist(), top_p(logits, 0.7).isfinite().tolist()
    ([False, True, False], [False, True, True])
    """
    # BEGIN SOLUTION 3.8: top-p
    probabilities, order = logits.softmax(0).sort(descending=True)
    before = probabilities.cumsum(0) - probabilities  # what the likelier tokens hold together
    kept = order[before < p]
    filtered = torch.full_like(logits, -torch.inf)
    filtered[kept] = logits[kept]
    return filtered
    # END SOLUTION


def tiny_model(vocab_size: int, seed: int = 0) -> LM:
    """Given: a transformer of two small blocks, to be trained in 3.9. ids (B, T up to 64) -> logits (B, T, V)."""
    torch.manual_seed(seed)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LM(Config(vocab_size, **shape, num_key_value_heads=2, max_position_embeddings=64))


def memorise(
    model: torch.nn.Module,
    tokens: torch.Tensor,
    starts: torch.Tensor,
    context: int,
    peak: float,
    warmup: int,
    limit: float,
) -> list[float]:
    """Exercise 3.9: pretraining, all of it, on a text so short that the model learns it by heart.

    Your own functions do the work. For each step t = 1, 2, ..., one per row of `starts`:

    1. Make the batch of windows that begin at starts[t - 1].
    2. Take its mean loss, and the gradient of that loss for every parameter of the model. Clip them jointly to `limit`.
    3. Give every parameter one `adamw_step` at the learning rate of step t, with that function's own betas, eps and
       decay. m and v begin as zeros and stay with their parameter; a parameter is updated in place, under
       `torch.no_grad()`. The floor of the rate is peak / 10.

    Arguments: model: maps ids (B, T) to logits (B, T, V); it is trained in place. tokens: (N,) ids. starts: (steps, B).
    context: T. peak, warmup: of `learning_rate`. limit: of `clip_gradients`.
    Returns: the loss of each step before its update, `steps` floats.

    >>> model = torch.nn.Embedding(3, 3)   # a table: the logits of the next token for each token
    >>> losses = memorise(model, torch.tensor([0, 2, 1] * 3), torch.zeros(60, 1, dtype=torch.long), 6, 0.3, 5, 1.0)
    >>> len(losses), losses[-1] < 0.1, model(torch.tensor([0, 1, 2])).argmax(-1).tolist()
    (60, True, [2, 0, 1])
    """
    # BEGIN SOLUTION 3.9: memorise a paragraph
    parameters = list(model.parameters())
    m = [torch.zeros_like(w) for w in parameters]
    v = [torch.zeros_like(w) for w in parameters]
    losses = []
    for t, row in enumerate(starts, start=1):
        inputs, targets = make_batch(tokens, row, context)
        loss = cross_entropy(model(inputs), targets)
        grads, _ = clip_gradients(torch.autograd.grad(loss, parameters), limit)
        lr = learning_rate(t, len(starts), warmup, peak, peak / 10)
        with torch.no_grad():
            for i, w in enumerate(parameters):
                new, m[i], v[i] = adamw_step(w, grads[i], m[i], v[i], t, lr)
                w.copy_(new)
        losses.append(loss.item())
    return losses
    # END SOLUTION
