"""How much of a matrix fits in few directions: the singular value decomposition and what is read from it.

Every matrix W of shape (out, in) is exactly U S Vᵀ: orthonormal columns in U and V, and singular values
s₁ ≥ s₂ ≥ … ≥ 0 on the diagonal of S. Nothing is approximate until some are dropped. Keeping the r largest
gives the best matrix of rank r there is, and the dropped values say how good that is:

    truncate([[3, 0], [0, 1]], rank=1)   ->  B A = [[3, 0], [0, 0]]
    kept energy  3² / (3² + 1²) = 90 %       error (Frobenius)  √(1²) = 1

Everything is computed and returned in float64 on the CPU, whatever comes in (torch, numpy or nested lists):
small singular values are the point here, and float32 rounds them away.

What this file does not do: train (lora.py learns B and A; here they are computed), or draw (plots.py).
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch

from .errors import UserError

NEGLIGIBLE = 1e-12  # float64 sums are good to about 1e-15; a share that close to its goal has reached it


class TruncationError(NamedTuple):
    """What a truncation loses, as the two usual norms of W − B A."""

    frobenius: float  # root of the sum of the dropped squares: the error of all entries together
    spectral: float  # the largest dropped value: the error in the worst single direction


def as_matrix(matrix):
    """`matrix` as a float64 tensor (out, in); anything but a finite, non-empty matrix is a UserError."""
    matrix = _float64(matrix)
    if matrix.ndim != 2 or matrix.numel() == 0:
        raise UserError(f"a matrix (out, in) is needed, not {tuple(matrix.shape)}; pass a single 2-D weight")
    if not torch.isfinite(matrix).all():
        raise UserError("the matrix holds NaN or infinity, so it has no SVD; did its training diverge?")
    return matrix


def singular_values(matrix):
    """The singular values of `matrix` (out, in), largest first: a tensor (min(out, in),).

    >>> singular_values([[0.0, 2.0, 0.0], [-5.0, 0.0, 0.0]]).tolist()
    [5.0, 2.0]
    """
    return torch.linalg.svdvals(as_matrix(matrix))


def truncate(matrix, rank):
    """The best approximation of rank `rank`, as two factors: B (out, rank), A (rank, in), and B A ≈ matrix.

    Each factor takes the square root of every singular value, so that both have the same norm, and so that
    the pair can start a LoRA adapter. No other matrix of that rank is closer, in the Frobenius or the
    spectral norm (Eckart & Young 1936; Mirsky 1960). A rank below 1 or above the smaller side is a UserError.

    >>> B, A = truncate([[3.0, 0.0], [0.0, 1.0]], rank=1)
    >>> (B @ A).abs().round(decimals=6).tolist()
    [[3.0, 0.0], [0.0, 0.0]]
    """
    matrix = as_matrix(matrix)
    check_rank(rank, min(matrix.shape))
    # torch returns Vᵀ, not V: its rows are the directions of the input side.
    U, s, Vt = torch.linalg.svd(matrix, full_matrices=False)
    root = s[:rank].sqrt()
    B = U[:, :rank] * root  # (out, rank): column i times √sᵢ
    A = root[:, None] * Vt[:rank]  # (rank, in): row i times √sᵢ
    return B, A


def truncation_error(s, rank):
    """How far the best matrix of rank `rank` is from one with singular values `s`, without building it.

    Arguments: s (n,) singular values; rank 1 to n. Returns a TruncationError.

    >>> truncation_error([5.0, 4.0, 3.0], rank=1)
    TruncationError(frobenius=5.0, spectral=4.0)
    """
    s = _spectrum(s)
    check_rank(rank, len(s))
    dropped = s[rank:]
    return TruncationError(dropped.norm().item(), s[rank].item() if rank < len(s) else 0.0)


def energy(s):
    """The share of the energy ‖W‖² = Σ sᵢ² in the 1, 2, …, n largest singular values: a rising tensor (n,).

    Squares, not plain values: only those add up to the sum of the squared entries of W. A matrix of zeros
    has no energy to miss, so all its shares are 1.

    >>> energy([3.0, 1.0]).tolist()
    [0.9, 1.0]
    """
    total = _spectrum(s).square().cumsum(0)
    return total / total[-1] if total[-1] > 0 else torch.ones_like(total)


def rank_for_energy(s, share=0.9):
    """The smallest rank whose best approximation keeps `share` of the energy (0 for a matrix of zeros).

    >>> rank_for_energy([3.0, 1.0], 0.9), rank_for_energy([3.0, 1.0], 0.91)
    (1, 2)
    """
    if not 0 < share <= 1:
        raise UserError(f"the share of energy is {share}; give one above 0 and at most 1 (0.9 is 90 %)")
    if not _spectrum(s).any():
        return 0
    return int((energy(s) < share - NEGLIGIBLE).sum()) + 1


def numerical_rank(s, relative=1e-6):
    """How many singular values are above `relative` times the largest: the rank, rounding errors left out.

    Exactly, the rank is the number of singular values that are not zero. Rounding in float32 turns zeros into
    about 1e-7 of the largest, hence the default.

    >>> numerical_rank([2.0, 1.0, 1e-9])
    2
    """
    s = _spectrum(s)
    return int((s > relative * s[0]).sum())


def effective_rank(s):
    """How many directions are in use, as a smooth number from 1 to n (0 for a matrix of zeros).

    It is e to the entropy of the shares pᵢ = sᵢ / Σ s (Roy & Vetterli 2007; plain values there, not squares):
    k equal values and no others give k.

    >>> round(effective_rank([7.0, 7.0, 7.0, 0.0]), 6)
    3.0
    """
    s = _spectrum(s)
    if not s.any():
        return 0.0
    return torch.special.entr(s / s.sum()).sum().exp().item()  # entr(p) = −p ln p, and 0 at p = 0


def stable_rank(s):
    """‖W‖²(Frobenius) / ‖W‖²(spectral) = Σ sᵢ² / s₁²: from 1 to the rank (0 for a matrix of zeros).

    It hardly sees small singular values (Rudelson & Vershynin 2007), so it is at most the effective rank.

    >>> stable_rank([2.0, 1.0, 1.0])
    1.5
    """
    s = _spectrum(s)
    return (s / s[0]).square().sum().item() if s[0] > 0 else 0.0


def break_even_rank(out_features, in_features):
    """The largest rank at which B and A together hold no more numbers than W: r (out + in) ≤ out · in.

    >>> break_even_rank(192, 512)   # 139 * (192 + 512) = 97,856 of 192 * 512 = 98,304
    139
    """
    if min(out_features, in_features) < 1:
        raise UserError(f"a layer of {out_features} x {in_features} is empty; give sides of 1 or more")
    return out_features * in_features // (out_features + in_features)


def noise_like(matrix, generator):
    """Gaussian noise with the shape and the Frobenius norm of `matrix`: what "no structure" looks like.

    `generator` is a CPU torch.Generator, so that a comparison can be repeated.
    """
    matrix = as_matrix(matrix)
    noise = torch.randn(matrix.shape, generator=generator, dtype=torch.float64)
    return noise * (matrix.norm() / noise.norm())


def compare(delta, generator, share=0.9):
    """How low-rank one update `delta` (out, in) is, beside noise of the same shape and norm.

    Returns a dict: shape, norm, and for the update and for the noise the rank for `share` of the energy and
    the effective rank. An update is low-rank in earnest only when its figures are far below the noise's.
    """
    delta = as_matrix(delta)
    s, noise = singular_values(delta), singular_values(noise_like(delta, generator))
    return {
        "shape": tuple(delta.shape),
        "norm": delta.norm().item(),
        "rank": rank_for_energy(s, share),
        "noise_rank": rank_for_energy(noise, share),
        "effective_rank": effective_rank(s),
        "noise_effective_rank": effective_rank(noise),
        "stable_rank": stable_rank(s),
    }


def spectrum_report(before, after, share=0.9, seed=0):
    """`compare` for every matrix that training changed: name -> dict, in the order of `after`.

    Arguments: before, after: state dicts of one model (name -> tensor). What is decomposed is the update
    after − before, never the trained weight itself, which starts with full rank whatever training did.
    Vectors and unchanged matrices are left out. Different names or shapes are a UserError.
    """
    if before.keys() != after.keys():
        odd = sorted(before.keys() ^ after.keys())[0]
        raise UserError(f"only one of the two has {odd}; compare a model with its own start")
    generator = torch.Generator().manual_seed(seed)
    deltas = {name: _update(name, before[name], after[name]) for name in after if after[name].ndim == 2}
    return {name: compare(delta, generator, share) for name, delta in deltas.items() if delta.any()}


def check_rank(rank, largest):
    """UserError unless `rank` is a whole number from 1 to `largest`, the smaller side of the matrix."""
    if not isinstance(rank, Integral) or not 1 <= rank <= largest:
        choice = f"a whole number from 1 to {largest}, the smaller side of the matrix"
        raise UserError(f"rank {rank} does not fit here; choose {choice}")


def _update(name, before, after):
    if before.shape != after.shape:
        shapes = f"{tuple(before.shape)} before and {tuple(after.shape)} after"
        raise UserError(f"{name} is {shapes}; compare a model with its own start")
    return as_matrix(after) - as_matrix(before)  # in float64: the difference of two close numbers


def _float64(values):
    """`values` (torch, numpy or nested lists) as a float64 tensor on the CPU (not every device has it)."""
    if not isinstance(values, torch.Tensor):
        values = torch.from_numpy(np.array(values, dtype=np.float64))  # torch reads lists as float32
    return values.detach().cpu().double()


def _spectrum(s):
    """`s` as a float64 tensor (n,), largest first; a UserError when it cannot be singular values."""
    s = _float64(s)
    if s.ndim != 1 or len(s) == 0 or not (s >= 0).all() or not torch.isfinite(s).all():
        raise UserError("singular values are finite and none is below 0; pass singular_values(matrix)")
    return s.sort(descending=True).values
