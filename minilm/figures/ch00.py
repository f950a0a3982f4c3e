"""Chapter 0's figures: the road through the course, surprise against probability, and the surprise of one line.

The road is a sketch; the other two are drawn from the numbers they are given. `would_show` is here too: it shows what a
check would say about a file that you have not written.
"""

import math
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ..grading import show, supervise
from ..grading.registry import exercise, stem
from ..picture import GREY, INK, PALE, PALETTE, describe, new_figure, readable, style

BLUE, ORANGE, GREEN, PINK = PALETTE[:4]

# chapter -> (title, what the learner will have at its end), in the order of the road
ROAD = {
    0: ("Text", "38 plays, and bits\nas a measure"),
    1: ("Tokens", "a vocabulary learned\nfrom the text"),
    2: ("Model", "a transformer, every\nmatrix seen"),
    3: ("Pretraining", "it learns to write,\non your processor"),
    4: ("SVD", "what low rank is,\nand what it is not"),
    5: ("LoRA", "a small correction\nbeside frozen weights"),
    6: ("Memory", "bytes and seconds,\npredicted, measured"),
    7: ("Merging", "many adapters,\none base"),
}
WIDE, HIGH, GAP = 2.0, 2.05, 0.42  # of one station; the distance between two


def road():
    """The eight chapters as stations, in two rows, each with a small sketch of what it is about."""
    with style():
        figure, axes = new_figure(4.85, "The road: from a text to a model that is adapted many times")
        axes.set(xlim=(-0.1, 4 * WIDE + 3 * GAP + 0.1), ylim=(-0.15, 2 * HIGH + 0.62), aspect="equal")
        axes.axis("off")
        for number, (title, built) in ROAD.items():
            x, y = (number % 4) * (WIDE + GAP), (HIGH + 0.6) * (number < 4)
            _station(axes, x, y, number, title, built)
            SKETCHES[number](axes, x + WIDE / 2, y + 1.08)
            if number % 4 < 3:
                _arrow(axes, (x + WIDE + 0.04, y + HIGH / 2), (x + WIDE + GAP - 0.04, y + HIGH / 2))
        right, middle = 3 * (WIDE + GAP) + WIDE / 2, HIGH + 0.3
        axes.plot([right, right, WIDE / 2, WIDE / 2], [HIGH + 0.58, middle, middle, HIGH + 0.2], color=GREY, lw=1.6)
        _arrow(axes, (WIDE / 2, HIGH + 0.22), (WIDE / 2, HIGH + 0.02))
    names = " → ".join(f"{number} {title}" for number, (title, _) in ROAD.items())
    return describe(figure, f"The road through the course, a sketch with one station per chapter: {names}.")


def _station(axes, x, y, number, title, built):
    box = FancyBboxPatch((x, y), WIDE, HIGH, "round,pad=0,rounding_size=0.12", fc="white", ec=GREY, lw=1.2)
    axes.add_patch(box)
    axes.add_patch(Circle((x + 0.26, y + HIGH - 0.27), 0.17, fc=BLUE, ec="none"))
    look = {"va": "center_baseline", "weight": "bold"}
    axes.text(x + 0.26, y + HIGH - 0.28, str(number), color="white", ha="center", fontsize=11, **look)
    axes.text(x + 0.54, y + HIGH - 0.28, title, fontsize=12, **look)
    axes.text(x + WIDE / 2, y + 0.3, built, ha="center", va="center", fontsize=8.6, linespacing=1.25)


def _arrow(axes, start, end):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=GREY, lw=1.6, shrinkA=0,
                                   shrinkB=0))  # fmt: skip


def _block(axes, x, y, width, height, colour, **look):
    axes.add_patch(Rectangle((x, y), width, height, fc=colour, ec="white", lw=0.8, **look))


def _text(axes, x, y):
    for i, length in enumerate((1.3, 1.5, 1.1, 1.45, 0.7)):
        axes.plot([x - 0.75, x - 0.75 + length], [y + 0.36 - 0.17 * i] * 2, color=GREY, lw=3, solid_capstyle="round")


def _tokens(axes, x, y):
    rows = ((("To", 0.36), (" be", 0.42), (",", 0.22), (" or", 0.42)), (("not", 0.45), (" to", 0.42), (" be", 0.42)))
    for row, tokens in enumerate(rows):
        left = x - 0.72
        for i, (token, width) in enumerate(tokens):
            _block(
                axes, left, y + 0.05 - 0.44 * row, width, 0.36, (BLUE, ORANGE, GREEN, PINK)[(i + row) % 4], alpha=0.3
            )
            axes.text(left + width / 2, y + 0.22 - 0.44 * row, token, ha="center", va="center", fontsize=8.5)
            left += width + 0.03


def _model(axes, x, y):
    for i in range(4):
        _block(axes, x - 0.62, y - 0.42 + 0.22 * i, 0.52, 0.17, BLUE, alpha=0.85)
        _block(axes, x - 0.02, y - 0.42 + 0.22 * i, 0.64, 0.17, GREEN, alpha=0.85)
    _arrow(axes, (x - 0.82, y - 0.46), (x - 0.82, y + 0.48))


def _curve(axes, x, y):
    t = np.linspace(0, 1, 60)
    axes.plot(x - 0.7 + 1.4 * t, y - 0.38 + 0.8 * np.exp(-4.5 * t), color=BLUE, lw=2.4)
    axes.plot([x - 0.75, x - 0.75, x + 0.75], [y + 0.48, y - 0.45, y - 0.45], color=GREY, lw=1.2)


def _svd(axes, x, y):
    axes.add_patch(Circle((x - 0.48, y), 0.3, fc="none", ec=BLUE, lw=2))
    axes.add_patch(Ellipse((x + 0.42, y), 0.98, 0.34, angle=32, fc="none", ec=ORANGE, lw=2))
    _arrow(axes, (x - 0.13, y), (x + 0.07, y))


def _lora(axes, x, y):
    _block(axes, x - 0.82, y - 0.42, 0.84, 0.84, PALE)
    axes.text(x - 0.4, y, "W", ha="center", va="center", fontsize=11)
    axes.text(x + 0.15, y, "+", ha="center", va="center", fontsize=12)
    _block(axes, x + 0.28, y - 0.42, 0.13, 0.84, ORANGE)
    _block(axes, x + 0.45, y + 0.29, 0.42, 0.13, BLUE)
    axes.text(x + 0.49, y - 0.3, "B", ha="center", va="center", fontsize=9)
    axes.text(x + 0.66, y + 0.13, "A", ha="center", va="center", fontsize=9)


def _memory(axes, x, y):
    for i, parts in enumerate(((0.24, 0.24, 0.44), (0.26, 0.05, 0.08), (0.11, 0.05, 0.08))):
        bottom = y - 0.45
        for height, colour in zip(parts, (BLUE, ORANGE, GREEN), strict=True):
            _block(axes, x - 0.6 + 0.46 * i, bottom, 0.32, height, colour)
            bottom += height


def _merging(axes, x, y):
    _block(axes, x - 0.3, y - 0.42, 0.6, 0.6, PALE)
    axes.text(x, y - 0.12, "W", ha="center", va="center", fontsize=11)
    for i, colour in enumerate((BLUE, ORANGE, GREEN, PINK)):
        left = x - 0.78 + 0.43 * i
        _block(axes, left, y + 0.36, 0.26, 0.13, colour)
        axes.plot([left + 0.13, x - 0.18 + 0.12 * i], [y + 0.36, y + 0.2], color=colour, lw=1.4)


SKETCHES = (_text, _tokens, _model, _curve, _svd, _lora, _memory, _merging)


def surprise_curve(events, title="Surprise against probability"):
    """-log2 p from rare to certain, with named events on the curve.

    Arguments: events: name -> probability, above 0 and at most 1.
    """
    p = np.linspace(1 / 512, 1, 800)
    with style():
        figure, axes = new_figure(4.0, title)
        axes.set(xlabel="probability p of what happened", ylabel="surprise, bits", xlim=(0, 1.02), ylim=(-0.25, 9.2))
        axes.set_xticks([0, 0.125, 0.25, 0.5, 0.75, 1], ["0", "⅛", "¼", "½", "¾", "1"])
        axes.plot(p, -np.log2(p), color=BLUE)
        for name, chance in events.items():
            bits = abs(math.log2(chance))
            axes.plot(chance, bits, "o", color=ORANGE, markersize=8, markeredgecolor="white", zorder=4, clip_on=False)
            place, align = ((-8, 10), "right") if chance > 0.95 else ((10, 5), "left")
            axes.annotate(f"{name}: {_bits(chance)}", (chance, bits), place, textcoords="offset points", ha=align,
                          color=readable(ORANGE))  # fmt: skip
    story = ", ".join(f"{name} {_bits(chance)}" for name, chance in events.items())
    return describe(figure, f"{title}: a curve that falls from 9 bits to 0 as p goes to 1; {story}.")


def _bits(chance):
    bits = abs(math.log2(chance))  # 0, not -0, for what is certain
    return f"{bits:.3g} bit{'' if bits == 1 else 's'}"


def surprise_bars(tokens, bits, title="How surprised the base is by each token"):
    """One bar per token of a line, as high as its surprise.

    Arguments: tokens: texts, in order; bits: the surprise of each.
    """
    with style():
        figure, axes = new_figure(3.6, title)
        axes.set(ylabel="surprise, bits", ylim=(0, max(bits) * 1.12))
        axes.bar(range(len(bits)), bits, color=BLUE, width=0.78)
        for i, value in enumerate(bits):
            axes.annotate(f"{value:.1f}", (i, value), (0, 3), textcoords="offset points", ha="center", fontsize=9.5,
                          path_effects=[withStroke(linewidth=3, foreground="white")], zorder=5)  # fmt: skip
        names = [token.replace("\n", "↵").replace(" ", "·") for token in tokens]
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
        axes.grid(False, axis="x")
        axes.tick_params(axis="x", length=0)
        mean = sum(bits) / len(bits)
        axes.axhline(mean, color=INK, linewidth=1.2, linestyle=(0, (5, 3)))
        axes.annotate(f"mean {mean:.1f}", (1, mean), (5, 0), xycoords=axes.get_yaxis_transform(),
                      textcoords="offset points", va="center")  # fmt: skip
    story = ", ".join(f"{name} {value:.1f}" for name, value in zip(names, bits, strict=True))
    return describe(figure, f"{title}, in bits: {story}; the mean is {mean:.1f}.")


def product_picture(B, A, gamma, title="The correction from its two factors: ΔW = γ B A"):
    """Two small factors and their product as tables of numbers, with names and shapes.

    Arguments: B (out, r); A (r, in): nested lists or arrays; gamma: what the product is multiplied with.
    """
    A, B = np.asarray(A, dtype=float), np.asarray(B, dtype=float)
    parts = [(f"{gamma:g} ×", None), ("B  (out, r)", B), ("×", None), ("A  (r, in)", A), ("=", None),
             ("ΔW  (out, in)", gamma * B @ A)]  # fmt: skip
    colours, x, rows = iter((ORANGE, BLUE, GREEN)), 0.0, len(B)
    with style():
        figure, axes = new_figure(0.9 + 0.55 * rows, title)
        axes.axis("off")
        for name, matrix in parts:
            if matrix is None:
                axes.text(x + 0.3, 0, name, ha="center", va="center", fontsize=14)
                x += 0.95 if len(name) > 1 else 0.7
                continue
            _numbers(axes, x, matrix, next(colours))
            axes.text(x + matrix.shape[1] / 2, rows / 2 + 0.32, name, ha="center", va="center", color=GREY)
            x += matrix.shape[1] + 0.25
        axes.set(xlim=(-0.3, max(x, 8.5)), ylim=(-rows / 2 - 0.1, rows / 2 + 0.6))
    return describe(figure, f"{title}: B is {B.tolist()}, A is {A.tolist()}, γ is {gamma:g}, "
                    f"and ΔW is {(gamma * B @ A).tolist()}.")  # fmt: skip


def _numbers(axes, x, matrix, colour):
    for (row, column), value in np.ndenumerate(matrix):
        y = len(matrix) / 2 - row - 1
        axes.add_patch(Rectangle((x + column, y), 1, 1, fc=colour, alpha=0.2, ec="none"))
        axes.add_patch(Rectangle((x + column, y), 1, 1, fc="none", ec=colour, lw=1.4))
        axes.text(x + column + 0.5, y + 0.5, f"{value:g}", ha="center", va="center", fontsize=12)


def spread_picture(happened, claimed, other, marks, title="The more throws, the narrower the doubt"):
    """The share so far of what happened, with the band in which 19 of 20 such experiments stay around it.

    Arguments: happened: one bool per throw; claimed, other: the two shares to tell apart; marks: numbers of throws to
    look at, each drawn with its band.
    """
    count = np.arange(1, len(happened) + 1)
    share = np.cumsum(happened) / count
    spread = 2 * np.sqrt(0.25 / count)
    seen = count >= 100
    with style():
        figure, axes = new_figure(3.9, title)
        axes.set(xscale="log", xlabel="throws", ylabel="share of heads so far", xlim=(95, len(happened) * 1.05))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.fill_between(count[seen], (share - spread)[seen], (share + spread)[seen], color=BLUE, alpha=0.15, lw=0)
        axes.plot(count[seen], share[seen], color=BLUE, linewidth=1.6)
        for value, name, colour, dash in ((claimed, "claimed", ORANGE, "-"), (other, "fair", INK, (0, (5, 2)))):
            axes.axhline(value, color=colour, linestyle=dash, linewidth=1.4)
            axes.annotate(f"{name} {value:.0%}", (1, value), (5, 0), xycoords=axes.get_yaxis_transform(),
                          textcoords="offset points", va="center", color=readable(colour))  # fmt: skip
        for n in marks:
            axes.errorbar(n, share[n - 1], spread[n - 1], color=INK, marker="o", markersize=6, capsize=5, zorder=5)
    story = "; ".join(
        f"after {n:,} between {share[n - 1] - spread[n - 1]:.1%} and {share[n - 1] + spread[n - 1]:.1%}" for n in marks
    )
    return describe(figure, f"{title}, heads against throws: {story}. Claimed are {claimed:.0%}, fair is {other:.0%}.")


class Shown:
    """What a check shows: HTML in a notebook, text elsewhere."""

    def __init__(self, text, html):
        self.text, self.html = text, html

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return self.html


def would_show(source, number):
    """What check(number) would show if `source` were the whole text of the exercise's file; nothing is kept."""
    one = exercise(number)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{stem(one.chapter)}.py").write_text(source, encoding="utf-8")
        result = supervise.grade(folder, [one]).results[0]
    return Shown(show.text(result), show.html(result))
