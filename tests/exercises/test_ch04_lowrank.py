"""The graded tests of chapter 4. No matrix is square or symmetric unless that is the point."""

import math

import numpy as np

from minilm.grading.expect import close, equal, graded, like, parts, require, shaped


def gaussian(rows, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def with_spectrum(s, rows, columns, seed=0):
    """A dense matrix (rows, columns) with exactly the singular values `s`."""
    U = np.linalg.qr(gaussian(rows, len(s), seed))[0]
    V = np.linalg.qr(gaussian(columns, len(s), seed + 1))[0]
    return U * np.array(s) @ V.T


def sizes(answers, largest=12):
    """Two sides of a matrix that nobody can know beforehand."""
    return (int(side) for side in answers.random.integers(2, largest + 1, size=2))


def spectrum(answers, n, ratio=(0.5, 0.9)):
    """n singular values, each one clearly below the last; their size is drawn, too."""
    steps = answers.random.uniform(*ratio, size=n)
    return 10 ** answers.random.uniform(-2, 2) * np.cumprod(steps)


def drawn(answers, rows, columns, s):
    """(W with the singular values `s`, its parts as a function of how many are kept)."""
    U = np.linalg.qr(answers.random.standard_normal((rows, len(s))))[0]
    V = np.linalg.qr(answers.random.standard_normal((columns, len(s))))[0]
    return U * s @ V.T, lambda rank: U[:, :rank] * s[:rank] @ V[:, :rank].T


# ---- 4.1 the best two thin factors ---------------------------------------------------------------


@graded("4.1", "full")
def test_the_factors_have_the_shapes_of_lora(answers):
    B, A = parts(answers.truncate(gaussian(7, 4), 2), 2)
    shaped(B, (7, 2), "B", "swapped" if np.shape(B) == (2, 4) else "full")
    shaped(A, (2, 4), "A")


@graded("4.1", "not W")
def test_the_largest_direction_of_a_matrix_is_kept(answers):
    B, A = parts(answers.truncate(np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0]]), 1), 2)
    known = {
        "s twice": np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 0.0]]),
        "no s": np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]),
        "smallest": np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 2.0]]),
    }
    close(shaped(B, (3, 1), "B") @ shaped(A, (1, 2), "A"), np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]]), known=known)


@graded("4.1", "not W")
def test_factors_of_full_rank_rebuild_a_matrix_without_symmetry(answers):
    W = gaussian(5, 4)
    B, A = parts(answers.truncate(W, 4), 2)
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    close(shaped(B, (5, 4), "B") @ shaped(A, (4, 4), "A"), W, known={"V for Vt": U * s @ Vt.T})


@graded("4.1", "not W")
def test_a_wide_matrix_is_cut_to_its_best_approximation(answers):
    W = gaussian(3, 8)
    B, A = parts(answers.truncate(W, 2), 2)
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    close(shaped(B, (3, 2), "B") @ shaped(A, (2, 8), "A", "V for Vt"), U[:, :2] * s[:2] @ Vt[:2])


@graded("4.1", "one side")
def test_both_factors_carry_the_same_share_of_each_value(answers):
    B, A = parts(answers.truncate(with_spectrum([9.0, 4.0], 6, 5), 2), 2)
    columns, rows = np.linalg.norm(B, axis=0), np.linalg.norm(A, axis=1)
    seen = f"the columns of B have norms {columns.round(3).tolist()}, the rows of A {rows.round(3).tolist()}"
    require(np.allclose(columns, rows), seen, "one side")
    close(columns, np.array([3.0, 2.0]))


@graded("4.1", "not W")
def test_what_is_cut_off_is_the_smallest_value(answers):
    W = with_spectrum([3.0, 2.0, 1.0], 6, 5)
    B, A = parts(answers.truncate(W, 2), 2)
    close(float(np.linalg.norm(W - B @ A)), 1.0)


@graded("4.1")
def test_random_matrices_are_cut_to_their_best_approximation(answers):
    for _ in range(6):
        rows, columns = sizes(answers)
        s = spectrum(answers, min(rows, columns))
        W, best = drawn(answers, rows, columns, s)
        rank = int(answers.random.integers(1, len(s) + 1))
        B, A = parts(answers.truncate(W, rank), 2)
        close(shaped(B, (rows, rank), "B") @ shaped(A, (rank, columns), "A"), best(rank), case="this is B A")
        close(np.linalg.norm(B, axis=0), np.sqrt(s[:rank]), case="the norms of the columns of B")


# ---- 4.2 the error, without building it ----------------------------------------------------------


@graded("4.2")
def test_the_frobenius_error_adds_the_squares_of_what_was_dropped(answers):
    frobenius, spectral = parts(answers.truncation_error(np.array([6.0, 3.0, 2.0]), 1), 2)
    known = {
        "swapped": 3.0,
        "kept": 6.0,
        "plain sum": 5.0,
        "no root": 13.0,
        "relative": math.sqrt(13) / 7,
    }
    close(frobenius, math.sqrt(13), known=known)


@graded("4.2", "spectral sum")
def test_the_spectral_error_is_the_first_value_dropped(answers):
    frobenius, spectral = parts(answers.truncation_error(np.array([6.0, 3.0, 2.0]), 1), 2)
    close(spectral, 3.0, known={"largest kept": 6.0})


@graded("4.2", "nothing dropped", raises={"ValueError": "nothing dropped", "IndexError": "nothing dropped"})
def test_at_full_rank_there_is_no_error(answers):
    frobenius, spectral = parts(answers.truncation_error(np.array([6.0, 3.0, 2.0]), 3), 2)
    close(frobenius, 0.0)
    close(spectral, 0.0)


@graded("4.2")
def test_the_formula_gives_the_error_of_the_best_approximation(answers):
    W = gaussian(9, 5)
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    rest = W - U[:, :2] * s[:2] @ Vt[:2]
    frobenius, spectral = parts(answers.truncation_error(s, 2), 2)
    close(frobenius, float(np.linalg.norm(rest)))
    close(spectral, float(np.linalg.norm(rest, 2)))


@graded("4.2")
def test_the_errors_of_random_spectra(answers):
    for _ in range(8):
        s = spectrum(answers, int(answers.random.integers(2, 12)))
        rank = int(answers.random.integers(1, len(s)))
        rest = np.diag(s) - np.diag(np.where(np.arange(len(s)) < rank, s, 0.0))
        frobenius, spectral = parts(answers.truncation_error(s, rank), 2)
        close(frobenius, float(np.linalg.norm(rest)), case="the Frobenius norm")
        close(spectral, float(np.linalg.norm(rest, 2)), case="the spectral norm")


# ---- 4.3 how many directions for 90 % ------------------------------------------------------------


@graded("4.3")
def test_one_strong_direction_holds_almost_all_the_energy(answers):
    s = np.array([10.0, 0.9, 0.9, 0.9, 0.9, 0.9])  # squares: 100 of 104
    known = {"plain values": 5, "one short": 0, "one long": 2, "from the small end": 6}
    equal(answers.rank_for_energy(s, 0.9), 1, known=known)


@graded("4.3", "threshold")
def test_several_directions_add_up_to_the_share(answers):
    s = np.array([4.0, 3.0, 2.0, 1.0])  # squares: 16, 25, 29, 30 of 30
    equal(answers.rank_for_energy(s, 0.9), 3, known={"of the norm": 2})


@graded("4.3", "exactly")
def test_a_share_that_is_reached_exactly_is_reached(answers):
    equal(answers.rank_for_energy(np.array([3.0, 1.0]), 0.9), 1)  # 9 of 10


@graded("4.3", "rounding", raises={"IndexError": "rounding"})
def test_all_of_the_energy_is_reached_at_full_rank(answers):
    s = np.sort(gaussian(1, 40)[0] ** 2)[::-1].copy()
    equal(answers.rank_for_energy(s, 1.0), 40)


@graded("4.3")
def test_values_of_zero_are_not_needed(answers):
    equal(answers.rank_for_energy(np.array([2.0, 0.0, 0.0]), 1.0), 1)
    equal(answers.rank_for_energy(np.array([2.0]), 0.5), 1)


@graded("4.3")
def test_the_ranks_of_random_spectra(answers):
    for _ in range(12):
        s = spectrum(answers, int(answers.random.integers(2, 12)), (0.6, 0.97))
        rank = int(answers.random.integers(1, len(s) + 1))
        less, enough = ((s[:kept] @ s[:kept]) / (s @ s) for kept in (rank - 1, rank))
        share = less + answers.random.uniform(0.1, 0.9) * (enough - less)  # well above the one, well below the other
        equal(answers.rank_for_energy(s, float(share)), rank)


# ---- 4.4 where two factors stop paying -----------------------------------------------------------


@graded("4.4")
def test_both_factors_are_counted(answers):
    known = {"square": 42, "rank squared": 45, "one factor": 21, "product": 35}
    equal(answers.factor_size(7, 5, 3), 36, known=known)


@graded("4.4", "square")
def test_the_sides_may_differ(answers):
    equal(answers.factor_size(5, 11, 2), 32)


@graded("4.4")
def test_the_largest_rank_that_pays(answers):
    known = {"rounded up": 8, "half side": 5, "float": 7.5}
    equal(answers.break_even_rank(10, 30), 7, known=known)


@graded("4.4", "strictly")
def test_at_equal_size_the_factors_still_count(answers):
    equal(answers.break_even_rank(6, 3), 2, known={"float": 2.0})


@graded("4.4")
def test_one_rank_more_holds_more_than_the_matrix(answers):
    for rows, columns in ((192, 512), (7, 7), (1, 9)):
        rank = answers.break_even_rank(rows, columns)
        equal(rank, rows * columns // (rows + columns))
        fits = answers.factor_size(rows, columns, rank) <= rows * columns < answers.factor_size(rows, columns, rank + 1)
        require(fits, f"rank {rank} is not the break-even rank of {rows} x {columns}")


@graded("4.4")
def test_random_sizes_are_counted_and_the_last_rank_that_pays_is_found(answers):
    for _ in range(8):
        rows, columns = sizes(answers, 900)
        rank = int(answers.random.integers(1, 70))
        equal(answers.factor_size(rows, columns, rank), np.ones((rows, rank)).size + np.ones((rank, columns)).size)
        pays = [rank for rank in range(min(rows, columns)) if rank * (rows + columns) <= rows * columns]
        equal(answers.break_even_rank(rows, columns), pays[-1])


# ---- 4.5 effective rank --------------------------------------------------------------------------


@graded("4.5")
def test_three_equal_values_are_three_directions(answers):
    known = [
        ("entropy", math.log(3)),
        ("base 2", 2 ** math.log(3)),
        ("base 2", math.exp(math.log2(3))),
        ("sign", 1 / 3),
        ("no shares", math.exp(-3 * 7 * math.log(7))),
    ]
    close(answers.effective_rank(np.array([7.0, 7.0, 7.0])), 3.0, known=known)


@graded("4.5")
def test_unequal_values_count_less_than_one_each(answers):
    seen = answers.effective_rank(np.array([2.0, 1.0, 1.0]))
    squares = math.exp(-(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 6)))
    close(seen, 2**1.5, known={"squares": squares, "count": 3.0, "stable rank": 1.5})


@graded("4.5", "zeros")
def test_a_value_of_zero_adds_nothing(answers):
    close(answers.effective_rank(np.array([3.0, 3.0, 0.0])), 2.0)


@graded("4.5", "no shares")
def test_the_size_of_the_matrix_plays_no_role(answers):
    s = np.array([2.0, 1.0, 1.0])
    close(answers.effective_rank(1000 * s), 2**1.5)


@graded("4.5", "all zero", raises=dict.fromkeys(("ZeroDivisionError", "ValueError", "IndexError"), "all zero"))
def test_a_matrix_of_zeros_uses_no_direction(answers):
    close(answers.effective_rank(np.zeros(3)), 0.0)


@graded("4.5")
def test_a_single_direction_is_one(answers):
    close(answers.effective_rank(np.array([5.0, 0.0])), 1.0)


@graded("4.5")
def test_the_directions_of_random_spectra(answers):
    for _ in range(8):
        s = spectrum(answers, int(answers.random.integers(1, 12)))
        directions = math.prod(float(share) ** -float(share) for share in s / s.sum())
        close(answers.effective_rank(np.append(s, np.zeros(answers.random.integers(3)))), directions)


# ---- 4.6 a planted rank under noise --------------------------------------------------------------


@graded("4.6")
def test_the_count_depends_on_how_large_the_noise_is(answers):
    W = with_spectrum([130.0, 40.0, 20.0, 12.0, 9.0, 7.0, 4.0, 1.0, 0.5], 16, 9)
    loud, quiet = (like(answers.planted_rank(W, sigma), 3) for sigma in (2.0, 0.01))
    require(not loud == quiet == 9, f"gave {loud} with sigma 2, and {quiet} with sigma 0.01", "all")
    require(loud != quiet, f"gave {loud} with sigma 2, and {quiet} with sigma 0.01", "share")


@graded("4.6")
def test_what_is_above_the_edge_counts(answers):
    s = [130.0, 40.0, 20.0, 12.0, 9.0, 7.0, 4.0, 1.0, 0.5]
    W = with_spectrum(s, 16, 9)  # sigma 2: the edge is 2 * (4 + 3) = 14
    known = [
        ("all", 9),
        ("sigma", 7),
        ("one root", 6),
        ("one root", 5),
        ("root of the sum", 4),
        ("variance", 2),
        ("no roots", 1),
    ]
    equal(answers.planted_rank(W, 2.0), 3, known=known)


@graded("4.6", "share")
def test_pure_noise_has_no_rank(answers):
    equal(answers.planted_rank(0.5 * gaussian(60, 25, seed=3), 0.55), 0)


@graded("4.6", "share")
def test_a_planted_rank_is_found(answers):
    W = with_spectrum([60.0, 50.0, 9.0, 8.5], 40, 25) + 0.5 * gaussian(40, 25, seed=5)
    equal(answers.planted_rank(W, 0.5), 4)


@graded("4.6")
def test_a_wide_matrix_has_the_same_edge(answers):
    equal(answers.planted_rank(with_spectrum([15.0, 13.0, 9.0], 9, 16), 2.0), 1)


@graded("4.6")
def test_random_matrices_have_the_rank_that_was_planted(answers):
    for _ in range(8):
        rows, columns = sizes(answers, 30)
        sigma = 10 ** float(answers.random.uniform(-2, 2))
        edge = sigma * (np.sqrt(rows) + np.sqrt(columns))
        rank = int(answers.random.integers(min(rows, columns) + 1))
        above = answers.random.uniform(1.1, 4, size=rank)
        below = answers.random.uniform(0.1, 0.9, size=min(rows, columns) - rank)
        s = edge * np.sort(np.append(above, below))[::-1]
        equal(answers.planted_rank(drawn(answers, rows, columns, s)[0], sigma), rank)


# ---- 4.7 the rank of what training changed -------------------------------------------------------


@graded("4.7")
def test_the_update_is_decomposed_and_not_the_weight(answers):
    before = {"q": gaussian(6, 9)}
    delta = np.outer(gaussian(1, 6, 4)[0], gaussian(1, 9, 5)[0])
    known = {"trained weight": {"q": 4}, "relative": {"q": 3}}
    equal(answers.update_ranks(before, {"q": before["q"] + delta}, 0.95), {"q": 1}, known=known)


@graded("4.7", "share ignored")
def test_the_share_decides(answers):
    before = {"q": gaussian(6, 9)}
    after = {"q": before["q"] + with_spectrum([5.0, 2.0, 0.1], 6, 9)}  # squares: 25, 29, 29.01
    equal(answers.update_ranks(before, after, 0.8), {"q": 1}, known={"exact rank": {"q": 3}})
    equal(answers.update_ranks(before, after, 0.9), {"q": 2})
    equal(answers.update_ranks(before, after, 0.9999), {"q": 3})


@graded("4.7", "unchanged", raises={"IndexError": "unchanged", "ZeroDivisionError": "unchanged"})
def test_a_matrix_that_did_not_change_is_left_out(answers):
    before = {"q": gaussian(6, 9), "up": gaussian(9, 6)}
    after = {"q": before["q"].copy(), "up": before["up"] + np.outer(np.arange(9.0), np.ones(6))}
    equal(answers.update_ranks(before, after, 0.9), {"up": 1})


@graded("4.7", "vectors", raises={"LinAlgError": "vectors", "ValueError": "vectors", "AxisError": "vectors"})
def test_a_vector_is_left_out(answers):
    before = {"norm": np.ones(6), "q": gaussian(6, 9)}
    after = {"norm": np.full(6, 1.1), "q": before["q"] + np.outer(np.ones(6), np.arange(9.0))}
    equal(answers.update_ranks(before, after, 0.9), {"q": 1})


@graded("4.7", "unchanged", raises={"IndexError": "unchanged", "ValueError": "unchanged"})
def test_no_training_is_no_update(answers):
    before = {"q": gaussian(6, 9), "norm": np.ones(6)}
    equal(answers.update_ranks(before, {name: value.copy() for name, value in before.items()}, 0.9), {})


@graded("4.7")
def test_the_ranks_of_random_updates(answers):
    before, after, wanted = {}, {}, {}
    share = float(answers.random.uniform(0.5, 0.97))
    for number in answers.random.permutation(9):
        name, (rows, columns) = f"layer.{number}", sizes(answers)
        start = answers.random.standard_normal((rows, columns) if number < 6 else rows)
        before[name] = start
        after[name] = start + 0.1 if number > 7 else start.copy()
        if number < 4:
            wanted[name], update = planted_share(answers, rows, columns, share)
            after[name] = start + update
    equal(answers.update_ranks(before, after, share), wanted)


def planted_share(answers, rows, columns, share):
    """(rank, a matrix whose energy reaches `share` at this rank, neither nearly before it nor just so)."""
    while True:
        s = spectrum(answers, min(rows, columns))
        kept = np.cumsum(s**2) / (s @ s)
        if np.abs(kept - share).min() > 1e-4:
            return int((kept < share).sum()) + 1, drawn(answers, rows, columns, s)[0]
