"""Values as bytes and back: what passes between the judge and the process that runs a learner's code.

A message is a JSON header and raw buffers behind it. The header is one JSON value in which lists, tuples, dicts, bytes,
arrays, tensors and references are tagged lists, so that nothing but those types can be said:

    (1, b"a", x)   ->   ["t", 1, ["b", 0], ["a", "float32", [2, 3], 1]]   and the buffers 0: b"a", 1: the bytes of x

No pickle, no torch.load: decoding builds only what is listed here, and every length, depth and count is checked
first. The other side may be hostile, so whatever is not exactly as written here is a WireError.

What this file does not do: read or write pipes (frames.py).
"""

import json
import math
import sys

import numpy as np

from ..worker import Reference

DEEPEST = 60  # plain.py stops at 40; tags add none
MOST_NODES = 2_000_000
MOST_HEADER = 16 * 2**20  # bytes
MOST_BUFFERS = 256 * 2**20  # bytes, all together
MOST_PARTS = 10_000  # buffers
MOST_DIMENSIONS = 16
LONGEST_NUMBER = 4000  # digits; Python itself refuses to read more than 4300
BOTH = ("bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64")
ARRAYS = (*BOTH, "uint16", "uint32", "uint64")
TENSORS = (*BOTH, "bfloat16")
SIZES = {"bfloat16": 2} | {name: np.dtype(name).itemsize for name in ARRAYS}  # bytes of one number
MOST_ALIKE = 100  # keys of one hash in a dict: each of them is compared with all before it
KINDS = 100  # letters of what a reference calls itself
SURROGATES = "surrogatepass"  # half a pair is a letter to Python, and two halves side by side are two


class WireError(ValueError):
    """The other side did not keep to the format."""


# ---- to bytes ------------------------------------------------------------------------------------


def encode(value):
    """(header, buffers) of a plain value (plain.py), references included. WireError: it is more than may be sent.

    >>> encode([1, "a", (None,)])
    (b'["l",1,"a",["t",null]]', [])
    """
    writer = _Writer()
    tree = writer.lower(value)
    header = json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode("utf-8", SURROGATES)
    buffers = writer.buffers
    _few_lists(header)
    if len(header) > MOST_HEADER or sum(map(len, buffers)) > MOST_BUFFERS or len(buffers) > MOST_PARTS:
        raise WireError(f"too much at once: {len(header)} bytes and {len(buffers)} buffers")
    return header, buffers


class _Writer:
    """Keeps to every limit of the reader, so that what is too much is known here, and no reader calls it nonsense."""

    def __init__(self):
        self.buffers, self.nodes = [], 0

    def lower(self, value, depth=0):
        self.nodes += 1
        _bounded(depth, self.nodes)
        if value is None or type(value) in (bool, float, str):
            return value
        if type(value) is int:
            if value.bit_length() > 3 * LONGEST_NUMBER:
                raise WireError("a number of thousands of digits")
            return value
        if type(value) in (list, tuple):
            return ["l" if type(value) is list else "t", *(self.lower(item, depth + 1) for item in value)]
        if type(value) is dict:
            pairs = value.items()
            return ["d", *([self.lower(key, depth + 1), self.lower(item, depth + 1)] for key, item in pairs)]
        if type(value) is bytes:
            return ["b", self._add(value)]
        if type(value) is Reference:
            return ["r", value.number, value.kind[:KINDS]]
        if type(value) is np.ndarray:
            return self._array(value)
        return self._tensor(value)

    def _array(self, value):
        kind = value.dtype.kind
        if kind == "f" and value.dtype.itemsize > 8:  # long doubles differ between machines
            value = value.astype(np.float64)
        if kind not in "biuf" or value.dtype.name not in ARRAYS:
            raise WireError(f"an array of {value.dtype.name} cannot be sent")
        native = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
        return ["a", value.dtype.name, _shape(list(value.shape)), self._add(native.tobytes())]

    def _tensor(self, value):
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            raise WireError(f"{type(value).__name__} cannot be sent")
        name = str(value.dtype).removeprefix("torch.")
        if name not in TENSORS or value.layout != torch.strided or value.is_meta:
            raise WireError(f"a tensor of {name} cannot be sent")
        flat = value.detach().cpu().resolve_neg().reshape(-1)
        flat = flat.view(torch.int16) if name == "bfloat16" else flat  # numpy has no such thing, but the same bits
        return ["T", name, _shape(list(value.shape)), bool(value.requires_grad), self._add(flat.numpy().tobytes())]

    def _add(self, raw):
        self.buffers.append(raw)
        return len(self.buffers) - 1


# ---- and back ------------------------------------------------------------------------------------


def decode(header, buffers):
    """The value of a header and its buffers; anything out of order is a WireError."""
    _few_lists(header)
    try:
        tree = json.loads(header.decode("utf-8", SURROGATES))
    except (ValueError, RecursionError):
        raise WireError("the header is no JSON") from None
    reader = _Reader(buffers)
    value = reader.value(tree)
    if reader.used != len(buffers):
        raise WireError("a buffer that nothing asks for")
    return value


class _Reader:
    def __init__(self, buffers):
        self.buffers, self.used, self.nodes = buffers, 0, 0
        self.tags = {"l": self._list, "t": self._tuple, "d": self._dict, "b": self._bytes, "r": self._reference}
        self.tags |= {"a": self._array, "T": self._tensor}

    def value(self, tree, depth=0):
        self.nodes += 1
        _bounded(depth, self.nodes)
        if tree is None or type(tree) in (bool, int, float, str):
            return tree
        if type(tree) is not list or not tree or type(tree[0]) is not str or tree[0] not in self.tags:
            raise WireError("something without a tag")
        return self.tags[tree[0]](tree[1:], depth + 1)

    def _list(self, items, depth):
        return [self.value(item, depth) for item in items]

    def _tuple(self, items, depth):
        return tuple(self._list(items, depth))

    def _dict(self, pairs, depth):
        made, crowds = {}, {}
        for pair in pairs:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("half a pair in a dict")
            key = self.value(pair[0], depth)
            if not _is_key(key):
                raise WireError("a key that is none")
            crowds[hash(key)] = crowd = crowds.get(hash(key), 0) + 1
            if crowd > MOST_ALIKE:
                raise WireError("keys made to take forever")
            made[key] = self.value(pair[1], depth)
        if len(made) != len(pairs):
            raise WireError("one key twice")
        return made

    def _bytes(self, parts, depth):
        _count(parts, 1)
        return bytes(self._buffer(parts[0]))

    def _reference(self, parts, depth):
        _count(parts, 2)
        number, kind = parts
        if type(number) is not int or not 0 < number < 2**53 or type(kind) is not str or len(kind) > KINDS:
            raise WireError("a reference that is none")
        return Reference(number, kind)

    def _array(self, parts, depth):
        _count(parts, 3)
        raw, shape = self._sized(parts[0], parts[1], parts[2], ARRAYS)
        if parts[0] == "bool":
            _only_zeros_and_ones(raw)
        return np.frombuffer(raw, dtype=parts[0]).reshape(shape).copy()

    def _tensor(self, parts, depth):
        import torch

        _count(parts, 4)
        name, shape, grad, place = parts
        raw, shape = self._sized(name, shape, place, TENSORS)
        if name == "bool":
            _only_zeros_and_ones(raw)
        dtype = getattr(torch, name)
        if type(grad) is not bool or (grad and not dtype.is_floating_point):
            raise WireError("a tensor of whole numbers with gradients")
        flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        return flat.reshape(shape).requires_grad_(grad)

    def _sized(self, name, shape, place, allowed):
        """The buffer of an array whose dtype is allowed and whose shape fits its length."""
        if type(name) is not str or name not in allowed:
            raise WireError("a dtype that is not on the list")
        raw = self._buffer(place)
        if math.prod(_shape(shape)) * SIZES[name] != len(raw):
            raise WireError("a shape that does not fit its bytes")
        return raw, tuple(shape)

    def _buffer(self, place):
        """Buffers are used in order, each once."""
        if type(place) is not int or place != self.used or place >= len(self.buffers):
            raise WireError("a buffer that is not there")
        self.used += 1
        return self.buffers[place]


def _bounded(depth, nodes):
    if depth > DEEPEST or nodes > MOST_NODES:
        raise WireError("nested too deep, or too much of it")


def _few_lists(header):
    """A list in memory is far larger than its "[" in a header: they are counted before they are made."""
    if header.count(b"[") + header.count(b"{") > 2 * MOST_NODES:
        raise WireError("too many lists")


def _shape(sizes):
    """`sizes`, if they are a shape. Those beside a 0 count too: numpy multiplies them all the same."""
    if type(sizes) is not list or len(sizes) > MOST_DIMENSIONS:
        raise WireError("a shape that is none")
    if not all(type(size) is int and 0 <= size <= MOST_BUFFERS for size in sizes):
        raise WireError("a size that is none")
    if math.prod(size for size in sizes if size) > MOST_BUFFERS:
        raise WireError("a shape with room for too much")
    return sizes


def _count(parts, wanted):
    if len(parts) != wanted:
        raise WireError("a part too many, or one too few")


def _only_zeros_and_ones(raw):
    if raw.translate(None, b"\0\1"):
        raise WireError("a bool that is neither")


def _is_key(key):
    if type(key) is tuple:
        return all(map(_is_key, key))
    return type(key) in (str, int, bytes, bool)
