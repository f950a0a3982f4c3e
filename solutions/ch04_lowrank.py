"""Chapter 4, low rank: what the singular values of a matrix say about it.

A matrix W of shape (out, in) is exactly U S Vᵀ, with singular values s₁ ≥ s₂ ≥ … ≥ 0 on the diagonal of S. Everything
here is numpy, and every spectrum `s` is sorted, largest value first.
"""

import numpy as np


def truncate(W: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Exercise 4.1: the best approximation of W by two thin factors.

    Arguments: W: (out, in). rank: 1 to min(out, in).
    Returns: B (out, rank) and A (rank, in), so that B A is the closest matrix of that rank to W. Both factors carry the
    same share of each singular value: column i of B and row i of A have the same norm.
    Source: Eckart and Young, "The approximation of one matrix by another of lower rank" (1936).

    >>> B, A = truncate(np.array([[4.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), rank=1)
    >>> np.abs(B @ A).round(6).tolist()
    [[4.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    # BEGIN SOLUTION 4.1: the best two thin factors
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    root = np.sqrt(s[:rank])
    return U[:, :rank] * root, root[:, None] * Vt[:rank]
    # END SOLUTION


def truncation_error(s: np.ndarray, rank: int) -> tuple[float, float]:
    """Exercise 4.2: how far W is from its best approximation, from its singular values alone.

    Arguments: s: (n,) the singular values of W, largest first. rank: 1 to n, how many are kept.
    Returns: (Frobenius norm, spectral norm) of W - B A, two floats.
    Source: Eckart and Young (1936); Mirsky, "Symmetric gauge functions and unitarily invariant norms" (1960).

    >>> truncation_error(np.array([5.0, 4.0, 3.0]), rank=1)
    (5.0, 4.0)
    """
    # BEGIN SOLUTION 4.2: the error, without building it
    dropped = s[rank:]
    return float(np.sqrt((dropped**2).sum())), float(dropped.max(initial=0.0))
    # END SOLUTION


def rank_for_energy(s: np.ndarray, share: float) -> int:
    """Exercise 4.3: the smallest rank that keeps a share of the energy.

    The energy of W is the sum of its squared entries, which is also the sum of its squared singular values.

    Arguments: s: (n,) singular values, largest first, at least one above 0. share: above 0, at most 1 (0.9 is 90 %).
    Returns: the smallest rank, 1 to n, whose best approximation keeps at least that share.

    >>> rank_for_energy(np.array([3.0, 1.0]), 0.9), rank_for_energy(np.array([3.0, 1.0]), 0.95)
    (1, 2)
    """
    # BEGIN SOLUTION 4.3: how many directions for 90 %
    kept = np.cumsum(s**2) / np.sum(s**2)
    return int((kept < share - 1e-12).sum()) + 1  # a share that is reached up to rounding is reached
    # END SOLUTION


def factor_size(out_features: int, in_features: int, rank: int) -> int:
    """Exercise 4.4: how many numbers B (out, rank) and A (rank, in) hold together.

    >>> factor_size(10, 30, 2)
    80
    """
    # BEGIN SOLUTION 4.4: where two factors stop paying
    return rank * (out_features + in_features)
    # END SOLUTION


def break_even_rank(out_features: int, in_features: int) -> int:
    """Exercise 4.4: the largest rank at which B and A together hold no more numbers than W (out, in).

    >>> break_even_rank(10, 30)   # 7 * 40 = 280 numbers of 300; 8 * 40 would be 320
    7
    """
    # BEGIN SOLUTION 4.4: where two factors stop paying
    return out_features * in_features // (out_features + in_features)
    # END SOLUTION


def effective_rank(s: np.ndarray) -> float:
    """Exercise 4.5: how many directions are in use, as a smooth number.

    1. Turn the values into shares: pᵢ = sᵢ / (s₁ + s₂ + …).
    2. Take the entropy of the shares, - Σ pᵢ ln pᵢ, where 0 ln 0 counts as 0.
    3. e to the entropy: k equal values give k.

    Arguments: s: (n,) singular values.
    Returns: a float from 1 to n, or 0.0 when all values are 0.
    Source: Roy and Vetterli, "The effective rank: a measure of effective dimensionality" (2007).

    >>> round(effective_rank(np.array([7.0, 7.0, 7.0, 0.0])), 6)
    3.0
    """
    # BEGIN SOLUTION 4.5: effective rank
    s = s[s > 0]
    if len(s) == 0:
        return 0.0
    p = s / s.sum()
    return float(np.exp(-(p * np.log(p)).sum()))
    # END SOLUTION


def planted_rank(W: np.ndarray, sigma: float) -> int:
    """Exercise 4.6: how many directions of W are more than noise.

    W (out, in) is a matrix of low rank plus noise, independent in every entry, with standard deviation `sigma`. Pure
    noise of that shape has hardly any singular value above sigma (√out + √in), the edge: what is above is real.

    Arguments: W: (out, in). sigma: the standard deviation of the noise in one entry.
    Returns: how many singular values are above the edge, an int.
    Source: Marchenko and Pastur (1967); Geman, "A limit theorem for the norm of random matrices" (1980).

    >>> planted_rank(np.array([[9.0, 0.0, 0.0], [0.0, 2.0, 0.0]]), sigma=1.0)   # the edge is 1.41 + 1.73 = 3.15
    1
    """
    # BEGIN SOLUTION 4.6: a planted rank under noise
    edge = sigma * (np.sqrt(W.shape[0]) + np.sqrt(W.shape[1]))
    return int((np.linalg.svd(W, compute_uv=False) > edge).sum())
    # END SOLUTION


def update_ranks(before: dict[str, np.ndarray], after: dict[str, np.ndarray], share: float) -> dict[str, int]:
    """Exercise 4.7: how low-rank training's updates were, matrix by matrix.

    Arguments: before, after: name -> array, the weights of one model before and after training, with the same names and
    shapes. share: of the energy, as in `rank_for_energy`.
    Returns: name -> the rank for that share of the energy of ΔW = after - before, for every matrix (2-D array) that
    changed. Vectors and unchanged matrices are left out.

    >>> before = {"w": np.eye(2), "norm": np.ones(2)}
    >>> update_ranks(before, {"w": np.array([[1.0, 2.0], [0.0, 1.0]]), "norm": np.zeros(2)}, share=0.9)
    {'w': 1}
    """
    # BEGIN SOLUTION 4.7: the rank of what training changed
    ranks = {}
    for name in after:
        delta = after[name] - before[name]
        if delta.ndim == 2 and delta.any():
            ranks[name] = rank_for_energy(np.linalg.svd(delta, compute_uv=False), share)
    return ranks
    # END SOLUTION
