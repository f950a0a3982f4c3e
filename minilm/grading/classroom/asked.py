"""Which chapters a class is graded on: all of them, or those of one session.

What this file does not do: grade a part of a chapter.
"""

import re

from ...errors import UserError
from ..registry import chapters

PART = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")


def asked(text=""):
    """The numbers of the chapters that `text` names, in the order of the course; "" names all.

    >>> asked("5, 0-2"), len(asked())
    ((0, 1, 2, 5), 8)
    """
    wanted = set()
    for part in map(str.strip, text.split(",") if text.strip() else ()):
        found = PART.fullmatch(part)
        named = range(int(found[1]), int(found[2] or found[1]) + 1) if found else ()
        if not named or not set(named) <= chapters().keys():
            choice = f"{min(chapters())} to {max(chapters())}"
            raise UserError(f"--chapters: {part!r} names no chapters of {choice}; write them as in 1,2 or 0-3")
        wanted |= set(named)
    return tuple(number for number in chapters() if not wanted or number in wanted)
