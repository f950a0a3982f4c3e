"""AdamW and Muon on the matrices inside one small model, the same steps and text, each at five to seven rates.

Only the optimizer of the blocks' matrices differs. Embeddings and norms get AdamW at the course's rate either way; the
schedule and the batches are the same, and neither side has weight decay or clipping.
"""

from dataclasses import replace

import torch

from ..corpus import load
from ..data import Windows
from ..model import LM, PRESETS
from ..optim import AdamW, Muon, Together
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import pretrain_recipe
from ..train import Run
from .scaling import excerpt

ABOUT = "preset nano, 128 steps of 512 tokens, AdamW or Muon inside the blocks, five to seven rates, three seeds"
STEPS, BATCH, CONTEXT, MOMENTS = 128, 4, 128, 4
KINDS = {"adamw": AdamW, "muon": Muon}
RATES = {"adamw": (0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03), "muon": (0.001, 0.003, 0.01, 0.03, 0.1)}
CELLS = [
    {"optimizer": kind, "rate": rate, "seed": seed} for seed in (0, 1, 2) for kind in RATES for rate in RATES[kind]
]


def measure(optimizer, rate, seed):
    """Bits/byte on a part of the validation plays at four moments."""
    data, tokenizer = load("shakespeare"), load_base()[1]
    torch.manual_seed(seed)
    model = LM(replace(PRESETS["nano"], max_position_embeddings=CONTEXT)).to(choose_precision().dtype)
    recipe = pretrain_recipe(steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    windows = Windows(tokenizer.encode(data.train), CONTEXT, BATCH, seed)
    run = Run(model, tokenizer, windows, excerpt(), replace(recipe, evaluate=MOMENTS, clip=None))
    named = list(model.named_parameters())
    inside = [p for name, p in named if p.ndim == 2 and ".layers." in name]
    outside = [p for name, p in named if not (p.ndim == 2 and ".layers." in name)]
    run.optimizer = Together(KINDS[optimizer](inside, rate), AdamW(outside, recipe.lr))
    while run.progress < 1:
        run.step_once()
    along = [[line["step"], round(line["bits_per_byte"], 4)] for line in run.history]
    return {"bits_per_byte": along[-1][1], "along": along}
