"""The figures of chapter 6: where bytes and arithmetic go."""

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator

from ..picture import GREY, INK, PALETTE, describe, looks, name_ends, new_figure, readable, style
from ..plots import human_bytes

PARTS = ("weights", "optimizer state", "gradients", "activations")  # from the ground up: what stays, then what comes
FIELDS = {"sign": PALETTE[3], "exponent": PALETTE[4], "digits": PALETTE[5]}


def number_formats(formats, title="One number, bit by bit"):
    """A box per bit. Arguments: formats: name -> (sign bits, exponent bits, bits of digits)."""
    with style():
        figure, axes = new_figure(0.9 + 0.42 * len(formats), title)
        for row, bits in enumerate(formats.values()):
            colours = [colour for colour, count in zip(FIELDS.values(), bits, strict=True) for _ in range(count)]
            axes.barh([row] * sum(bits), 0.9, left=range(sum(bits)), color=colours, height=0.62)
            axes.text(sum(bits) + 0.4, row, f"{sum(bits) / 8:g} bytes" if sum(bits) != 8 else "1 byte", va="center")
        axes.set_yticks(range(len(formats)), list(formats))
        axes.set(ylim=(len(formats) - 0.5, -0.6), xlim=(-0.3, 37), xticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        samples = [Patch(color=colour) for colour in FIELDS.values()]
        axes.legend(samples, FIELDS, loc="lower right", handlelength=1)
    story = [f"{name} {s} sign, {e} exponent, {d} digits" for name, (s, e, d) in formats.items()]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def timeline(traces, title="Live bytes through one training step"):
    """Stacked columns, one per moment, a panel per method; moments that not all methods have are left out.

    Arguments: traces: method -> [(moment, Memory), …].
    """
    shared = set.intersection(*({key for key, _ in _keys(moments)} for moments in traces.values()))
    longest = max(traces.values(), key=len)
    places = {key: x for x, key in enumerate(key for key, _ in _keys(longest) if key in shared)}
    top = max(memory.total for moments in traces.values() for _, memory in moments) / 1e6
    with style():
        figure, first = new_figure(1.2 + 2.2 * len(traces), title)
        first.remove()
        panels = figure.subplots(len(traces), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (method, moments) in zip(panels, traces.items(), strict=True):
            _columns(axes, moments, places)
            axes.set_title(f"{method}: highest {_peak(moments)}", loc="left", fontsize=11)
            axes.set(ylabel="MB", ylim=(0, 1.2 * top))
            for key, x in places.items():
                if key[0] == "loss":
                    axes.vlines(x, 0, 1.2 * top, color=GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=3)
                    axes.text(x - 0.6, 1.19 * top, "forward →", ha="right", va="top", color=readable(GREY))
                    axes.text(x + 0.6, 1.19 * top, "backward →", va="top", color=readable(GREY))
        names = [name for name, _ in places]
        panels[-1].set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        samples = [Patch(color=PALETTE[i]) for i in range(len(PARTS))]
        panels[0].legend(samples, PARTS, loc="upper right", handlelength=1)
    story = [
        f"{method} rises to {_peak(moments)} at the loss and falls back to {human_bytes(moments[-1][1].total)}"
        for method, moments in traces.items()
    ]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def _keys(moments):
    """(name, how often it came before): "block 0" comes in forward and again in backward."""
    seen = {}
    for name, memory in moments:
        seen[name] = seen.get(name, -1) + 1
        yield (name, seen[name]), memory


def _columns(axes, moments, places):
    found = [(places[key], memory.parts()) for key, memory in _keys(moments) if key in places]
    xs, ground = [x for x, _ in found], np.zeros(len(found))
    for part, colour in zip(PARTS, PALETTE, strict=False):
        heights = np.array([parts[part] / 1e6 for _, parts in found])
        axes.bar(xs, heights, bottom=ground, color=colour, width=0.86)
        ground += heights
    axes.grid(False, axis="x")
    axes.tick_params(axis="x", length=0)


def _peak(moments):
    return human_bytes(max(memory.total for _, memory in moments))


def sweeps(panels, measured, title="Activations by batch and by length"):
    """Predicted lines and measured dots, a panel per thing that is varied.

    Arguments: panels, measured: x label -> {method: [(x, bytes), …]}.
    """
    with style():
        figure, first = new_figure(4.2, title)
        first.remove()
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for one, (xlabel, curves) in zip(axes, panels.items(), strict=True):
            for (method, points), look in zip(curves.items(), looks(), strict=False):
                xs, ys = np.array(points, dtype=float).T
                one.plot(xs, ys / 1e6, label=method, **look)
                dots = np.array(measured[xlabel][method], dtype=float).T
                one.plot(dots[0], dots[1] / 1e6, "o", color=look["color"], markeredgecolor="white", markersize=8)
            one.set(xlabel=xlabel, ylim=(0, None), xlim=(0, None))
            one.set_xticks([x for x in xs if x >= max(xs) / 10])
        axes[0].set_ylabel("MB kept (lines predicted, dots measured)")
        axes[0].legend(loc="upper left")
    story = [
        f"by {xlabel}, {method} from {human_bytes(points[0][1])} at {points[0][0]} "
        f"to {human_bytes(points[-1][1])} at {points[-1][0]}"
        for xlabel, curves in panels.items()
        for method, points in curves.items()
    ]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def bits_and_quality(points, reference, title="Quality of a base whose weights are rounded"):
    """Bits per byte against bits per weight. Arguments: points: [(bits, bits per byte), …]; reference: unrounded."""
    bits, quality = zip(*sorted(points), strict=True)
    with style():
        figure, axes = new_figure(3.8, title)
        axes.hlines(reference, 0.7, 8.3, color=GREY, linewidth=1.5, zorder=1)
        axes.annotate(f"not rounded: {reference:.3f}", (8.3, reference), (0, -14), textcoords="offset points",
                      ha="right", color=GREY)  # fmt: skip
        axes.plot(bits, quality, "o-", color=PALETTE[0], markersize=7)
        for x, y in zip(bits, quality, strict=True):
            axes.annotate(f"{y:.2f}", (x, y), (4, 7), textcoords="offset points", color=INK)
        axes.set(xlabel="bits per weight of the matrices inside the blocks", ylabel="bits per byte (lower is better)")
        axes.set_xticks(bits)
        axes.set_ylim(0, 1.15 * max(quality))
    story = ", ".join(f"{x} bits {y:.2f}" for x, y in zip(bits, quality, strict=True))
    return describe(figure, f"{title}: not rounded {reference:.2f}; {story}.")


def ratio_by_rank(curves, points=None, break_even=None, title="Work of LoRA over work of full fine-tuning"):
    """Ratios against rank (log scale) with a line at 1 and one at 2/3.

    Arguments: curves: label -> [(rank, ratio), …]; points: label -> the same, drawn as dots (measured); break_even:
    label of a curve -> the rank where it crosses 1.
    """
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xscale="log", xlabel="rank r", ylabel="LoRA / full fine-tuning")
        for (label, line), look in zip(curves.items(), looks(), strict=False):
            axes.plot(*np.array(line, dtype=float).T, label=label, **look)
            if break_even:
                axes.plot(break_even[label], 1, "D", color=look["color"], markeredgecolor="white", markersize=9)
        ranks = [rank for line in curves.values() for rank, _ in line]
        for height, name, above in ((1, "as much as full", 4), (2 / 3, "two thirds", -13)):
            axes.hlines(height, min(ranks), max(ranks), color=GREY, linewidth=1.2, linestyle=(0, (2, 2)), zorder=1)
            axes.annotate(name, (min(ranks), height), (2, above), textcoords="offset points", color=GREY)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks([r for r in (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024) if min(ranks) <= r <= max(ranks)])
        axes.set_ylim(0, 2)
        marks = zip((points or {}).items(), "os^", PALETTE[3:], strict=False)
        for (label, dots), mark, colour in marks:
            axes.plot(*np.array(dots, dtype=float).T, mark, color=colour, markersize=8, label=label)
        if points:
            axes.legend(loc="upper left")
        else:
            name_ends(figure, axes) if not break_even else axes.legend(loc="upper left")
    story = [f"{label} from {line[0][1]:.2f} at rank {line[0][0]:g} to {line[-1][1]:.2f} at {line[-1][0]:g}"
             for label, line in {**curves, **(points or {})}.items()]  # fmt: skip
    if break_even:
        story += [f"{label} breaks even at rank {rank:.0f}" for label, rank in break_even.items()]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def saving(curves, title="Memory of full fine-tuning over memory of LoRA"):
    """A factor against tokens (log scale), and a line at 1. Arguments: curves: label -> [(tokens, factor), …]."""
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xscale="log", xlabel="tokens in one step, B × T", ylabel="full fine-tuning / LoRA")
        for (label, line), look in zip(curves.items(), looks(), strict=False):
            xs, ys = np.array(line, dtype=float).T
            axes.plot(xs, ys, label=label, **look)
        axes.hlines(1, xs[0], xs[-1], color=GREY, linewidth=1.2, linestyle=(0, (2, 2)), zorder=1)
        axes.annotate("nothing saved", (xs[0], 1), (2, -14), textcoords="offset points", color=readable(GREY))
        axes.set_ylim(0, None)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.legend(loc="upper right")
    story = [f"{label} from {line[0][1]:.1f} at {line[0][0]:,} tokens to {line[-1][1]:.2f} at {line[-1][0]:,}"
             for label, line in curves.items()]  # fmt: skip
    return describe(figure, f"{title}: {'; '.join(story)}.")


def fits(methods, cards, models, title="What fits on which card"):
    """Memory against size of model, both on log scales: a line per method, cards across, models down.

    Arguments: methods: label -> bytes per parameter of the base; cards: label -> bytes; models: label -> parameters.
    """
    low, high = 1e8, 2e12
    with style():
        figure, axes = new_figure(5.4, title)
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(1e8, 4e13))
        axes.set(xlabel="parameters of the base", ylabel="model state, before activations")
        for (label, each), look in zip(methods.items(), looks(), strict=False):
            axes.plot([low, high], [low * each, high * each], label=f"{label}\xa0({each:.3g}\xa0bytes)", **look)
        for label, size in cards.items():
            axes.hlines(size, low, high, color=INK, linewidth=1, linestyle=(0, (1, 2)))
            axes.annotate(label, (low, size), (4, 3), textcoords="offset points")
        for label, size in models.items():
            axes.vlines(size, 1e8, 4e13, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
            axes.annotate(label, (size, 1.3e8), (4, 0), textcoords="offset points", color=readable(GREY))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1e9:g}B" if x < 1e12 else f"{x / 1e12:g}T"))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda y, _: f"{y / 1e9:g} GB" if y < 1e12 else f"{y / 1e12:g} TB")
        )
        axes.grid(False)
        name_ends(figure, axes)
    story = [
        f"{card} holds " + ", ".join(f"{label} up to {size / each / 1e9:.3g}B" for label, each in methods.items())
        for card, size in cards.items()
    ]
    return describe(figure, f"{title}: {'; '.join(story)}.")


def cache_lines(curves, reference, title="Keys and values against the weights"):
    """GB against tokens, both on log scales.

    Arguments: curves: label -> [(tokens, bytes), …]; reference: label -> bytes of the weights, a level line.
    """
    with style():
        figure, axes = new_figure(4.2, title)
        axes.set(xscale="log", yscale="log", xlabel="tokens in the cache", ylabel="GB")
        for (label, line), look in zip(curves.items(), looks(), strict=False):
            xs, ys = np.array(line, dtype=float).T
            axes.plot(xs, ys / 1e9, label=label, **look)
        for label, size in reference.items():
            axes.hlines(size / 1e9, xs[0], xs[-1], color=GREY, linewidth=1.5)
            axes.annotate(label, (xs[0], size / 1e9), (2, 4), textcoords="offset points", color=readable(GREY))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        name_ends(figure, axes)
    story = [f"{label} {human_bytes(line[-1][1])} at {line[-1][0]:,} tokens" for label, line in curves.items()]
    story += [f"{label} {human_bytes(size)}" for label, size in reference.items()]
    return describe(figure, f"{title}: {'; '.join(story)}.")


class Table:
    """A table that a notebook shows as Markdown and a terminal as plain lines. rows: lists of cells."""

    def __init__(self, head, rows):
        self.head, self.rows = head, [[str(cell) for cell in row] for row in rows]

    def __repr__(self):
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in [self.head, *self.rows])
        return "\n".join(lines)

    def _repr_markdown_(self):
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
