"""How much memory: what memory.py predicts, against the live buffers of a real training step."""

import torch

from .. import memory
from ..lora import add_lora
from ..loss import lm_loss
from ..model import LM, PRESETS
from ..recipe import Recipe
from ..train import make_optimizer
from .rows import row

BATCH, CONTEXT = 8, 256


def predicted_and_measured():
    """Full fine-tuning and LoRA of the base preset, in both number formats."""
    rows = []
    for method in ("full", "lora"):
        for dtype in (torch.float32, torch.bfloat16):
            predicted, measured = both(method, dtype)
            name = f"{method}, {str(dtype).removeprefix('torch.')}"
            states = ("weights", "gradients", "optimizer")
            off = max(abs(getattr(measured, part) - getattr(predicted, part)) for part in states)
            kept = measured.activations / predicted.activations
            detail = {"predicted": predicted.parts(), "measured": measured.parts()}
            rows.append(row(f"{name}: bytes of weights, gradients, state off by", off, "bytes", at_most=0, **detail))
            rows.append(row(f"{name}: activations off by", abs(kept - 1), at_most=0.05))
    return rows


def both(method, dtype):
    """(predicted, measured) Memory of one step."""
    model = LM(PRESETS["base"]).to(dtype)
    if method == "lora":
        add_lora(model, rank=8)
    ids = torch.randint(0, model.config.vocab_size, (BATCH, CONTEXT))
    optimizer = make_optimizer(model, Recipe(steps=1))
    measured = memory.measure(model, optimizer, lambda: lm_loss(model, ids, ids))
    return memory.predict(model.config, method, BATCH, CONTEXT, rank=8, dtype=dtype), measured
