"""The look that every figure of the course shares: colours, type, names beside lines, and how it is saved.

The rules: colours that colour-blind readers can tell apart (Okabe & Ito 2008), and never colour alone; names
beside the lines they name; text of a readable size. pyplot is not used, so nothing here needs a display,
changes your settings or leaves a figure open. The same data give the same bytes.

What this file does not do: know what is drawn (plots.py does).
"""

import base64
import io
import textwrap
from itertools import cycle, pairwise
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from . import files

# Okabe & Ito's colours, ordered so that neighbours differ most. Their yellow is left out: too pale on white.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
DASHES = ["-", (0, (5, 1.6)), (0, (6, 1.6, 1, 1.6)), (0, (1.4, 1.2)), (0, (9, 2)), (0, (3, 1.2)), "-"]
INK, GREY, PALE = "#222222", "#767676", "#E4E4E4"
EARLY = 0.6  # a line that ends left of this share of the axes is named where it ends
WIDTH = 8.0  # inches, which at 96 dots per inch is the width of a notebook cell
DPI = 144  # half as many dots again, so that text is sharp on a good screen

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every system has it
    "font.size": 11,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "hatch.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.1,
}


def style():
    """The course's settings as a context for a figure of your own: `with style(): …`; then yours return."""
    return matplotlib.style.context(STYLE, after_reset=True)


class Picture(Figure):
    """A matplotlib Figure with a description (`alt`); a notebook draws it, always to the same bytes."""

    alt = ""

    def png(self, alt=None):
        """The figure as PNG bytes with `alt` inside as its description, but no date and no version.

        256 colours are enough for a plot and make the file a third as large.
        """
        buffer, notes = io.BytesIO(), PngInfo()
        notes.add_itxt("Description", alt or self.alt)
        with style():
            self.savefig(buffer, format="png", dpi=DPI)
        image = Image.open(buffer).convert("RGB")
        image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        image.save(buffer, format="png", optimize=True, dpi=(DPI, DPI), pnginfo=notes)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": base64.b64encode(self.png()).decode("ascii"), "text/plain": self.alt}
        return data, {"image/png": {"width": round(self.get_figwidth() * 96), "alt": self.alt}}


def save(figure, path, alt=None):
    """Write `figure` as a PNG, atomically; returns the Markdown that shows it from the same folder.

    `alt` describes the picture in a sentence; by default it is the one that the drawing function wrote.
    """
    alt = alt or figure.alt
    files.write_bytes(path, figure.png(alt))
    return f"![{alt}]({Path(path).name})"


def new_figure(height, title):
    """A Picture `height` inches high with one set of axes and a title, wrapped."""
    lines = textwrap.wrap(title, 66)
    figure = Picture(figsize=(WIDTH, height + 0.25 * (len(lines) - 1)), layout="constrained")
    figure.suptitle("\n".join(lines), x=0.0125, ha="left")
    return figure, figure.add_subplot()


def describe(figure, alt):
    """Give `figure` its description, and draw it once: ticks are made late, in the style of then."""
    figure.alt = alt
    with style():
        figure.draw_without_rendering()
    return figure


def looks():
    """Colour and dash pattern of each line in turn: either alone tells the lines apart."""
    return ({"color": c, "linestyle": d} for c, d in cycle(list(zip(PALETTE, DASHES, strict=True))))


def luminance(colour):
    """Relative luminance from 0 (black) to 1 (white), as the web's contrast rule defines it."""
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def readable(colour):
    """`colour` darkened until it can be read as text on white (contrast at least 4.5)."""
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    while 1.05 / (luminance(rgb) + 0.05) < 4.5:
        rgb = rgb * 0.95
    return tuple(rgb)


def name_ends(figure, axes):
    """Write each line's label in its colour, right of the axes and level with the line's last point.

    Labels that would touch are moved apart. A line that stops early is named where it stops instead: a long
    pointer from there would look like data.
    """
    figure.draw_without_rendering()  # settles the layout, so that the axes' height in points is known
    one_line = 15 / (axes.bbox.height * 72 / figure.dpi)  # a line of text as a share of that height
    to_share = axes.transData + axes.transAxes.inverted()
    ends = [(to_share.transform(line.get_xydata()[-1]), line) for line in axes.lines]
    for (x, _), line in ends:
        axes.plot(*line.get_xydata()[-1], "o", color=line.get_color(), markersize=5, clip_on=False)
        if x < EARLY:
            _name_here(axes, line)
    late = sorted(((end[1], line) for end, line in ends if end[0] >= EARLY), key=lambda pair: -pair[0])
    texts = [textwrap.fill(line.get_label(), 26, break_on_hyphens=False) for _, line in late]
    room = [one_line * (text.count("\n") + 1) for text in texts]
    heights = _apart([height for height, _ in late], room)
    for (_, line), text, height in zip(late, texts, heights, strict=True):
        _name_beside(axes, line, text, height)


def _name_here(axes, line):
    halo = [withStroke(linewidth=4, foreground="white")]
    axes.annotate(line.get_label(), line.get_xydata()[-1], (8, 0), textcoords="offset points", va="center",
                  color=readable(line.get_color()), path_effects=halo, zorder=5)  # fmt: skip


def _name_beside(axes, line, text, height):
    arrow = {"arrowstyle": "-", "color": line.get_color(), "linewidth": 0.9, "relpos": (0, 0.5), "shrinkB": 3}
    axes.annotate(text, line.get_xydata()[-1], (1.04, height), textcoords="axes fraction", va="center",
                  color=readable(line.get_color()), arrowprops=arrow, annotation_clip=False)  # fmt: skip


def _apart(heights, room):
    """Falling `heights` moved as little as it takes to give neighbours their `room`, and none below 0."""
    heights = list(heights)
    for _ in range(200):
        for i, j in pairwise(range(len(heights))):
            overlap = max(0, (room[i] + room[j]) / 2 - (heights[i] - heights[j]))
            heights[i] += overlap / 2
            heights[j] -= overlap / 2
        heights[-1] = max(heights[-1], 0)
    return heights
