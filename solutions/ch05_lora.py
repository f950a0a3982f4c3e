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
    # BEGIN SOLUTION 5.1: A and B before the first step
    bound = 1 / math.sqrt(in_features)
    generator = torch.Generator().manual_seed(seed)
    A = torch.empty(rank, in_features).uniform_(-bound, bound, generator=generator)
    return A, torch.zeros(out_features, rank)
    # END SOLUTION


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
    # BEGIN SOLUTION 5.2: the output with its correction
    gamma = alpha / A.shape[0]
    y = x @ W.T + gamma * (x @ A.T) @ B.T
    return y if bias is None else y + bias
    # END SOLUTION


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
    # BEGIN SOLUTION 5.3: the gradients of A and B
    gamma = alpha / len(A)
    dA = gamma * (dy @ B).T @ x
    dB = gamma * dy.T @ (x @ A.T)
    return dA, dB
    # END SOLUTION


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
    # BEGIN SOLUTION 5.4: what the first step does
    low = x @ A.T
    dB = gamma * dy.T @ low
    B = -lr * (dB if rule == "sgd" else np.sign(dB))
    return gamma * low @ B.T
    # END SOLUTION


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
    # BEGIN SOLUTION 5.4: growth with the rank
    gamma = {"alpha": 1.0, "alpha/r": 1 / factor, "alpha/sqrt(r)": 1 / math.sqrt(factor)}[scaling]
    return factor * gamma**2 if rule == "sgd" else factor * gamma
    # END SOLUTION


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
        # BEGIN SOLUTION 5.5: a linear layer with its correction
        self.base_layer = base.requires_grad_(False)
        A, B = init_factors(base.out_features, base.in_features, rank, seed)
        self.lora_A, self.lora_B = nn.Parameter(A), nn.Parameter(B)
        self.gamma = alpha / rank
        # END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # BEGIN SOLUTION 5.5: a linear layer with its correction
        return self.base_layer(x) + self.gamma * (x @ self.lora_A.T) @ self.lora_B.T
        # END SOLUTION


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
    # BEGIN SOLUTION 5.6: adapters by name
    linears = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    last = {name: name.split(".")[-1] for name in linears if not name.endswith("base_layer")}
    for target in targets:
        if target not in last.values():
            raise ValueError(f"no linear layer is called {target!r}; there are {', '.join(sorted(set(last.values())))}")
    chosen = [name for name in last if last[name] in targets]
    for seed, name in enumerate(chosen):
        parent = model.get_submodule(name.rpartition(".")[0])
        setattr(parent, last[name], LoRALinear(linears[name], rank, alpha, seed))
    return chosen
    # END SOLUTION


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
    # BEGIN SOLUTION 5.7: let the adapters learn
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.split(".")[-1] in FACTORS)
    # END SOLUTION


def count(model: nn.Module) -> tuple[int, int]:
    """Exercise 5.7: how many numbers learn, of how many.

    Returns: (numbers in parameters that learn, numbers in all parameters), two ints. A parameter that is used in two
    places (a tied embedding) is there once.

    >>> count(nn.Linear(5, 7).requires_grad_(False))
    (0, 42)
    """
    # BEGIN SOLUTION 5.7: how many numbers learn
    learning = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return learning, sum(parameter.numel() for parameter in model.parameters())
    # END SOLUTION


def adapter_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Exercise 5.8: what of an adapted model is worth saving.

    Returns: name -> tensor, the adapters' parameters (their names end in a part from FACTORS) with their full names as
    in model.state_dict(), and nothing of the base.

    >>> sorted(adapter_state(nn.ModuleDict({"q_proj": LoRALinear(nn.Linear(5, 7), rank=2, alpha=4.0)})))
    ['q_proj.lora_A', 'q_proj.lora_B']
    """
    # BEGIN SOLUTION 5.8: what is worth saving
    return {name: value.clone() for name, value in model.state_dict().items() if name.split(".")[-1] in FACTORS}
    # END SOLUTION


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
    # BEGIN SOLUTION 5.8: put it back
    mine = {name: value for name, value in model.named_parameters() if name.split(".")[-1] in FACTORS}
    if {name: value.shape for name, value in mine.items()} != {name: value.shape for name, value in state.items()}:
        raise ValueError("the names or shapes of this adapter are not those of the model")
    with torch.no_grad():
        for name, value in mine.items():
            value.copy_(state[name])
    # END SOLUTION


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
    # BEGIN SOLUTION 5.9: fine-tune a language model
    inject(model, targets, rank, alpha)
    freeze(model)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)
    losses = []
    for ids in batches:
        logits = model(ids[:, :-1])  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # END SOLUTION
