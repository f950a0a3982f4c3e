"""Random plain values of all kinds (plain.py), and what it means that two of them are the same in every bit."""

import struct

import numpy as np
import torch
from hypothesis import strategies as st

from minilm.grading.isolated import wire
from minilm.grading.worker import Reference

LETTERS = st.characters(exclude_categories=())  # half pairs (surrogates) included
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)

texts = st.text(LETTERS, max_size=8)
huge = st.builds(
    lambda sign, bits, add: sign * (1 << bits) + add, st.sampled_from([1, -1]), st.integers(50, 9000), st.integers()
)
numbers = st.one_of(st.integers(), huge, st.floats(), st.sampled_from([-0.0, 5e-324, 2**53 + 1, -(2**63)]))
references = st.builds(Reference, st.integers(1, 2**53 - 1), st.text(max_size=30))
keys = st.recursive(
    st.one_of(texts, st.integers(-(2**70), 2**70), st.binary(max_size=4), st.booleans()),
    lambda inside: st.lists(inside, max_size=3).map(tuple),
    max_leaves=4,
)


@st.composite
def arrays(draw):
    """A numpy array with any bits in it, and often not in one piece."""
    name = draw(st.sampled_from(wire.ARRAYS))
    array = np.frombuffer(draw(_bits(name, shape := draw(SHAPES))), dtype=name).reshape(shape)
    others = [array.T, array[::-1], array[..., ::2]] if array.ndim else []
    return draw(st.sampled_from([array, _wide(array), *others]))


@st.composite
def tensors(draw):
    """A torch tensor with any bits in it."""
    name = draw(st.sampled_from(wire.TENSORS))
    raw, dtype = draw(_bits(name, shape := draw(SHAPES))), getattr(torch, name)
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    tensor = flat.reshape(shape)
    others = [tensor[..., ::2], tensor.movedim(0, -1)] if tensor.ndim else []
    tensor = draw(st.sampled_from([tensor, tensor[None], *others]))
    return tensor.requires_grad_(dtype.is_floating_point and draw(st.booleans()))


def _bits(name, shape):
    size = int(np.prod(shape)) * wire.SIZES[name]
    if name == "bool":
        return st.lists(st.booleans(), min_size=size, max_size=size).map(bytes)
    return st.binary(min_size=size, max_size=size)


def _wide(array):
    return np.broadcast_to(array, (2, *array.shape))


leaves = st.one_of(st.none(), st.booleans(), numbers, texts, st.binary(max_size=20), references, arrays(), tensors())
values = st.recursive(
    leaves,
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.lists(inside, max_size=4).map(tuple),
        st.dictionaries(keys, inside, max_size=4),
    ),
    max_leaves=10,
)


def alike(a, b):
    """Whether two plain values have the same types and bits; only of a NaN that is no array the bits don't matter."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return alike(list(a), list(b)) and all(map(alike, a.values(), b.values()))
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (a != a and b != b)
    if isinstance(a, np.ndarray):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, torch.Tensor):
        return (a.dtype, a.shape, a.requires_grad, _raw(a)) == (b.dtype, b.shape, b.requires_grad, _raw(b))
    return a == b


def _raw(tensor):
    """Its bits; numpy has no bfloat16."""
    tensor = tensor.detach()
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()
