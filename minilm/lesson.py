"""What the notebooks share besides figures: boxes that say what became of a claim, and the heads of exercise cards.

    >>> verdict("A14", "LoRA trains 10 to 100 times faster", "a step took 0.86 of the time",
    ...         CONTRADICTED, "2/3 + 2R/N by arithmetic (LoRA Without Regret, 2025)")       # doctest: +SKIP

The numbers in a box come from the variables that hold them, and the verdict from a comparison of those: prose cannot
drift from what was measured.
"""

from .errors import UserError
from .grading.registry import exercise, stem

CONFIRMED, CONTRADICTED, NOT_VISIBLE = "confirmed", "contradicted", "not visible at this scale"
SIGNS = {CONFIRMED: "✓", CONTRADICTED: "✗", NOT_VISIBLE: "○"}
LEVELS = {1: "●○○", 2: "●●○", 3: "●●●"}


class Box:
    """A text that a notebook shows as Markdown and a terminal as plain lines."""

    def __init__(self, title, lines):
        self.title, self.lines = title, lines

    def __repr__(self):
        return "\n".join([self.title, *(f"  {name}: {text}" for name, text in self.lines.items())])

    def _repr_markdown_(self):
        rows = [f"> **{self.title}**", *(f"> **{name}** · {text}" for name, text in self.lines.items())]
        return "\n>\n".join(rows)


def verdict(number, claim, here, verdict, literature):
    """A box: what is claimed, what was measured here, what follows, and what the literature says with its source.

    Arguments: number: of the claim, such as "A14" (the list is in notebook 00). claim, here, literature: sentences.
    verdict: CONFIRMED, CONTRADICTED or NOT_VISIBLE.
    """
    if verdict not in SIGNS:
        raise UserError(f"verdict {verdict!r} is not one of {', '.join(SIGNS)}")
    lines = {"Measured here": here, "Verdict": f"{SIGNS[verdict]} {verdict}", "Literature": literature}
    return Box(f"Claim {number}: {claim}", lines)


def card_head(number):
    """The first two lines of an exercise's card, as every notebook has them (a test compares them).

    >>> print(card_head("0.1"))
    ### ✎ Exercise 0.1 · Bits of surprise
    **2 points** · difficulty ●○○ · about 5 minutes · write `surprise` in [exercises/ch00_welcome.py](...)
    """
    one = exercise(number)
    file = f"exercises/{stem(one.chapter)}.py"
    points = f"{one.points} point" + ("s" if one.points > 1 else "")
    write = ", ".join(f"`{name}`" for name in one.functions)
    return (
        f"### ✎ Exercise {one.id} · {one.title}\n"
        f"**{points}** · difficulty {LEVELS[one.difficulty]} · about {one.minutes} minutes · "
        f"write {write} in [{file}](../{file})"
    )


def slider(draw, low, high, start, name):
    """A slider under a picture that follows it, for a live notebook.

    Arguments: draw: whole number -> Picture. low, high, start: of the slider. name: what it moves.
    Returns: a widget. The picture is an image of its own, not captured output: capturing needs a conversation with
    the page, and programs that run notebooks without a page may wait for it for ever.
    """
    from ipywidgets import Image, IntSlider, VBox

    handle = IntSlider(value=start, min=low, max=high, description=name, continuous_update=False)
    image = Image(value=draw(start).png())
    handle.observe(lambda change: setattr(image, "value", draw(change["new"]).png()), "value")
    return VBox([handle, image])
