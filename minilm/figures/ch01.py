"""Chapter 1's views: tokens as coloured boxes, merges watched one by one, what a vocabulary's size buys and costs.

`Boxes` is HTML in a notebook and plain text elsewhere; the other views are Pictures. `watch` and `rounds` do slowly,
and visibly, what bpe.py and tokenizer.py do fast.
"""

from collections import Counter
from dataclasses import dataclass
from html import escape
from itertools import islice, pairwise

import numpy as np
from matplotlib.patches import FancyBboxPatch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter

from ..bpe import merge_pair
from ..picture import GREY, INK, PALETTE, describe, looks, name_ends, new_figure, readable, style

BLUE, ORANGE, GREEN, PINK = PALETTE[:4]
TINTS = ["#CCE3F0", "#F7DFCC", "#CCECE3", "#F5E4ED", "#FAECCC"]  # of the palette, pale enough to read on


def readable_token(token):
    """A token (bytes) as one can read it: a blank is ·, a line end is ↵, bytes that are no UTF-8 stand as ‹e2›.

    >>> readable_token(b" be"), readable_token(b"\\xe2\\x80")
    ('·be', '‹e2 80›')
    """
    try:
        return token.decode("utf-8").replace(" ", "·").replace("\n", "↵").replace("\t", "⇥")
    except UnicodeDecodeError:
        return f"‹{token.hex(' ')}›"


# ---------------------------------------------------------------- tokens as boxes


class Boxes:
    """Rows of tokens as boxes: coloured in turn, and with a line between them for those who see no colours."""

    def __init__(self, rows):
        """Arguments: rows: name -> tokens, a list of bytes; one row without a name: {"": tokens}."""
        self.rows = {name: list(tokens) for name, tokens in rows.items()}

    def __repr__(self):
        wide = max(map(len, self.rows))
        lines = []
        for name, tokens in self.rows.items():
            text = "│".join(map(readable_token, tokens)).replace("↵│", "↵\n").replace("↵↵", "↵\n↵")
            first, *others = text.split("\n")
            lead = f"{name:<{wide}}  " if wide else ""
            lines += [lead + first, *(" " * len(lead) + line for line in others)]
        return "\n".join(lines)

    def _repr_html_(self):
        rows = "".join(self._row(name, tokens) for name, tokens in self.rows.items())
        return f'<div style="font-family:monospace;line-height:2;white-space:normal">{rows}</div>'

    def _row(self, name, tokens):
        boxes = []
        for number, token in enumerate(tokens):
            look = f"background:{TINTS[number % len(TINTS)]};color:{INK};border:1px solid {GREY};border-radius:3px"
            text = escape(readable_token(token))
            boxes.append(f'<code style="{look};padding:1px 2px;margin:1px">{text}</code>')
            boxes.append("<br>" if token.endswith(b"\n") and number + 1 < len(tokens) else "<wbr>")
        head = f'<div style="color:{GREY};line-height:1.3">{escape(name)}</div>' if name else ""
        return f'<div style="margin:.3em 0">{head}{"".join(boxes)}</div>'


def boxes(tokenizer, text):
    """The tokens of `text` as boxes."""
    return Boxes({"": [tokenizer.token_bytes(i) for i in tokenizer.encode(text)]})


# ---------------------------------------------------------------- merges, slowly


@dataclass(frozen=True)
class Step:
    """One step of learning: the pair that is merged next (None at the end), and the words as they are before that."""

    pair: tuple | None
    counts: Counter  # pair -> how often it stands in the text now
    words: list  # (tokens, how often the word occurs)

    @property
    def length(self):
        """The text in tokens."""
        return sum(len(tokens) * times for tokens, times in self.words)


def watch(words, n_merges):
    """The steps of learning up to `n_merges` merges from `words` (bytes -> count), and the state after the last one.

    >>> [step.pair for step in watch({b"low": 4, b"lower": 1}, 2)]
    [(b'l', b'o'), (b'lo', b'w'), None]
    """
    now, steps = [([bytes([byte]) for byte in word], times) for word, times in words.items()], []
    while True:
        counts = Counter()
        for tokens, times in now:
            for pair in pairwise(tokens):
                counts[pair] += times
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if len(steps) == n_merges or best is None or counts[best] < 2:
            return [*steps, Step(None, counts, now)]
        steps.append(Step(best, counts, now))
        joined = best[0] + best[1]
        now = [(merge_pair(t, best) if joined in b"".join(t) else t, times) for t, times in now]


def rounds(word, ranks):
    """How `word` (bytes) is encoded: its tokens before the first merge, after each, and at the end."""
    tokens = [bytes([byte]) for byte in word]
    states = [tokens]
    while known := [pair for pair in pairwise(tokens) if pair[0] + pair[1] in ranks]:
        tokens = merge_pair(tokens, min(known, key=lambda pair: ranks[pair[0] + pair[1]]))
        states.append(tokens)
    return states


def longest_match(word, ranks):
    """`word` cut in the other way: from the left, the longest known token each time."""
    tokens = []
    while word:
        length = next(n for n in range(len(word), 0, -1) if word[:n] in ranks)
        tokens.append(word[:length])
        word = word[length:]
    return tokens


# ---------------------------------------------------------------- pictures


KINDS = {"0": ("one byte alone", BLUE), "110": ("first of two", GREEN), "1110": ("first of three", GREEN),
         "11110": ("first of four", GREEN), "10": ("goes on", ORANGE)}  # fmt: skip


def utf8_picture(text, title="Characters as bytes: the first bits say what a byte is"):
    """Each character of `text` on a row: its number, and its bytes in bits, the leading bits coloured."""
    with style():
        figure, axes = new_figure(0.9 + 0.52 * len(text), title)
        axes.set(xlim=(0, 10), ylim=(-len(text) + 0.4, 0.6))
        axes.axis("off")
        for row, letter in enumerate(text):
            axes.text(0.2, -row, f"U+{ord(letter):04X}", va="center", color=GREY)
            axes.text(1.5, -row, NAMES.get(letter, letter), va="center", fontsize=12)
            for i, byte in enumerate(letter.encode("utf-8")):
                _bits(axes, 3.4 + 1.62 * i, -row, byte)
    story = "; ".join(f"{NAMES.get(c, c)} is {c.encode().hex(' ')}" for c in text)
    return describe(figure, f"{title}. In hexadecimal: {story}.")


NAMES = {"😀": "grinning face", "’": "curly quote ’", "—": "long dash —"}  # letters a figure's font may lack


def _bits(axes, x, y, byte):
    bits = f"{byte:08b}"
    lead = next(kind for kind in sorted(KINDS, key=len, reverse=True) if bits.startswith(kind))
    axes.add_patch(FancyBboxPatch((x, y - 0.26), 1.38, 0.52, "round,pad=0,rounding_size=0.06", fc="white", ec=GREY))
    for i, bit in enumerate(bits):
        strong = i < len(lead)
        axes.text(x + 0.15 + 0.155 * i, y, bit, ha="center", va="center", family="DejaVu Sans Mono", fontsize=11,
                  color=readable(KINDS[lead][1]) if strong else INK, weight="bold" if strong else "normal")  # fmt: skip


def steps_picture(steps, title="A tiny text, merge by merge"):
    """The words of a few steps as boxes, one row per step, with the pair that is merged next."""
    with style():
        figure, axes = new_figure(0.7 + 0.62 * len(steps), title)
        axes.set(xlim=(0, 20), ylim=(-len(steps) + 0.35, 0.75))
        axes.axis("off")
        for row, step in enumerate(steps):
            axes.text(0, -row, f"after {row}" if row else "start", va="center", color=GREY)
            x = 2.0
            for tokens, times in step.words:
                x = _word(axes, x, -row, tokens, times, joined={a + b for s in steps[:row] for a, b in [s.pair]})
            axes.text(13.4, -row, f"{step.length} tokens", va="center", ha="right", color=GREY)
            if step.pair:
                text = f"next: {' + '.join(map(readable_token, step.pair))}, {step.counts[step.pair]} times"
                axes.text(14.4, -row, text, va="center", color=readable(ORANGE))
    story = "; ".join(
        f"after {i}: {', '.join('|'.join(map(readable_token, t)) for t, _ in step.words)}, {step.length} tokens"
        for i, step in enumerate(steps)
    )
    return describe(figure, f"{title}: {story}.")


def _word(axes, x, y, tokens, times, joined):
    for token in tokens:
        name = readable_token(token)
        width = 0.22 + 0.27 * len(name)
        look = {"fc": TINTS[0] if token in joined else "white", "ec": GREY}
        axes.add_patch(FancyBboxPatch((x, y - 0.28), width, 0.56, "round,pad=0,rounding_size=0.08", **look))
        axes.text(x + width / 2, y, name, ha="center", va="center", family="DejaVu Sans Mono", fontsize=10)
        x += width + 0.07
    if times:
        axes.text(x + 0.05, y, f"×{times}", va="center", fontsize=9.5, color=GREY)
    return x + 1.0


def rounds_picture(states, ranks, title=None):
    """The rounds of encoding one word, as `rounds` gives them, and the id of the token that each round made."""
    title = title or f"Encoding “{readable_token(b''.join(states[0]))}”, round by round"
    story = ["|".join(map(readable_token, states[0]))]
    with style():
        figure, axes = new_figure(0.75 + 0.42 * len(states), title)
        axes.set(xlim=(0, 14), ylim=(-len(states) + 0.4, 0.6))
        axes.axis("off")
        for row, state in enumerate(states):
            made = set(state) - set(states[row - 1]) if row else set()
            axes.text(0, -row, f"round {row}" if row else "bytes", va="center", color=GREY)
            _word(axes, 1.8, -row, state, 0, made)
            for token in made:
                text = f"{readable_token(token)} has id {ranks[token]}, merge {ranks[token] - 255}"
                axes.text(8.2, -row, text, va="center", color=readable(ORANGE))
            if made:
                story.append(f"{'|'.join(map(readable_token, state))} by merge {ranks[max(made)] - 255}")
    return describe(figure, f"{title}: {', then '.join(story)}.")


def merge_bars(steps, title="The first merges, and how often each pair stood in the text"):
    """The merges of `steps` in order, in two columns, as bars of their counts."""
    made = [(f"{number}  {'+'.join(map(readable_token, step.pair))}", step.counts[step.pair])
            for number, step in enumerate((step for step in steps if step.pair), 1)]  # fmt: skip
    half = (len(made) + 1) // 2
    with style():
        figure, axes = new_figure(1.1 + 0.25 * half, title)
        axes.remove()
        for column, part in zip(figure.subplots(1, 2, sharex=True), (made[:half], made[half:]), strict=True):
            names, counts = [name for name, _ in part], [count for _, count in part]
            column.barh(range(len(part)), counts, color=BLUE, height=0.74)
            column.set_yticks(range(len(part)), names, family="DejaVu Sans Mono", fontsize=10)
            column.set_ylim(half - 0.4, -0.6)
            column.tick_params(axis="y", length=0)
            column.grid(False, axis="y")
            column.set_xlabel("times in the text")
            column.xaxis.set_major_formatter(_thousands)
    story = ", ".join(f"{name.split('  ')[1]} {count:,}" for name, count in made[:5])
    return describe(
        figure, f"{title}: {len(made)} merges, beginning with {story}; the last stood {made[-1][1]:,} times."
    )


def merge_tree(token, ranks, title=None):
    """How a token came to be: a tree from single bytes up to the token, with the merge that made each part.

    Arguments: token: bytes; ranks: token -> id, as learned (ids below 256 are single bytes).
    """
    title = title or f"How “{readable_token(token)}” grew"
    places, links = {}, []
    leaf = iter(range(len(token)))

    def place(part):
        """(x, height, key) of a part's node, after those of its own parts."""
        pair = _parents(part, ranks)
        below = [place(half) for half in pair] if pair else []
        x = sum(x for x, *_ in below) / 2 if below else next(leaf)
        height = 1 + max(h for _, h, _ in below) if below else 0
        key = len(places)
        places[key] = (x, height, part)
        links.extend((key, child) for *_, child in below)
        return x, height, key

    _, top, _ = place(token)
    with style():
        figure, axes = new_figure(0.8 + 0.62 * (top + 1), title)
        axes.set(xlim=(-0.7, len(token) - 0.3), ylim=(-0.5, top + 0.5))
        axes.axis("off")
        for parent, child in links:
            axes.plot(*zip(places[parent][:2], places[child][:2], strict=True), color=GREY, lw=1.2, zorder=1)
        for x, height, part in places.values():
            name = readable_token(part) + (f"\nmerge {ranks[part] - 255:,}" if len(part) > 1 else "")
            look = {"boxstyle": "round,pad=0.25", "fc": TINTS[0] if len(part) > 1 else "white", "ec": GREY}
            axes.text(x, height, name, ha="center", va="center", fontsize=10, bbox=look, zorder=3, linespacing=1.15)
    story = ", ".join(f"{readable_token(p)} by merge {ranks[p] - 255:,}" for *_, p in places.values() if len(p) > 1)
    return describe(figure, f"{title}: {story}.")


def _parents(token, ranks):
    """The two tokens that were merged into this one: those left when its own rank is not used."""
    if len(token) == 1:
        return None
    last = rounds(token, {part: rank for part, rank in ranks.items() if rank < ranks[token]})[-1]
    return tuple(last)


_thousands = FuncFormatter(lambda x, _: f"{x:,.0f}")


def _sizes(axes, sizes):
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("vocabulary")
    axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)


def _named_points(axes, points, colour, place=(0, 8)):
    axes.plot(list(points), list(points.values()), marker="o", markersize=7, markeredgecolor="white", color=colour)
    for size, value in points.items():
        axes.annotate(f"{value:.2f}", (size, value), place, textcoords="offset points", ha="center",
                      color=readable(colour), path_effects=HALO, zorder=5)  # fmt: skip


HALO = [withStroke(linewidth=3.5, foreground="white")]


def compression_curve(curves, title="Compression against the size of the vocabulary"):
    """Bytes per token against the size of the vocabulary; the first curve has its values written at its points.

    Arguments: curves: text's name -> {vocabulary: bytes per token}.
    """
    with style():
        figure, axes = new_figure(4.2, title)
        (name, points), *others = curves.items()
        _sizes(axes, list(points))
        axes.set(ylabel="bytes per token", ylim=(0, 1.15 * max(points.values())))
        _named_points(axes, points, BLUE, (-6, 8))
        axes.lines[0].set_label(name)
        for (label, values), look in zip(others, list(islice(looks(), 1, 7)), strict=False):
            axes.plot(
                list(values), list(values.values()), label=f"{label}\xa0\xa0{list(values.values())[-1]:.2f}", **look
            )
        name_ends(figure, axes)
    story = "; ".join(
        f"{name} " + ", ".join(f"{value:.2f} at {size:,}" for size, value in points.items())
        for name, points in curves.items()
    )
    return describe(figure, f"{title}. Bytes per token: {story}.")


def share_bars(parts, title="Where a model's parameters sit"):
    """Stacked bars: blocks and vocabulary layer, one bar per vocabulary.

    Arguments: parts: vocabulary -> (parameters of the vocabulary layer, all the others).
    """
    with style():
        figure, axes = new_figure(3.8, title)
        places = range(len(parts))
        others = np.array([rest for _, rest in parts.values()]) / 1e6
        layer = np.array([own for own, _ in parts.values()]) / 1e6
        axes.bar(places, others, color=BLUE, width=0.7, label="blocks and norms")
        axes.bar(places, layer, bottom=others, color=ORANGE, width=0.7, hatch="///", edgecolor="white",
                 label="vocabulary layer, V × D")  # fmt: skip
        for i, (own, rest) in enumerate(zip(layer, others, strict=True)):
            axes.annotate(f"{own / (own + rest):.0%}", (i, own + rest), (0, 4), textcoords="offset points", ha="center")
        axes.set_xticks(places, [f"{size:,}" for size in parts])
        axes.set(xlabel="vocabulary V", ylabel="million parameters", ylim=(0, 1.3 * max(layer + others)))
        axes.grid(False, axis="x")
        axes.legend(loc="upper left")
    story = ", ".join(f"{own / (own + rest):.0%} at {size:,}" for size, (own, rest) in parts.items())
    return describe(figure, f"{title}: the share of the vocabulary layer is {story}.")


def two_units(nats, bits, title="The same six models in two units"):
    """Loss per token beside bits per byte, against the vocabulary.

    Arguments: nats: vocabulary -> nats per token; bits: vocabulary -> bits per byte.
    """
    with style():
        figure, axes = new_figure(3.8, title)
        axes.remove()
        left, right = figure.subplots(1, 2)
        for axis, points, colour, label in (
            (left, nats, ORANGE, "nats per token"),
            (right, bits, BLUE, "bits per byte"),
        ):
            _sizes(axis, list(points))
            axis.tick_params(axis="x", labelsize=9)
            axis.set(ylabel=f"{label} (lower is better)", ylim=(0, 1.15 * max(points.values())))
            first, *_, last = points.values()
            _named_points(axis, points, colour, (-8, 8) if last > first else (10, 8))
    story = [", ".join(f"{value:.2f} at {size:,}" for size, value in points.items()) for points in (nats, bits)]
    return describe(figure, f"{title}. Nats per token: {story[0]}. Bits per byte: {story[1]}.")


def length_bars(counts, title="How long the tokens are"):
    """One bar per length in bytes.

    Arguments: counts: length -> how many tokens of the vocabulary have it.
    """
    with style():
        figure, axes = new_figure(3.2, title)
        axes.bar(list(counts), list(counts.values()), color=BLUE, width=0.8)
        for length, count in counts.items():
            axes.annotate(f"{count:,}", (length, count), (0, 3), textcoords="offset points", ha="center", fontsize=9.5)
        axes.set_xticks(list(counts))
        axes.set(xlabel="bytes in the token", ylabel="tokens", ylim=(0, 1.12 * max(counts.values())))
        axes.grid(False, axis="x")
    story = ", ".join(f"{count:,} of {length}" for length, count in counts.items())
    return describe(figure, f"{title}, in bytes: {story}.")


def word_lengths(tokens_per_word, title="The rarer a word, the more tokens it takes"):
    """Mean tokens per word, by how rare the word is.

    Arguments: tokens_per_word: name of a group of words -> mean number of tokens.
    """
    with style():
        figure, axes = new_figure(1.2 + 0.36 * len(tokens_per_word), title)
        places = range(len(tokens_per_word))
        axes.barh(places, list(tokens_per_word.values()), color=BLUE, height=0.74)
        for i, value in enumerate(tokens_per_word.values()):
            axes.annotate(f"{value:.2f}", (value, i), (5, 0), textcoords="offset points", va="center")
        axes.set_yticks(places, list(tokens_per_word))
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_xlabel("tokens per word, mean")
    story = ", ".join(f"{name} {value:.2f}" for name, value in tokens_per_word.items())
    return describe(figure, f"{title}: {story}.")
