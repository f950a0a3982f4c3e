"""Values as bytes and back: the same in every bit, and whatever the other side says is a value or a WireError."""

import json
import time
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import alike, arrays, keys, leaves, tensors, texts, values

from minilm.grading.isolated import wire
from minilm.grading.isolated.wire import WireError, decode, encode
from minilm.grading.plain import plain, same
from minilm.grading.worker import Reference

often = settings(
    max_examples=150, deadline=2000, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def there_and_back(value):
    return decode(*encode(value))


def header(tree):
    return json.dumps(tree).encode()


def refused(tree, buffers=()):
    with pytest.raises(WireError):
        decode(header(tree), list(buffers))
    return True


# ---- there and back ------------------------------------------------------------------------------


@often
@given(values)
def test_a_plain_value_comes_back_the_same_in_type_and_bits(value):
    back = there_and_back(value)
    assert alike(back, value)
    assert same(back, value)


@often
@given(st.one_of(leaves, values), st.one_of(leaves, values))
def test_two_values_that_differ_come_back_different(one, other):
    if not alike(one, other):
        assert not alike(there_and_back(one), there_and_back(other))


@often
@given(st.one_of(arrays(), tensors()), st.data())
def test_one_bit_of_an_array_changed_on_the_way_is_seen(value, data):
    head, (raw,) = encode(value)
    if not raw:
        return
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= 1
    assert not alike(decode(head, [bytes(changed)]), value)


@pytest.mark.parametrize("value", [np.zeros(3, "<f4"), torch.zeros(2, 3), {"a": [np.ones(2)]}])
def test_what_comes_back_is_a_copy_that_may_be_changed(value):
    head, buffers = encode(value)
    one, other = decode(head, buffers), decode(head, buffers)
    first = one["a"][0] if isinstance(one, dict) else one
    first += 1
    assert not alike(one, value)
    assert alike(other, value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0, False), (1, True), (0, 0.0), (0.0, -0.0), ("a", b"a"), ([], ()), ([1], (1,)), ([[]], [()]),
        ({}, []), ({1: 0}, {"1": 0}), ({1: 0}, {True: 0}), ({(1,): 0}, {((1,),): 0}), (None, "null"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("\ud83d\ude00", "\U0001f600"), ("\ud800", "\udc00"), ("l", ["l"]),
        (np.zeros(1), np.zeros(())), (np.zeros((0, 2)), np.zeros((2, 0))), (np.zeros(2), torch.zeros(2).double()),
        (np.zeros(1, "i4"), np.zeros(1, "u4")), (np.array([0.0]), np.array([-0.0])),
        (torch.zeros(1), torch.zeros(1, requires_grad=True)), (torch.zeros(1).half(), torch.zeros(1).bfloat16()),
        (Reference(1, "a"), Reference(2, "a")), (Reference(1, "a"), Reference(1, "b")), (2**1000, 2**1000 + 1),
    ],
)  # fmt: skip
def test_neighbours_keep_apart(one, other):
    assert alike(there_and_back(one), one) and alike(there_and_back(other), other)
    assert not alike(there_and_back(one), there_and_back(other))


def test_an_array_of_the_other_byte_order_keeps_its_numbers():
    back = there_and_back(np.array([1.5, -2.0], ">f4"))
    assert back.dtype == np.dtype("float32") and back.tolist() == [1.5, -2.0]
    assert there_and_back(np.array([1, 256], ">i2")).tolist() != np.array([1, 256], ">i2").view("<i2").tolist()


def test_long_doubles_arrive_as_doubles():
    assert alike(
        there_and_back(np.array([0.1, 2.0], np.longdouble)), np.array(np.array([0.1, 2.0], np.longdouble), float)
    )


def test_a_parameter_arrives_as_a_tensor():
    assert alike(there_and_back(plain(torch.nn.Parameter(torch.ones(2)), repr)), torch.ones(2))


@pytest.mark.parametrize(
    "value",
    [
        object(), {1, 2}, 1j, np.float64(1), np.array(["a"]), np.array([None]), np.array([1j]),
        np.array(["2020"], "M8[D]"),
        torch.zeros(1, dtype=torch.complex64), torch.zeros(2, 2).to_sparse(), torch.zeros(2, device="meta"),
        type("Str", (str,), {})("a"), type("List", (list,), {})(), bytearray(b"a"), range(3), 1 << 13000, [[object()]],
        {"a": object()}, np.zeros((1,) * 17), np.zeros((0, 2**29)), np.broadcast_to(np.int8(0), (0, 2**20, 2**20)),
    ],
)  # fmt: skip
def test_what_is_no_plain_value_is_refused_before_it_is_sent(value):
    with pytest.raises(WireError):
        encode(value)


def test_what_is_too_much_is_refused_before_it_is_sent(monkeypatch):
    deep = nested = []
    for _ in range(wire.DEEPEST + 1):
        nested.append([])
        nested = nested[0]
    for name, most, value in (
        ("DEEPEST", wire.DEEPEST, deep), ("MOST_NODES", 10, [0] * 11), ("MOST_HEADER", 10, "a" * 11),
        ("MOST_BUFFERS", 10, b"a" * 11), ("MOST_PARTS", 2, [b""] * 3),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(wire, name, most)
            with pytest.raises(WireError):
                encode(value)
    assert there_and_back([0] * 11) == [0] * 11


def test_whatever_can_be_sent_can_be_read():
    """A value just below each limit of the writer passes the reader: else an honest answer would look like nonsense."""
    deep = []
    for _ in range(wire.DEEPEST):
        deep = [deep]
    for value in (
        deep,
        np.zeros((1,) * wire.MOST_DIMENSIONS),
        (1 << 3 * wire.LONGEST_NUMBER) - 1,
        [b""] * wire.MOST_PARTS,
    ):
        assert alike(there_and_back(value), value)
    with pytest.raises(WireError):
        encode([deep])


# ---- from a hostile side -------------------------------------------------------------------------

TAGS = st.sampled_from(["l", "t", "d", "b", "r", "a", "T", "x", ""])
DTYPES = st.sampled_from([*wire.ARRAYS, "bfloat16", "object", "complex64", "O", "float", "V8", "<f4", ""])
SMALL = st.one_of(st.integers(-2, 5), st.sampled_from([2**28, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**400]))
LEAF = st.one_of(st.none(), st.booleans(), SMALL, st.floats(), texts, TAGS, DTYPES)
ANY_TREE = st.recursive(
    LEAF,
    lambda inside: st.one_of(
        st.lists(inside, max_size=5),
        st.builds(lambda tag, rest: [tag, *rest], TAGS, st.lists(inside, max_size=5)),
        st.dictionaries(texts, inside, max_size=2),
    ),
    max_leaves=12,
)
PLACE = st.integers(-1, 3)
SHAPE = st.one_of(st.lists(SMALL, max_size=20), st.lists(st.integers(0, 3), max_size=3))
ALMOST = st.recursive(  # the right form with wrong things in it
    st.one_of(
        LEAF,
        st.tuples(st.just("a"), DTYPES, SHAPE, PLACE),
        st.tuples(st.just("T"), DTYPES, SHAPE, st.booleans(), PLACE),
        st.tuples(st.just("b"), PLACE),
        st.tuples(st.just("r"), SMALL, texts),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4).map(lambda items: ["l", *items]),
        st.lists(inside, max_size=4).map(lambda items: ["t", *items]),
        st.lists(st.tuples(inside, inside), max_size=3).map(lambda pairs: ["d", *pairs]),
    ),
    max_leaves=8,
)
BUFFERS = st.lists(st.one_of(st.binary(max_size=16), st.sampled_from([b"", bytes(8), bytes(4), b"\1\0"])), max_size=3)


def outcome(head, buffers):
    """The value or None; any other exception than WireError is one too many, and the value must be a plain one."""
    try:
        value = decode(head, buffers)
    except WireError:
        return None
    assert alike(plain(value, lambda thing: thing, grad=True), value)
    return value


@often
@given(st.binary(max_size=60), BUFFERS)
def test_arbitrary_bytes_are_a_value_or_a_wire_error(head, buffers):
    outcome(head, buffers)


@settings(often, max_examples=400)
@given(st.one_of(ANY_TREE, ALMOST), BUFFERS)
def test_arbitrary_trees_are_a_value_or_a_wire_error(tree, buffers):
    outcome(header(tree), buffers)


@settings(often, max_examples=250)
@given(values, st.data())
def test_a_tree_with_one_part_replaced_is_a_value_or_a_wire_error(value, data):
    head, buffers = encode(value)
    tree = json.loads(head.decode("utf-8", "surrogatepass"))
    head = header(_with_one_part_replaced(tree, data))
    outcome(head, data.draw(st.sampled_from([buffers, buffers[:-1], buffers[::-1], [*buffers, b""]])))


def _with_one_part_replaced(tree, data):
    if not (isinstance(tree, list) and tree) or data.draw(st.integers(0, 3)) == 0:
        return data.draw(st.one_of(LEAF, ANY_TREE))
    place = data.draw(st.integers(0, len(tree) - 1))
    return [*tree[:place], _with_one_part_replaced(tree[place], data), *tree[place + 1 :]]


def test_an_array_is_what_its_header_says_or_nothing():
    good = ["a", "float32", [2, 3], 0]
    assert alike(decode(header(good), [bytes(24)]), np.zeros((2, 3), np.float32))
    assert refused(["a", "float32", [2, 3], 0], [bytes(23)]) and refused(["a", "float32", [2, 3], 0], [bytes(25)])
    assert refused(["a", "float32", [-2, -3], 0], [bytes(24)]) and refused(["a", "float32", [2.0, 3], 0], [bytes(24)])
    assert refused(["a", "float32", [True, 6], 0], [bytes(24)]) and refused(["a", "float32", 6, 0], [bytes(24)])
    assert refused(["a", "object", [3], 0], [bytes(24)]) and refused(["a", ["float32"], [6], 0], [bytes(24)])
    assert refused(["a", "bfloat16", [12], 0], [bytes(24)]) and refused(["T", "uint64", [3], False, 0], [bytes(24)])
    assert refused(["a", "bool", [2], 0], [b"\1\2"]) and refused(["T", "bool", [2], False, 0], [b"\1\2"])
    assert refused(["T", "float32", [6], 1, 0], [bytes(24)]) and refused(["T", "int32", [6], True, 0], [bytes(24)])


@pytest.mark.parametrize("kind", ["a", "T"])
def test_a_shape_of_nothing_with_room_for_everything_is_refused(kind):
    last = [0] if kind == "a" else [False, 0]
    assert refused([kind, "int8", [0, *[2**28] * 3], *last], [b""]) and refused([kind, "int8", [0] * 17, *last], [b""])
    assert decode(header([kind, "int8", [0] * 16, *last]), [b""]).shape == (0,) * 16


def test_each_buffer_is_used_once_and_in_order():
    assert decode(header(["l", ["b", 0], ["b", 1]]), [b"a", b"b"]) == [b"a", b"b"]
    assert refused(["l", ["b", 0], ["b", 0]], [b"a"]) and refused(["l", ["b", 1], ["b", 0]], [b"a", b"b"])
    assert refused(["b", -1], [b"a"]) and refused(["b", True], [b"a", b"b"]) and refused(["b", 0], [])
    assert refused(["b", 0], [b"a", b"b"]) and refused(None, [b"a"])


def test_dicts_have_plain_keys_each_once():
    assert decode(header(["d", ["a", 1], [["t", 1, "b"], 2]]), []) == {"a": 1, (1, "b"): 2}
    for pairs in (
        [["a", 1], ["a", 2]],
        [[1, 1], [True, 1]],
        [[["l"], 1]],
        [[1.5, 1]],
        [[None, 1]],
        [["a"]],
        [1],
        ["ab"],
    ):
        assert refused(["d", *pairs])
    for tree in ({}, {"l": 1}, [], [1], [["l"]], ["l", {}]):
        assert refused(tree)


def test_keys_of_one_hash_are_refused_before_they_take_forever():
    prime = 2**61 - 1
    assert hash(3 * prime) == hash(0)
    assert len(decode(header(["d", *([k * prime, 0] for k in range(wire.MOST_ALIKE))]), [])) == wire.MOST_ALIKE
    start = time.perf_counter()
    assert refused(["d", *([k * prime, 0] for k in range(100_000))])
    assert time.perf_counter() - start < 5
    assert len(decode(header(["d", *([k, 0] for k in range(100_000))]), [])) == 100_000


def test_a_reference_is_a_small_number_and_a_short_name():
    assert decode(header(["r", 1, "a"]), []) == Reference(1, "a")
    for number, kind in (
        (0, "a"),
        (-1, "a"),
        (2**53, "a"),
        (1.0, "a"),
        (True, "a"),
        ("1", "a"),
        (1, None),
        (1, "a" * 101),
    ):
        assert refused(["r", number, kind])


@pytest.mark.parametrize(
    "head",
    [
        b"", b"[", b"[" * 200_000, b'["l",' * 200_000, b'{"a":' * 200_000, b'["l",' * 70 + b"1" + b"]" * 70,
        b"1" * 5000,
        b"\xff\xfe", b"\xed\xa0", b"nan", b"[1]]", b'"\\ud8', b"\xef\xbb\xbf1", b"[" + b"[]," * 10_000 + b"[]]",
    ],
)  # fmt: skip
def test_no_header_breaks_the_reader(head):
    with pytest.raises(WireError):
        decode(head, [])


def test_lists_that_would_fill_the_memory_are_counted_before_they_are_made(monkeypatch):
    monkeypatch.setattr(wire, "MOST_NODES", 1000)
    head = b'["l",' + b"[]," * 400_000 + b"1]"
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(head, [])
        assert tracemalloc.get_traced_memory()[1] < len(head)
    finally:
        tracemalloc.stop()


@given(keys)
def test_all_keys_of_plain_data_pass(key):
    assert alike(there_and_back({key: 1}), {key: 1})
