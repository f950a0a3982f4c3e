"""Messages on a pair of pipes: lengths first, then the bytes, with a clock and a limit on every read.

    b"minilm" | number of buffers | length of the header | length of each buffer | header | buffers

What this file does not do: give the bytes a meaning (wire.py).
"""

import os
import select
import struct
import time

from .wire import MOST_BUFFERS, MOST_HEADER, MOST_PARTS, WireError, decode, encode

MAGIC = b"minilm"
HEAD = struct.Struct("<6sIQ")
LENGTH = struct.Struct("<Q")
CHUNK = 1 << 20
PRINTED = 4000  # bytes kept of what a learner's code prints; the rest is read and thrown away


class Gone(Exception):
    """The other side has closed the pipe."""


class Late(Exception):
    """The time is up."""


def pack(value):
    """A message with a plain value in it, as bytes."""
    header, buffers = encode(value)
    lengths = b"".join(LENGTH.pack(len(buffer)) for buffer in buffers)
    return b"".join([HEAD.pack(MAGIC, len(buffers), len(header)), lengths, header, *buffers])


def unpack(read):
    """The value of the next message; read(count) returns exactly so many bytes."""
    magic, parts, size = HEAD.unpack(read(HEAD.size))
    if magic != MAGIC or parts > MOST_PARTS or size > MOST_HEADER:
        raise WireError("not the beginning of a message")
    lengths = [LENGTH.unpack(read(LENGTH.size))[0] for _ in range(parts)]
    if sum(lengths) > MOST_BUFFERS:
        raise WireError("more than may be sent at once")
    return decode(read(size), [read(length) for length in lengths])


def taken(held, count):
    """The first bytes of what was read, which are then gone from it."""
    first = bytes(held[:count])
    del held[:count]
    return first


class Near:
    """The worker's end: it waits as long as it takes."""

    def __init__(self, read_fd, write_fd):
        self.read_fd, self.write_fd = read_fd, write_fd
        self.held = bytearray()  # read, and not yet asked for: a message is many small parts

    def receive(self):
        return unpack(self._read)

    def send(self, value):
        view = memoryview(pack(value))
        while view:
            view = view[os.write(self.write_fd, view) :]

    def _read(self, count):
        while len(self.held) < count:
            piece = os.read(self.read_fd, CHUNK)
            if not piece:
                raise Gone
            self.held += piece
        return taken(self.held, count)


class Far:
    """The judge's end: no write and no read takes longer than its deadline, and what the other side prints is drained
    meanwhile, so that printing neither blocks nor counts."""

    def __init__(self, write_fd, read_fd, printed_fd):
        self.write_fd, self.read_fd, self.printed_fd = write_fd, read_fd, printed_fd
        for fd in (write_fd, read_fd, printed_fd):
            os.set_blocking(fd, False)
        self.held, self.printed = bytearray(), b""
        self.deadline = 0.0

    def ask(self, value, seconds):
        """Send a message and return the answer to it. Raises Late, Gone or WireError."""
        self.tell(value, seconds)
        return unpack(self._read)

    def tell(self, value, seconds):
        """Send a message."""
        self.deadline = time.monotonic() + seconds
        view = memoryview(pack(value))
        while view:
            if time.monotonic() > self.deadline:
                raise Late
            try:
                view = view[os.write(self.write_fd, view[:CHUNK]) :]
            except BlockingIOError:
                self._wait(writing=True)
            except BrokenPipeError:
                raise Gone from None

    def receive(self, seconds):
        """The next message without having asked."""
        self.deadline = time.monotonic() + seconds
        return unpack(self._read)

    def _read(self, count):
        while len(self.held) < count:
            try:
                piece = os.read(self.read_fd, CHUNK)
            except BlockingIOError:
                self._wait()
                continue
            if not piece:
                raise Gone
            if time.monotonic() > self.deadline:
                raise Late
            self.held += piece
        return taken(self.held, count)

    def _wait(self, writing=False):
        """Until the pipe that is needed is ready; the printed one is emptied on the way."""
        while True:
            reading = [self.read_fd] * (not writing) + [self.printed_fd] * (self.printed_fd is not None)
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise Late
            readable, writable, _ = select.select(reading, [self.write_fd] * writing, [], left)
            if self.printed_fd in readable:
                self.drain()
            if writable or self.read_fd in readable:
                return

    def drain(self):
        """Take what was printed until now."""
        if self.printed_fd is None:
            return
        try:
            piece = os.read(self.printed_fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # the judge has closed its end: there is no more to come
            self.printed_fd = None
            return
        if piece:
            self.printed += piece[: max(PRINTED - len(self.printed), 0)]
        else:
            os.close(self.printed_fd)
            self.printed_fd = None
