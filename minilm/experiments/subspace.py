"""How many directions does fine-tuning need? Training in a random subspace of d dimensions (intrinsic dimension).

All N weights are one long vector. It starts at the base's θ₀ and may move only as

    θ = θ₀ + P z        P (N, d) random and fixed, z (d,) trained from 0

P is as sparse as can be: every weight listens to one of the d numbers, drawn at random, with a random sign, and each
column is divided by its length. Columns that share no weight are orthogonal, so PᵀP = I exactly and a step in z is as
long in θ. P is never built: `which` and `sign` (one small number each per weight) come from the seed.

What this file does not do: look for good directions. These are blind; LoRA (lora.py) learns its own.

Sources: Li et al. 2018 (arXiv 1804.08838), Aghajanyan et al. 2020 (arXiv 2012.13255).
"""

import math

import torch

from ..corpus import load
from ..data import Windows
from ..evaluate import bits_per_byte
from ..loss import lm_loss
from ..optim import AdamW
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe
from ..schedule import SCHEDULES
from ..train import training_ids

ABOUT = "Bits/byte after fine-tuning the shipped base in a random subspace of d dimensions, and with all its weights."
TEXTS = {"play:hamlet": "small", "pydocs": "large"}  # kind of shift, as in recipes.py
STEPS, BATCH, CONTEXT = 60, 4, 128  # small, since there are many runs
LIMIT = 4000  # tokens of the validation text
# `stride`: how far θ goes in one step at the peak rate. AdamW moves each number of z by its rate, so the rate is
# stride / √d; with all N weights (d None) it is stride / √N. Three strides or more per d, half a factor of ten apart,
# so that the best one lies between two others where there is anything to gain. d = 0 is the base as it is.
CELLS = [
    *({"text": text, "d": 0, "stride": 0.0, "seed": 0} for text in ("play:hamlet", "pydocs")),
    *(
        {"text": text, "d": d, "stride": stride, "seed": 0}
        for text, d, strides in (
            ("play:hamlet", None, (0.05, 0.15, 0.5, 1.5)),
            ("play:hamlet", 10, (0.1, 0.3, 1.0, 3.0)),
            ("play:hamlet", 100, (0.1, 0.3, 1.0, 3.0)),
            ("play:hamlet", 1000, (0.1, 0.3, 1.0, 3.0)),
            ("play:hamlet", 10_000, (0.3, 1.0, 3.0)),
            ("play:hamlet", 30_000, (0.3, 1.0, 3.0)),
            ("play:hamlet", 100_000, (0.3, 1.0, 3.0)),
            ("pydocs", None, (0.5, 1.5, 5.0)),
            ("pydocs", 10, (1.0, 3.0, 10.0, 30.0, 100.0)),
            ("pydocs", 100, (1.0, 3.0, 10.0, 30.0)),
            ("pydocs", 1000, (1.0, 3.0, 10.0)),
            ("pydocs", 10_000, (1.0, 3.0, 10.0)),
            ("pydocs", 100_000, (1.0, 3.0, 10.0)),
            ("pydocs", 300_000, (1.0, 3.0, 10.0)),
        )
        for stride in strides
    ),
    *(  # a second seed, at the best stride of the first and its near rivals
        {"text": text, "d": d, "stride": stride, "seed": 1}
        for text, d, strides in (
            ("play:hamlet", None, (0.15, 0.5)),
            ("play:hamlet", 10, (0.1, 0.3)),
            ("play:hamlet", 100, (0.1, 0.3)),
            ("play:hamlet", 1000, (0.1, 0.3, 1.0)),
            ("play:hamlet", 10_000, (1.0,)),
            ("play:hamlet", 30_000, (1.0,)),
            ("play:hamlet", 100_000, (1.0,)),
            ("pydocs", None, (1.5,)),
            ("pydocs", 10, (10.0, 30.0, 100.0)),
            ("pydocs", 100, (10.0, 30.0)),
            ("pydocs", 1000, (3.0,)),
            ("pydocs", 10_000, (3.0,)),
            ("pydocs", 100_000, (3.0,)),
            ("pydocs", 300_000, (3.0,)),
        )
        for stride in strides
    ),
]


class Everything:
    """`parameters` (a list of tensors) as θ₀ + z with as many numbers in z as there are weights: full fine-tuning."""

    def __init__(self, parameters):
        self.parameters = list(parameters)
        self.sizes = [p.numel() for p in self.parameters]
        self.start = self.flat(self.parameters)  # θ₀ (N,)
        self.d = len(self.start)

    @staticmethod
    def flat(tensors):
        return torch.cat([t.detach().float().flatten() for t in tensors])

    def spread(self, z):
        """P z (N,)."""
        return z

    def gather(self, g):
        """Pᵀ g (d,)."""
        return g

    @torch.no_grad()
    def move(self, z):
        """Set the parameters to θ₀ + P z."""
        moved = (self.start + self.spread(z)).split(self.sizes)
        for parameter, part in zip(self.parameters, moved, strict=True):
            parameter.copy_(part.view_as(parameter))

    def gradient(self):
        """The gradient with respect to z, from the parameters' own."""
        return self.gather(self.flat([p.grad for p in self.parameters]))


class Subspace(Everything):
    """The same with only d numbers in z.

    >>> layer = torch.nn.Linear(3, 2)
    >>> space = Subspace(layer.parameters(), d=4, seed=0)
    >>> space.move(torch.zeros(4))    # z = 0: nothing has changed
    """

    def __init__(self, parameters, d, seed):
        super().__init__(parameters)
        generator, size = torch.Generator().manual_seed(seed), len(self.start)
        self.d, self.which = d, torch.randint(d, (size,), generator=generator, dtype=torch.int32)  # (N,)
        self.sign = torch.randint(2, (size,), generator=generator, dtype=torch.int8) * 2 - 1  # (N,)
        self.length = torch.bincount(self.which, minlength=d).clamp(min=1).sqrt()  # of each column before division

    def spread(self, z):
        return (z / self.length)[self.which] * self.sign

    def gather(self, g):
        return torch.zeros(self.d).index_add_(0, self.which, g * self.sign) / self.length


def measure(text, d, stride, seed):
    """One run: d dimensions, or all weights (None), or no training (0). Bits/byte after it, and how far θ moved."""
    model, tokenizer = load_base(choose_precision().dtype)
    data = load(text)
    moved = train_in(space_of(model, d, seed), model, tokenizer, data.train, text, stride, seed) if d != 0 else 0.0
    bits = bits_per_byte(model, tokenizer, data.validation, limit=LIMIT)
    return {"bits_per_byte": round(bits, 4) if math.isfinite(bits) else None, "moved": round(moved, 3)}


def space_of(model, d, seed):
    return Everything(model.parameters()) if d is None else Subspace(model.parameters(), d, seed)


def train_in(space, model, tokenizer, training_text, text, stride, seed):
    """The same batches, steps and schedule whatever the space: AdamW on its z; returns the distance from the base."""
    recipe = finetune_recipe("full", TEXTS[text], steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    windows = Windows(training_ids(tokenizer, training_text, recipe)[0], CONTEXT, BATCH, seed)
    z = torch.zeros(space.d, requires_grad=True)
    optimizer = AdamW([z], stride / math.sqrt(space.d))
    for step in range(STEPS):
        lm_loss(model, *windows[step]).backward()
        z.grad = space.gradient()
        optimizer.step(SCHEDULES[recipe.schedule]((step + 0.5) / STEPS, warmup=recipe.warmup))
        space.move(z.detach())
        model.zero_grad()
    return z.detach().norm().item()
