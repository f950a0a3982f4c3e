"""A full fine-tuning squeezed into an adapter afterwards, beside adapters that were trained at the same rank.

A cell of method "full" trains all weights at one learning rate; the change of every adapted matrix is then cut to its
best approximation of rank 1, 2, 4 … (rank 256 is all of it), and each is measured as an adapter beside the base. What
full fine-tuning did to the embeddings and norms is in its own score and in none of these. A cell of method "lora" is an
adapter trained at `rank`.
"""

from dataclasses import replace

import torch

from ..corpus import load
from ..errors import UserError
from ..evaluate import bits_per_byte
from ..lora import adapters, add_lora
from ..lowrank import as_matrix, energy, singular_values, truncate
from ..precision import choose_precision
from ..pretrained import load_base
from ..recipes import finetune_recipe, kind_of_shift
from ..train import train

ABOUT = "bits/byte of a full fine-tuning, of its changes cut to rank r by SVD, and of LoRA trained at rank r"
RANKS = (1, 2, 4, 8, 16, 32, 64, 256)
FULL, LORA = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3), (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
HAMLET, DOCS = {"text": "play:hamlet", "seed": 0}, {"text": "pydocs", "seed": 0}
CELLS = [
    *({**HAMLET, "method": "full", "rank": 0, "rate": rate} for rate in FULL),
    *({**DOCS, "method": "full", "rank": 0, "rate": rate} for rate in (1e-3, 3e-3)),
    *({**HAMLET, "method": "lora", "rank": rank, "rate": rate} for rank in (1, 8, 64) for rate in LORA),
]


def measure(text, method, rank, rate, seed):
    """bits_per_byte of the run; for full fine-tuning also by_rank, and energy: the share kept, mean over matrices."""
    dtype, data = choose_precision().dtype, load(text)
    model, tokenizer = load_base(dtype)
    if method == "lora":
        add_lora(model, rank, alpha=2 * rank, seed=seed)
    recipe = finetune_recipe(method, kind_of_shift(text), steps=60, lr=rate, seed=seed)
    try:
        run = train(model, tokenizer, data, replace(recipe, evaluate=0))
    except UserError:  # a rate that is too high is a finding, too
        return {"bits_per_byte": None}
    found = {"bits_per_byte": round(bits_per_byte(model, tokenizer, data.validation), 5)}
    if method == "full":
        deltas = changes(exact_weights(model, run), load_base()[0])
        squeezed = {r: as_adapter(deltas, r, load_base(dtype)[0]) for r in RANKS}
        scores = ((r, bits_per_byte(model, tokenizer, data.validation)) for r, model in squeezed.items())
        found["by_rank"] = [[r, round(score, 5)] for r, score in scores]
        kept = torch.stack([energy(singular_values(delta)) for delta in deltas.values()]).mean(0)
        found["energy"] = [[r, round(kept[r - 1].item(), 5)] for r in RANKS]
    return found


def exact_weights(model, run):
    """Name -> weight after training in float32: the optimizer's masters, before they were rounded into the model."""
    masters = {
        id(p): master
        for part in run.optimizer.optimizers
        for p, master in zip(part.parameters, part.masters, strict=True)
    }
    return {name: masters[id(p)].detach() for name, p in model.named_parameters()}


def changes(weights, base):
    """Name of each matrix inside the blocks -> trained weight minus the base's, (out, in)."""
    before = dict(base.named_parameters())
    return {
        name.removesuffix(".weight"): as_matrix(after) - as_matrix(before[name])
        for name, after in weights.items()
        if ".layers." in name and after.ndim == 2
    }


@torch.no_grad()
def as_adapter(deltas, rank, base):
    """`base` with an adapter of this rank that is as close to `deltas` (name -> change) as the rank allows."""
    add_lora(base, rank, alpha=rank)  # gamma = 1: B A is the change itself
    for name, layer in adapters(base).items():
        B, A = truncate(deltas[name], rank)
        layer.lora_A.copy_(A)
        layer.lora_B.copy_(B)
    return base.eval()
