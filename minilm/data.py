"""Token ids cut into training batches, so that every batch can be named by its number.

Batch k of a seed is always the same batch, whoever asks and whenever. So a run that was stopped goes on with exactly
the data it would have seen, and two methods compared under one seed see the same text in the same order.

    >>> windows = Windows(ids, context=128, batch=8, seed=0)
    >>> inputs, targets = windows[3]        # two (8, 128) tensors, targets one token ahead

What this file does not do: read text (corpus.py) or make ids of it (tokenizer.py).
"""

import numpy as np
import torch

from .errors import UserError


class Windows:
    """Shuffled windows of a long row of tokens; an epoch shows every token once (but a few at the edges).

    Arguments: ids: (N,) whole numbers. context: T, tokens per window. batch: B, windows per batch. seed: order of the
    windows. version: epoch -> the ids to read in that epoch, of about the same number (casting.py); default always
    `ids`. Each epoch cuts at another offset, so that no token is always the first of its window.
    """

    def __init__(self, ids, context, batch, seed=0, version=None):
        self.ids, self.version = as_ids(ids), version
        self.context, self.batch, self.seed = context, batch, seed
        self.per_epoch = (len(self.ids) - context) // context  # leaves room for any offset and the last target
        if self.per_epoch < 1:
            raise UserError(
                f"the text has {len(self.ids)} tokens, too few for a context of {context}; "
                f"use a longer text or --context {max(1, len(self.ids) // 2 - 1)} or less"
            )
        self._plans = {}

    def __getitem__(self, index):
        """Batch number `index` (0, 1, 2, ... without end): inputs (B, T) and targets (B, T)."""
        block = torch.stack([self._window(index * self.batch + i) for i in range(self.batch)])  # (B, T + 1)
        return block[:, :-1], block[:, 1:]

    def _window(self, number):
        epoch, place = divmod(number, self.per_epoch)
        ids, offset, order = self._plan(epoch)
        start = min(offset + self.context * int(order[place]), len(ids) - self.context - 1)  # a version may be shorter
        return ids[start : start + self.context + 1]  # (T + 1,)

    def _plan(self, epoch):
        """What is read in this epoch, from where on, in which order; a batch may need two epochs, so two are kept."""
        if epoch not in self._plans:
            ids = as_ids(self.version(epoch)) if self.version else self.ids
            rng = np.random.default_rng([self.seed, epoch])
            room = max(1, len(ids) - self.context * self.per_epoch)
            plan = ids, int(rng.integers(room)), rng.permutation(self.per_epoch)
            self._plans = {**dict(list(self._plans.items())[-1:]), epoch: plan}
        return self._plans[epoch]


def as_ids(ids):
    return torch.as_tensor(np.asarray(ids, dtype=np.int64))
