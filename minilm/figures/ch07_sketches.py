"""Chapter 7's two sketches: what stacking two adapters means, and how one batch serves several of them."""

from matplotlib.patches import FancyArrowPatch, Rectangle

from ..picture import GREY, INK, PALE, PALETTE, describe, new_figure, style

BLUE, ORANGE = PALETTE[:2]


def stacking():
    """Two B side by side times two A on top of each other."""
    with style():
        figure, axes = _sheet(2.9, "Two adapters as one: B side by side, A on top of each other", 11.6, 3.3)
        _box(axes, 0.2, 0.2, 0.55, 2.6, BLUE, "B₁")
        _box(axes, 0.75, 0.2, 0.85, 2.6, ORANGE, "B₂")
        axes.text(1.98, 1.5, "×", fontsize=18, ha="center", va="center")
        _box(axes, 2.4, 1.5, 2.9, 0.55, BLUE, "A₁")
        _box(axes, 2.4, 0.65, 2.9, 0.85, ORANGE, "A₂")
        axes.text(5.75, 1.5, "=", fontsize=18, ha="center", va="center")
        _box(axes, 6.2, 0.2, 2.3, 2.6, BLUE, "B₁ A₁")
        axes.text(8.8, 1.5, "+", fontsize=18, ha="center", va="center")
        _box(axes, 9.1, 0.2, 2.3, 2.6, ORANGE, "B₂ A₂")
        axes.text(0.9, 3.0, "(out, r₁ + r₂)", ha="center", color=GREY)
        axes.text(3.85, 2.25, "(r₁ + r₂, in)", ha="center", color=GREY)
        axes.text(7.35, 3.0, "(out, in)", ha="center", color=GREY)
    return describe(
        figure,
        "Sketch: the tall matrices B₁ and B₂ side by side, times the wide matrices A₁ and A₂ on top of each other, "
        "equals the sum of the two products B₁ A₁ and B₂ A₂. Colours pair each B with its own A only.",
    )


def mixed_batch(requests):
    """Rows of one batch: all go through W together, and each through its own adapter.

    Arguments: requests: names of adapters, top to bottom; None is the base alone.
    """
    colours = dict(zip(dict.fromkeys(name for name in requests if name), PALETTE, strict=False))
    top = len(requests)
    with style():
        figure, axes = _sheet(1.0 + 0.75 * top, "One batch, several adapters", 11.6, top + 0.55)
        _box(axes, 4.0, 0.12, 2.0, top - 0.24, GREY, "W\nonce for\nall rows")
        for row, name in enumerate(requests):
            y = top - 1 - row
            colour = colours.get(name, PALE)
            _box(axes, 0.1, y + 0.22, 2.6, 0.56, colour, f"x for {name}" if name else "x, base only")
            _arrow(axes, (2.75, y + 0.5), (3.95, y + 0.5))
            _arrow(axes, (6.05, y + 0.5), (9.0, y + 0.5))
            if name:
                _box(axes, 6.5, y + 0.58, 1.9, 0.3, colour, f"A, B of {name}", size=8.5)
            _box(axes, 9.1, y + 0.22, 2.3, 0.56, colour, "y")
        axes.text(1.4, top + 0.1, "requests", ha="center", color=GREY)
        axes.text(7.5, top + 0.1, "+ each row's own adapter", ha="center", color=GREY)
        axes.text(10.25, top + 0.1, "answers", ha="center", color=GREY)
    rows = ", ".join(name or "the base alone" for name in requests)
    return describe(
        figure,
        f"Sketch of a batch with {top} requests, for {rows}: all rows go through the same W in one product, and each "
        "row adds the product with the A and B of its own adapter.",
    )


def _sheet(height, title, width, high):
    figure, axes = new_figure(height, title)
    axes.set(xlim=(0, width), ylim=(0, high))
    axes.axis("off")
    return figure, axes


def _box(axes, x, y, width, height, colour, text, size=11):
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", linewidth=1.5, alpha=0.9))
    ink = INK if colour == PALE else "white"
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", color=ink, fontsize=size, weight="bold")


def _arrow(axes, start, end):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=GREY, linewidth=1.3))
