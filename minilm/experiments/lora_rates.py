"""Full fine-tuning and LoRA on two texts, each at a grid of learning rates: what was learned, and what was forgotten.

Every run starts from the shipped base, takes 60 steps of 4 windows of 128 tokens with the course's recipe (AdamW,
warm-up over the first tenth, then down in a line), and is measured three times: on the held-back part of its own text,
and on the validation plays. To save time both are read in eight pieces of 700 bytes, spread evenly over the text.
"""

from dataclasses import replace

from ..corpus import load
from ..errors import UserError
from ..evaluate import bits_per_byte
from ..lora import add_lora
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe
from ..train import train

ABOUT = "Full fine-tuning and LoRA (r = 8, alpha = 16, all seven layers) on a play and on Python's reference, by rate"
STEPS, MOMENTS = 60, (15, 30, 60)
GRID = {
    ("full", "play:hamlet"): (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3),
    ("lora", "play:hamlet"): (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    ("full", "pydocs"): (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    ("lora", "pydocs"): (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
}
CELLS = [
    {"method": method, "text": text, "rate": rate, "seed": seed}
    for seed in range(3)
    for (method, text), rates in GRID.items()
    for rate in rates
]


def measure(method, text, rate, seed, rank=8, alpha=16.0, targets=None):
    """Bits/byte on the text and on the validation plays at each moment, or the step at which the run was lost."""
    model, tokenizer = load_base(choose_precision().dtype)
    if method == "lora":
        add_lora(model, rank, alpha, seed=seed, **({"targets": targets} if targets else {}))
    data, plays = load(text), load("shakespeare")
    pieces = {"target": spread(data.validation), "plays": spread(plays.validation)}
    found = {name: [] for name in pieces}

    def look(run):
        if run.step in MOMENTS:
            for name, piece in pieces.items():
                found[name].append(round(bits_per_byte(run.model, tokenizer, piece), 4))

    recipe = finetune_recipe(method, "large", steps=STEPS, batch=4, context=128, lr=rate, seed=seed)
    try:
        run = train(model, tokenizer, data, replace(recipe, evaluate=0), progress=look)
    except UserError as error:  # a rate that is too high is a finding, too
        return {**found, "lost": str(error).split(" (")[0]}
    return {**found, "loss": round(run.loss, 4), "dtype": choose_precision().name}


def spread(text, pieces=8, size=700):
    """`pieces` pieces of about `size` bytes each, evenly spread over `text`, one after the other."""
    data = text.encode("utf-8")
    if len(data) <= pieces * size:
        return text
    starts = [number * (len(data) - size) // (pieces - 1) for number in range(pieces)]
    return "".join(data[start : start + size].decode("utf-8", "ignore") for start in starts)
