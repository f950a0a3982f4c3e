"""The figures of chapter 2: token streams, a block, arrows that turn, attention maps, shares of parameters.

Each takes plain data and returns a Picture whose `alt` says what is to be seen, from the data itself.

What this file does not do: run a model (model.py does, and the notebook does it by hand).
"""

import textwrap

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from ..picture import GREY, INK, PALETTE, WIDTH, Picture, describe, looks, luminance, name_ends, new_figure, style

BLUE, ORANGE, GREEN = PALETTE[:3]


def streams(tokens, guesses, layers):
    """The whole model as columns: one stream per token, upward through the blocks, arrows only to the right.

    Arguments: tokens: texts. guesses: one (text, probability) per token, what the model expects next.
    """
    top = layers + 1
    with style():
        figure, axes = _canvas(4.6, f"{len(tokens)} tokens, {layers} blocks: one stream of numbers for each token")
        for t, (token, (guess, share)) in enumerate(zip(tokens, guesses, strict=True)):
            axes.plot([t, t], [0.25, top - 0.25], color=GREY, linewidth=5, alpha=0.45, solid_capstyle="round")
            _box(axes, t, 0, 0.72, 0.42, token.strip(), "white")
            _box(axes, t, top, 0.72, 0.62, f"{guess.strip()}\n{share:.0%}", "#DCEBF5")
            for layer in range(1, top):
                axes.plot(t, layer, "o", color=ORANGE, markersize=9, zorder=3)
                for s in range(t):
                    _arrow(axes, (s, layer - 0.45), (t - 0.08, layer - 0.06), BLUE, width=1.2, alpha=0.3)
        for layer in range(1, top):
            axes.text(-0.62, layer, f"block {layer - 1}", ha="right", va="center")
        axes.text(-0.62, 0, "read", ha="right", va="center", weight="bold")
        axes.text(-0.62, top, "expected next\n(the likeliest)", ha="right", va="center", weight="bold")
        axes.set(xlim=(-1.9, len(tokens) - 0.55), ylim=(-0.35, top + 0.45))
    story = ", ".join(
        f"after {token.strip()} it expects {guess.strip()} ({p:.0%})"
        for token, (guess, p) in zip(tokens, guesses, strict=True)
    )
    return describe(
        figure,
        f"A diagram: above each of {len(tokens)} tokens a vertical stream through {layers} blocks; in every block, "
        "arrows bring something from earlier tokens to later ones, never back. At the top, the likeliest next token: "
        f"{story}.",
    )


def block_diagram(width, inner, heads):
    """One block: the stream runs straight up, attention and MLP read a normalised copy and add to it."""
    with style():
        figure, axes = _canvas(4.9, "One block: two side roads beside the stream")
        axes.plot([0, 0], [-0.3, 8.55], color=GREY, linewidth=9, alpha=0.45, solid_capstyle="butt")
        _arrow(axes, (0, 8.4), (0, 8.95), GREY, width=3)
        axes.text(0, -0.62, f"the stream of one token: {width} numbers", ha="center", va="center")
        axes.text(0, 9.2, "to the next block", ha="center", va="center")
        parts = (
            (0, "Attention", f"{heads} heads of {width // heads}: looks at this token\nand earlier ones", BLUE),
            (4.3, "MLP", f"SwiGLU, {inner} wide inside: looks at\nthis token alone", ORANGE),
        )
        for base, name, what, colour in parts:
            norm = "post_attention_layernorm" if base else "input_layernorm"
            _arrow(axes, (0, base + 0.35), (1.45, base + 0.35), colour)
            _box(axes, 2.6, base + 0.35, 2.3, 0.72, "RMSNorm", "white", colour)
            axes.text(2.6, base - 0.22, norm, ha="center", va="center", fontsize=9, color=GREY)
            _arrow(axes, (2.6, base + 0.75), (2.6, base + 1.25), colour)
            _box(axes, 3.3, base + 1.95, 3.7, 1.35, "", "white", colour)
            axes.text(3.3, base + 2.27, name, ha="center", va="center", weight="bold", zorder=5)
            axes.text(3.3, base + 1.75, what, ha="center", va="center", fontsize=9.5, zorder=5)
            axes.plot([2.6, 2.6, 0.3], [base + 2.65, base + 3.25, base + 3.25], color=colour, linewidth=1.8)
            _arrow(axes, (0.6, base + 3.25), (0.24, base + 3.25), colour)
            axes.add_patch(Circle((0, base + 3.25), 0.22, facecolor="white", edgecolor=colour, linewidth=1.8, zorder=4))
            axes.text(0, base + 3.25, "+", ha="center", va="center", weight="bold", zorder=5)
        for y, text in ((1.7, "x"), (5.9, "x + attention(norm(x))"), (8.2, "… + mlp(norm(…))")):
            axes.text(-0.25, y, text, ha="right", va="center", color=INK, family="DejaVu Sans Mono", fontsize=10)
        axes.set(xlim=(-4.2, 5.6), ylim=(-0.9, 9.5))
    return describe(
        figure,
        f"A diagram of one block. A stream of {width} numbers runs straight up. Attention ({heads} heads) reads an "
        "RMSNorm-ed copy and its result is added to the stream; then the MLP (SwiGLU) reads an RMSNorm-ed copy of the "
        "sum and its result is added as well.",
    )


def turning_pairs(angles, names, tokens):
    """A row of clocks per pair: where the arrow (1, 0) points after the turn at each position.

    Arguments: angles: (pairs, T) radians. names: one per pair. tokens: T texts.
    """
    pairs, time = np.shape(angles)
    with style():
        figure = _many(
            0.9 + 1.18 * pairs, "Rotary positions: each pair of numbers is turned, the more the later its place"
        )
        grid = figure.subplots(pairs, time, squeeze=False)
        for row, (line, name) in enumerate(zip(grid, names, strict=True)):
            for t, axes in enumerate(line):
                axes.add_patch(Circle((0, 0), 1, facecolor="none", edgecolor="#CFCFCF"))
                axes.plot([0, 1], [0, 0], color="#CFCFCF", linewidth=1.2)
                point = np.cos(angles[row][t]), np.sin(angles[row][t])
                _arrow(axes, (0, 0), point, PALETTE[row], width=2.4)
                axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
                axes.axis("off")
                if row == 0:
                    axes.set_title(f"{tokens[t]}\nposition {t}", fontsize=10)
                if t == 0:
                    axes.text(-1.35, 0, textwrap.fill(name, 14), ha="right", va="center", fontsize=10)
    story = "; ".join(
        f"{name}: {line[-1]:.3g} radians at position {time - 1}" for name, line in zip(names, angles, strict=True)
    )
    return describe(figure, f"Arrows that start pointing right and turn with the position, one row per pair. {story}.")


def panels(matrices, labels, title, fmt=".2f", columns=None):
    """Matrices side by side, each number written in its cell; -inf and NaN stay blank.

    Arguments: matrices: title -> (rows, columns). labels: texts of the rows. columns: of the columns; default the same.
    """
    columns = labels if columns is None else columns
    with style():
        figure = _many(1.35 + 0.36 * len(labels), title)
        for place, (axes, (name, values)) in enumerate(
            zip(figure.subplots(1, len(matrices), squeeze=False)[0], matrices.items(), strict=True)
        ):
            values = np.ma.masked_invalid(np.asarray(values, dtype=float))
            image = axes.imshow(values, aspect="auto", **_shades(values))
            for (row, column), value in np.ma.ndenumerate(values):
                dark = luminance(image.to_rgba(value)) < 0.25
                text = f"{value:z{fmt}}".replace("-", "\N{MINUS SIGN}")
                axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color="white" if dark else INK)
            axes.set_title(name, fontsize=11)
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0, labelsize=10)
            axes.set_yticks(range(len(labels)), labels if place == 0 else [""] * len(labels))
            axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    story = "; ".join(
        f"{name} from {np.min(_finite(m)):.3g} to {np.max(_finite(m)):.3g}" for name, m in matrices.items()
    )
    return describe(
        figure, f"{title}: {len(matrices)} matrices with {len(labels)} rows, blank where forbidden: {story}."
    )


def attention_maps(weights, title, marks=()):
    """One small picture per head: rows are queries (top to bottom), columns are keys; dark is much weight.

    Arguments: weights: (L, H, T, T). marks: (layer, head, words) of heads to frame and name.
    """
    weights = np.asarray(weights)
    layers, heads, time, _ = weights.shape
    marked = {(layer, head): words for layer, head, words in marks}
    with style():
        figure = _many(0.9 + 1.95 * layers, title)
        grid = figure.subplots(layers, heads, squeeze=False)
        for layer in range(layers):
            for head in range(heads):
                axes = grid[layer][head]
                axes.imshow(np.sqrt(weights[layer, head]), cmap="Blues", vmin=0, vmax=1)  # the root shows small ones
                axes.set(xticks=[], yticks=[])
                axes.grid(False)
                words = marked.get((layer, head))
                axes.spines[:].set(visible=True, color=ORANGE if words else "#CFCFCF", linewidth=2.2 if words else 0.8)
                name = f"L{layer}.H{head}" + (f": {words}" if words else "")
                axes.set_title(name, fontsize=9.5, color=INK, weight="bold" if words else "normal")
    story = "; ".join(f"block {layer}, head {head}: {words}" for (layer, head), words in marked.items())
    note = f" Framed: {story}." if story else ""
    return describe(
        figure,
        f"{title}: {layers} x {heads} maps of {time} x {time} weights. Nothing above the diagonal.{note}",
    )


def looks_at(tokens, weights, rows, title):
    """A text as a row of tokens per query, each shaded by the weight that the query gives to it.

    Arguments: tokens: texts. weights: (T, T). rows: the positions of the queries to show.
    """
    with style():
        places, height = _flow(tokens)
        figure, axes = _canvas(0.75 + len(rows) * (0.27 * height + 0.12), title)
        y, story = 0.0, []
        for t in rows:
            best = int(np.argmax(weights[t]))
            story.append(f"from {tokens[t]!r} most weight ({weights[t][best]:.0%}) goes to {tokens[best]!r} at {best}")
            for s, (x, line) in enumerate(places[: t + 1]):
                shade = float(weights[t][s])
                colour = (1 - shade * 0.92, 1 - shade * 0.45, 1 - shade * 0.2)
                edge = {"edgecolor": ORANGE, "linewidth": 1.8} if s == t else {"edgecolor": "none", "linewidth": 0}
                box = {"boxstyle": "square,pad=0.12", "facecolor": colour, **edge}
                ink = "white" if luminance(colour) < 0.25 else INK
                look = {"fontsize": 9, "family": "DejaVu Sans Mono", "va": "center", "color": ink}
                axes.text(x, y - line, _visible(tokens[s]), bbox=box, **look)
            y -= height + 0.55
        axes.set(xlim=(-1, LINE + 1), ylim=(y + 0.4, 0.7))
    return describe(figure, f"{title}. {'; '.join(story)}.")


LINE = 92  # letters of one line in looks_at


def _flow(tokens):
    """(x, line) of each token, and how many lines there are."""
    places, x, line = [], 0.0, 0
    for token in tokens:
        size = len(_visible(token)) + 0.75
        if x + size > LINE:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += size
    return places, line + 1


def _visible(token):
    return token.replace("\n", "⏎").replace(" ", "·")


def line_chart(x, curves, xlabel, ylabel, title, xscale="linear", yscale="linear"):
    """Named lines over the same x; curves: label -> y."""
    x, story = np.asarray(x), []
    with style():
        figure, axes = new_figure(3.9, title)
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
        axes.margins(x=0.01)
        for (label, y), look in zip(curves.items(), looks(), strict=False):
            axes.plot(x, y, label=label, **look)
            story.append(f"{label} goes from {y[0]:.3g} to {y[-1]:.3g}")
        if len(x) <= 8:
            axes.set_xticks(x, [f"{value:g}" for value in x])
            axes.minorticks_off()
        name_ends(figure, axes)
    return describe(figure, f"{title}, by {xlabel} from {x[0]:g} to {x[-1]:g}: {', '.join(story)}.")


def next_tokens(prompts, guesses, title):
    """Small bar charts: what the model expects after each prompt.

    Arguments: prompts: texts. guesses: for each, [(token, probability), …], likeliest first.
    """
    columns = 3
    rows = -(-len(prompts) // columns)
    most = max(share for bars in guesses for _, share in bars)
    with style():
        figure = _many(0.6 + 1.9 * rows, title)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for axes, prompt, bars in zip(grid.flat, prompts, guesses, strict=False):
            names = [_visible(token) for token, _ in bars]
            shares = [share for _, share in bars]
            axes.barh(range(len(bars)), shares, color=BLUE, height=0.72)
            axes.set_yticks(range(len(bars)), names, family="DejaVu Sans Mono", fontsize=10)
            axes.invert_yaxis()
            axes.set_xlim(0, most * 1.28)
            axes.xaxis.set_visible(False)
            axes.spines["bottom"].set_visible(False)
            axes.grid(False)
            axes.tick_params(axis="y", length=0)
            axes.set_title(prompt, fontsize=11, loc="left")
            for y, share in enumerate(shares):
                axes.annotate(f"{share:.1%}", (share, y), (4, 0), textcoords="offset points", va="center", fontsize=9)
    story = "; ".join(
        f"{prompt}: {bars[0][0]!r} {bars[0][1]:.1%}" for prompt, bars in zip(prompts, guesses, strict=True)
    )
    return describe(figure, f"{title}. Likeliest after each: {story}.")


def share_bars(models, title):
    """One bar of 100 % per model, cut by where the parameters sit.

    Arguments: models: name -> {part: number of parameters}.
    """
    colours = dict(zip(dict.fromkeys(part for parts in models.values() for part in parts), PALETTE, strict=False))
    with style():
        figure, axes = new_figure(1.25 + 0.62 * len(models), title)
        for y, parts in enumerate(models.values()):
            left, total = 0.0, sum(parts.values())
            for part, count in parts.items():
                share = count / total
                axes.barh(y, share, left=left, height=0.66, color=colours[part], edgecolor="white")
                if share > 0.045:
                    colour = "white" if luminance(colours[part]) < 0.3 else INK
                    axes.text(left + share / 2, y, f"{share:.0%}", ha="center", va="center", color=colour)
                left += share
        labels = [f"{name}\n{_short(sum(parts.values()))}" for name, parts in models.items()]
        axes.set_yticks(range(len(models)), labels)
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xticks=[])
        axes.grid(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        handles = [axes.barh(0, 0, color=colour, label=part) for part, colour in colours.items()]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=len(colours), handlelength=1, columnspacing=1.4
        )
    story = "; ".join(
        f"{name}: " + ", ".join(f"{part} {count / sum(parts.values()):.1%}" for part, count in parts.items())
        for name, parts in models.items()
    )
    return describe(figure, f"{title}. {story}.")


def loss_bars(values, best, xlabel, title):
    """One bar per variant, the one named `best` in blue, its length carried down as a line."""
    with style():
        figure, axes = new_figure(1.1 + 0.3 * len(values), title)
        for y, (name, value) in enumerate(values.items()):
            axes.barh(y, value, color=BLUE if name == best else "#B8B8B8", height=0.72)
            axes.annotate(f"{value:.2f}", (value, y), (5, 0), textcoords="offset points", va="center", zorder=5,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
        axes.axvline(values[best], color=BLUE, linewidth=1.2)
        axes.set_yticks(range(len(values)), values)
        axes.invert_yaxis()
        axes.set_xlabel(xlabel)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
    story = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
    return describe(figure, f"{title}, {xlabel}: {story}.")


# ---------------------------------------------------------------- shared pieces


def _short(count):
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.1f}{letter}"
    return str(count)


def _finite(values):
    values = np.asarray(values, dtype=float)
    return values[np.isfinite(values)]


def _shades(values):
    limit = float(np.abs(values).max()) or 1.0
    return (
        {"cmap": "Blues", "vmin": 0, "vmax": limit}
        if values.min() >= 0
        else {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    )


def _many(height, title):
    lines = textwrap.wrap(title, 66)
    figure = Picture(figsize=(WIDTH, height + 0.25 * (len(lines) - 1)), layout="constrained")
    figure.suptitle("\n".join(lines), x=0.0125, ha="left")
    return figure


def _canvas(height, title):
    figure, axes = new_figure(height, title)
    axes.axis("off")
    return figure, axes


def _box(axes, x, y, width, height, text, colour, edge=GREY):
    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=colour, edgecolor=edge, linewidth=1.6, zorder=4,
    )  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center", fontsize=10.5, zorder=5)


def _arrow(axes, start, end, colour, width=1.8, alpha=1.0):
    arrow = FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=7 + 2.5 * width, color=colour, linewidth=width, alpha=alpha,
        shrinkA=0, shrinkB=0, zorder=2,
    )  # fmt: skip
    axes.add_patch(arrow)
