"""The judge's side of the wire: looks like worker.Worker to a graded test, and asks a cell behind walls.

A cell is opened for the first request of a test and killed after the test. Whatever it answers is only a value or a
Problem; one that answers anything else, too late or not at all has lost this test, and nothing more.

What this file does not do: judge a value. The tests do.
"""

import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

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


@dataclass
class File:
    """A submitted file. source: its bytes, or None when there is none; then `why` is the sentence about it. code: as
    its first cell has read it, for the others. functions: what is asked for, if it is the code of a notebook."""

    name: str
    source: bytes | None
    why: str
    code: bytes | None = None
    functions: tuple = ()


class Cells:
    """The cells of one file, a fresh one for each test. The next ones are ordered ahead: while a test runs, their walls
    go up on another core, and they take the file.

    Arguments: sandbox: see walls.py. file: a File. exercises: that of each test, in order. `failed` says what went
    wrong here, if anything did.
    """

    def __init__(self, sandbox, file, exercises):
        self.sandbox, self.file, self.exercises = sandbox, file, exercises
        self.ordered, self.next, self.failed = deque(), 0, ""  # pairs of the place of a test and its cell

    def take(self, place):
        """The cell of the test at this place. Those of tests before it are ended, if they did not need theirs."""
        try:
            while self.ordered and self.ordered[0][0] < place:
                self.ordered.popleft()[1].end()
            self._order(place, ahead=AHEAD if self.file.code else 0)  # those ahead need the code of the first
            return self.ordered.popleft()[1].stand()
        except Exception as error:
            self.failed = f"no cell could be opened ({type(error).__name__}: {error})"
            raise NoCell(self.failed) from None

    def _order(self, place, ahead):
        self.next = max(self.next, place)
        while self.next < min(place + 1 + ahead, len(self.exercises)):
            cell = self.sandbox.order()
            self.ordered.append((self.next, cell))
            sources = supplies.support(self.exercises[self.next].support)
            job = {"file": self.file.name, "source": self.file.source, "code": self.file.code, "support": sources}
            job["functions"] = list(self.file.functions)
            with suppress(Gone):  # it has no walls, which is known when it should stand
                cell.channel.tell(job, OPENING)
            self.next += 1

    def close(self):
        while self.ordered:
            self.ordered.popleft()[1].end()


class RemoteWorker:
    """One learner's file in a cell of its own.

    Arguments: cells: a Cells. place: of the test in them.
    """

    def __init__(self, cells, place):
        self.cells, self.place = cells, place
        self.file, self.limit = cells.file, cells.exercises[place].limit
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
        if self.file.source is None:
            raise Problem("missing", self.file.why)
        self.open()
        message = [operation, target, list(args), kwargs or {}, seconds]
        return self._or_lost(lambda: self._read(self.cell.channel.ask(message, seconds + GRACE), len(args)))

    def open(self):
        """Have a cell with the file in it, so that this is done before the clock of a test starts."""
        if self.cell is None and not self.lost and self.file.source is not None:
            first = self.file.code is None
            self.cell = self.cells.take(self.place)
            if first:
                with suppress(Problem):  # it is told when something is asked for
                    self.file.code = self._or_lost(lambda: _code(self.cell.channel.receive(OPENING)))

    def _or_lost(self, deed):
        """What `deed` gives; where the cell does not do its part the test is lost, now and whatever else it asks."""
        if self.lost:
            raise self.lost
        try:
            return deed()
        except Late:
            self._lose("slow", LATE.format(self.limit), error="TooSlow")
        except Gone:
            self._lose(*self._death())
        except WireError:
            self._lose("protocol", NONSENSE)

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


def _code(answer):
    """Of the first cell: the code of a file, or None for one that cannot be read."""
    if type(answer) is dict and list(answer) == ["code"] and type(answer["code"]) in (bytes, type(None)):
        return answer["code"]
    raise WireError("no code")


def told(seen):
    """What a learner reads of a message: the same in each run, and letters that every file and terminal can take."""
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in seen)
    return ADDRESS.sub("0x...", shown)


def _is_name(text):
    return text is None or (type(text) is str and len(text) <= 200 and text.isprintable())
