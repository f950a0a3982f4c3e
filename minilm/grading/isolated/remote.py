"""The judge's side of the wire: looks like worker.Worker to a graded test, and asks a cell behind walls.

A cell is opened for the first request of a test and killed after the test. Whatever it answers is only a value or a
Problem; one that answers anything else, too late or not at all has lost this test, and nothing more.

What this file does not do: judge a value. The tests do.
"""

import re
from collections import deque

from ..problem import KINDS, Problem
from . import supplies
from .frames import Gone, Late
from .wire import WireError

AHEAD = 2  # cells
GRACE = 1.5  # seconds after a limit in which the clock inside may end the call itself, and say where it was
OPENING = 20.0  # seconds for a fresh cell to take its file
DYING = 2.0  # seconds from the end of a pipe to the end of its process
LONGEST = 4000  # characters of a message
TOLD = ("todo", "missing", "syntax", "load", "slow", "raised", "type")  # the problems that a worker can have
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")  # differs from run to run
LATE = "It was still running after {:.0f} s, and did not stop when asked to."
NONSENSE = "What came back was no answer, as if your code had written to the grader's own pipe."
DIED = "Python itself stopped in the middle of the call ({})."


class NoCell(Exception):
    """Something of ours failed, not of the learner's: nobody loses points for it."""


class Cells:
    """Cells of one sandbox, the next ones ordered ahead: while a test runs, walls of the next go up on another core.
    `failed` says what went wrong here, if anything did."""

    def __init__(self, sandbox):
        self.sandbox, self.ordered, self.failed = sandbox, deque(), ""

    def take(self):
        try:
            while len(self.ordered) <= AHEAD:
                self.ordered.append(self.sandbox.order())
            return self.sandbox.stand(self.ordered.popleft())
        except Exception as error:
            self.failed = f"no cell could be opened ({type(error).__name__}: {error})"
            raise NoCell(self.failed) from None

    def close(self):
        while self.ordered:
            self.ordered.popleft().end()


class RemoteWorker:
    """One learner's file in a cell of its own.

    Arguments: cells: a Cells. name: the name of the file. source: its bytes, or None when there is none; then `why` is
    the sentence about it. exercise: whose support modules may be imported.
    """

    def __init__(self, cells, name, source, why, exercise):
        self.cells, self.name, self.source, self.why, self.exercise = cells, name, source, why, exercise
        self.cell, self.lost = None, None

    @property
    def printed(self):
        """What the learner's code has printed, the beginning of it."""
        if self.cell is None:
            return ""
        self.cell.channel.drain()
        return told(self.cell.channel.printed.decode("utf-8", "replace"))

    def request(self, operation, target, args=(), kwargs=None, seconds=5.0):
        """As worker.Worker.request."""
        if self.source is None:
            raise Problem("missing", self.why)
        if self.lost:
            raise self.lost
        try:
            answer = self._ask(operation, target, list(args), kwargs or {}, seconds)
            return self._read(answer, len(args))
        except Late:
            self._lose("slow", LATE.format(self.exercise.limit), error="TooSlow")
        except Gone:
            self._lose(*self._death())
        except WireError:
            self._lose("protocol", NONSENSE)

    def _ask(self, operation, target, args, kwargs, seconds):
        self.open()
        return self.cell.channel.ask([operation, target, args, kwargs, seconds], seconds + GRACE)

    def open(self):
        """Have a cell with the file in it, so that this is done before the clock of a test starts."""
        if self.cell is None and self.source is not None:
            self.cell = self.cells.take()
            sources = supplies.support(self.exercise.support)
            self.cell.channel.tell({"file": self.name, "source": self.source, "support": sources}, OPENING)

    def _read(self, answer, count):
        """(value, args afterwards), or the Problem that was told."""
        if type(answer) is list and len(answer) == 3 and answer[0] == "value":
            _, value, after = answer
            if type(after) is list and len(after) == count:
                return value, after
        if type(answer) is list and len(answer) == 5 and answer[0] == "problem":
            _, kind, seen, error, function = answer
            if kind in TOLD and type(seen) is str and _is_name(error) and _is_name(function):
                raise Problem(kind, told(seen[:LONGEST]), error=error, function=function)
        raise WireError("neither a value nor a problem")

    def _death(self):
        """Kind and words for a cell whose pipe is closed."""
        end = self.cell.how_it_ended(DYING)
        if end.get("why") == "gone":  # with all of its sandbox
            self.cells.failed = "the sandbox is gone"
            raise NoCell(self.cells.failed)
        if "code" not in end:  # it lives on, and only the pipe is gone
            return "protocol", NONSENSE
        code = end["code"]
        if end.get("why") == "disk":
            return "crash", "It wrote more to the disk than an answer may."
        return "crash", DIED.format(f"exit code {code}" if code >= 0 else f"signal {-code}")

    def _lose(self, kind, seen, error=None):
        assert kind in KINDS
        self.lost = Problem(kind, seen, error=error)
        self.close(keep=True)
        raise self.lost from None

    def close(self, keep=False):
        """Kill the cell; with `keep` what was printed can still be read."""
        if self.cell is not None and self.cell.life is not None:
            self.cell.channel.drain()
            self.cell.end()
        if not keep:
            self.cell = None


def told(seen):
    """What a learner reads of a message: the same in each run, and letters that every file and terminal can take."""
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in seen)
    return ADDRESS.sub("0x...", shown)


def _is_name(text):
    return text is None or (type(text) is str and len(text) <= 200 and text.isprintable())
