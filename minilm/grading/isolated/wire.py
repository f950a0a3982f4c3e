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
KINDS = 100  # letters of what a reference calls itself


class WireError(ValueError):
    """The other side did not keep to the format."""


# ---- to bytes ------------------------------------------------------------------------------------


def encode(value):
    """(header, buffers) of a plain value (plain.py), references included.

    >>> encode([1, "a", (None,)])
    (b'["l",1,"a",["t",null]]', [])
    """
    buffers = []
    tree = _lower(value, buffers)
    header = json.dumps(tree, separators=(",", ":")).encode("ascii")
    if len(header) > MOST_HEADER or sum(map(len, buffers)) > MOST_BUFFERS or len(buffers) > MOST_PARTS:
        raise WireError(f"too much at once: {len(header)} bytes and {len(buffers)} buffers")
    return header, buffers


def _lower(value, buffers):
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int:
        if value.bit_length() > 3 * LONGEST_NUMBER:
            raise WireError("a number of thousands of digits")
        return value
    if type(value) in (list, tuple):
        return ["l" if type(value) is list else "t", *(_lower(item, buffers) for item in value)]
    if type(value) is dict:
        return ["d", *([_lower(key, buffers), _lower(item, buffers)] for key, item in value.items())]
    if type(value) is bytes:
        return ["b", _add(buffers, value)]
    if type(value) is Reference:
        return ["r", value.number, value.kind[:KINDS]]
    if type(value) is np.ndarray and value.dtype.name in ARRAYS:
        return ["a", value.dtype.name, list(value.shape), _add(buffers, np.ascontiguousarray(value).tobytes())]
    return _lower_tensor(value, buffers)


def _lower_tensor(value, buffers):
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        raise WireError(f"{type(value).__name__} cannot be sent")
    name = str(value.dtype).removeprefix("torch.")
    if name not in TENSORS or value.layout != torch.strided:
        raise WireError(f"a tensor of {name} cannot be sent")
    raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return ["T", name, list(value.shape), bool(value.requires_grad), _add(buffers, raw)]


def _add(buffers, raw):
    buffers.append(raw)
    return len(buffers) - 1


# ---- and back ------------------------------------------------------------------------------------


def decode(header, buffers):
    """The value of a header and its buffers; anything out of order is a WireError."""
    try:
        tree = json.loads(header.decode("ascii"))
    except (ValueError, RecursionError):
        raise WireError("the header is no JSON") from None
    return _Reader(buffers).value(tree)


class _Reader:
    def __init__(self, buffers):
        self.buffers, self.used, self.nodes = buffers, 0, 0
        self.tags = {"l": self._list, "t": self._tuple, "d": self._dict, "b": self._bytes, "r": self._reference}
        self.tags |= {"a": self._array, "T": self._tensor}

    def value(self, tree, depth=0):
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise WireError("nested too deep, or too much of it")
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
        made = {}
        for pair in pairs:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("half a pair in a dict")
            key = self.value(pair[0], depth)
            if not _is_key(key):
                raise WireError("a key that is none")
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
        if type(shape) is not list or len(shape) > MOST_DIMENSIONS:
            raise WireError("a shape that is none")
        if not all(type(size) is int and 0 <= size <= MOST_BUFFERS for size in shape):
            raise WireError("a size that is none")
        raw = self._buffer(place)
        if math.prod(shape) * SIZES[name] != len(raw):
            raise WireError("a shape that does not fit its bytes")
        return raw, tuple(shape)

    def _buffer(self, place):
        """Buffers are used in order, each once."""
        if type(place) is not int or place != self.used or place >= len(self.buffers):
            raise WireError("a buffer that is not there")
        self.used += 1
        return self.buffers[place]


def _count(parts, wanted):
    if len(parts) != wanted:
        raise WireError("a part too many, or one too few")


def _only_zeros_and_ones(raw):
    if raw.translate(None, b"\0\1"):
        raise WireError("a bool that is neither")


def _is_key(key):
    if type(key) is tuple:
        return all(map(_is_key, key))
    return type(key) in (str, int, bytes)
