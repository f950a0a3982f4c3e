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
    windows. Each epoch cuts at another offset, so that no token is always the first of its window.
    """

    def __init__(self, ids, context, batch, seed=0):
        self.ids = torch.as_tensor(np.asarray(ids, dtype=np.int64))
        self.context, self.batch, self.seed = context, batch, seed
        self.per_epoch = (len(self.ids) - context) // context  # leaves room for any offset and the last target
        if self.per_epoch < 1:
            raise UserError(
                f"the text has {len(self.ids)} tokens, too few for a context of {context}; "
                f"use a longer text or --context {max(1, len(self.ids) // 2 - 1)} or less"
            )

    def __getitem__(self, index):
        """Batch number `index` (0, 1, 2, ... without end): inputs (B, T) and targets (B, T)."""
        starts = torch.tensor([self._start(index * self.batch + i) for i in range(self.batch)])
        block = self.ids[starts[:, None] + torch.arange(self.context + 1)]  # (B, T + 1)
        return block[:, :-1], block[:, 1:]

    def _start(self, number):
        epoch, place = divmod(number, self.per_epoch)
        offset, order = self._plan(epoch)
        return offset + self.context * int(order[place])

    def _plan(self, epoch):
        if getattr(self, "_planned", None) != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._offset, self._order = int(rng.integers(self.context)), rng.permutation(self.per_epoch)
            self._planned = epoch
        return self._offset, self._order
