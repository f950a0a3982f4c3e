"""How good: bits per byte after some minutes of pretraining, and the best learning rates of fine-tuning."""

from dataclasses import replace

import torch

from ..corpus import load
from ..errors import UserError
from ..evaluate import bits_per_byte
from ..jobs import bar
from ..lora import add_lora
from ..model import LM, PRESETS
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe, pretrain_recipe
from ..tokenizer import Tokenizer
from ..train import train
from .rows import finite, row

MUST = {3: 2.10, 10: 1.95}
SWEEP = {"full": (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2), "lora": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)}
TEXTS = {"small": ("play:hamlet", 80), "large": ("pydocs", 120)}


def at_minutes(minutes=tuple(MUST), seed=0):
    """Validation bits/byte of the base preset after 3 and after 10 minutes of training."""
    data = load("shakespeare")
    tokenizer = Tokenizer.train(data.train)
    return [
        row(f"bits/byte after {m} min", pretrained_for(m, tokenizer, data, seed), "bits/byte", at_most=MUST.get(m))
        for m in minutes
    ]


def pretrained_for(minutes, tokenizer, data, seed=0, preset="base", **choices):
    """Bits/byte of a model trained from nothing for so many minutes with the course's recipe, changed by `choices`."""
    torch.manual_seed(seed)
    model = LM(PRESETS[preset]).to(choose_precision().dtype)
    recipe = replace(pretrain_recipe(minutes=minutes, seed=seed), evaluate=0, **choices)  # measured once, at the end
    with bar(f"{minutes:g} min") as progress:
        train(model, tokenizer, data, recipe, progress=progress)
    return bits_per_byte(model, tokenizer, data.validation, context=recipe.context)


def learning_rates():
    """Each method at six rates on each text; the best should lie inside the sweep, not at its edge."""
    rows = []
    for kind, (spec, steps) in TEXTS.items():
        data, best = load(spec), {}
        for method, rates in SWEEP.items():
            scores = {rate: finetuned(method, data, kind, steps, rate) for rate in rates}
            best[method] = min(scores, key=scores.get)
            rows.append(
                row(f"best rate of {method} on {spec}", best[method], scores={r: finite(s) for r, s in scores.items()})
            )
        rows.append(row(f"best rate of LoRA / of full on {spec}", best["lora"] / best["full"], "x"))
    return rows


def finetuned(method, data, kind, steps, rate, rank=8):
    """Bits/byte on the data's validation text after fine-tuning the shipped base at this rate; inf if it diverges."""
    model, tokenizer = load_base(choose_precision().dtype)
    if method == "lora":
        add_lora(model, rank)
    try:
        with bar(f"{method} {rate:g}") as progress:
            train(model, tokenizer, data, finetune_recipe(method, kind, steps=steps, lr=rate), progress=progress)
    except UserError:  # a rate that is too high is a finding, too
        return float("inf")
    return bits_per_byte(model, tokenizer, data.validation)
