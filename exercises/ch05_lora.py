# Yours to edit: write a function, save the file, and check it, with check("5.1") in the notebook or with
# `minilm grade 5.1` in a shell. hint("5.1") in the notebook opens the next hint.
"""Chapter 5, LoRA: a small correction, learned beside a weight that stays as it is.

    y = x Wᵀ + γ (x Aᵀ) Bᵀ,    γ = α / r        W (out, in), A (r, in), B (out, r)

Exercises 5.1 to 5.4 are about one layer and its matrices; 5.5 to 5.9 put adapters into a whole model and train them.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FACTORS = ("lora_A", "lora_B")  # what the two parameters of an adapter are called, in every model of this course


def init_factors(out_features: int, in_features: int, rank: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Exercise 5.1: A and B before the first step.

    A is drawn evenly (uniformly) from -1/√in to 1/√in, B is zero. So B A is zero, and training starts at exactly the
    model that is adapted. Were A zero as well, both would stay zero for ever: 5.3 shows why.

    Arguments: out_features, in_features, rank: the sizes. seed: the same seed gives the same A, every time; another
    seed gives another A.
    Returns: A (rank, in) and B (out, rank), two float32 tensors.
    Source: Hu et al., "LoRA: low-rank adaptation of large language models" (2021).

    >>> A, B = init_factors(out_features=3, in_features=4, rank=2, seed=0)
    >>> tuple(A.shape), tuple(B.shape), bool(A.abs().max() <= 0.5), bool(B.any())
    ((2, 4), (3, 2), True, False)
    """
    raise NotImplementedError("Exercise 5.1: A and B before the first step")


def lora_forward(
    x: torch.Tensor,
    W: torch.Tensor,
    A: torch.Tensor,
    B: torch.Tensor,
    alpha: float,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Exercise 5.2: the output of a linear layer with its correction.

    Arguments: x: (..., in), any number of leading dimensions, also none. W: (out, in). A: (r, in). B: (out, r).
    alpha: α, the strength; γ = α / r. bias: (out,) or None, the bias of the base.
    Returns: y = x Wᵀ + γ (x Aᵀ) Bᵀ (+ bias), shape (..., out). When B is zero it is exactly the base's output.

    >>> x, W = torch.tensor([[10.0, 1.0]]), torch.eye(2)
    >>> lora_forward(x, W, A=torch.tensor([[1.0, 2.0]]), B=torch.tensor([[3.0], [4.0]]), alpha=2.0)
    tensor([[82., 97.]])
    """
    raise NotImplementedError("Exercise 5.2: the output with its correction")


def lora_gradients(
    x: np.ndarray, dy: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """Exercise 5.3: the gradients of A and B, by hand.

    With y = x Wᵀ + γ (x Aᵀ) Bᵀ, γ = α / r, and dy the gradient of the loss with respect to y, what are the gradients
    with respect to A and to B? Everything is numpy here: no autograd, just matrix products. (For z = u Vᵀ the gradient
    of V is dzᵀ u, and that of u is dz V. The tests cannot tell whether torch found your gradients; but then you have
    not seen why A stands still in the first step.)

    Arguments: x: (N, in), one row per token. dy: (N, out), the same rows. A: (r, in). B: (out, r). alpha: α.
    Returns: dA (r, in) and dB (out, r), summed over all rows.

    >>> x, dy = np.array([[10.0, 1.0]]), np.array([[1.0, -1.0]])
    >>> dA, dB = lora_gradients(x, dy, A=np.array([[1.0, 2.0]]), B=np.zeros((2, 1)), alpha=2.0)
    >>> bool(dA.any()), dB.tolist()    # B is zero, as at step 0: A does not learn yet, and B does
    (False, [[24.0], [-24.0]])
    """
    raise NotImplementedError("Exercise 5.3: the gradients of A and B")


def first_change(x: np.ndarray, dy: np.ndarray, A: np.ndarray, gamma: float, lr: float, rule: str) -> np.ndarray:
    """Exercise 5.4: what the very first step of training does to the output.

    At step 0 B is zero, and so is the gradient of A: only B moves, by its gradient dB of 5.3. There are two rules:

        "sgd"     B becomes -lr dB
        "adam"    B becomes -lr sign(dB): Adam divides a gradient by its own size, and at first that leaves the sign

    Arguments: x: (N, in). dy: (N, out), the gradient of the loss with respect to the output. A: (r, in). gamma: γ, as a
    number. lr: the learning rate. rule: "sgd" or "adam".
    Returns: Δy (N, out), how much the output for the same x has changed after the step.
    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015).

    >>> x, dy, A = np.array([[1.0, 1.0]]), np.array([[2.0, -1.0]]), np.array([[1.0, 2.0], [3.0, -1.0]])
    >>> first_change(x, dy, A, gamma=0.5, lr=0.1, rule="adam").round(6).tolist()
    [[-0.25, 0.25]]
    """
    raise NotImplementedError("Exercise 5.4: what the first step does")


def growth(factor: float, rule: str, scaling: str) -> float:
    """Exercise 5.4: how the first change of the output grows when the rank becomes `factor` times as large.

    Take one row x. Each row of A adds its own term to Δy, and all these terms have the same sign; a larger rank has
    more such rows, and they look alike on average. x, dy, α and lr stay the same. So what is left is where γ enters.

    Arguments: factor: new rank / old rank. rule: "sgd" or "adam", as in first_change. scaling: what γ is: "alpha" (α at
    every rank), "alpha/r" (LoRA) or "alpha/sqrt(r)" (rsLoRA).
    Returns: size of Δy at the new rank / size at the old one. Where it is 1, one learning rate makes first steps of one
    size at every rank.
    Source: Kalajdzievski, "A rank stabilization scaling factor for fine-tuning with LoRA" (2023).

    >>> growth(4, "adam", "alpha")
    4.0
    """
    raise NotImplementedError("Exercise 5.4: growth with the rank")


class LoRALinear(nn.Module):
    """Exercise 5.5: a linear layer that is frozen, with a correction that learns.

    Arguments: base: a torch.nn.Linear, with or without bias. rank: r. alpha: α, γ = α / r. seed: of the random A, for
    `init_factors`.
    It keeps `base` itself (no copy) as `self.base_layer`, with none of its parameters learning any more, and has two
    parameters of its own: `self.lora_A` (r, in) and `self.lora_B` (out, r). Its state_dict holds these and nothing
    else. forward: x (..., in) -> (..., out).

    >>> layer = LoRALinear(nn.Linear(5, 7), rank=2, alpha=4.0)
    >>> sorted(layer.state_dict())
    ['base_layer.bias', 'base_layer.weight', 'lora_A', 'lora_B']
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, seed: int = 0):
        super().__init__()
        raise NotImplementedError("Exercise 5.5: a linear layer with its correction")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("Exercise 5.5: a linear layer with its correction")


def inject(model: nn.Module, targets: list[str], rank: int, alpha: float) -> list[str]:
    """Exercise 5.6: put a LoRALinear in the place of every linear layer that is named.

    A model is a tree of modules. `model.named_modules()` goes through it, with names such as
    "layers.0.self_attn.q_proj"; the last part of that one is "q_proj", and it sits in "layers.0.self_attn".

    1. Find the linear layers (torch.nn.Linear), at any depth. One that is inside a LoRALinear already (its last part is
       "base_layer") does not count: no layer is adapted twice.
    2. Every target must be the last part of at least one of them, the whole part: "q_proj" is not "eq_proj". If one is
       not, raise a ValueError whose message lists the last parts that there are, before anything has changed.
    3. Put LoRALinear(layer, rank, alpha, seed) in the place of each layer that is named; the seeds are 0, 1, 2, … in
       the order of the model, so that no two layers start with the same A.

    Arguments: model: changed in place. targets: last parts of names. rank, alpha: as in LoRALinear.
    Returns: the full names of the layers that were adapted now, in the order of the model.

    >>> model = nn.ModuleDict({"attn": nn.ModuleDict({"q_proj": nn.Linear(4, 4)}), "head": nn.Linear(4, 9)})
    >>> inject(model, ["q_proj"], rank=2, alpha=4.0)
    ['attn.q_proj']
    """
    raise NotImplementedError("Exercise 5.6: adapters by name")


def freeze(model: nn.Module) -> None:
    """Exercise 5.7: let the adapters learn, and nothing else.

    Afterwards the parameters whose name ends in a part from FACTORS learn (requires_grad is True), whatever they did
    before, and no other one does: no weight, no bias, no norm, no embedding. It is the whole part that counts:
    "x.flora_A" ends in another one.

    Arguments: model: with adapters in it, changed in place.

    >>> model = nn.ModuleDict({"q_proj": LoRALinear(nn.Linear(5, 7), rank=2, alpha=4.0), "norm": nn.LayerNorm(7)})
    >>> freeze(model)
    >>> [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    ['q_proj.lora_A', 'q_proj.lora_B']
    """
    raise NotImplementedError("Exercise 5.7: let the adapters learn")


def count(model: nn.Module) -> tuple[int, int]:
    """Exercise 5.7: how many numbers learn, of how many.

    Returns: (numbers in parameters that learn, numbers in all parameters), two ints. A parameter that is used in two
    places (a tied embedding) is there once.

    >>> count(nn.Linear(5, 7).requires_grad_(False))
    (0, 42)
    """
    raise NotImplementedError("Exercise 5.7: how many numbers learn")


def adapter_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Exercise 5.8: what of an adapted model is worth saving.

    Returns: name -> tensor, the adapters' parameters (their names end in a part from FACTORS) with their full names as
    in model.state_dict(), and nothing of the base.

    >>> sorted(adapter_state(nn.ModuleDict({"q_proj": LoRALinear(nn.Linear(5, 7), rank=2, alpha=4.0)})))
    ['q_proj.lora_A', 'q_proj.lora_B']
    """
    raise NotImplementedError("Exercise 5.8: what is worth saving")


def load_adapter(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Exercise 5.8: put a saved adapter back into a model that has adapters of the same names and shapes.

    The numbers are copied into the parameters that are there: an optimizer may hold them already, and they keep their
    dtype, whichever one the adapter was saved in. The order of the names does not matter.

    Arguments: model: changed in place. state: from adapter_state.
    Raises ValueError, before anything has changed, unless the names in `state` are exactly the model's, and each shape
    is the same.

    >>> model = nn.ModuleDict({"q_proj": LoRALinear(nn.Linear(5, 7), rank=2, alpha=4.0)})
    >>> load_adapter(model, {"q_proj.lora_A": torch.ones(2, 5), "q_proj.lora_B": torch.ones(7, 2)})
    >>> model["q_proj"].lora_B.sum().item()
    14.0
    """
    raise NotImplementedError("Exercise 5.8: put it back")


def adapt(
    model: nn.Module, batches: torch.Tensor, targets: list[str], rank: int, alpha: float, lr: float
) -> list[float]:
    """Exercise 5.9: fine-tune a language model with your LoRA.

    1. Inject adapters, and let nothing else learn.
    2. Make a torch.optim.AdamW with learning rate lr for what learns; leave its other settings as they are.
    3. For each batch, one step on the mean cross-entropy (natural logarithm) of every next token.

    Arguments: model: ids (B, T) -> logits (B, T, V), where logits[:, t] are about token t + 1; changed in place.
    batches: ids (steps, B, T + 1): one batch (B, T + 1) for each step, in this order. targets, rank, alpha: as in
    inject.
    Returns: the loss on each batch before its step, a list of floats.

    >>> model = nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 3))
    >>> losses = adapt(model, torch.tensor([[[0, 1, 2, 0, 1]]] * 9), targets=["1"], rank=2, alpha=4.0, lr=0.1)
    >>> len(losses), losses[-1] < losses[0]
    (9, True)
    """
    raise NotImplementedError("Exercise 5.9: fine-tune a language model")
