"""Five sizes of one model on the same text: how the loss falls with the number of parameters and with compute.

Sizes count what is inside the blocks (N, as Kaplan et al. 2020 count); embeddings come on top. All read the same
windows in the same order, no token twice, so nothing can be learned by heart. One rule for the rate: the course's
recipe (Muon, whose steps have one size at any width, and AdamW for the embeddings) at one rate for all sizes. The
cells with another `factor` multiply both rates, to see how much that rule costs.

What this file does not do: fit a line (figures/ch03.py).
"""

from dataclasses import replace
from math import log

import torch

from ..corpus import SPLITS, Dataset, load
from ..evaluate import _windows
from ..loss import token_losses
from ..model import LM, Config
from ..plays import play
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import pretrain_recipe
from ..train import train

ABOUT = "five sizes, 31k to 2.6M parameters inside the blocks, 524,288 tokens each: bits/byte and next tokens hit"
SHAPES = {"31k": (32, 3), "123k": (64, 3), "369k": (96, 4), "1.0M": (160, 4), "2.6M": (256, 4)}  # width, blocks
CONTEXT, BATCH, STEPS, MOMENTS = 128, 16, 256, 6
IN_A_ROW = (1, 2, 4, 8)
CELLS = [{"size": size, "seed": seed, "factor": 1.0} for seed in (0, 1, 2) for size in SHAPES]
CELLS += [{"size": size, "seed": 0, "factor": factor} for size in ("31k", "369k") for factor in (0.5, 2.0)]


def measure(size, seed, factor):
    """Train one size; judge it on both validation plays at the end, and on a part of them along the way."""
    data, tokenizer = load("shakespeare"), load_base()[1]
    model = build(size, seed)
    recipe = pretrain_recipe(steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    recipe = replace(recipe, lr=recipe.lr * factor, muon_lr=recipe.muon_lr * factor, evaluate=MOMENTS, recast=False)
    run = train(model, tokenizer, Dataset("", data.train, excerpt(), ""), recipe)
    return {
        "inside": inside(model),
        "tokens": run.tokens,
        **judged(model, tokenizer, data.validation),
        "along": [[line["tokens"], round(line["bits_per_byte"], 4)] for line in run.history],
    }


def build(size, seed):
    """An untrained model of this size; heads are 32 wide."""
    width, blocks = SHAPES[size]
    heads = width // 32
    torch.manual_seed(seed)
    return LM(Config(2048, width, 2 * width, blocks, heads, heads, CONTEXT)).to(choose_precision().dtype)


def inside(model):
    """The number of parameters inside the blocks."""
    return sum(p.numel() for p in model.model.layers.parameters())


def excerpt():
    """The first 12,000 characters of each validation play: enough for a curve."""
    return "".join(play(slug).text[:12_000] for slug in SPLITS["validation"])


@torch.no_grad()
def judged(model, tokenizer, text):
    """Bits/byte, and the share of places from where on the 1, 2, 4, 8 likeliest next tokens are all right."""
    ids = torch.as_tensor([tokenizer.eot, *tokenizer.encode(text)])
    model.eval()
    nats, hits = 0.0, []
    for block, counted in _windows(ids, CONTEXT, 32):
        logits, targets = model(block[:, :-1]), block[:, 1:]
        nats += token_losses(logits, targets)[:, counted:].double().sum().item()
        hits.append((logits.argmax(-1) == targets)[:, counted:].flatten())
    hits = torch.cat(hits).float()
    rows = {f"hits_{k}": round(hits.unfold(0, k, 1).amin(-1).mean().item(), 5) for k in IN_A_ROW}
    return {"bits_per_byte": round(nats / log(2) / len(text.encode()), 4), **rows}
