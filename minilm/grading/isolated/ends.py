"""The judge's ends of the pipes of one cell: it is ordered, it stands, it ends.

What this file does not do: say anything about code over them (remote.py).
"""

import fcntl
import json
import os
import select
import socket
from contextlib import suppress
from dataclasses import dataclass

from .frames import Far, Gone, Late
from .levels import NoSandbox
from .wire import WireError

PIPE = 2**20  # bytes that a pipe to a cell holds


@dataclass
class Cell:
    """The judge's ends of the pipes of one cell."""

    channel: Far
    life: int
    status: int
    walls: list

    @classmethod
    def ordered(cls, control):
        """Ask the zygote behind the socket `control` for a cell, without waiting for it."""
        (life, life_w), (status_r, status) = os.pipe(), os.pipe()
        (request, request_w), (answer_r, answer), (printed_r, printed) = os.pipe(), os.pipe(), os.pipe()
        theirs = [life, status, request, answer, printed]
        with suppress(OSError, AttributeError):  # Linux: room for a file and its support, to be read when there is time
            fcntl.fcntl(request_w, fcntl.F_SETPIPE_SZ, PIPE)
        try:
            socket.send_fds(control, [b"c"], theirs)
        except OSError:
            raise Gone from None
        finally:
            for fd in theirs:
                os.close(fd)
        return cls(Far(request_w, answer_r, printed_r), life_w, status_r, [])

    def stand(self, seconds=20.0):
        """Itself, once its walls stand. Raises NoSandbox."""
        try:
            self.walls = self.channel.receive(seconds)["walls"]
        except (Gone, Late, WireError) as error:
            self.channel.drain()
            said = self.channel.printed.decode("utf-8", "replace").strip()
            self.end()
            raise NoSandbox(said or type(error).__name__) from None
        return self

    def how_it_ended(self, seconds=5.0):
        """{"code": ..., "why": ...} of a cell that closed its pipe; without a code when nobody has told. "gone": there
        is nobody left to tell."""
        with suppress(OSError, ValueError):
            if select.select([self.status], [], [], seconds)[0]:
                return json.loads(os.read(self.status, 1000) or b'{"why": "gone"}')
        return {}

    def end(self):
        """Kill it, if it still lives."""
        self._close(self.life)
        self.life = None
        for fd in (self.status, self.channel.write_fd, self.channel.read_fd, self.channel.printed_fd):
            self._close(fd)

    def _close(self, fd):
        if fd is not None:
            with suppress(OSError):
                os.close(fd)
