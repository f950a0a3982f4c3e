"""The figures of chapter 4: what rank looks like, the three steps of an SVD, spectra beside what they keep.

Each function takes plain data and returns a Picture that describes itself (`alt`), as in plots.py. `scene` is the
chapter's photograph: computed, not taken, so that it ships with nobody else's rights.

What this file does not do: decompose or train anything (lowrank.py, train.py).
"""

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from ..picture import GREY, INK, PALETTE, describe, looks, new_figure, readable, style

STEPS = ("a circle", "Vᵀ turns it", "S stretches it", "U turns it again: W x")


def scene(height=180, width=260):
    """A harbour at dusk in shades of grey, (height, width), 0 to 1: smooth parts, straight edges, slants, texture."""
    generator = np.random.default_rng(1600)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : width / height : width * 1j]
    picture = 0.35 + 0.5 * y  # the sky brightens downwards
    picture[(x - 1.05) ** 2 + (y - 0.22) ** 2 < 0.013] = 1.0  # the moon
    hills = 0.47 - 0.10 * np.sin(3.1 * x + 0.4) - 0.03 * np.sin(11 * x)
    picture = np.where(y > hills, 0.42 + 0.05 * np.sin(40 * x + 25 * y), picture)
    waves = 0.38 + 0.1 * np.sin(120 * (y - 0.62) / (y + 0.05) + 3 * np.sin(9 * x)) * (0.4 + y)
    picture = np.where(y > 0.66, waves + 0.25 * np.exp(-(((x - 1.05) / 0.09) ** 2)), picture)
    for left, right, top in ((0.12, 0.36, 0.30), (0.36, 0.50, 0.42), (0.62, 0.84, 0.36)):  # houses with lit windows
        wall = (x > left) & (x < right) & (y > top) & (y < 0.68)
        lit = (np.mod(x - left, 0.08) > 0.03) & (np.mod(y - top, 0.09) > 0.045) & (x < right - 0.02)
        picture = np.where(wall, np.where(lit, 0.92, 0.12), picture)
    mast = np.abs(x - 1.22 + 0.03 * (y - 0.3)) < 0.006
    rope = np.abs((y - 0.3) - 1.3 * np.abs(x - 1.22)) < 0.006
    picture = np.where((mast | rope) & (y > 0.3) & (y < 0.72), 0.05, picture)
    hull = (y > 0.70) & (y < 0.78) & (np.abs(x - 1.22) < 0.24 - 1.2 * (y - 0.70))
    picture = np.where(hull, 0.08, picture)
    return np.clip(picture + 0.02 * generator.standard_normal((height, width)), 0, 1)  # and the grain of the film


def pictures(images, captions, title, columns=3, height=2.3):
    """Matrices as grey pictures side by side, each with a caption beneath (a str, lines separated by newlines).

    Arguments: images: list of (rows, columns) matrices, 0 is black and 1 is white.
    """
    rows = -(-len(images) // columns)
    with style():
        figure, first = new_figure(rows * height + 0.4, title)
        first.remove()
        for number, (image, caption) in enumerate(zip(images, captions, strict=True), 1):
            axes = figure.add_subplot(rows, columns, number)
            axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
            axes.grid(False)
            axes.set_xlabel(caption, fontsize=10)
    story = "; ".join(caption.replace("\n", ", ") for caption in captions)
    return describe(figure, f"{title}: {story}.")


def circle_steps(U, s, Vt, marked):
    """A circle, and what Vᵀ, S and U make of it one after the other; `marked` (2,) is a point followed on its way."""
    if np.linalg.det(Vt) < 0:  # a mirror: turning round one pair of directions makes it a rotation
        U, Vt = U * [1, -1], Vt * [[1], [-1]]
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])  # (2, 200)
    marked = np.asarray(marked, dtype=float)
    moves = [np.eye(2), Vt, np.diag(s) @ Vt, U @ np.diag(s) @ Vt]
    limit = 1.08 * s[0]
    with style():
        figure, first = new_figure(2.7, f"Rotate, stretch, rotate: singular values {s[0]:.2f} and {s[1]:.2f}")
        first.remove()
        for number, (move, name) in enumerate(zip(moves, STEPS, strict=True), 1):
            axes = figure.add_subplot(1, 4, number)
            axes.plot(*(move @ circle), color=PALETTE[0])
            for i, colour in enumerate((PALETTE[1], PALETTE[2])):  # the two directions that stay at right angles
                tip = move @ Vt[i]
                axes.annotate(
                    "",
                    tip,
                    (0, 0),
                    arrowprops={"arrowstyle": "->", "color": colour, "lw": 2, "shrinkA": 0, "shrinkB": 0},
                )
            axes.plot(*(move @ marked), "o", color=INK, markersize=7)
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.axhline(0, color=GREY, linewidth=0.7, zorder=0)
            axes.axvline(0, color=GREY, linewidth=0.7, zorder=0)
            axes.set_xlabel(name, fontsize=10)
    ways = ", ".join(f"({x:.2f}, {y:.2f})" for x, y in (move @ marked for move in moves))
    return describe(
        figure,
        f"A circle turned, stretched by {s[0]:.2f} and {s[1]:.2f} into an ellipse, and turned again; "
        f"the marked point goes through {ways}.",
    )


def competitors(descents, guesses, best, title):
    """Gradient descents on two thin factors against the truncated SVD (`best`), all as errors; random pairs as dots.

    Arguments: descents: list of [error after 0, 1, 2, … steps]; guesses: errors of random competitors.
    """
    with style():
        figure, axes = new_figure(3.9, title)
        axes.set(xlabel="step", ylabel="error ‖W − B A‖", xscale="log")
        for line in descents:
            axes.plot(np.arange(1, len(line) + 1), line, color=PALETTE[0], linewidth=1.4)
        axes.plot(np.full(len(guesses), 0.75), guesses, "x", color=PALETTE[1], markersize=5, alpha=0.5)
        axes.axhline(best, color=INK, linestyle="--")
        axes.set_ylim(0, 1.08 * max(max(map(max, descents)), max(guesses)))
        axes.annotate(f"truncated SVD: {best:.2f}", (1, best), (0, -6), textcoords="offset points", va="top")
        axes.annotate(
            "random A, best B for it", (0.75, min(guesses)), (-6, -8), textcoords="offset points", va="top",
            color=readable(PALETTE[1]),
        )  # fmt: skip
        axes.annotate(
            f"{len(descents)} gradient descents", (1, descents[0][0]), (12, 6), textcoords="offset points",
            color=readable(PALETTE[0]),
        )  # fmt: skip
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    ends = sorted(line[-1] for line in descents)
    return describe(
        figure,
        f"{title}: the truncated SVD has error {best:.4f}; {len(descents)} gradient descents end between "
        f"{ends[0]:.4f} and {ends[-1]:.4f}, random competitors between {min(guesses):.4f} and {max(guesses):.4f}.",
    )


def edge(values, limit, title, theory=None):
    """A histogram of singular values with the edge of pure noise; those above it stand out in another colour.

    Arguments: values (n,); limit: the edge; theory: (x, density) of the noise's own law, drawn over the bars.
    """
    values = np.asarray(values, dtype=float)
    bins = np.linspace(0, 1.04 * max(values.max(), limit), 60)
    above = values > limit
    with style():
        figure, axes = new_figure(3.4, title)
        axes.set(xlabel="singular value", ylabel="how many")
        axes.hist(values[~above], bins, color=PALETTE[0])
        axes.hist(values[above], bins, color=PALETTE[1], hatch="////", edgecolor="white")
        axes.axvline(limit, color=INK, linestyle="--")
        axes.annotate(f"edge {limit:.1f}", (limit, axes.get_ylim()[1]), (6, -6), textcoords="offset points", va="top")
        if theory is not None:
            x, density = theory
            axes.plot(x, np.asarray(density) * len(values) * (bins[1] - bins[0]), color=INK, linewidth=1.5)
    story = f"{(~above).sum()} values up to the edge at {limit:.1f}, {above.sum()} above it"
    return describe(figure, f"{title}: {story}; the largest is {values.max():.1f}.")


def noise_density(out, inn, sigma, points=200):
    """Marchenko and Pastur's law for the singular values of (out, inn) noise: (x, density), for large matrices."""
    small, large = min(out, inn), max(out, inn)
    low, high = sigma * (large**0.5 - small**0.5), sigma * (large**0.5 + small**0.5)
    x = np.linspace(max(low, 1e-9), high, points)
    inside = np.clip((high**2 - x**2) * (x**2 - low**2), 0, None)
    return x, np.sqrt(inside) / (np.pi * sigma**2 * small * x)


def kept(curves, title):
    """What a truncated update keeps, by rank: a panel per text, with one line for each measure.

    Arguments: curves: text -> {label: [(rank, share), …]}; a share of 1 is everything.
    """
    story = []
    with style():
        figure, first = new_figure(4.2, title)
        first.remove()
        low = min(0.0, *(share for lines in curves.values() for line in lines.values() for _, share in line))
        for number, (text, lines) in enumerate(curves.items(), 1):
            axes = figure.add_subplot(1, len(curves), number)
            axes.set_title(text, fontsize=11, loc="left")
            axes.set(xlabel="rank kept", xscale="log", ylim=(low - 0.04, 1.09))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            for (label, line), look in zip(lines.items(), looks(), strict=False):
                axes.plot(*np.array(line).T, marker="o", markersize=4, label=label, **look)
            ranks = [rank for rank, _ in next(iter(lines.values()))]
            axes.set_xticks(ranks, [f"{rank}" for rank in ranks])
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.minorticks_off()
            if number == 1:
                figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines))
            for label, line in lines.items():
                story.append(f"{text}, {label}: " + ", ".join(f"{share:z.0%} at rank {r}" for r, share in line))
    return describe(figure, f"{title}. {'; '.join(story)}.")


def intrinsic(curves, whole, seeds, goal=0.9, title="Fine-tuning in a random subspace"):
    """The share of full fine-tuning's improvement by the number of dimensions, one line per text.

    Arguments: curves: text -> [(d, share), …], averaged over seeds; seeds: the same for each single seed, drawn as
    small marks; whole: the number of all weights, where the share is 1.
    """
    with style():
        figure, axes = new_figure(4.0, title)
        axes.set(xlabel=f"dimensions d (all weights: {whole:,})", ylabel="share of full fine-tuning's gain")
        axes.set(xscale="log", ylim=(min(0.0, *(share for line in seeds.values() for _, share in line)) - 0.02, 1.06))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.axhline(goal, color=GREY, linewidth=1)
        for (text, line), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*np.array(seeds[text]).T, "_", color=look["color"], markersize=12)
            axes.plot(*np.array(line).T, marker="o", markersize=5, label=text, **look)
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0.86))
    told = {text: ", ".join(f"{share:z.0%} at d = {d:,}" for d, share in line) for text, line in curves.items()}
    story = "; ".join(f"{text}: {line}" for text, line in told.items())
    return describe(figure, f"{title}, share of the gain. {story}.")
