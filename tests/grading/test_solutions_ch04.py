"""The solutions of chapter 4, held equal to minilm.lowrank."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from minilm import lowrank

path = Path(__file__).resolve().parents[2] / "solutions" / "ch04_lowrank.py"
spec = importlib.util.spec_from_file_location("solution_ch04", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)


def gaussian(rows, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


@pytest.mark.parametrize("shape", [(7, 4), (3, 8), (5, 5)])
def test_the_factors_are_those_of_minilm(shape):
    W = gaussian(*shape)
    for rank in (1, 2, 3):
        (B, A), (theirs_B, theirs_A) = mine.truncate(W, rank), lowrank.truncate(W, rank)
        np.testing.assert_allclose(B @ A, (theirs_B @ theirs_A).numpy(), atol=1e-10)
        np.testing.assert_allclose(np.abs(B), theirs_B.abs().numpy(), atol=1e-10)
        np.testing.assert_allclose(np.abs(A), theirs_A.abs().numpy(), atol=1e-10)
        assert rank == min(shape) or not np.allclose(B @ A, W)


def test_the_errors_are_those_of_minilm():
    s = lowrank.singular_values(gaussian(6, 9)).numpy()
    for rank in range(1, 7):
        assert mine.truncation_error(s, rank) == pytest.approx(tuple(lowrank.truncation_error(s, rank)))
    assert mine.truncation_error(s, 1) != pytest.approx(mine.truncation_error(s, 2))


def test_the_rank_for_a_share_is_that_of_minilm():
    s = lowrank.singular_values(gaussian(12, 30)).numpy()
    shares = (0.1, 0.5, 0.9, 0.99, 1.0)
    ranks = [mine.rank_for_energy(s, share) for share in shares]
    assert ranks == [lowrank.rank_for_energy(s, share) for share in shares] and len(set(ranks)) >= 4
    assert mine.rank_for_energy(np.array([3.0, 1.0]), 0.9) == lowrank.rank_for_energy([3.0, 1.0], 0.9) == 1


def test_the_break_even_rank_is_that_of_minilm():
    for sides in ((192, 512), (10, 30), (6, 3), (1, 1), (7, 7)):
        assert mine.break_even_rank(*sides) == lowrank.break_even_rank(*sides)


def test_the_size_of_two_factors_is_that_of_minilms_adapter():
    B, A = lowrank.truncate(gaussian(7, 5), 3)
    assert mine.factor_size(7, 5, 3) == B.numel() + A.numel()


def test_the_effective_rank_is_that_of_minilm():
    for s in ([7.0, 7.0, 7.0, 0.0], [2.0, 1.0, 1.0], [0.0, 0.0], [5.0]):
        assert mine.effective_rank(np.array(s)) == pytest.approx(lowrank.effective_rank(s))


def test_the_planted_rank_counts_minilms_singular_values():
    W = gaussian(40, 25) + 20 * np.outer(gaussian(1, 40, 1)[0], gaussian(1, 25, 2)[0])
    edge = 40**0.5 + 25**0.5
    assert mine.planted_rank(W, 1.0) == int((lowrank.singular_values(W) > edge).sum()) == 1


def test_the_ranks_of_the_updates_are_those_of_minilms_report():
    before = {"q": gaussian(6, 9), "up": gaussian(9, 6, 1), "still": gaussian(3, 4, 2), "norm": np.ones(6)}
    after = {**before, "q": before["q"] + gaussian(6, 9, 3), "up": before["up"] + np.outer(range(9), range(6)),
             "norm": np.zeros(6)}  # fmt: skip
    tensors = [{name: torch.from_numpy(value) for name, value in state.items()} for state in (before, after)]
    for share in (0.5, 0.9):
        report = lowrank.spectrum_report(*tensors, share=share)
        assert mine.update_ranks(before, after, share) == {name: line["rank"] for name, line in report.items()}
    assert mine.update_ranks(before, after, 0.9)["up"] == 1 < mine.update_ranks(before, after, 0.9)["q"]
