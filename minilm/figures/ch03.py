"""Chapter 3's figures: windows, paths downhill, rates, sizes against loss, by heart or not, and what sampling keeps.

Each takes plain data and returns a Picture whose `alt` says what is to be seen, worked out from the data. `fit` and
`slope` are the arithmetic behind the lines through the five sizes.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, PercentFormatter

from ..picture import GREY, INK, PALE, PALETTE, describe, looks, name_ends, new_figure, readable, style

MARKERS = "osD^vPX"
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}  # 97.5 % quantile of Student's t


def windows(words, starts, context, title="Windows: every input has the next token as its target"):
    """A row of tokens, and below it each window's inputs with the targets one place further on.

    Arguments: words: texts of the row's tokens. starts: where the windows begin. context: T.
    """
    with style():
        figure, axes = new_figure(1.2 + 0.95 * len(starts), title)
        axes.axis("off")
        for place, word in enumerate(words):
            _box(axes, place, 0, word, PALE, INK)
            axes.text(place + 0.5, 0.85, place, ha="center", va="bottom", color=GREY, fontsize=10)
        for row, start in enumerate(starts, 1):
            y = -2.1 * row
            for t in range(context):
                _box(axes, start + t, y + 0.9, words[start + t], "#CFE3F1", INK)
                _box(axes, start + t, y, words[start + t + 1], "#F8D9C4", INK)
            axes.text(start - 0.1, y + 1.27, "inputs", ha="right", va="center", color=readable(PALETTE[0]))
            axes.text(start - 0.1, y + 0.37, "targets", ha="right", va="center", color=readable(PALETTE[1]))
        axes.text(-0.1, 0.37, "row", ha="right", va="center", color=GREY)
        axes.set(xlim=(-1.3, len(words) + 0.05), ylim=(-2.1 * len(starts) - 0.1, 1.3))
    pairs = "; ".join(
        f"from place {s}: inputs {list(words[s : s + context])}, targets {list(words[s + 1 : s + context + 1])}"
        for s in starts
    )
    return describe(figure, f"{title}. A row of {len(words)} tokens and {len(starts)} windows, {pairs}.")


def _box(axes, x, y, text, colour, ink):
    axes.add_patch(Rectangle((x + 0.03, y), 0.94, 0.75, facecolor=colour, edgecolor="white"))
    axes.text(x + 0.5, y + 0.36, text.replace("\n", "↵"), ha="center", va="center", color=ink, fontsize=10.5)


def descent(paths, curvatures, title="Three rules on one long valley"):
    """Paths of optimizers over the bowl (a x² + b y²) / 2, each named with its height at the end.

    Arguments: paths: name -> [(x, y), …], all from the same start. curvatures: (a, b).
    """
    a, b = curvatures
    everything = np.concatenate([np.asarray(path) for path in paths.values()])
    reach = np.abs(everything).max(axis=0) * 1.15
    x, y = np.meshgrid(np.linspace(-reach[0], reach[0] * 0.4, 200), np.linspace(-reach[1], reach[1], 200))
    height = (a * x**2 + b * y**2) / 2
    ends = {name: (a * path[-1][0] ** 2 + b * path[-1][1] ** 2) / 2 for name, path in paths.items()}
    with style():
        figure, axes = new_figure(4.2, title)
        axes.grid(False)
        axes.contour(x, y, height, levels=np.geomspace(height.max() / 4000, height.max(), 14), colors=[PALE])
        for (name, path), look, marker in zip(paths.items(), looks(), MARKERS, strict=False):
            label = f"{name}: ends at height {ends[name]:.2g}"
            axes.plot(*np.asarray(path).T, label=label, marker=marker, markersize=4, **{**look, "linewidth": 1.5})
        axes.plot(0, 0, "*", color=INK, markersize=14)
        axes.set(xlabel="w₁ (flat direction)", ylabel="w₂ (steep direction)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=1)
    story = ", ".join(
        f"{name} ends at height {height:.2g} after {len(paths[name]) - 1} steps" for name, height in ends.items()
    )
    return describe(figure, f"{title}: {story}; the lowest point, height 0, is marked with a star.")


def rates(curves, title="The learning rate over a run, as a share of its peak"):
    """One line per schedule. Arguments: curves: name -> [(share of the run, factor), …]."""
    with style():
        figure, axes = new_figure(3.4, title)
        axes.set(xlabel="share of the run", ylabel="share of the peak rate", ylim=(0, 1.06))
        axes.margins(x=0.01)
        for (name, points), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*np.asarray(points).T, label=name, **look)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="lower center", ncols=len(curves), bbox_to_anchor=(0.5, 1.0))
    story = ", ".join(
        f"{name} is at {_at(points, 0.5):.0%} half-way and ends at {points[-1][1]:.0%}"
        for name, points in curves.items()
    )
    return describe(figure, f"{title}: {story}.")


def _at(points, x):
    return float(np.interp(x, *np.asarray(points, dtype=float).T))


def sweep(scores, title, xlabel="learning rate (log scale)", top=None):
    """Bits/byte at each learning rate: a line through the means, a dot per seed, the best rate named.

    Arguments: scores: method -> {rate: [bits/byte of each seed]}. top: cut the axis there.
    """
    best = {name: min(by_rate, key=lambda rate: np.mean(by_rate[rate])) for name, by_rate in scores.items()}
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xlabel=xlabel, ylabel="bits per byte (lower is better)", xscale="log")
        for (name, by_rate), look, marker in zip(scores.items(), looks(), MARKERS, strict=False):
            means = {rate: np.mean(values) for rate, values in by_rate.items()}
            label = f"{name}: best {means[best[name]]:.2f} at {best[name]:g}"
            axes.plot([*means], [*means.values()], label=label, marker=marker, markersize=8, **look)
            for rate, values in by_rate.items():
                axes.plot([rate] * len(values), values, ".", color=look["color"], markersize=5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_ylim(top=top)
        axes.legend(loc="upper left")
    story = ", ".join(
        f"{name} is best at rate {best[name]:g} with {np.mean(by_rate[best[name]]):.2f}"
        for name, by_rate in scores.items()
    )
    return describe(figure, f"{title}: {story} bits per byte.")


def fit(sizes, losses):
    """Two laws through the points, each by least squares: {name: {"parameters", "aic", "curve"}}.

    power: L = A N^-s, where doubling N multiplies L by 2^-s; logarithmic: L = a - b ln N, where doubling takes the same
    amount off each time. Both have two numbers to choose, so that the lower AIC is the smaller error.
    """
    n, y = np.log(np.asarray(sizes, dtype=float)), np.asarray(losses, dtype=float)
    line = np.polyfit(n, y, 1)
    s, c = np.polyfit(n, np.log(y), 1)
    for _ in range(20):  # Gauss-Newton: least squares in L, not in log L, so that both laws are judged alike
        guess = np.exp(c + s * n)
        step = np.linalg.lstsq(np.stack([guess * n, guess], axis=1), y - guess, rcond=None)[0]
        s, c = s + step[0], c + step[1]
    laws = {
        "power": ((-s, np.exp(c)), lambda x: np.exp(c + s * np.log(x))),
        "logarithmic": ((-line[0], line[1]), lambda x: line[1] + line[0] * np.log(x)),
    }
    return {
        name: {"parameters": tuple(map(float, numbers)), "curve": curve, "aic": _aic(y - curve(np.exp(n)), 3)}
        for name, (numbers, curve) in laws.items()
    }


def _aic(residuals, parameters):
    """Akaike's criterion for normal errors: n ln(mean squared error) + 2 parameters (the error's size is one)."""
    return float(len(residuals) * np.log(np.mean(residuals**2)) + 2 * parameters)


def slope(sizes, losses):
    """Slope of log L against log N with its 95 % confidence interval: (slope, low, high)."""
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(losses, dtype=float))
    value, cut = np.polyfit(x, y, 1)
    spread = np.sqrt(np.sum((y - cut - value * x) ** 2) / (len(x) - 2) / np.sum((x - x.mean()) ** 2))
    half = T_95[len(x) - 2] * spread
    return float(value), float(value - half), float(value + half)


def sizes(points, laws, title, ylabel="bits per byte (log scale, lower is better)"):
    """Loss against size, both on log scales, with the lines of the laws.

    Arguments: points: size -> [loss of each seed]. laws: name -> function of the size.
    """
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel="parameters inside the blocks, N (log scale)", ylabel=ylabel, xscale="log", yscale="log")
        x = np.geomspace(min(points) / 1.4, max(points) * 1.4, 100)
        for (name, law), look in zip(laws.items(), looks(), strict=False):
            axes.plot(x, law(x), label=name, **{**look, "linewidth": 1.6})
        for size, values in points.items():
            axes.plot([size] * len(values), values, "o", color=INK, markersize=6, markerfacecolor="none")
        axes.plot([], [], "o", color=INK, markerfacecolor="none", label="one run")
        _plain(axes.xaxis, points)
        _plain_y(axes)
        axes.legend(loc="upper right")
    ends = [f"{np.mean(points[size]):.2f} at {_short(size)} parameters" for size in (min(points), max(points))]
    alt = f"{title}: {', '.join(ends)}"
    return describe(figure, f"{alt}, with {len(laws)} fitted lines ({', '.join(laws)}).")


def compute(curves, title, xlabel="training compute: 6 N × tokens, N with the head, in FLOPs (log scale)"):
    """Loss along each run against the compute spent. Arguments: curves: name -> [(compute, bits/byte), …]."""
    with style():
        figure, axes = new_figure(4.6, title)
        axes.set(xlabel=xlabel, ylabel="bits per byte (log scale)", xscale="log", yscale="log")
        for (name, points), look, marker in zip(curves.items(), looks(), MARKERS, strict=False):
            axes.plot(*np.asarray(points).T, label=name, marker=marker, markersize=5, **look)
        _plain_y(axes)
        axes.legend(loc="upper right", title="inside the blocks")
    story = ", ".join(f"{name} reaches {points[-1][1]:.2f} with {points[-1][0]:.1e}" for name, points in curves.items())
    return describe(figure, f"{title}: {story}.")


def in_a_row(shares, title="How often the next k tokens are all right"):
    """Share of places where k tokens in a row are hit. Arguments: shares: k -> {size: share}; log x, linear y."""
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(
            xlabel="parameters inside the blocks, N (log scale)", xscale="log", ylabel="relative to the largest model"
        )
        for (k, by_size), look, marker in zip(shares.items(), looks(), MARKERS, strict=False):
            top = by_size[max(by_size)]
            axes.plot(
                [*by_size], [v / top for v in by_size.values()], marker=marker, label=f"k = {k} ({top:.2%})", **look
            )
        _plain(axes.xaxis, next(iter(shares.values())))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(bottom=0)
        name_ends(figure, axes)
    story = "; ".join(
        f"k = {k}: {by_size[min(by_size)]:.3%} for the smallest, {by_size[max(by_size)]:.3%} for the largest model"
        for k, by_size in shares.items()
    )
    return describe(figure, f"{title}: {story}.")


def by_heart(seen, new, title, best=None):
    """Bits/byte on the text that was read and on new text, by size: the gap between the lines is what was memorised.

    Arguments: seen, new, best: size -> [value of each seed]; best: the lowest value on new text along the run.
    """
    lines = {"text it read": seen, "new text, at the end": new} | (
        {"new text, at its best moment": best} if best else {}
    )
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel="parameters inside the blocks, N (log scale)", ylabel="bits per byte", xscale="log")
        for (name, values), look, marker in zip(lines.items(), looks(), MARKERS, strict=False):
            axes.plot([*values], [np.mean(v) for v in values.values()], label=name, marker=marker, **look)
            for size, every in values.items():
                axes.plot([size] * len(every), every, ".", color=look["color"], markersize=4, label="_")
        axes.fill_between(
            [*seen], [np.mean(v) for v in seen.values()], [np.mean(v) for v in new.values()], color=PALE, zorder=0
        )
        _plain(axes.xaxis, seen)
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower left")
    gaps = [np.mean(new[size]) - np.mean(seen[size]) for size in (min(seen), max(seen))]
    return describe(
        figure, f"{title}: the gap is {gaps[0]:.2f} for the smallest and {gaps[1]:.2f} for the largest model."
    )


def choices(words, settings, title="What may come next"):
    """Probabilities of the likeliest next tokens under several settings, side by side, in one order of tokens.

    Arguments: words: the tokens, likeliest first. settings: name -> their probabilities (0: cut out).
    """
    with style():
        figure, first = new_figure(0.9 + 0.29 * len(words), title)
        first.remove()
        panels = figure.subplots(1, len(settings), sharey=True)
        largest = max(map(max, settings.values()))
        for axes, (name, p), colour in zip(panels, settings.items(), PALETTE * 2, strict=False):
            axes.barh(range(len(words)), p, color=colour, height=0.75)
            axes.set_title(name, fontsize=10.5, color=readable(colour))
            axes.set_xlim(0, 1.35 * largest)  # one scale for all, so that bars can be compared
            for y, value in enumerate(p):
                axes.text(value, y, f" {value:.0%}" if value else " –", va="center", fontsize=9, color=INK)
            axes.set_xticks([])
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.tick_params(axis="y", length=0)
        panels[0].set_yticks(range(len(words)), words)
        panels[0].invert_yaxis()
    story = "; ".join(
        f"{name}: {sum(v > 0 for v in p)} of {len(words)} stay, the first with {p[0]:.0%}"
        for name, p in settings.items()
    )
    return describe(figure, f"{title}. {story}.")


def _short(number):
    return f"{number / 1e6:.1f}M" if number >= 1e6 else f"{number / 1e3:.0f}k"


def _plain(axis, values):
    axis.set_major_locator(FixedLocator(sorted(values)))
    axis.set_minor_locator(FixedLocator([]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))


def _plain_y(axes):
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
