"""What knowing the cast by heart costs: the same small model on two plays, read a few times, with the names as they
are and with other names in every epoch (casting.py).

Measured on the two validation plays, whose people it has never met: bits for each speaker's label, and the rest.
"""

from dataclasses import replace
from math import log

import torch

from ..casting import LABEL
from ..corpus import SPLITS, Dataset
from ..loss import token_losses
from ..model import LM, PRESETS
from ..plays import play
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import pretrain_recipe
from ..train import train

ABOUT = "preset nano, two plays read two to three times, names as they are or other names in every epoch"
STEPS, BATCH, CONTEXT = 200, 8, 128
CELLS = [{"recast": recast, "seed": seed} for seed in (0, 1, 2) for recast in (False, True)]


def measure(recast, seed):
    """Bits of the labels on plays that were read and on plays that were not."""
    tokenizer = load_base()[1]
    own = SPLITS["train"][2 * seed : 2 * seed + 2]
    torch.manual_seed(seed)
    model = LM(replace(PRESETS["nano"], max_position_embeddings=CONTEXT)).to(choose_precision().dtype)
    recipe = pretrain_recipe(steps=STEPS, batch=BATCH, context=CONTEXT, seed=seed)
    text = "".join(play(slug).text for slug in own)
    run = train(model, tokenizer, Dataset("", text, "", ""), replace(recipe, evaluate=0, recast=recast))
    seen = label_bits(model, tokenizer, [scene.text for slug in own for scene in play(slug).scenes])
    new = label_bits(model, tokenizer, [scene.text for slug in SPLITS["validation"] for scene in play(slug).scenes])
    return {
        "readings": round(run.tokens / len(tokenizer.encode(text)), 1),
        **summary("seen", seen),
        **summary("new", new),
    }


def summary(name, found):
    """Bits per label, bits/byte outside the labels, and the labels' share of all bits."""
    labels = [bits for _, bits in found["labels"]]
    return {
        f"{name}_per_label": round(sum(labels) / len(labels), 3),
        f"{name}_rest": round((found["bits"] - sum(labels)) / (found["bytes"] - found["label_bytes"]), 4),
        f"{name}_share": round(sum(labels) / found["bits"], 4),
    }


@torch.no_grad()
def label_bits(model, tokenizer, scenes):
    """The beginning of each scene, as far as the context goes, token by token.

    Returns: labels: [(how often that name has been a label of this scene before, bits), …]; label_bytes; bits and
    bytes of everything.
    """
    model.eval()
    found = {"labels": [], "label_bytes": 0, "bits": 0.0, "bytes": 0}
    for scene in scenes:
        ids = [tokenizer.eot, *tokenizer.encode(scene)][: model.config.max_position_embeddings + 1]
        sizes = torch.tensor([len(tokenizer.token_bytes(i)) for i in ids[1:]])
        ends = sizes.cumsum(0)
        losses = token_losses(model(torch.tensor([ids[:-1]])), torch.tensor([ids[1:]]))[0] / log(2)
        found["bits"] += losses.sum().item()
        found["bytes"] += int(ends[-1])
        part, before = scene.encode()[: int(ends[-1])].decode("latin-1"), {}
        for label in LABEL.finditer(part):
            inside = (ends > label.start(1)) & (ends - sizes < label.end(1))
            found["labels"].append((before.get(label[1], 0), losses[inside].sum().item()))
            found["label_bytes"] += int(sizes[inside].sum())
            before[label[1]] = before.get(label[1], 0) + 1
    return found
