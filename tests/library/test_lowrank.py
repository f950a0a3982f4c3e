"""The SVD tools of chapter 4, on cases that can be computed by hand and on matrices with no symmetry."""

import doctest
import math

import numpy as np
import pytest
import torch

from minilm import lowrank
from minilm.errors import UserError


def gaussian(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_spectrum(s, rows, columns, seed=0):
    """A dense, non-symmetric matrix (rows, columns) with exactly the singular values `s`."""
    U = torch.linalg.qr(gaussian(rows, len(s), seed)).Q  # (rows, n)
    V = torch.linalg.qr(gaussian(columns, len(s), seed + 1)).Q  # (columns, n)
    return U * torch.tensor(s, dtype=torch.float64) @ V.T


def test_the_examples_in_the_docstrings_are_right():
    assert doctest.testmod(lowrank).failed == 0


def test_singular_values_come_back_largest_first():
    W = with_spectrum([5.0, 0.5, 2.0], 7, 4)
    torch.testing.assert_close(lowrank.singular_values(W)[:3], torch.tensor([5.0, 2.0, 0.5]).double())


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_full_rank_factors_rebuild_a_non_symmetric_matrix(shape):
    W = gaussian(*shape)
    B, A = lowrank.truncate(W, min(shape))
    torch.testing.assert_close(B @ A, W)
    assert shape[0] != shape[1] or not torch.allclose((B @ A).T, W), "the case is symmetric and hides a swap"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_factors_have_the_shapes_of_lora(rank):
    B, A = lowrank.truncate(gaussian(7, 4), rank)
    assert B.shape == (7, rank) and A.shape == (rank, 4)


def test_both_factors_carry_the_square_root_of_each_singular_value():
    B, A = lowrank.truncate(with_spectrum([9.0, 4.0], 6, 5), 2)
    roots = torch.tensor([3.0, 2.0]).double()
    torch.testing.assert_close(B.norm(dim=0), roots)
    torch.testing.assert_close(A.norm(dim=1), roots)


def test_truncation_keeps_a_matrix_of_that_rank_and_changes_one_of_a_higher():
    W = with_spectrum([3.0, 2.0, 1.0], 6, 5)
    B, A = lowrank.truncate(W, 3)
    torch.testing.assert_close(B @ A, W)
    B, A = lowrank.truncate(W, 2)
    assert not torch.allclose(B @ A, W)


def test_the_error_by_formula_is_the_error_of_the_truncation():
    W = gaussian(9, 5)
    B, A = lowrank.truncate(W, 2)
    error = lowrank.truncation_error(lowrank.singular_values(W), 2)
    assert error.frobenius == pytest.approx((W - B @ A).norm().item())
    assert error.spectral == pytest.approx(torch.linalg.matrix_norm(W - B @ A, ord=2).item())
    assert error.frobenius != pytest.approx(error.spectral)


def test_no_random_competitor_of_the_same_rank_comes_closer():
    W = gaussian(8, 6)
    best = lowrank.truncation_error(lowrank.singular_values(W), 2)
    B, A = lowrank.truncate(W, 2)
    for seed in range(50):
        near = (B + 0.05 * gaussian(8, 2, seed)) @ (A + 0.05 * gaussian(2, 6, seed + 100))
        Q = torch.linalg.qr(gaussian(8, 2, seed)).Q
        projected = Q @ (Q.T @ W)  # the best there is in a random column space
        for competitor in (near, projected):
            assert (W - competitor).norm() > best.frobenius
            assert torch.linalg.matrix_norm(W - competitor, ord=2) > best.spectral


def test_dropping_nothing_costs_nothing():
    assert lowrank.truncation_error([2.0, 1.0], 2) == (0.0, 0.0)
    assert lowrank.truncation_error([2.0, 1.0], 1) == (1.0, 1.0)


def test_energy_is_of_squares_not_of_plain_values():
    assert lowrank.energy([3.0, 1.0])[0] == pytest.approx(0.9)  # plain values would say 0.75


def test_squared_singular_values_add_up_to_the_squared_entries_and_plain_ones_do_not():
    W = gaussian(6, 4)
    s = lowrank.singular_values(W)
    assert s.square().sum().item() == pytest.approx(W.square().sum().item())
    assert s.sum().item() != pytest.approx(W.square().sum().item())


def test_energy_rises_to_exactly_one():
    shares = lowrank.energy(lowrank.singular_values(gaussian(6, 4)))
    assert shares[-1] == 1 and (shares.diff() > 0).all()


def test_singular_values_in_any_order_mean_the_same():
    assert lowrank.energy([1.0, 3.0]).tolist() == lowrank.energy([3.0, 1.0]).tolist()


@pytest.mark.parametrize(("share", "rank"), [(0.5, 1), (0.9, 1), (0.900001, 2), (1.0, 2)])
def test_the_rank_for_a_share_is_the_first_that_reaches_it(share, rank):
    assert lowrank.rank_for_energy([3.0, 1.0], share) == rank


@pytest.mark.parametrize("rank", range(1, 11))
def test_rounding_does_not_cost_a_rank(rank):
    assert lowrank.rank_for_energy([0.1] * 10, rank / 10) == rank


def test_numerical_rank_counts_what_is_not_rounding():
    W = with_spectrum([4.0, 2.0, 1.0], 20, 12).float()  # float32 leaves about 1e-7 where zeros were
    s = lowrank.singular_values(W)
    assert lowrank.numerical_rank(s) == 3
    assert lowrank.numerical_rank(s, relative=1e-12) == 12


@pytest.mark.parametrize("count", [1, 3, 8])
def test_equal_singular_values_give_their_number_as_effective_and_stable_rank(count):
    s = [2.5] * count + [0.0] * 4
    assert lowrank.effective_rank(s) == pytest.approx(count)
    assert lowrank.stable_rank(s) == pytest.approx(count)


def test_effective_rank_is_the_exponential_of_the_entropy_of_plain_values():
    shares = [0.75, 0.25]
    entropy = -sum(p * math.log(p) for p in shares)
    assert lowrank.effective_rank([3.0, 1.0]) == pytest.approx(math.exp(entropy))


def test_effective_and_stable_rank_differ_on_a_falling_spectrum():
    s = [2.0, 1.0, 1.0]
    assert lowrank.stable_rank(s) == 1.5 < lowrank.effective_rank(s) < 3


def test_a_scaled_matrix_has_the_same_ranks():
    s, scaled, other = [5.0, 2.0, 0.0], [5e-9, 2e-9, 0.0], [5.0, 5.0, 5.0]
    measures = [getattr(lowrank, f"{name}_rank") for name in ("effective", "stable", "numerical")]
    for measure in (*measures, lowrank.rank_for_energy):
        assert measure(scaled) == pytest.approx(measure(s))
        assert measure(other) != pytest.approx(measure(s))


def test_a_matrix_of_zeros_has_rank_zero_by_every_measure():
    s = lowrank.singular_values(torch.zeros(3, 2))
    assert lowrank.rank_for_energy(s) == lowrank.numerical_rank(s) == 0
    assert lowrank.effective_rank(s) == lowrank.stable_rank(s) == 0
    assert lowrank.energy(s).tolist() == [1, 1]


@pytest.mark.parametrize("shape", [(192, 512), (192, 192), (2048, 192), (1, 9), (6, 3)])
def test_factors_are_no_larger_up_to_the_break_even_rank_and_larger_after(shape):
    rank = lowrank.break_even_rank(*shape)
    assert rank * sum(shape) <= math.prod(shape) < (rank + 1) * sum(shape)


def test_noise_has_the_norm_and_shape_of_the_matrix_but_not_its_entries():
    W = with_spectrum([3.0, 2.0], 9, 5)
    noise = lowrank.noise_like(W, torch.Generator().manual_seed(1))
    assert noise.shape == W.shape and noise.norm().item() == pytest.approx(W.norm().item())
    assert not torch.allclose(noise, W)


def test_noise_is_repeatable_by_its_generator():
    def draw(seed):
        return lowrank.noise_like(torch.ones(4, 3), torch.Generator().manual_seed(seed))

    assert torch.equal(draw(1), draw(1)) and not torch.equal(draw(1), draw(2))


def test_a_low_rank_update_stands_out_from_noise_and_noise_does_not():
    low = lowrank.compare(with_spectrum([3.0, 2.0], 40, 30), torch.Generator().manual_seed(0))
    assert low["rank"] == 2 and low["noise_rank"] > 10
    noise = lowrank.compare(gaussian(40, 30), torch.Generator().manual_seed(0))
    assert abs(noise["rank"] - noise["noise_rank"]) <= 2
    assert noise["effective_rank"] == pytest.approx(noise["noise_effective_rank"], rel=0.1)


def test_the_report_is_of_the_update_and_not_of_the_trained_weight():
    before = {"q.weight": gaussian(20, 12).float(), "k.weight": gaussian(9, 5), "norm.weight": torch.ones(20)}
    after = {name: tensor.clone() for name, tensor in before.items()}
    after["q.weight"] += 0.01 * with_spectrum([2.0], 20, 12).float()
    after["norm.weight"] += 1
    report = lowrank.spectrum_report(before, after)
    assert list(report) == ["q.weight"]  # k did not change, and a norm is a vector
    assert report["q.weight"]["rank"] == 1 and report["q.weight"]["shape"] == (20, 12)
    whole = lowrank.singular_values(after["q.weight"])
    assert lowrank.rank_for_energy(whole) > 5


def test_the_report_of_an_untouched_model_is_empty():
    state = {"q.weight": gaussian(5, 4)}
    assert lowrank.spectrum_report(state, state) == {}


def test_the_report_is_repeatable():
    before, after = {"q.weight": torch.zeros(9, 5)}, {"q.weight": gaussian(9, 5)}
    assert lowrank.spectrum_report(before, after) == lowrank.spectrum_report(before, after)
    assert lowrank.spectrum_report(before, after) != lowrank.spectrum_report(before, after, seed=1)


@pytest.mark.parametrize(
    "after", [{"k.weight": torch.zeros(2, 3)}, {"q.weight": torch.zeros(3, 2)}], ids=["name", "shape"]
)
def test_two_different_models_cannot_be_compared(after):
    with pytest.raises(UserError, match="weight.*compare a model with its own start"):
        lowrank.spectrum_report({"q.weight": torch.zeros(2, 3)}, after)


def test_a_list_is_read_in_full_precision():
    assert lowrank.singular_values([[0.1]]).item() == pytest.approx(0.1, rel=1e-12)


def test_numpy_lists_and_low_precision_tensors_are_read_alike():
    values = [[1.0, 2.0, 0.0], [0.5, -4.0, 1.0]]
    expected = lowrank.singular_values(values)
    tensor = torch.tensor(values)
    for same in (np.array(values), tensor.bfloat16(), torch.nn.Parameter(tensor)):
        s = lowrank.singular_values(same)
        assert s.dtype == torch.float64 and not s.requires_grad
        torch.testing.assert_close(s, expected)


@pytest.mark.parametrize("rank", [0, -1, 4, 1.5])
def test_an_impossible_rank_is_refused_with_the_possible_ones(rank):
    for function, values in ((lowrank.truncate, gaussian(5, 3)), (lowrank.truncation_error, [3, 2, 1])):
        with pytest.raises(UserError, match=f"rank {rank} .* from 1 to 3"):
            function(values, rank)


@pytest.mark.parametrize("matrix", [torch.ones(3), torch.ones(2, 2, 2), torch.ones(0, 3)])
def test_only_a_matrix_has_singular_values(matrix):
    with pytest.raises(UserError, match="matrix"):
        lowrank.singular_values(matrix)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_diverged_weight_is_named_as_such(bad):
    with pytest.raises(UserError, match="NaN or infinity"):
        lowrank.truncate([[1.0, bad]], 1)


@pytest.mark.parametrize("s", [[], [1.0, -1.0], [[1.0]], [math.nan]])
def test_what_cannot_be_singular_values_is_refused(s):
    with pytest.raises(UserError, match="singular values"):
        lowrank.energy(s)


@pytest.mark.parametrize("share", [0, -0.1, 1.1, 90])
def test_a_share_outside_zero_to_one_is_refused(share):
    with pytest.raises(UserError, match="share"):
        lowrank.rank_for_energy([1.0], share)


def test_a_layer_without_weights_has_no_break_even():
    with pytest.raises(UserError, match="0 x 3"):
        lowrank.break_even_rank(0, 3)
