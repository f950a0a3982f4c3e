"""What graded tests put beside an answer: small modules to freeze, count, save and load, when those are the exercise.

Isolated grading sends this file to a learner's code in the tests of the exercises that name it (registry.py,
`support`), so it must hold the answer to none of them. minilm's own LoRA will not do there: its module also puts
adapters into models and decides what learns.

What this file does not do: import anything of minilm, or know how adapters get into a model.
"""

import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    """A frozen linear layer and its correction, y = base(x) + gamma (x A^T) B^T with gamma = alpha / rank.

    Arguments: base: nn.Linear with weight (out, in), kept as `base_layer`. rank, alpha: as everywhere. Its own
    parameters have the names that saved adapters have, lora_A (r, in) and lora_B (out, r); A is random, B is zero.
    """

    def __init__(self, base, rank=8, alpha=16.0):
        super().__init__()
        self.base_layer = base.requires_grad_(False)
        bound = 1 / math.sqrt(base.in_features)
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.gamma = alpha / rank

    def forward(self, x):
        return self.base_layer(x) + self.gamma * (x @ self.lora_A.T) @ self.lora_B.T


class LookAlike(nn.Module):
    """A parameter called lora_A (20 numbers), and one that only ends like it, flora_A (6 numbers).

    The output depends on both, so that a backward pass shows which of them learn.
    """

    def __init__(self):
        super().__init__()
        self.flora_A = nn.Parameter(torch.arange(6.0).view(2, 3))
        self.lora_A = nn.Parameter(torch.arange(20.0).view(4, 5))

    def forward(self, x):
        return x * (self.flora_A.sum() + self.lora_A.sum())
