"""Does LoRA pass over noise? Both methods on Python's reference in which every fifth word is another, drawn at random.

Runs as in lora_rates.py, which has those on the clean text. The held-back text to measure on is clean in both.
"""

import random
import re
from dataclasses import replace

from ..corpus import load
from ..errors import UserError
from ..evaluate import bits_per_byte
from ..lora import add_lora
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe
from ..train import train
from .lora_rates import STEPS, spread

ABOUT = "Full fine-tuning and LoRA (r = 8) on Python's reference with a fifth of its words replaced, by rate"
SHARE = 0.2
RATES = {"full": (3e-4, 1e-3, 3e-3), "lora": (1e-3, 3e-3, 1e-2)}
CELLS = [
    {"method": method, "rate": rate, "seed": seed} for seed in range(3) for method in RATES for rate in RATES[method]
]


def measure(method, rate, seed):
    """Bits/byte on clean held-back text after training on the noisy one; none where the run was lost."""
    model, tokenizer = load_base(choose_precision().dtype)
    if method == "lora":
        add_lora(model, rank=8, alpha=16.0, seed=seed)
    data = load("pydocs")
    data = replace(data, train=noisy(data.train, SHARE, seed))
    recipe = finetune_recipe(method, "large", steps=STEPS, batch=4, context=128, lr=rate, seed=seed)
    try:
        train(model, tokenizer, data, replace(recipe, evaluate=0))
    except UserError as error:  # a rate that is too high is a finding, too
        return {"target": None, "lost": str(error).split(" (")[0]}
    return {"target": round(bits_per_byte(model, tokenizer, spread(data.validation)), 4)}


def noisy(text, share, seed):
    """`text` with this share of its words, chosen by chance, replaced by words drawn from the same text."""
    draw = random.Random(seed)
    words = re.findall(r"\S+", text)
    return re.sub(r"\S+", lambda word: draw.choice(words) if draw.random() < share else word.group(), text)
