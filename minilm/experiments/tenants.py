"""One adapter per play that pretraining never saw, and every adapter measured on every one of these plays.

A cell is one adapter, trained on the first scenes of `text`, and its bits per byte on the last scenes of all eight
plays; `text` "base" is the base alone, and "pydocs" a control that learned another kind of text altogether.
"""

from dataclasses import replace

from ..corpus import SPLITS, load
from ..evaluate import bits_per_byte
from ..lora import add_lora
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe, kind_of_shift
from ..train import train

ABOUT = "bits/byte of nine adapters (r = 8, 60 steps at the course's rates) and of the base on eight unseen plays"
PLAYS = [f"play:{slug}" for slug in SPLITS["tenants"]]
CELLS = [
    {"text": "base", "seed": 0},
    *({"text": text, "seed": 0} for text in [*PLAYS, "pydocs"]),
    *({"text": text, "seed": 1} for text in PLAYS),
]


def measure(text, seed):
    """bits_per_byte: play -> bits/byte on its last scenes."""
    dtype = choose_precision().dtype
    model, tokenizer = adapted(text, seed, dtype)
    scores = {play: round(bits_per_byte(model, tokenizer, load(play).validation), 5) for play in PLAYS}
    return {"dtype": str(dtype).removeprefix("torch."), "bits_per_byte": scores}


def adapted(text, seed, dtype, steps=60):
    """(the shipped base with an adapter trained on `text`, tokenizer); "base" is without one."""
    model, tokenizer = load_base(dtype)
    if text != "base":
        recipe = finetune_recipe("lora", kind_of_shift(text), steps=steps, seed=seed)
        train(add_lora(model, rank=8, alpha=16, seed=seed), tokenizer, load(text), replace(recipe, evaluate=0))
    return model, tokenizer
