"""Messages on pipes: damaged ones, and another side that is silent, slow, loud or gone. Nothing hangs or grows."""

import os
import struct
import threading
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import alike, values

from minilm.grading.isolated import frames, wire
from minilm.grading.isolated.frames import Far, Gone, Late, Near, pack, unpack
from minilm.grading.isolated.wire import WireError

often = settings(
    max_examples=150, deadline=2000, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
LITTLE = 0.15  # seconds


def reader(data):
    """read(count), as Near and Far have it, of a pipe with `data` in it; more than the limits is never asked for."""
    left = memoryview(data)

    def read(count):
        nonlocal left
        assert 0 <= count <= wire.MOST_BUFFERS
        if count > len(left):
            raise Gone
        piece, left = bytes(left[:count]), left[count:]
        return piece

    return read


def outcome(data):
    """The value in a damaged message, or what is wrong with it; any other exception fails the test."""
    try:
        return unpack(reader(data))
    except (WireError, Gone) as error:
        return error


# ---- messages ------------------------------------------------------------------------------------


@often
@given(st.lists(values, min_size=1, max_size=3))
def test_messages_in_a_row_are_read_one_by_one(several):
    read = reader(b"".join(map(pack, several)))
    assert all(alike(unpack(read), value) for value in several)
    with pytest.raises(Gone):
        unpack(read)


@often
@given(values, values)
def test_different_values_are_different_messages(one, other):
    assert (pack(one) == pack(other)) <= alike(unpack(reader(pack(one))), unpack(reader(pack(other))))


@often
@given(st.binary(max_size=80))
def test_arbitrary_bytes_end_as_a_wire_error_or_an_open_end(data):
    assert isinstance(outcome(data), (WireError, Gone))
    outcome(frames.MAGIC + data)
    outcome(frames.HEAD.pack(frames.MAGIC, 1, 4) + data)


@settings(often, max_examples=400)
@given(values, st.data())
def test_a_damaged_message_is_a_value_or_a_wire_error_or_an_open_end(value, data):
    message = bytearray(pack(value))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        damage = data.draw(st.sampled_from(["flip", "set", "cut", "drop", "insert", "twice", "length"]))
        _damage(message, damage, place, data)
        if not message:
            break
    outcome(message)


def _damage(message, damage, place, data):
    if damage == "flip":
        message[place] ^= 1 << data.draw(st.integers(0, 7))
    elif damage == "set":
        message[place] = data.draw(st.sampled_from(b'\0\1\xff[]{}",0123456789-e'))
    elif damage == "cut":
        del message[place:]
    elif damage == "drop":
        del message[place : place + data.draw(st.integers(1, 9))]
    elif damage == "insert":
        message[place:place] = data.draw(st.binary(min_size=1, max_size=9))
    elif damage == "twice":
        message[place:place] = message[place : place + data.draw(st.integers(1, 30))]
    else:  # a length in front that lies
        start = data.draw(st.sampled_from([6, 10, 18, 26]))
        message[start : start + 8] = struct.pack("<Q", data.draw(st.sampled_from([0, 1, 2**16, 2**24, 2**32, 2**63])))


@pytest.mark.parametrize(
    ("parts", "header", "lengths"),
    [
        (0, 2**63, []), (0, wire.MOST_HEADER + 1, []), (2**32 - 1, 1, []), (wire.MOST_PARTS + 1, 1, []),
        (1, 1, [2**64 - 1]), (1, 1, [wire.MOST_BUFFERS + 1]), (2, 1, [wire.MOST_BUFFERS, 1]), (3, 1, [2**63] * 3),
    ],
)  # fmt: skip
def test_a_length_beyond_the_limits_is_refused_before_anything_is_read(parts, header, lengths):
    head = frames.HEAD.pack(frames.MAGIC, parts, header) + b"".join(map(frames.LENGTH.pack, lengths))
    with pytest.raises(WireError):
        unpack(reader(head + b"1"))


def test_a_length_within_the_limits_waits_for_its_bytes():
    head = frames.HEAD.pack(frames.MAGIC, 1, 8) + frames.LENGTH.pack(wire.MOST_BUFFERS) + b'["b", 0]'
    with pytest.raises(Gone):
        unpack(reader(head + b"too short"))


# ---- two sides of a pipe -------------------------------------------------------------------------


@contextmanager
def talk(other):
    """A Far whose other side is `other(near, printed)`, in a thread of its own."""
    (request, request_w), (answer, answer_w), (printed, printed_w) = os.pipe(), os.pipe(), os.pipe()
    near, far = Near(request, answer_w), Far(request_w, answer, printed)

    def live():
        with suppress(OSError, Gone):
            other(near, printed_w)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield far
    finally:
        for fd in filter(None, (request_w, answer, far.printed_fd)):
            os.close(fd)  # what the other side reads or writes now fails, and it ends
        thread.join(5)
        assert not thread.is_alive()
        for fd in (request, answer_w, printed_w):
            with suppress(OSError):
                os.close(fd)


@contextmanager
def within(least, most=5.0):
    """The block takes at least `least` seconds and is over long before `most` (the machine may be busy)."""
    start = time.monotonic()
    yield
    assert least <= time.monotonic() - start < most


def echo(near, printed):
    while True:
        near.send(near.receive())


def silent(near, printed):
    near.receive()
    near._read(1)


def bytewise(near, printed):
    near.receive()
    for byte in pack("x" * 10_000):
        os.write(near.write_fd, bytes([byte]))
        time.sleep(0.002)


def printer(near, printed):
    near.receive()
    for _ in range(100):
        os.write(printed, b"spam" * 25_000)
    near.send("done")


def endless_printer(near, printed):
    near.receive()
    while True:
        os.write(printed, b"spam" * 25_000)


def flood(near, printed):
    near.receive()
    while True:
        os.write(near.write_fd, b"[" * 100_000)


def endless(near, printed):
    """A message as large as one may be, which never ends."""
    near.receive()
    os.write(near.write_fd, frames.HEAD.pack(frames.MAGIC, 1, 8) + frames.LENGTH.pack(wire.MOST_BUFFERS))
    while True:
        os.write(near.write_fd, b"\0")
        time.sleep(0.001)


def half_an_answer(near, printed):
    near.receive()
    os.write(near.write_fd, pack([1] * 100)[:-5])
    os.close(near.write_fd)


def closes_at_once(near, printed):
    os.close(near.read_fd)
    os.close(near.write_fd)


def test_a_question_is_answered_in_both_directions_and_larger_than_a_pipe():
    big = np.arange(500_000)
    with talk(echo) as far:
        assert far.ask("a", 5) == "a"
        assert alike(far.ask([big, {"b": b"c" * 300_000}], 5), [big, {"b": b"c" * 300_000}])
        assert far.ask(2, 5) != 1


@pytest.mark.parametrize("other", [silent, bytewise, endless_printer, endless])
def test_a_side_that_does_not_finish_is_late_in_time(other):
    with talk(other) as far, within(LITTLE), pytest.raises(Late):
        far.ask("a", LITTLE)


def test_a_slow_side_that_finishes_in_time_is_heard():
    def slow(near, printed):
        near.receive()
        for byte in pack("slow"):
            os.write(near.write_fd, bytes([byte]))
            time.sleep(0.001)

    with talk(slow) as far:
        assert far.ask("a", 20) == "slow"


def test_a_side_that_does_not_read_is_late_too():
    def deaf(near, printed):
        time.sleep(10 * LITTLE)

    with talk(deaf) as far, within(LITTLE), pytest.raises(Late):
        far.ask(b"a" * 1_000_000, LITTLE)


def test_a_flood_of_nonsense_is_refused_at_once():
    with talk(flood) as far, within(0.0), pytest.raises(WireError):
        far.ask("a", 60)


@pytest.mark.parametrize("other", [half_an_answer, closes_at_once])
def test_a_side_that_closes_is_gone_at_once(other):
    with talk(other) as far, within(0.0), pytest.raises(Gone):
        far.ask(b"a" * 200_000, 60)


def test_a_closed_pipe_is_gone_for_the_near_side_too():
    read, write = os.pipe()
    os.close(write)
    with pytest.raises(Gone):
        Near(read, -1).receive()
    os.close(read)


def test_printing_neither_blocks_nor_grows():
    with talk(printer) as far:
        assert far.ask("a", 20) == "done"
        assert far.printed == (b"spam" * 25_000)[: frames.PRINTED]


def test_what_was_printed_last_can_be_fetched_and_a_closed_pipe_holds_no_more():
    def says(near, printed):
        near.receive()
        os.write(printed, b"hello")
        near.send("done")
        near.receive()

    with talk(says) as far:
        assert far.ask("a", 5) == "done"
        far.drain()
        assert far.printed == b"hello"
        far.drain()
        os.close(far.printed_fd)  # as a cell that is ended leaves it
        far.drain()
        assert far.printed == b"hello" and far.printed_fd is None


def test_a_closed_printing_pipe_does_not_keep_the_answer_back():
    def closes(near, printed):
        near.receive()
        os.close(printed)
        near.send("done")

    with talk(closes) as far:
        assert far.ask("a", 5) == "done" and far.printed == b""
