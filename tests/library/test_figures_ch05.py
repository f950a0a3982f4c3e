"""Chapter 5's figures describe what they draw; the sorting of runs before them finds the right ones."""

import math

import pytest

from minilm.errors import UserError
from minilm.figures import ch05

ROWS = [
    {
        "method": method,
        "rate": rate,
        "seed": seed,
        "target": [3.0, round(score + seed / 100, 2)],
        "plays": [2.0, round(2.0 + rate, 2)],
    }
    for method, scores in {"full": (2.2, 2.0, 2.4), "lora": (2.9, 2.5, 2.3)}.items()
    for rate, score in zip((0.01, 0.1, 1.0), scores, strict=True)
    for seed in (0, 1)
]


def test_scores_are_the_last_ones_by_rate_and_seed():
    assert ch05.scores(ROWS, method="full") == {0.01: [2.2, 2.21], 0.1: [2.0, 2.01], 1.0: [2.4, 2.41]}
    assert ch05.scores(ROWS, "plays", method="lora", seed=1) == {0.01: [2.01], 0.1: [2.1], 1.0: [3.0]}


def test_a_lost_run_is_never_the_best_whatever_it_scored_before():
    lost = {"rate": 0.1, "target": [0.1], "lost": "training diverged"}
    found = ch05.scores([*[{"rate": 1.0, "target": [9.0]}], lost])
    assert found[0.1] == [math.inf] and ch05.best(found)[0] == 1.0


def test_settings_that_no_run_has_are_refused():
    with pytest.raises(UserError, match="no run"):
        ch05.scores(ROWS, method="vera")


def test_the_best_rate_has_the_lowest_mean_and_knows_whether_it_is_inside_the_grid():
    full, lora = (ch05.scores(ROWS, method=method) for method in ("full", "lora"))
    assert ch05.best(full) == (0.1, pytest.approx(2.005), pytest.approx(0.005))
    assert ch05.inside(full) and not ch05.inside(lora)


def test_the_vertex_lies_towards_the_better_neighbour_and_stays_at_the_edge():
    assert 0.01 < ch05.vertex({0.01: [2.2], 0.1: [2.0], 1.0: [2.4]}) < 0.1
    assert ch05.vertex({0.01: [2.9], 0.1: [2.5], 1.0: [2.3]}) == 1.0
    curve = {rate: [(math.log10(rate) + 1.3) ** 2] for rate in (0.001, 0.01, 0.1, 1.0)}
    assert ch05.vertex(curve) == pytest.approx(10**-1.3)  # exact for a parabola


def test_forgetting_is_compared_among_those_that_learned_enough():
    pairs = ch05.points(ROWS, method="full", seed=0)
    assert len(pairs) == 6
    assert ch05.least_forgotten(pairs, 2.2) == 2.01
    assert ch05.least_forgotten(pairs, 2.0) == 2.1
    assert ch05.least_forgotten(pairs, 1.0) == math.inf


def test_late_is_infinite_when_a_late_loss_is_missing():
    assert ch05.late([9.0, 1.0, 2.0, 3.0, 4.0, 5.0]) == 3.0
    assert ch05.late([None, 1.0, 2.0, 3.0, 4.0, 5.0]) == 3.0
    assert ch05.late([1.0, 2.0, 3.0, 4.0, None]) == math.inf


def test_figures_say_what_they_show():
    assert "4.7% of the area" in ch05.to_scale(512, 256, 8).alt
    assert "a from 1 to 4" in ch05.lines({"a": [(1, 1.0), (2, 4.0)]}, "rank", "size", "Size", "log", "log").alt
    assert "±0.5000" in ch05.spread_of({"a": [0.4, -0.4]}, {"a": 0.5}, "A").alt
    full = ch05.scores(ROWS, method="full")
    assert "full on a play is best at 0.1, with 2.0" in ch05.sweep({"a play": {"full": full}}, "Sweep").alt
    assert "8: 2.500" in ch05.by_rank({4: [2.7], 8: [2.4, 2.6]}, [2.0], "Ranks").alt
    losses = {
        ("adam", "alpha", 1): [6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        ("adam", "alpha", 4): [6.0, None, None, 9e9, 9e9, 9e9],
    }
    assert "from 3.00 to beyond all bounds" in ch05.first_steps(losses, "Steps", top=8).alt
    runs = {"full": ch05.points(ROWS, method="full"), "LoRA": ch05.points(ROWS, method="lora")}
    assert "full 2.01, LoRA 3.00" in ch05.trade_off(runs, (4.0, 1.9), 2.35, "Both", "target", "plays").alt
