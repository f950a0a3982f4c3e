"""The loss of the first 20 steps at ranks 1 to 64, with gamma = alpha, alpha / sqrt(r) and alpha / r, by Adam and SGD.

Every run adapts all seven layers of the shipped base to Python's reference, with one constant rate per rule, no warm-up
and no clipping. All 20 steps see the same batch of 4 windows of 64 tokens, so that a curve shows the steps and not the
luck of the batches. The loss of a step is the one before it. A seed means another batch and another A. (At 0.01, SGD
was unstable with r = 1 on two of the three batches: that shows the edge of stability and not the size of a step.)
"""

import math

import torch

from ..corpus import load
from ..data import Windows
from ..lora import adapters, add_lora
from ..loss import lm_loss
from ..optim import AdamW
from ..precision import choose_precision
from ..pretrained import load_base

ABOUT = "Loss of the first 20 steps of LoRA on Python's reference by rank, gamma and update rule, alpha = 16"
STEPS, ALPHA = 20, 16.0
RATES = {"adam": 1e-3, "sgd": 0.003}
GAMMAS = {"alpha": lambda r: ALPHA, "alpha/sqrt(r)": lambda r: ALPHA / math.sqrt(r), "alpha/r": lambda r: ALPHA / r}
CELLS = [
    {"rule": rule, "scaling": scaling, "rank": rank, "seed": seed}
    for seed in range(3)
    for rule in RATES
    for scaling in GAMMAS
    for rank in (1, 4, 16, 64)
]


def measure(rule, scaling, rank, seed, rate=None):
    """losses: nats per token before each step; a lost run's numbers are large, or none. size: of ΔW in the end."""
    model, tokenizer = load_base(choose_precision().dtype)
    # add_lora divides alpha by the rank, so gamma times the rank gives the wanted gamma
    add_lora(model, rank, alpha=GAMMAS[scaling](rank) * rank, seed=seed)
    windows = Windows([tokenizer.eot, *tokenizer.encode(load("pydocs").train)], context=64, batch=4, seed=seed)
    factors = [p for p in model.parameters() if p.requires_grad]
    step = update_rule(rule, factors, RATES[rule] if rate is None else rate)
    losses = []
    for _ in range(STEPS):
        loss = lm_loss(model, *windows[0])
        loss.backward()
        step()
        losses.append(loss.item())
    size = sum(layer.delta().detach().norm().item() ** 2 for layer in adapters(model).values()) ** 0.5
    return {"losses": [plain(loss) for loss in losses], "size": plain(size)}


def update_rule(rule, parameters, rate):
    """One step of AdamW or of plain gradient descent, as a function without arguments."""
    if rule == "adam":
        optimizer = AdamW(parameters, rate)

        def step():
            optimizer.step()
            optimizer.zero_grad()
    else:

        def step():
            with torch.no_grad():
                for p in parameters:
                    p.sub_(rate * p.grad)
                    p.grad = None

    return step


def plain(number):
    """Rounded for the file; what is not finite becomes None."""
    return round(number, 4) if math.isfinite(number) else None
