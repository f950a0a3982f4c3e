"""Has a training run lost its way? Judged so that a bad moment is forgiven, and a lost model never saved as a result.

Losses jump, above all during the warm-up, and most jumps heal. So a run is given up only

    at once        when a loss or a validation result is NaN or infinite: no later step can mend that
    on the way     when not one of the last 20 losses, all of them after the warm-up, is any good
    at the end     when the finished weights have a bad loss on the run's very first batch, on which it began, or
                   tell no token from another

and a checkpoint is written only of weights that pass that last test, so that the newest one is always a good one.

What this file does not do: run the steps (train.py) or write the checkpoints (checkpoint.py).
"""

import math

import torch

from .loss import token_losses

WORSE = 1.0  # nats per token above the loss at the start
WINDOW = 20  # losses


def lost(loss, first, vocabulary):
    """Whether a loss (nats per token) says that the model has lost what it knew when its loss was `first`.

    It has when the loss is no number, when it is far above the first one, or when it is that of equal odds for every
    token of the `vocabulary` although the first one was better.

    >>> lost(3.2, first=3.5, vocabulary=2048), lost(4.7, first=3.5, vocabulary=2048)
    (False, True)
    >>> lost(7.62, first=7.0, vocabulary=2048), lost(7.62, first=7.6, vocabulary=2048)
    (True, False)
    """
    guess = math.log(vocabulary)
    forgotten = first < guess - 0.1 and loss > guess - 0.01
    return not math.isfinite(loss) or loss > first + WORSE or forgotten


def past_warmup(step, progress, warmup):
    """Whether the last WINDOW losses, up to that of `step`, all come from after the warm-up.

    Arguments: step: steps done. progress: the share of the run they are. warmup: the share of the run it takes.
    """
    begin = step + 1 - WINDOW  # the step with which the window begins
    return begin >= 0 and progress * begin >= warmup * step


@torch.no_grad()
def losses_now(model, batch, accumulate=1):
    """The loss in nats of every token of `batch`, (B, T) inputs and targets, under the weights as they are: (B, T).

    NaN if a trained weight is NaN or infinite, even one that this batch does not use.
    """
    inputs, targets = (part.to(model.device) for part in batch)
    if not all(torch.isfinite(p).all() for p in model.parameters() if p.requires_grad):
        return torch.full(targets.shape, math.nan)
    model.eval()
    parts = zip(inputs.chunk(accumulate), targets.chunk(accumulate), strict=True)
    return torch.cat([token_losses(model(part), goal) for part, goal in parts])


def blind(losses):
    """Whether all losses are the very same: so it is when numbers grew so large that the normed vectors became zero.

    Then every token has equal odds, and the mean loss may even be better than before.
    """
    return losses.numel() > 1 and bool(losses.max() == losses.min())
