"""Chapter 7's figures: adapters on plays, strengths of a change, what rounding eats, squeezed changes, file sizes.

Each takes plain data and returns a Picture whose `alt` says what is to be seen, worked out from the data.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ..picture import GREY, INK, PALETTE, describe, looks, luminance, name_ends, new_figure, readable, style
from ..plots import human_bytes

MARKERS = "osD^vPX"


def tenants(values, names, title, best=min, fmt="z.2f"):
    """Adapters (rows) measured on plays (columns): each value in its cell, and a frame around the best of each column.

    Arguments: values (n, n). names: of the plays, in the order of rows and columns. best: min or max.
    """
    values = np.asarray(values, dtype=float)
    frames = [(list(column).index(best(column)), j) for j, column in enumerate(values.T)]
    with style():
        figure, axes = new_figure(5.2, title)
        image = _shade(axes, values, best)
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="measured on the last scenes of", ylabel="adapter trained on")
        for (i, j), value in np.ndenumerate(values):
            colour = "white" if luminance(image.to_rgba(value)) < 0.25 else INK
            text = f"{value:{fmt}}".replace("-", "\N{MINUS SIGN}")
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=10)
        for i, j in frames:
            box = {"fill": False, "edgecolor": PALETTE[1], "linewidth": 2.4}
            axes.add_patch(Rectangle((j - 0.47, i - 0.46), 0.94, 0.92, **box))
    own = sum(i == j for i, j in frames)
    word = "lowest" if best is min else "highest"
    alt = f"{title}. {len(values)} adapters by {len(names)} plays, values from {values.min():{fmt}} to "
    alt += f"{values.max():{fmt}}; in {own} of {len(names)} columns the {word} value is on the diagonal."
    return describe(figure, alt)


def eaten(shares, title="Entries of ΔW that leave the bfloat16 weight as it was"):
    """A share per matrix. Arguments: shares: kind of matrix (such as q_proj) -> list of shares, one per block."""
    values = np.asarray(list(shares.values()), dtype=float)
    with style():
        figure, axes = new_figure(3.6, title)
        image = axes.imshow(values, aspect="auto", cmap="cividis", vmin=0)
        _bare(axes)
        axes.set_xticks(range(values.shape[1]), [f"block {i}" for i in range(values.shape[1])])
        axes.set_yticks(range(len(shares)), shares)
        for (i, j), value in np.ndenumerate(values):
            colour = "white" if luminance(image.to_rgba(value)) < 0.25 else INK
            axes.text(j, i, f"{value:.1%}", ha="center", va="center", color=colour)
    most, least = (_where(shares, values, place) for place in (values.argmax(), values.argmin()))
    alt = f"{title}: {values.mean():.1%} on average; most, {values.max():.1%}, in {most}; "
    return describe(figure, alt + f"least, {values.min():.1%}, in {least}.")


def strength(curves, title, marks=None, xlabel="strength λ of the change (0: the base, 1: as trained)", top=None):
    """Bits per byte along a line of weights W + λ ΔW.

    Arguments: curves: label -> [(λ, bits per byte), …]. marks: label -> (λ, bits per byte), points to name. top: cut
    the axis there.
    """
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xlabel=xlabel, ylabel="bits per byte (lower is better)")
        for (label, points), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*np.asarray(points, dtype=float).T, label=label, **look)
        axes.margins(y=0.16 if marks else 0.05)
        axes.set_ylim(top=top)
        name_ends(figure, axes)
        for x in (0, 1):
            axes.axvline(x, color=GREY, linewidth=1, zorder=0)
        look = {"color": readable(PALETTE[1]), "path_effects": [withStroke(linewidth=4, foreground="white")]}
        lowest = min((y, x) for points in curves.values() for x, y in points)[1]
        for label, (x, y) in (marks or {}).items():
            axes.plot(x, y, "o", color=PALETTE[1], markersize=9, markeredgecolor="white", zorder=4)
            place = (0, -20) if x == lowest else (9, 5) if x < lowest else (9, -15)  # outside the valley
            look["ha"] = "center" if x == lowest else "left"
            axes.annotate(label, (x, y), place, textcoords="offset points", zorder=5, **look)
    story = [_valley(label, np.asarray(points, dtype=float)) for label, points in curves.items()]
    story += [f"marked: {label} at λ = {x:g} with {y:.3f}" for label, (x, y) in (marks or {}).items()]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def fading(curves, title="The smaller the change, the more of it a bfloat16 weight loses"):
    """Shares against how small the change is. Arguments: curves: label -> [(factor, share), …], factors 1, 1/2, …"""
    highest = max(1.0, *(share for points in curves.values() for _, share in points))
    with style():
        figure, axes = new_figure(4.0, title)
        axes.set(xlabel="the change, multiplied by", ylabel="share lost", xscale="log", ylim=(0, 1.04 * highest))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        factors = [x for x, _ in next(iter(curves.values()))]
        axes.set_xticks(factors, [f"1/{1 / x:.0f}" if x < 1 else "1" for x in factors])
        axes.minorticks_off()
        axes.invert_xaxis()
        for (label, points), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*zip(*points, strict=True), label=label, **look)
        name_ends(figure, axes)
    ends = [(label, points[0], points[-1]) for label, points in curves.items()]
    story = "; ".join(f"{label}: from {a[1]:.0%} at {a[0]:g} to {b[1]:.0%} at 1/{1 / b[0]:.0f}" for label, a, b in ends)
    return describe(figure, f"{title}. {story}.")


def dots(values, title, xlabel="bits per byte (lower is better)"):
    """One row per text, one dot per method. Arguments: values: text -> {method: value}."""
    methods = list(next(iter(values.values())))
    with style():
        figure, axes = new_figure(1.6 + 0.5 * len(values), title)
        for method, marker, colour in zip(methods, MARKERS, PALETTE, strict=False):
            found = [row[method] for row in values.values()]
            look = {"color": colour, "markersize": 9, "markeredgecolor": "white"}
            axes.plot(found, range(len(values)), marker, label=method, **look)
        axes.set_yticks(range(len(values)), values)
        axes.set(xlabel=xlabel, ylim=(len(values) - 0.5, -0.5))
        columns = {"ncols": min(4, len(methods)), "handlelength": 1, "columnspacing": 1.2}
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), borderaxespad=0.1, **columns)
    story = [f"{text}: " + ", ".join(f"{m} {v:.3f}" for m, v in row.items()) for text, row in values.items()]
    return describe(figure, f"{title}, {xlabel}. {'; '.join(story)}.")


def squeezed(curves, levels, energy, title):
    """Quality against rank above, energy kept below.

    Arguments: curves: label -> [(rank, bits per byte), …]. levels: label -> bits per byte, as grey lines. energy:
    [(rank, share), …].
    """
    with style():
        figure, above = new_figure(6.0, title)
        figure.delaxes(above)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for (label, points), look in zip(curves.items(), looks(), strict=False):
            above.plot(*zip(*points, strict=True), marker="o", markersize=5, label=label, **look)
        for (label, level), dash in zip(levels.items(), ("-", (0, (5, 2)), (0, (1.4, 1.4))), strict=False):
            above.axhline(level, color=GREY, linewidth=1.4, linestyle=dash, label=label, zorder=1)
        above.set_ylabel("bits per byte (lower is better)")
        above.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, borderaxespad=0.1)
        below.plot(*zip(*energy, strict=True), marker="o", markersize=5, color=PALETTE[2])
        below.set(xscale="log", xlabel="rank r", ylabel="energy kept", ylim=(0, 1.04))
        below.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ranks = [rank for rank, _ in energy]
        below.set_xticks(ranks, [str(rank) for rank in ranks])
        below.minorticks_off()
    ends = [(label, *points[0], *points[-1]) for label, points in curves.items()]
    story = [f"{name} goes from {y:.3f} at rank {x} to {last:.3f} at {end}" for name, x, y, end, last in ends]
    story += [f"{label} is at {level:.3f}" for label, level in levels.items()]
    story += ["energy kept: " + ", ".join(f"{share:.0%} at rank {rank}" for rank, share in energy)]
    return describe(figure, f"{title}. {'; '.join(story)}.")


def sizes(curves, levels, title="Size of an adapter file, by rank"):
    """Bytes against rank, on log scales. Arguments: curves: label -> [(rank, bytes), …]. levels: label -> bytes."""
    with style():
        figure, axes = new_figure(4.4, title)
        axes.set(xlabel="rank r", ylabel="bytes (log scale)", xscale="log", yscale="log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: human_bytes(y).replace(".0 ", " ")))
        ranks = [rank for rank, _ in next(iter(curves.values()))]
        axes.set_xticks(ranks, [str(rank) for rank in ranks])
        axes.minorticks_off()
        for (label, points), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*zip(*points, strict=True), label=label, **look)
        axes.set_ylim(top=2 * max(*levels.values(), axes.get_ylim()[1]))
        name_ends(figure, axes)
        for label, level in levels.items():
            axes.axhline(level, color=GREY, linewidth=1.4, linestyle=(0, (5, 2)), zorder=1)
            axes.annotate(label, (ranks[0], level), (0, 4), textcoords="offset points", color=readable(GREY))
    ends = [(label, *points[0], *points[-1]) for label, points in curves.items()]
    story = [f"{name}: {human_bytes(y)} at rank {x}, {human_bytes(last)} at {end}" for name, x, y, end, last in ends]
    story += [f"{label}: {human_bytes(level)}" for label, level in levels.items()]
    return describe(figure, f"{title}. {'; '.join(story)}.")


def _shade(axes, values, best):
    limit = np.abs(values).max()
    signs = values.min() < 0 < values.max()
    shades = {"cmap": "PuOr", "vmin": -limit, "vmax": limit} if signs else {"cmap": "cividis"}
    image = axes.imshow(values, aspect="auto", **shades)
    _bare(axes)
    return image


def _bare(axes):
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _where(shares, values, place):
    row, block = np.unravel_index(place, values.shape)
    return f"{list(shares)[row]} of block {block}"


def _valley(label, points):
    x, y = points[points[:, 1].argmin()]
    ends = f"{points[0, 1]:.3f} at λ = {points[0, 0]:g} and {points[-1, 1]:.3f} at λ = {points[-1, 0]:g}"
    top, high = points[points[:, 1].argmax()]
    return f"{label}: lowest {y:.3f} at λ = {x:g}, highest {high:.3f} at λ = {top:g}, {ends}"
