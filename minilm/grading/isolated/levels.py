"""How strong walls can be. Four levels, strongest first:

    bubblewrap   no network, no files but Python and the kit, read-only, own process numbers; put up by bubblewrap
    namespaces   the same, put up by our own hand (rooms.py), and only with Landlock and the filter of system calls
    landlock     weak: no namespaces; Landlock, the filter of system calls, another user where the judge is root
    bare         weak: limits of memory, files and time, another user where the judge is root; nothing else

Within each, a cell adds what the system has (cell.py), and every record names what stood. The two weak ones share the
process numbers, and bare the files, of the machine: they keep honest code honest.

What this file does not do: put up any of them (walls.py).
"""

from ...errors import UserError

LEVELS = ("bubblewrap", "namespaces", "landlock", "bare")
STRONG = LEVELS[:2]
REQUIRED = {
    "bubblewrap": ["namespaces", "limits"],
    "namespaces": ["namespaces", "limits", "landlock", "seccomp"],
    "landlock": ["limits", "landlock", "seccomp"],
    "bare": ["limits"],
}


class NoSandbox(Exception):
    """This level cannot be had here; the message says why."""


def allowed(wish):
    """The levels that a wish allows: "strong", "any", or the name of one."""
    found = {"strong": STRONG, "any": LEVELS}.get(wish, (wish,) if wish in LEVELS else None)
    if found is None:
        raise UserError(f"there is no isolation {wish!r}; choose strong, any, or one of {', '.join(LEVELS)}")
    return found
