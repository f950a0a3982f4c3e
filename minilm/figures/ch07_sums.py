"""Chapter 7's sums: what its figures draw, worked out here because a notebook would show the answer to an exercise.

The eight plays and their table; what a 16-bit weight loses of a change; two kinds of averages of adapters; a full
fine-tuning cut to the rank of an adapter.
"""

from collections import Counter

import numpy as np
import torch

from ..lora import adapters, add_lora
from ..lowrank import as_matrix, energy, truncate

PLAYS = {  # the tenants of corpus.py, and names short enough for a cell
    "a-midsummer-night-s-dream": "Dream",
    "antony-and-cleopatra": "Antony",
    "hamlet": "Hamlet",
    "henry-v": "Henry V",
    "romeo-and-juliet": "Romeo",
    "the-merchant-of-venice": "Merchant",
    "the-merry-wives-of-windsor": "Wives",
    "the-tempest": "Tempest",
}


def table(lines, seed=0):
    """(base (8,), scores (8, 8), control (8,)) of the experiment "tenants": rows adapters, columns plays.

    The base has no seed, and the control only one.
    """
    found = {line["text"]: line["bits_per_byte"] for line in lines if line["seed"] == seed}
    found |= {line["text"]: line["bits_per_byte"] for line in lines if line["text"] in ("base", "pydocs")}
    plays = [f"play:{slug}" for slug in PLAYS]
    rows = {text: np.array([found[text][play] for play in plays]) for text in ("base", *plays, "pydocs")}
    return rows["base"], np.stack([rows[play] for play in plays]), rows["pydocs"]


def seeds(lines):
    """The seeds with which all eight adapters were trained."""
    done = Counter(line["seed"] for line in lines if line["text"].startswith("play:"))
    return [seed for seed, count in sorted(done.items()) if count == len(PLAYS)]


def lost_entries(deltas, weights, dtype):
    """Name -> share of the entries of ΔW after which the weight, rounded to `dtype`, is still what it was."""
    shares = {}
    for name, delta in deltas.items():
        weight = weights[name].to(dtype)
        same = (weight.float() + delta).to(dtype) == weight
        shares[name] = same[delta != 0].float().mean().item()
    return shares


def averages(adapters, shares):
    """(mean of γ B A, γ mean(B) mean(A)) per layer: two dicts, name -> matrix.

    Arguments: adapters: for each client a dict, name of the layer -> (A, B, γ), γ the same for all. shares: of the
    clients, with sum 1.
    """
    right, wrong = {}, {}
    for name, (_, _, gamma) in adapters[0].items():
        a, b = (sum(s * one[name][i] for s, one in zip(shares, adapters, strict=True)) for i in (0, 1))
        wrong[name] = gamma * b @ a
        right[name] = sum(s * gamma * one[name][1] @ one[name][0] for s, one in zip(shares, adapters, strict=True))
    return right, wrong


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


def halves(deltas):
    """Name -> (B, A) of full rank, with B A the change; the first r columns and rows are its best of rank r."""
    return {name: truncate(delta, min(delta.shape)) for name, delta in deltas.items()}


def kept(factors, rank):
    """The share of the energy that rank `rank` keeps, the mean of all matrices."""
    shares = [energy(B.square().sum(0))[rank - 1] for B, _ in factors.values()]  # a column of B has norm √s
    return torch.stack(shares).mean().item()


@torch.no_grad()
def as_adapter(factors, rank, base):
    """`base` with an adapter that is as close to the change B A of each layer in `factors` as this rank allows."""
    add_lora(base, rank, alpha=rank)  # gamma = 1: B A is the change itself
    for name, layer in adapters(base).items():
        B, A = factors[name]
        layer.lora_A.copy_(A[:rank])
        layer.lora_B.copy_(B[:, :rank])
    return base.eval()
