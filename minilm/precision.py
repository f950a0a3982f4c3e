"""Which device and which number format to compute in, decided by a measurement of a fraction of a second.

Some processors multiply bfloat16 matrices several times faster than float32, some have no instruction for it and are
slower. The name of a processor does not tell; trying does.

    >>> choose_precision("cpu")                       # doctest: +SKIP
    Precision(dtype=torch.bfloat16, why='matrix products: bfloat16 843 GFLOP/s, float32 187 GFLOP/s')
"""

import time
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F

from .errors import UserError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
WORTH_IT = 1.3  # bfloat16 must win by this much, since it also loses digits


@dataclass(frozen=True)
class Precision:
    """The chosen number format, and the measurement that chose it."""

    dtype: torch.dtype
    why: str

    @property
    def name(self):
        return str(self.dtype).removeprefix("torch.")


def choose_device(wanted="cpu"):
    """The torch device of that name; UserError when this machine or this build of torch lacks it."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    names = ", ".join(name for name, there in available.items() if there)
    try:
        if not available.get(wanted.partition(":")[0]):
            raise RuntimeError("not there")
        return torch.empty(0, device=wanted).device  # also tries the number in "cuda:1"
    except RuntimeError as error:
        raise UserError(f"device {wanted!r} is not available here; choose one of: {names}") from error


@lru_cache
def choose_precision(device="cpu", wanted="auto"):
    """Float32, or bfloat16 where it is clearly faster. `wanted` overrides: auto, float32 or bfloat16."""
    if wanted != "auto":
        if wanted not in DTYPES:
            raise UserError(f"precision {wanted!r} is not known; choose auto, float32 or bfloat16")
        return Precision(DTYPES[wanted], "asked for")
    speed = {name: matmul_speed(dtype, device) for name, dtype in DTYPES.items()}
    best = "bfloat16" if speed["bfloat16"] > WORTH_IT * speed["float32"] else "float32"
    why = ", ".join(f"{name} {speed[name] / 1e9:.0f} GFLOP/s" for name in (best, *(DTYPES.keys() - {best})))
    return Precision(DTYPES[best], f"matrix products: {why}")


def matmul_speed(dtype, device="cpu", seconds=0.1, size=(2048, 256, 512)):
    """The best speed seen, in FLOP/s, of a product of the shape a training step makes: (tokens, in) x (in, out)."""
    tokens, inner, outer = size
    x = torch.randn(tokens, inner, device=device).to(dtype)
    weight = torch.randn(outer, inner, device=device).to(dtype)
    F.linear(x, weight)  # the first call also prepares, and may take longer than all the time we have
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        F.linear(x, weight).sum().item() if x.device.type != "cpu" else F.linear(x, weight)
        best = min(best, time.perf_counter() - start)
    return 2 * tokens * inner * outer / best
