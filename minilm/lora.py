"""LoRA: keep a weight frozen and learn a small correction beside it.

    y = x W^T + gamma (x A^T) B^T,    gamma = alpha / r        W (out, in), A (r, in), B (out, r)

A starts random and B starts at zero, so an adapted model is at first exactly the model it adapts, and only B has a
gradient in the first step. Only A and B are trained: r (in + out) numbers per layer in place of in x out.

    >>> model = add_lora(model, rank=8, alpha=16)          # all seven projections of every block
    >>> count_parameters(model, trainable_only=True)

Reading order: LoRALinear, add_lora, adapters. What this file does not do: merge (merge.py), save and load (adapter.py),
run faster with the same result (lora_fast.py).

Sources: LoRA (Hu et al. 2021), the alpha / sqrt(r) variant (Kalajdzievski 2023).
"""

import math
from numbers import Integral, Real

import torch
from torch import nn

from .errors import UserError
from .lora_fast import low_rank_linears

ALL_SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoRALinear(nn.Module):
    """A frozen linear layer and its low-rank correction.

    Arguments: base: nn.Linear with weight (out, in), with or without bias. rank: r, 1 to min(in, out). alpha: the
    strength; gamma = alpha / r, or alpha / sqrt(r) with `rslora`. dropout: share of A's inputs zeroed in training.
    generator: of the random A; default torch's own. Raises UserError for a rank, alpha or dropout that cannot be.
    """

    def __init__(self, base, rank=8, alpha=16.0, dropout=0.0, rslora=False, generator=None):
        super().__init__()
        check_choices(base.weight.shape, rank, alpha, dropout)
        self.base_layer = base.requires_grad_(False)
        device = base.weight.device
        bound = 1 / math.sqrt(base.in_features)
        # A and B are float32 even beside a 16-bit base: they are tiny, and their updates must not be rounded away.
        # A is drawn on the CPU, so that a seed means the same numbers on every device.
        a = torch.empty(rank, base.in_features).uniform_(-bound, bound, generator=generator)
        self.lora_A = nn.Parameter(a.to(device))  # (r, in)
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank, device=device))  # (out, r)
        self.rank, self.alpha, self.rslora = rank, alpha, rslora
        self.dropout = nn.Dropout(dropout)
        self.unmerged = []  # holds the base's own weight while another, with the correction in it, stands in for it
        self.fast = True  # False runs the formula as it is written above
        self.train(base.training)  # a new module is in training mode; beside a base in evaluation it must not drop

    @property
    def gamma(self):
        """What B A is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)

    @property
    def merged(self):
        return bool(self.unmerged)

    def delta(self):
        """The correction as one matrix, gamma B A: (out, in), float32."""
        return self.gamma * self.lora_B @ self.lora_A

    def forward(self, x):
        if self.merged:
            return self.base_layer(x)
        if self.takes_fast_way:
            return low_rank_linears(x, [self.tensors()])[0]
        a, b = self.lora_A.to(x.dtype), self.lora_B.to(x.dtype)
        return self.base_layer(x) + self.gamma * (self.dropout(x) @ a.T) @ b.T  # (B, T, out)

    @property
    def takes_fast_way(self):
        return self.fast and not self.merged and self.dropout.p == 0 and self.base_layer.bias is None

    def tensors(self):
        return self.base_layer.weight, self.lora_A, self.lora_B, self.gamma

    @staticmethod
    def together(x, layers):
        """[layer(x) for layer in layers], with the thin products of all of them in one where that is possible."""
        if all(isinstance(layer, LoRALinear) and layer.takes_fast_way for layer in layers):
            return low_rank_linears(x, [layer.tensors() for layer in layers])
        return [layer(x) for layer in layers]

    def train(self, mode=True):
        if mode and self.merged:
            raise UserError("this adapter is merged into its base, where it cannot learn; call unmerge(model) first")
        return super().train(mode)


def add_lora(model, rank=8, alpha=16.0, targets=ALL_SEVEN, dropout=0.0, rslora=False, ranks=None, alphas=None, seed=0):
    """Put a LoRALinear around every linear layer that `targets` names, and freeze everything else, in place.

    Arguments: targets: last parts of module names (`q_proj`), or whole names (`model.layers.0.mlp.up_proj`).
    ranks, alphas: name -> value for modules that differ from `rank` and `alpha`; the longest matching name wins.
    seed: of the random A. Returns: the model. Raises UserError for an unknown name, a bad rank, or a second adapter.
    """
    check_bare(model)
    linears = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    chosen = choose(linears, targets)
    choose(chosen, [*(ranks or {}), *(alphas or {})], required=False)
    own = {name: (lookup(ranks, name, rank), lookup(alphas, name, alpha)) for name in chosen}
    for name, linear in chosen.items():  # all checks come before the first change
        check_choices(linear.weight.shape, *own[name], dropout, name)
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, linear in chosen.items():
        set_module(model, name, LoRALinear(linear, *own[name], dropout, rslora, generator))
    return model


def check_bare(model):
    """UserError if the model has an adapter."""
    if adapters(model):
        raise UserError("this model already has an adapter; remove it with remove_lora(model) or load the base afresh")


def check_choices(shape, rank, alpha=1.0, dropout=0.0, name="this layer"):
    """UserError unless rank, alpha and dropout are possible for a layer of `shape` (out, in)."""
    if not isinstance(rank, Integral) or not 1 <= rank <= min(shape):
        size = " x ".join(map(str, shape))
        raise UserError(f"rank {rank} does not fit {name} ({size}); choose a whole number from 1 to {min(shape)}")
    if not isinstance(alpha, Real) or not 0 < alpha < math.inf:
        raise UserError(f"alpha {alpha} for {name} is not possible; choose a number above 0, such as twice the rank")
    if not isinstance(dropout, Real) or not 0 <= dropout < 1:
        raise UserError(f"dropout {dropout} is not possible; choose a share from 0 to less than 1")


def remove_lora(model):
    """Take all adapters off, leaving the base as it was. Returns the model, all of it trainable."""
    for name, layer in adapters(model).items():
        if layer.merged:
            raise UserError("this adapter is merged into its base; call unmerge(model) before removing it")
        set_module(model, name, layer.base_layer)
    return model.requires_grad_(True)


def adapters(model):
    """Name -> LoRALinear for every adapted layer, in model order."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}


def choose(modules, targets, required=True):
    """Those of `modules` (name -> module) that `targets` name; every target must name at least one.

    Arguments: targets: names, or one name. required: whether no targets at all is an error.
    """
    targets = [targets] if isinstance(targets, str) else list(targets)
    if required and not targets:
        raise UserError(f"no layer was chosen for the adapter; name at least one, such as {ALL_SEVEN[0]}")
    for target in targets:
        if not any(matches(name, target) for name in modules):
            valid = ", ".join(sorted({name.rpartition(".")[2] for name in modules}))
            raise UserError(f"no linear layer is called {target!r}; the valid names are {valid}")
    return {n: m for n, m in modules.items() if any(matches(n, target) for target in targets)}


def matches(name, target):
    """Whole parts only: `proj` does not name `q_proj`, and `q_proj` names `model.layers.0.self_attn.q_proj`."""
    return name == target or name.endswith(f".{target}")


def lookup(patterns, name, default):
    fitting = [p for p in patterns or {} if matches(name, p)]
    return patterns[max(fitting, key=len)] if fitting else default


def set_module(model, name, module):
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)
