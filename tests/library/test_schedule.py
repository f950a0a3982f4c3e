"""The shapes of the learning-rate schedules."""

import pytest

from minilm.schedule import SCHEDULES, constant, cosine, linear, stable

MOMENTS = [i / 200 for i in range(201)]
FALLING = {"linear": linear, "cosine": cosine, "stable": stable}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_factor_is_never_below_zero_or_above_one(name):
    factors = [SCHEDULES[name](moment, warmup=0.1) for moment in MOMENTS]
    assert min(factors) >= 0 and max(factors) == pytest.approx(1)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_warm_up_is_a_line_from_zero(name):
    schedule = SCHEDULES[name]
    assert [schedule(moment, warmup=0.2) for moment in (0, 0.05, 0.1)] == pytest.approx([0, 0.25, 0.5])
    assert schedule(0.2, warmup=0.2) == pytest.approx(1)
    assert schedule(0.05, warmup=0.1) != pytest.approx(0.25), "another warm-up is another line"


@pytest.mark.parametrize("name", SCHEDULES)
def test_without_warm_up_it_starts_at_the_full_rate(name):
    assert SCHEDULES[name](0, warmup=0) == pytest.approx(1)


@pytest.mark.parametrize("name", FALLING)
def test_after_the_warm_up_it_only_falls_and_ends_at_final(name):
    schedule = FALLING[name]
    factors = [schedule(moment, warmup=0.1, final=0.2) for moment in MOMENTS if moment >= 0.1]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] == pytest.approx(0.2)
    assert schedule(1, warmup=0.1) == pytest.approx(0)


def test_constant_stays():
    assert constant(0.3) == constant(1) == 1


def test_halfway_down_linear_and_cosine_agree_and_a_quarter_down_they_do_not():
    assert linear(0.55, warmup=0.1) == pytest.approx(0.5) == cosine(0.55, warmup=0.1)
    assert linear(0.325, warmup=0.1) == pytest.approx(0.75)
    assert cosine(0.325, warmup=0.1) == pytest.approx((1 + 0.5**0.5) / 2)


def test_stable_is_flat_until_its_decay_begins():
    assert stable(0.06) == stable(0.3) == stable(0.6) == pytest.approx(1)
    assert stable(0.8) == pytest.approx(0.5)
    assert stable(0.8, decay=0.8) == pytest.approx(0.25)
