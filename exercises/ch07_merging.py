# Yours to edit: write a function, save the file, and check it, with check("7.1") in the notebook or with
# `minilm grade 7.1` in a shell. hint("7.1") in the notebook opens the next hint.
"""Chapter 7, merging: what can be done with an adapter once it is trained.

W is (out, in), A is (r, in), B is (out, r), and an adapter changes W by ΔW = γ B A with γ = α / r. The ranks and alphas
of several adapters may differ.
"""

import torch


class MergeableLinear:
    """Exercise 7.1: a frozen layer whose adapter can be merged into it, and taken out again.

    - forward(x): y = x Wᵀ + γ (x Aᵀ) Bᵀ. Once merged, x is multiplied by one matrix only, with the same result.
    - merge(): from now on `weight` is W + γ B A. Merging again, before unmerging, is a mistake: RuntimeError.
    - unmerge(): `weight` is W again, every bit of it; (W + ΔW) - ΔW is not always W in floating point. Unmerging what
      is not merged is a mistake: RuntimeError.

    Arguments: W (out, in), A (r, in), B (out, r): tensors of one dtype. alpha: γ = alpha / r.
    Source: Hu et al., "LoRA" (2021).

    >>> layer = MergeableLinear(torch.eye(2), torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]), alpha=2)
    >>> layer.merge()
    >>> layer.weight.tolist()
    [[7.0, 12.0], [8.0, 17.0]]
    """

    def __init__(self, W: torch.Tensor, A: torch.Tensor, B: torch.Tensor, alpha: float):
        self.weight, self.A, self.B, self.alpha = W, A, B, alpha
        self.kept = None  # yours: what has to be remembered while the adapter is merged

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("Exercise 7.1: merge and unmerge")

    def merge(self) -> None:
        raise NotImplementedError("Exercise 7.1: merge and unmerge")

    def unmerge(self) -> None:
        raise NotImplementedError("Exercise 7.1: merge and unmerge")


def vanished(W: torch.Tensor, delta: torch.Tensor) -> float:
    """Exercise 7.2: the share of an update that is lost when it is merged into a 16-bit weight.

    A bfloat16 number has 8 significant bits: next to 1.0 comes 1.0078. An update that reaches less than half the way to
    the next number is rounded away. The sum is made in 32 bits and rounded once, to the dtype of W.

    Arguments: W: (out, in), bfloat16 or another float dtype. delta: (out, in), float32, not all zeros.
    Returns: of the entries in which delta is not 0, the share (0 to 1) in which the merged weight is still W.

    >>> W = torch.ones(1, 4, dtype=torch.bfloat16)
    >>> vanished(W, torch.tensor([[0.001, 0.003, 0.005, 0.0]])) == 2 / 3
    True
    """
    raise NotImplementedError("Exercise 7.2: what rounding eats")


def combine(
    adapters: list[tuple[torch.Tensor, torch.Tensor, float]], weights: list[float]
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Exercise 7.3: several adapters of one layer as a single one, exactly.

    Arguments: adapters: (A, B, alpha) each; their ranks r₁, r₂, … may differ. weights: one number per adapter, of any
    sign: -1 takes an adapter's change away.
    Returns: an adapter (A, B, alpha) with A (r₁ + r₂ + …, in) and B (out, r₁ + r₂ + …), whose own γ B A, where γ is its
    alpha over its rank, is the weighted sum of the γ B A of all adapters.

    >>> one = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0]]), 2.0     # 2 * 3 * [1, 0]
    >>> two = torch.tensor([[0.0, 1.0]]), torch.tensor([[5.0]]), 1.0     # 1 * 5 * [0, 1]
    >>> A, B, alpha = combine([one, two], [1.0, 10.0])
    >>> (alpha / 2 * B @ A).tolist()
    [[6.0, 50.0]]
    """
    raise NotImplementedError("Exercise 7.3: add adapters by their ranks")


def averaging_gap(pairs: list[tuple[torch.Tensor, torch.Tensor]], sizes: list[int]) -> torch.Tensor:
    """Exercise 7.4: what is lost when A's and B's are averaged apart.

    Several clients train one adapter each, on sizes[i] examples, and a server averages them: client i counts by its
    share of all examples. Right is the average of the changes Bᵢ Aᵢ. Tempting, and wrong, is to average the Aᵢ, to
    average the Bᵢ, and to multiply the two.

    Arguments: pairs: (A, B) of each client, all of the same shapes, with γ = 1. sizes: examples of each client.
    Returns: (out, in), the average of the products minus the product of the averages.
    Source: Sun et al., "Improving LoRA in privacy-preserving federated learning" (2024).

    >>> one = torch.tensor([[2.0]]), torch.tensor([[2.0]])
    >>> two = torch.tensor([[4.0]]), torch.tensor([[6.0]])
    >>> averaging_gap([one, two], [1, 1]).item()      # (2 * 2 + 6 * 4) / 2 - 4 * 3
    2.0
    """
    raise NotImplementedError("Exercise 7.4: the average of a product")


def extract(before: torch.Tensor, after: torch.Tensor, rank: int, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Exercise 7.5: an adapter made from a fully fine-tuned weight.

    Arguments: before, after: (out, in), the weight before and after fine-tuning. rank: 1 to min(out, in). alpha: that
    the adapter will be used with: γ = alpha / rank.
    Returns: A (rank, in) and B (out, rank), so that before + γ B A is as close to after as any adapter of this rank can
    bring it (in the Frobenius norm). How A and B share the singular values between them is up to you.
    Source: Eckart and Young (1936).

    >>> A, B = extract(torch.eye(2), torch.tensor([[1.0, 0.0], [8.0, 2.0]]), rank=2, alpha=6)
    >>> (6 / 2 * B @ A).round(decimals=4).tolist()
    [[0.0, 0.0], [8.0, 1.0]]
    """
    raise NotImplementedError("Exercise 7.5: extract an adapter")


class HotSwap:
    """Exercise 7.6: one base and many adapters, of which every call chooses one.

    - add(name, A, B, alpha): remember an adapter. One that has the name already is replaced.
    - serve(x, name): x Wᵀ + γ (x Aᵀ) Bᵀ with the adapter of this name and no other, or x Wᵀ when name is None. A name
      that was never added is a KeyError: an answer by the base alone would look right and be wrong.

    The base never changes: after any number of calls, name None gives the very bits that it gave at first.

    Arguments: W: (out, in). A (r, in), B (out, r) and alpha may differ in r and alpha from one adapter to the next.
    Source: Chen et al., "Punica: multi-tenant LoRA serving" (2024).

    >>> swap = HotSwap(torch.tensor([[1.0, 0.0]]))
    >>> swap.add("a", torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0]]), alpha=2)
    >>> x = torch.tensor([[10.0, 1.0]])
    >>> swap.serve(x, "a").item(), swap.serve(x, None).item()
    (16.0, 10.0)
    """

    def __init__(self, W: torch.Tensor):
        self.weight = W
        self.adapters = {}

    def add(self, name: str, A: torch.Tensor, B: torch.Tensor, alpha: float) -> None:
        raise NotImplementedError("Exercise 7.6: swap adapters")

    def serve(self, x: torch.Tensor, name: str | None) -> torch.Tensor:
        raise NotImplementedError("Exercise 7.6: swap adapters")
