"""One row of a benchmark, and how a time is taken."""

import math
import statistics
import time


def row(what, value, unit="", at_most=None, at_least=None, **detail):
    """A result as a dict: the value, the bound in words, whether it was met (None without a bound), and details."""
    if at_most is not None:
        must, met = f"<= {at_most:g}", value <= at_most
    elif at_least is not None:
        must, met = f">= {at_least:g}", value >= at_least
    else:
        must, met = "", None
    return {"what": what, "value": finite(value), "unit": unit, "must": must, "met": met, **detail}


def finite(value):
    """The value, or None for NaN and infinity, which JSON does not know."""
    return value if math.isfinite(value) else None


def seconds(action):
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def alternate(actions, rounds=30, warmup=3):
    """Name -> seconds of each action, round after round. The actions take turns, so that a slow moment hits all."""
    for _ in range(warmup):
        for action in actions.values():
            action()
    times = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(seconds(action))
    return times


def ratio(times, a, b):
    """Median over the rounds of a / b, and fastest a / fastest b: if the two differ much, the machine was not quiet."""
    pairs = [one / other for one, other in zip(times[a], times[b], strict=True)]
    return statistics.median(pairs), min(times[a]) / min(times[b])
