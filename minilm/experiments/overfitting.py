"""The five sizes of `scaling` on 50 kB of text that are read many times: what is learned, and what is learned by heart.

No other names, no dropout: nothing is done against overfitting, because it is what we want to see. Weight decay and
rates are those of the course's recipe, the same for every size.
"""

from dataclasses import replace

from ..corpus import SPLITS, Dataset
from ..evaluate import bits_per_byte
from ..plays import play
from ..pretrained import load_base
from ..recipes import pretrain_recipe
from ..train import train
from .scaling import CONTEXT, SHAPES, build, excerpt, inside

ABOUT = "five sizes on the first 50,000 bytes of one play, 192 steps of 1,024 tokens: bits/byte there and elsewhere"
BYTES, BATCH, STEPS, MOMENTS = 50_000, 8, 192, 6
CELLS = [{"size": size, "seed": seed} for seed in (0, 1, 2) for size in SHAPES]


def measure(size, seed):
    """Train one size on another play for each seed; bits/byte on what it read, and on plays it never saw."""
    tokenizer = load_base()[1]
    slug = SPLITS["train"][seed]
    text = play(slug).text.encode()[:BYTES].decode(errors="ignore")
    model = build(size, seed)
    recipe = pretrain_recipe(steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    along, unseen = [], excerpt()

    def note(run):
        if run.step % (STEPS // MOMENTS) == 0:
            seen, new = (round(bits_per_byte(model, tokenizer, part, limit=8_000), 4) for part in (text, unseen))
            along.append([run.tokens, seen, new])

    train(model, tokenizer, Dataset("", text, "", ""), replace(recipe, evaluate=0, recast=False), progress=note)
    tokens = len(tokenizer.encode(text))
    return {"inside": inside(model), "play": slug, "text_tokens": tokens, "along": along}
