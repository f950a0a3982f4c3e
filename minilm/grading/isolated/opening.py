"""Which walls a judge gets: the strongest that its teacher allows and this system has.

What this file does not do: put them up (walls.py).
"""

import sys

from ...errors import UserError
from .levels import NoSandbox, allowed
from .walls import Sandbox


class Opening:
    """The strongest sandbox there is, on its way: there is something else to do until it is `ready`.

    Arguments: wish: "strong", "any", or the name of one level. The rest as for Sandbox.
    """

    def __init__(self, wish, **options):
        self.wish, self.options = wish, options
        self.levels, self.why = list(allowed(wish)), []
        self.started = self._next()

    def _next(self):
        """The first of the levels left that starts, or None."""
        while self.levels:
            level = self.levels.pop(0)
            try:
                return Sandbox(level, **self.options)
            except NoSandbox as error:
                self.why.append(f"{level}: {error}")

    def ready(self):
        """The sandbox. Raises UserError when there is none that strong."""
        while self.started:
            try:
                return self.started.ready()
            except NoSandbox as error:
                self.why.append(f"{self.started.level}: {error}")
                self.started = self._next()
        advice = "install bubblewrap" if sys.platform == "linux" else "use Linux, or a container"
        raise UserError(
            f"no isolation that counts as {self.wish!r} can be had here ({'; '.join(self.why)}); {advice}, or allow"
            " less with --isolation any, which marks each record as weak"
        )
