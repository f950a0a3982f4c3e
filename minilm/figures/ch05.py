"""The figures of chapter 5: matrices to scale, learning-rate sweeps, first steps by rank, learning against forgetting.

Each figure takes plain data and returns a Picture that describes itself (`alt`). Above them stand the functions that
sort the rows of an experiment: `scores`, `best`, `vertex`, `least_forgotten`.

What this file does not do: train anything (minilm/experiments/lora_*.py do).
"""

import math
from itertools import combinations
from statistics import mean

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ..errors import UserError
from ..picture import DASHES, GREY, INK, PALETTE, describe, looks, name_ends, new_figure, style

COLOURS = {"full": PALETTE[0], "LoRA": PALETTE[1]}


# Rows of an experiment, sorted


def scores(rows, name="target", **settings):
    """rate -> the last value of `name` of each run with these settings, by seed; a lost run counts as infinite.

    >>> scores([{"rate": 0.1, "seed": 0, "target": [3.0, 2.0]}, {"rate": 1.0, "seed": 0, "target": [], "lost": "x"}])
    {0.1: [2.0], 1.0: [inf]}
    """
    found = {}
    for row in rows:
        if all(row.get(key) == value for key, value in settings.items()):
            value = math.inf if "lost" in row else row[name]
            found.setdefault(row["rate"], []).append(value[-1] if isinstance(value, list) else value)
    if not found:
        raise UserError(f"no run has the settings {settings}")
    return dict(sorted(found.items()))


def best(by_rate):
    """(rate, mean score, half the distance between the seeds' extremes) of the rate with the lowest mean."""
    rate = min(by_rate, key=lambda rate: mean(by_rate[rate]))
    return rate, mean(by_rate[rate]), (max(by_rate[rate]) - min(by_rate[rate])) / 2


def inside(by_rate):
    """Whether the best rate is neither the lowest nor the highest that was tried."""
    return min(by_rate) < best(by_rate)[0] < max(by_rate)


def vertex(by_rate):
    """The rate at the bottom of the parabola through the best mean and its neighbours, over the logarithm of the rate.

    A grid can only name its own rates. At the edge of the grid there is no second neighbour, and the edge is returned.

    >>> round(vertex({1: [1.0], 10: [0.0], 100: [1.0]}), 6)
    10.0
    """
    rates = sorted(by_rate)
    middle = rates.index(best(by_rate)[0])
    means = [mean(by_rate[rate]) for rate in rates[max(0, middle - 1) : middle + 2]]
    if len(means) < 3 or not all(map(math.isfinite, means)):
        return rates[middle]
    x = np.log(rates[middle - 1 : middle + 2])
    a, b, _ = np.polyfit(x - x[1], means, 2)
    return float(np.exp(x[1] - b / (2 * a)))


def points(rows, **settings):
    """(target, plays) at every moment of every run with these settings."""
    chosen = [row for row in rows if all(row.get(key) == value for key, value in settings.items())]
    return [pair for row in chosen for pair in zip(row["target"], row["plays"], strict=True)]


def paths(rows, start, **settings):
    """[(target, plays), …] of each run with these settings, by rate, from the base (`start`) on; without lost runs."""
    chosen = [row for row in rows if all(row.get(key) == value for key, value in settings.items())]
    chosen.sort(key=lambda row: row["rate"])
    return [[start, *zip(row["target"], row["plays"], strict=True)] for row in chosen if "lost" not in row]


def along_runs(runs, level):
    """The lowest score on the plays at which one of these paths, straight from dot to dot, crosses `level`.

    >>> along_runs([[(4.0, 2.0), (3.0, 2.5)], [(4.0, 2.0), (2.0, 4.0)]], level=3.5)
    2.25
    """
    return _lowest((pair for path in runs for pair in zip(path, path[1:], strict=False)), level)


def between_runs(runs, level):
    """The same for the straight lines between any two dots of all these paths: their lower border without dents.

    >>> between_runs([[(4.0, 2.0), (3.0, 2.5)], [(4.0, 2.0), (2.0, 2.2)]], level=3.0)
    2.1
    """
    dots = sorted({dot for path in runs for dot in path})
    return _lowest(combinations(dots, 2), level)


def _lowest(pairs, level):
    """The lowest height at `level` of all straight lines between two dots; infinite when none crosses it."""
    found = [math.inf]
    for (x, y), (u, v) in pairs:
        if min(x, u) <= level <= max(x, u):
            found.append(min(y, v) if x == u else y + (level - x) / (u - x) * (v - y))
    return min(found)


def gentlest_at(rows, start, level, **settings):
    """The rate whose runs cross `level` with the least forgotten, by the mean over the seeds."""
    by_rate = {}
    for row in rows:
        if all(row.get(key) == value for key, value in settings.items()):
            by_rate.setdefault(row["rate"], []).append(along_runs(paths([row], start), level))
    return min(by_rate, key=lambda rate: mean(by_rate[rate]))


def first_delta(rule, gamma, r, seeds=200, width=64):
    """Length of the mean ΔW after one step of "adam" or "sgd", over many draws of A, for one x and one dy.

    B begins at zero, the learning rate is 1.
    """
    generator = np.random.default_rng(0)
    x, dy = generator.standard_normal(width), generator.standard_normal(width)
    A = generator.uniform(-1, 1, (seeds, r, width)) / math.sqrt(width)
    gradient = gamma * np.einsum("o,sr->sor", dy, A @ x)  # (seeds, out, r)
    moved = -(np.sign(gradient) if rule == "adam" else gradient)
    return float(np.linalg.norm((gamma * moved @ A).mean(0)))  # of (out, in)


def least_forgotten(pairs, level):
    """The lowest score on the plays among all that reach `level` on the target; infinite when none does.

    >>> least_forgotten([(2.0, 3.0), (1.9, 3.5), (2.5, 2.0)], level=2.1)
    3.0
    """
    return min((plays for target, plays in pairs if target <= level), default=math.inf)


# Figures


def to_scale(out_features, in_features, rank):
    """ΔW = B A as three rectangles, each as wide and as high as its matrix, with how many numbers it holds."""
    full, a, b = out_features * in_features, rank * in_features, out_features * rank
    gap = 0.28 * in_features
    with style():
        figure, axes = new_figure(
            2.5, f"To scale: a correction for a matrix of {out_features} × {in_features}, r = {rank}"
        )
        axes.axis("off")
        axes.set(aspect="equal", xlim=(-0.02 * in_features, 2.02 * in_features + rank + 2 * gap))
        axes.set_ylim(0, 1.01 * out_features)
        x = 0
        for width, height, colour, name, symbol in (
            (in_features, out_features, GREY, f"ΔW: {full:,} numbers", "="),
            (rank, out_features, PALETTE[1], f"B: {b:,}", "×"),
            (in_features, rank, PALETTE[0], f"A: {a:,}", ""),
        ):
            axes.add_patch(
                Rectangle((x, out_features - height), width, height, color=colour, linewidth=0, clip_on=False)
            )
            _below(axes, x + width / 2, -6, name, INK)
            _below(axes, x + width / 2, -22, f"{height} × {width}", GREY)
            axes.text(x + width + gap / 2, out_features / 2, symbol, ha="center", va="center", fontsize=18)
            x += width + gap
    return describe(
        figure,
        f"A diagram to scale: ΔW is a rectangle of {out_features} by {in_features} ({full:,} numbers). "
        f"B, {out_features} by {rank}, is a thin upright strip ({b:,}), and A, {rank} by {in_features}, a thin flat "
        f"one ({a:,}): together {(a + b) / full:.1%} of the area.",
    )


def _below(axes, x, points, text, colour):
    axes.annotate(text, (x, 0), (0, points), textcoords="offset points", ha="center", va="top", color=colour)


def lines(curves, xlabel, ylabel, title, xscale="linear", yscale="linear", fmt=".3g", base=10, percent=False):
    """One line per label through its points [(x, y), …], named at its end with its last value."""
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if xscale == "log":
            axes.set_xscale("log", base=base)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        if yscale == "log":
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.0%}" if percent and y >= 0.01 else
                                                         f"{100 * y:g}%" if percent else f"{y:g}"))  # fmt: skip
        elif percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        for (label, pairs), look in zip(curves.items(), looks(), strict=False):
            x, y = np.asarray(pairs, dtype=float).T
            axes.plot(x, y, marker="o", markersize=4, label=f"{label}\xa0\xa0{y[-1]:{fmt}}", **look)
        name_ends(figure, axes)
    story = "; ".join(f"{label} from {pairs[0][1]:{fmt}} to {pairs[-1][1]:{fmt}}" for label, pairs in curves.items())
    return describe(figure, f"{title}. By {xlabel}: {story}.")


def spread_of(samples, bounds, title):
    """How often each value of a matrix occurs: one outline per label, its bounds as thin lines.

    Arguments: samples: label -> values; bounds: label -> b, drawn at -b and b.
    """
    width = min(bounds.values()) / 4
    half = math.ceil(1.1 * max(bounds.values()) / width)
    edges = width * np.arange(-half, half + 1)
    with style():
        figure, axes = new_figure(3.4, title)
        axes.set(xlabel="value of an entry of A", ylabel="share of the entries", xlim=(edges[0], edges[-1]))
        for (label, values), look in zip(samples.items(), looks(), strict=False):
            values = np.asarray(values).ravel()
            counts, _ = np.histogram(values, edges)
            name = f"{label}: ±{bounds[label]:.4f}, standard deviation {values.std():.4f}"
            axes.stairs(counts / len(values), edges, label=name, linewidth=2, **look)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(0, 1.45 * axes.dataLim.ymax)
        axes.legend(loc="upper left")
    story = "; ".join(f"{label} between ±{bounds[label]:.4f}, flat" for label in samples)
    return describe(figure, f"{title}: {story}.")


def sweep(panels, title, top=None, height=3.9, legend="upper left"):
    """Score over learning rate: a dot per run, a line through the means, a ring at the best rate, one panel per text.

    Arguments: panels: panel -> {label: {rate: [score per seed]}}; top: panel -> the axis is cut there, and runs that
    end above it (or were lost) are left out.
    """
    story = []
    with style():
        figure, first = new_figure(height, title)
        first.remove()
        for number, (panel, methods) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(1, len(panels), number)
            axes.set(xlabel="learning rate", xscale="log", title=panel)
            axes.title.set_fontsize(11)
            if number == 1:
                axes.set_ylabel("bits per byte (lower is better)")
            for (label, by_rate), look in zip(methods.items(), looks(), strict=False):
                _one_sweep(axes, label, by_rate, look)
                rate, score, _ = best(by_rate)
                story.append(f"{label} on {panel} is best at {rate:g}, with {score:.2f}")
            axes.set_ylim(top=(top or {}).get(panel))
            axes.legend(loc=legend, fontsize=10)
    return describe(figure, f"{title}: {'; '.join(story)}.")


def _one_sweep(axes, label, by_rate, look):
    finite = {rate: runs for rate, runs in by_rate.items() if all(map(math.isfinite, runs))}
    axes.plot(list(finite), [mean(runs) for runs in finite.values()], label=label, **look)
    for rate, runs in finite.items():
        axes.plot([rate] * len(runs), runs, "o", color=look["color"], markersize=4, alpha=0.7)
    rate, score, _ = best(by_rate)
    axes.plot(rate, score, "o", markersize=13, markerfacecolor="none", markeredgecolor=look["color"], markeredgewidth=2)


def side_by_side(panels, title, height=3.6):
    """Quality over the steps of a run, with its last value; a panel per text: panel -> {label: [(step, bits/byte)]}."""
    story = []
    with style():
        figure, first = new_figure(height, title)
        first.remove()
        for number, (panel, curves) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(1, len(panels), number)
            axes.set(xlabel="step", title=panel, ylabel="bits per byte (lower is better)" if number == 1 else "")
            axes.title.set_fontsize(11)
            for (label, pairs), look in zip(curves.items(), looks(), strict=False):
                axes.plot(*np.asarray(pairs).T, label=f"{label}: {pairs[-1][1]:.2f}", **look)
                story.append(f"{label} on {panel} from {pairs[0][1]:.2f} to {pairs[-1][1]:.2f}")
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.08 * len(curves) * (high - low))  # room for the names
            axes.legend(loc="upper right", fontsize=10)
    return describe(figure, f"{title}: {'; '.join(story)}.")


def by_rank(ranks, reference, title):
    """Best score of each rank, with a bar from the best to the worst seed, and full fine-tuning as a level line.

    Arguments: ranks: rank -> [score per seed] at its best rate; reference: [score per seed].
    """
    x, means = list(ranks), [mean(runs) for runs in ranks.values()]
    level = mean(reference)
    with style():
        figure, axes = new_figure(3.9, title)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set(xlabel="rank r", ylabel="bits per byte (lower is better)")
        axes.plot(x, means, color=COLOURS["LoRA"], label=f"LoRA\xa0\xa0{means[-1]:.2f}")
        axes.plot(x, [level] * len(x), color=COLOURS["full"], linestyle=DASHES[1], label=f"full\xa0\xa0{level:.2f}")
        name_ends(figure, axes)
        for rank, runs in ranks.items():
            axes.plot([rank, rank], [min(runs), max(runs)], color=COLOURS["LoRA"], linewidth=5, alpha=0.4)
            axes.plot(rank, mean(runs), "o", color=COLOURS["LoRA"], markersize=6)
    story = ", ".join(f"{rank}: {value:.3f}" for rank, value in zip(x, means, strict=True))
    return describe(figure, f"{title}: mean bits per byte by rank {story}; full fine-tuning {level:.3f}.")


NAMES = {"alpha": "γ = α", "alpha/sqrt(r)": "γ = α / √r", "alpha/r": "γ = α / r"}
RULES = {"adam": "Adam", "sgd": "SGD"}


def first_steps(losses, title, top):
    """Loss of each of the first steps, one line per rank; a row of panels per update rule, a column per γ.

    Arguments: losses: (rule, scaling, rank) -> losses, None for what was not finite; top: the axis is cut there.
    """
    rules, scalings = (list(dict.fromkeys(key[part] for key in losses)) for part in (0, 1))
    with style():
        figure, first = new_figure(5.4, title)
        first.remove()
        panels = figure.subplots(len(rules), len(scalings), sharex=True, sharey=True, squeeze=False)
        for (row, rule), (column, scaling) in ((a, b) for a in enumerate(rules) for b in enumerate(scalings)):
            axes = panels[row][column]
            axes.set_title(f"{RULES[rule]}, {NAMES[scaling]}", fontsize=11)
            ranks = [rank for r, s, rank in losses if (r, s) == (rule, scaling)]
            for rank, look in zip(ranks, looks(), strict=False):
                values = [math.nan if v is None else min(v, 2 * top) for v in losses[rule, scaling, rank]]
                axes.plot(values, label=f"r = {rank}", **{**look, "linewidth": 1.8})
            axes.set_ylim(top=top)
        for axes in panels[-1]:
            axes.set_xlabel("step")
        figure.supylabel("loss (nats per token)", fontsize=11)
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(ranks))
    story = "; ".join(f"{RULES[rule]} with {NAMES[s]}: {_range(losses, rule, s)}" for rule in rules for s in scalings)
    return describe(figure, f"{title}. The mean of the last five losses, over the ranks: {story}.")


def late(losses):
    """The mean of the last five losses; infinite when one of them was not finite."""
    return math.inf if None in losses[-5:] else mean(losses[-5:])


def _range(losses, rule, scaling):
    ends = [late(values) for (r, s, _), values in losses.items() if (r, s) == (rule, scaling)]
    return (
        f"from {min(ends):.2f} to {max(ends):.2f}"
        if max(ends) < math.inf
        else f"from {min(ends):.2f} to beyond all bounds"
    )


def trade_off(runs, start, level, title, xlabel, ylabel, limits=None):
    """What was forgotten over what was learned: every moment of every run, with each method's lower border.

    Arguments: runs: label -> [(target, plays)]; start: (target, plays) of the base; level: the target score at which
    the two are compared; limits: (largest target, largest plays) to show.
    """
    story = []
    with style():
        figure, axes = new_figure(4.6, title)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        for (label, pairs), marker in zip(runs.items(), "so", strict=False):
            colour = COLOURS.get(label, INK)
            axes.plot(*np.asarray(pairs).T, marker, color=colour, markersize=5, alpha=0.45, markeredgewidth=0)
            levels = sorted({target for target, _ in pairs}, reverse=True)
            border = [(target, least_forgotten(pairs, target)) for target in levels]
            axes.step(
                *np.asarray(border).T, where="pre", color=colour, label=label, linestyle=DASHES["so".index(marker)]
            )
            story.append(f"{label} {least_forgotten(pairs, level):.2f}")
        axes.plot(*start, "*", color=INK, markersize=14, clip_on=False)
        axes.annotate("the base", start, (9, 8), textcoords="offset points")
        axes.axvline(level, color=GREY, linewidth=1.2, linestyle=DASHES[3], zorder=1)
        if limits:
            axes.set_xlim(right=limits[0])
            axes.set_ylim(top=limits[1])
        axes.invert_xaxis()
        axes.legend(loc="upper left")
    return describe(
        figure,
        f"{title}. At {level:.2f} bits per byte on the target, the lowest score on the plays: {', '.join(story)}; "
        f"the base began at {start[0]:.2f} on the target and {start[1]:.2f} on the plays.",
    )
