"""Which number format and device a run gets, and why."""

import pytest
import torch

from minilm import precision
from minilm.errors import UserError
from minilm.precision import choose_device, choose_precision, matmul_speed


@pytest.fixture
def measured(monkeypatch):
    """measured(float32=..., bfloat16=...): what the measurement will say, in FLOP/s."""

    def pretend(**speed):
        monkeypatch.setattr(precision, "matmul_speed", lambda dtype, device: speed[str(dtype).removeprefix("torch.")])

    choose_precision.cache_clear()
    yield pretend
    choose_precision.cache_clear()


def test_bfloat16_is_chosen_where_it_is_clearly_faster(measured):
    measured(float32=2e11, bfloat16=8e11)
    chosen = choose_precision("cpu")
    assert chosen.dtype == torch.bfloat16 and chosen.name == "bfloat16"
    assert chosen.why == "matrix products: bfloat16 800 GFLOP/s, float32 200 GFLOP/s"


@pytest.mark.parametrize("bfloat16", [2.4e11, 2e10])
def test_float32_is_chosen_where_bfloat16_gains_little(measured, bfloat16):
    measured(float32=2e11, bfloat16=bfloat16)
    chosen = choose_precision("cpu")
    assert chosen.dtype == torch.float32 and chosen.name == "float32"


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_what_is_asked_for_is_not_measured(measured, name):
    measured()  # any measurement would fail
    assert choose_precision("cpu", name).name == name
    assert choose_precision("cpu", name).why == "asked for"
    with pytest.raises(KeyError):
        choose_precision("cpu")


def test_an_unknown_precision_is_refused():
    with pytest.raises(UserError, match="'fp8' is not known; choose auto, float32 or bfloat16"):
        choose_precision("cpu", "fp8")


def test_a_slow_first_product_does_not_spoil_the_measurement():
    assert matmul_speed(torch.float32, seconds=1e-9, size=(4, 8, 16)) > 0
    assert matmul_speed(torch.bfloat16, seconds=0.001, size=(64, 32, 32)) > 0


def test_the_slow_warm_up_is_not_on_the_clock(monkeypatch):
    clock, calls = iter(range(1000)), []
    monkeypatch.setattr(precision.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(precision.F, "linear", lambda x, w: calls.append(1) or (next(clock) and x))
    assert matmul_speed(torch.float32, seconds=2, size=(4, 8, 16)) == 2 * 4 * 8 * 16 / 2
    assert len(calls) >= 2


def test_the_cpu_is_always_there():
    assert choose_device() == choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x", "cuda:99", "CPU"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name):
    with pytest.raises(UserError, match=f"device '{name}' is not available here; choose one of: cpu"):
        choose_device(name)
