"""AdamW and Muon on one small model, the same steps and text, each at five rates: where both are at their best.

"adamw" moves every parameter by AdamW at the rate. "muon" moves the matrices inside the blocks by Muon at the rate, and
the embeddings and norms by AdamW at the course's rate. Everything else (schedule, decay, batches) is the same.
"""

from dataclasses import replace

import torch

from ..corpus import Dataset, load
from ..evaluate import bits_per_byte
from ..model import LM, PRESETS
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import pretrain_recipe
from ..train import train
from .scaling import excerpt

ABOUT = "preset nano, 128 steps of 512 tokens with AdamW and with Muon, five rates and three seeds each"
STEPS, BATCH, CONTEXT, MOMENTS = 128, 4, 128, 4
RATES = {"adamw": (0.001, 0.003, 0.01, 0.03, 0.1), "muon": (0.003, 0.01, 0.03, 0.1, 0.3)}
CELLS = [
    {"optimizer": kind, "rate": rate, "seed": seed} for seed in (0, 1, 2) for kind in RATES for rate in RATES[kind]
]


def measure(optimizer, rate, seed):
    """Bits/byte on a part of the validation plays at four moments."""
    data, tokenizer = load("shakespeare"), load_base()[1]
    torch.manual_seed(seed)
    model = LM(replace(PRESETS["nano"], max_position_embeddings=CONTEXT)).to(choose_precision().dtype)
    recipe = pretrain_recipe(steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    own = {"lr": rate} if optimizer == "adamw" else {"muon_lr": rate}
    recipe = replace(recipe, optimizer=optimizer, evaluate=MOMENTS, recast=False, **own)
    run = train(model, tokenizer, Dataset("", data.train, excerpt(), ""), recipe)
    along = [[line["step"], round(line["bits_per_byte"], 4)] for line in run.history]
    return {"bits_per_byte": round(bits_per_byte(model, tokenizer, excerpt()), 4), "along": along}
