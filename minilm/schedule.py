"""Learning-rate schedules: a factor between 0 and 1 for every moment of a run.

A moment is a share of the run, from 0 (start) to 1 (end). It may come from counting steps (then a run can be repeated
to the bit) or from the clock (then a run ends on time on any machine); the schedule does not care.
"""

import math


def constant(progress, warmup=0.0):
    """Full rate after the warm-up."""
    return min(1.0, progress / warmup) if warmup else 1.0


def linear(progress, warmup=0.05, final=0.0):
    """Up in a line during the warm-up, then down in a line to `final`."""
    if progress < warmup:
        return progress / warmup
    return final + (1 - final) * (1 - progress) / (1 - warmup)


def cosine(progress, warmup=0.05, final=0.0):
    """Up in a line, then down along half a cosine wave to `final` (Loshchilov & Hutter 2017)."""
    if progress < warmup:
        return progress / warmup
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def stable(progress, warmup=0.05, decay=0.4, final=0.0):
    """Up, flat, and down in a line over the last `decay` share of the run (Hu et al. 2024: warm-up, stable, decay)."""
    if progress < warmup:
        return progress / warmup
    return min(1.0, final + (1 - final) * (1 - progress) / decay)


SCHEDULES = {"constant": constant, "linear": linear, "cosine": cosine, "stable": stable}
