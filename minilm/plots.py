"""Every figure of the course, in one style.

Each function takes plain data and returns a Picture: a matplotlib Figure that shows itself in a notebook,
describes itself in words to those who cannot see it (`figure.alt`), and is saved with `save`.

    figure = loss_curves({"full": [(0, 2.02), (80, 1.85)], "LoRA": [(0, 2.02), (80, 1.88)]})
    save(figure, "runs/loss.png")  ->  "![Training, by step: full ends at 1.85, LoRA ends at 1.88.](loss.png)"

Bars start at zero. The look (colours, type, names beside the lines) is picture.py's.

What this file does not do: compute what it shows (lowrank.py, memory.py and bench.py do).
"""

from itertools import cycle

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, PercentFormatter

from . import lowrank
from .errors import UserError
from .picture import DASHES, GREY, INK, PALETTE, describe, looks, luminance, name_ends, new_figure
from .picture import save as save  # so that a notebook needs only this module
from .picture import style as style


def loss_curves(curves, xlabel="step", title="Training", xscale="linear", top=None):
    """Quality over training, one line per run, each named at its end with its last value.

    Arguments: curves: label -> [(x, bits per byte), …]; xscale: "linear" or "log"; top: cut the axis there,
    so that the first steps do not flatten the rest. NaN and infinity are left out.
    """
    curves = {label: _finite(label, points) for label, points in some(curves).items()}
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel=xlabel, ylabel="bits per byte (lower is better)", xscale=xscale)
        axes.margins(x=0.01)
        for (label, points), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*points.T, label=f"{label}\xa0\xa0{points[-1, 1]:.2f}", **look)
        if xscale == "log":
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))  # 10, 100: not 10¹, 10²
        axes.set_ylim(top=top)
        name_ends(figure, axes)
    story = ", ".join(f"{label} ends at {points[-1, 1]:.2f}" for label, points in curves.items())
    return describe(figure, f"{title}, by {xlabel}: {story}.")


def spectra(curves, reference=None, title="Singular values, largest first"):
    """Singular values on a log scale, one line per matrix, named at its end with its numerical rank.

    Arguments: curves, reference: label -> singular values (n,). A `reference`, such as noise, is grey.
    """
    story = []
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel="index of the singular value", ylabel="singular value (log scale)", yscale="log")
        axes.margins(x=0.01)
        for label, s, look in _with_reference(curves, reference):
            s = s[: max(1, lowrank.numerical_rank(s))]  # the rest is rounding, and a log scale has no zero
            axes.plot(np.arange(1, len(s) + 1), s, label=f"{label}\xa0(rank\xa0{len(s)})", **look)
            story.append(f"{label} falls from {s[0]:.3g} to {s[-1]:.3g} over {len(s)}")
        name_ends(figure, axes)
    return describe(figure, f"{title}: {', '.join(story)}.")


def energy_curves(curves, reference=None, share=0.9, title="Energy kept by the best matrix of rank r"):
    """The share of the energy kept at each rank, a dot where it reaches `share`; arguments as in spectra."""
    story = []
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel="rank r", ylabel="share of the energy (sum of s²)", ylim=(0, 1.04))
        axes.margins(x=0.01)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.axhline(share, color=GREY, linewidth=1, zorder=1)
        for label, s, look in _with_reference(curves, reference):
            rank = lowrank.rank_for_energy(s, share)
            name = f"{label}: {share:.0%} at rank {rank} of {len(s)}"
            axes.plot(np.append(0, lowrank.energy(s)), label=name, **look)
            axes.plot(rank, share, "o", color=look["color"], markersize=9, markeredgecolor="white", zorder=4)
            story.append(f"{label} reaches {share:.0%} at rank {rank} of {len(s)}")
        axes.legend(loc="lower right")  # always free: falling squares keep each curve above its diagonal
    return describe(figure, f"{title}: {', '.join(story)}.")


def heat_map(values, row_labels=None, column_labels=None, title="Heat map", fmt=None):
    """A matrix as coloured cells: dark to light from low to high, or two colours around zero if signs differ.

    Arguments: values (rows, columns), NaN stays blank; row_labels, column_labels: texts, by default numbers;
    fmt: a format such as ".2f" writes each value into its cell.
    """
    values = np.ma.masked_invalid(np.asarray(values, dtype=float))
    if values.ndim != 2 or values.count() == 0:
        raise UserError("a heat map needs a matrix (rows, columns) with at least one finite value")
    limit = np.abs(values).max() or 1
    shades = {"cmap": "cividis"} if values.min() >= 0 else {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    with style():
        figure, axes = new_figure(_heat_height(*values.shape), title)
        image = axes.imshow(values, aspect="auto", interpolation="nearest", **shades)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        _label_cells(axes, row_labels, column_labels)
        if fmt:
            _write_cells(axes, image, values, fmt)
        figure.colorbar(image, ax=axes, pad=0.02, aspect=30).outline.set_visible(False)
    size = f"{values.shape[0]} rows, {values.shape[1]} columns"
    return describe(figure, f"{title}: {size}, values from {values.min():.3g} to {values.max():.3g}.")


# size, name and binary sister of each unit: 1 MB is 10⁶ bytes, 1 MiB is 2²⁰
UNITS = [(1e9, "GB", 2**30, "GiB", "10⁹", "2³⁰"), (1e6, "MB", 2**20, "MiB", "10⁶", "2²⁰"),
         (1e3, "kB", 2**10, "KiB", "10³", "2¹⁰")]  # fmt: skip


def human_bytes(count):
    """Bytes as a person reads them, in powers of ten: 1 MB is 10⁶ bytes (1 MiB would be 2²⁰ = 1,048,576).

    >>> human_bytes(999), human_bytes(12_345_678)
    ('999 B', '12.3 MB')
    """
    for size, name, *_ in UNITS:
        if count >= size:
            return f"{count / size:,.1f} {name}"
    return f"{count:.0f} B"


def memory_bars(predicted, measured=None, title="Memory while training"):
    """Stacked bars of bytes by part; where `measured` is given, it stands under the prediction, hatched.

    Arguments: predicted, measured: method -> {part: bytes}. Totals are in both units: MB (10⁶ bytes) and MiB
    (2²⁰ bytes), or GB and GiB, or kB and KiB, by the largest.
    """
    groups = {method: {"predicted": bars} for method, bars in some(predicted).items()}
    for method, bars in (measured or {}).items():
        groups.setdefault(method, {})["measured"] = bars
    every = [bars for group in groups.values() for bars in group.values()]
    colours = dict(zip(dict.fromkeys(part for bars in every for part in bars), cycle(PALETTE), strict=False))
    largest = max(sum(bars.values()) for bars in every)
    unit = next((unit for unit in UNITS if largest >= unit[0]), UNITS[-1])
    with style():
        figure, axes = _rows_figure(groups, title, legend_height=0.3)
        for y, kind, bars in _rows(groups):
            _stack(axes, y, bars, colours, unit, hatch="////" if kind == "measured" else None)
        axes.set_xlabel("{1} (1 {1} = {4} bytes, 1 {3} = {5} bytes)".format(*unit))
        samples = [Patch(color=colour) for colour in colours.values()]
        axes.legend(samples, colours, loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=min(5, len(colours)),
                    handlelength=1, columnspacing=1.4, borderaxespad=0.1)  # fmt: skip
    totals = [
        f"{method} {kind} {human_bytes(sum(bars.values()))}"
        for method, group in groups.items()
        for kind, bars in group.items()
    ]
    return describe(figure, f"{title}: {', '.join(totals)}.")


def quality_bars(values, xlabel="bits per byte (lower is better)", title="Quality", fmt=".2f"):
    """One bar per method on each target, from zero, with its value.

    Arguments: values: target -> {method: value}; a method has the same colour on every target.
    """
    methods = dict.fromkeys(method for bars in some(values).values() for method in bars)
    colours = dict(zip(methods, cycle(PALETTE), strict=False))
    with style():
        figure, axes = _rows_figure(values, title)
        for y, method, value in _rows(values):
            axes.barh(y, value, color=colours[method], height=0.78)
            axes.annotate(f"{value:{fmt}}", (value, y), (5, 0), textcoords="offset points", va="center")
        axes.set_xlabel(xlabel)
    story = [f"on {t}: " + ", ".join(f"{m} {v:{fmt}}" for m, v in bars.items()) for t, bars in values.items()]
    return describe(figure, f"{title}, {xlabel}; {'; '.join(story)}.")


def some(data):
    if not data:
        raise UserError("there is nothing to draw; pass at least one named series")
    return data


def _finite(label, points):
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) == 0:
        raise UserError(f"the curve {label!r} has no finite point; did the run diverge at its first step?")
    return points


def _with_reference(curves, reference):
    """(label, singular values largest first, look) for each curve, then in grey for each reference."""
    greys = ({"color": GREY, "linestyle": dash, "linewidth": 1.6} for dash in cycle(DASHES[1:4]))
    pairs = [*zip(some(curves).items(), looks(), strict=False)]
    for (label, s), look in pairs + [*zip((reference or {}).items(), greys, strict=False)]:
        yield label, np.sort(np.asarray(s, dtype=float))[::-1], look


def _heat_height(rows, columns):
    """Inches: square cells where the width allows, but none so tall that a small matrix fills the screen."""
    return 1.1 + max(0.8, min(6.4 * rows / columns, 0.6 * rows, 5.6))


def _label_cells(axes, row_labels, column_labels):
    if row_labels is not None:
        axes.set_yticks(range(len(row_labels)), row_labels)
    if column_labels is not None:
        long = max(map(len, map(str, column_labels))) * len(column_labels) > 60
        slant = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if long else {}
        axes.set_xticks(range(len(column_labels)), column_labels, **slant)
    axes.tick_params(length=0)


def _write_cells(axes, image, values, fmt):
    for (row, column), value in np.ma.ndenumerate(values):  # leaves out the blank cells
        colour = "white" if luminance(image.to_rgba(value)) < 0.25 else INK
        text = f"{value:z{fmt}}".replace("-", "\N{MINUS SIGN}")  # z: a rounded −0.0 is 0.0
        axes.text(column, row, text, ha="center", va="center", color=colour)


def _rows(groups):
    """(y, name, value) of each bar, top to bottom; groups of several bars leave a row for their heading."""
    y = 0
    for bars in groups.values():
        y += 1.25 if _has_headings(groups) else 0.25
        for name, value in bars.items():
            yield y, name, value
            y += 1


def _has_headings(groups):
    return any(len(bars) > 1 for bars in groups.values())


def _rows_figure(groups, title, legend_height=0.0):
    """A figure ready for horizontal bars at the heights that `_rows` gives, with their names and headings."""
    rows = list(_rows(groups))
    figure, axes = new_figure(1.4 + legend_height + 0.31 * (rows[-1][0] + 1), title)
    first = 0
    for heading, bars in groups.items() if _has_headings(groups) else ():
        place = axes.get_yaxis_transform()  # x as a share of the axes, y as a row
        axes.text(0.008, rows[first][0] - 0.9, heading, weight="bold", va="center", transform=place)
        first += len(bars)
    names = [name for _, name, _ in rows] if _has_headings(groups) else list(groups)
    axes.set_yticks([y for y, _, _ in rows], names)
    axes.set_ylim(rows[-1][0] + 0.6, rows[0][0] - (1.4 if _has_headings(groups) else 0.6))
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.spines["left"].set_color(INK)
    return figure, axes


def _stack(axes, y, bars, colours, unit, hatch):
    """One bar of several parts, and its total in both units after it."""
    size, name, binary_size, binary_name, *_ = unit
    left = 0
    for part, colour in colours.items():
        width = bars.get(part, 0) / size
        look = {"color": colour, "edgecolor": "white", "linewidth": 0.5, "hatch": hatch}
        axes.barh(y, width, left=left, height=0.78, **look)
        left += width
    total = f"{left:,.1f} {name} ({left * size / binary_size:,.1f} {binary_name})"
    axes.annotate(total, (left, y), (6, 0), textcoords="offset points", va="center")
