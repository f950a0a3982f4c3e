"""Chapter 3's figures and fits: laws found again, no picture without a description, the same bytes each time."""

import numpy as np
import pytest

from minilm.figures import ch03

SIZES = [30_000, 100_000, 300_000, 1_000_000, 3_000_000]
POWER = [5 * n**-0.08 for n in SIZES]
LINE = [6 - 0.3 * np.log(n) for n in SIZES]
RUNS = {n: [loss, loss + 0.01] for n, loss in zip(SIZES, POWER, strict=True)}

FIGURES = {
    "windows": lambda: ch03.windows(["To", " be", " or", " not", "\n"], (0, 1), 3),
    "descent": lambda: ch03.descent({"a": [(-4, 1), (-1, 0.5)], "b": [(-4, 1), (0, 0)]}, (1, 40)),
    "rates": lambda: ch03.rates({"line": [(0, 0), (0.1, 1), (1, 0)]}),
    "sweep": lambda: ch03.sweep({"AdamW": {0.001: [3, 3.1], 0.01: [2.5, 2.6]}}, "rates"),
    "sizes": lambda: ch03.sizes(RUNS, {"power": ch03.fit(SIZES, POWER)["power"]["curve"]}, "sizes"),
    "compute": lambda: ch03.compute({"31k": [(1e10, 3), (1e11, 2.5)], "1M": [(1e11, 3), (1e12, 2)]}, "compute"),
    "in a row": lambda: ch03.in_a_row({1: {10: 0.1, 100: 0.2}, 2: {10: 0.01, 100: 0.05}}),
    "by heart": lambda: ch03.by_heart({10: [2], 100: [1]}, {10: [3], 100: [4]}, "gap", {10: [3], 100: [3]}),
    "choices": lambda: ch03.choices(["the", "a"], {"as it is": [0.5, 0.3], "top-k 1": [1.0, 0.0]}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_describes_itself_and_is_the_same_each_time(name):
    figure = FIGURES[name]()
    assert len(figure.alt) > 40
    assert figure.png() == FIGURES[name]().png()


def test_a_power_law_is_found_again_and_preferred():
    laws = ch03.fit(SIZES, [loss * (1 + e) for loss, e in zip(POWER, (1e-4, -1e-4, 0, 1e-4, -1e-4), strict=True)])
    assert laws["power"]["parameters"][0] == pytest.approx(0.08, abs=1e-3)
    assert laws["power"]["aic"] < laws["logarithmic"]["aic"] - 2


def test_a_logarithmic_law_is_found_again_and_preferred():
    laws = ch03.fit(SIZES, [loss + e for loss, e in zip(LINE, (1e-4, -1e-4, 0, 1e-4, -1e-4), strict=True)])
    assert laws["logarithmic"]["parameters"][0] == pytest.approx(0.3, abs=1e-3)
    assert laws["logarithmic"]["aic"] < laws["power"]["aic"] - 2


def test_the_interval_of_the_slope_holds_the_slope_and_widens_with_noise():
    calm, noisy = (
        ch03.slope(SIZES, [loss * (1 + size * e) for loss, e in zip(POWER, (1, -1, 0, 1, -1), strict=True)])
        for size in (1e-4, 1e-2)
    )
    assert calm[1] < -0.08 < calm[2] and noisy[1] < -0.08 < noisy[2]
    assert noisy[2] - noisy[1] > 10 * (calm[2] - calm[1])


def test_the_best_rate_is_named_by_its_mean():
    figure = ch03.sweep({"AdamW": {0.1: [3, 3], 0.3: [2.9, 3.3]}}, "rates")
    assert "best at rate 0.1 with 3.00" in figure.alt
