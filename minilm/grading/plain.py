"""Plain data: all that passes between a graded test and a learner's code.

None, bool, int, float, str, bytes, list, tuple, dict (keys: str, int, bytes, or tuples of them), numpy arrays and torch
tensors. `plain` makes an independent copy that consists of exactly these types: a subclass is copied as its base
(a Counter becomes a dict, np.float64 a float), so nothing of the learner's own making can answer a comparison.
Anything else stays where it is, and a reference to it is passed in its place.

What this file does not do: turn plain data into bytes. It only keeps to what can be turned into bytes.
"""

import math
import sys

import numpy as np

DEEPEST = 40  # lists in lists in lists: more is a list that holds itself
NUMBERS = (bool, int, float)


def plain(value, refer, depth=0, grad=False):
    """An independent copy of `value` in plain data; whatever is not plain becomes `refer(thing)`.

    grad: whether the copy of a tensor that asks for gradients asks for them, too.

    >>> plain({"a": (1, np.float64(0.5))}, refer=repr)
    {'a': (1, 0.5)}
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if depth > DEEPEST:
        raise ValueError(f"the result is nested more than {DEEPEST} deep; does a list hold itself?")
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item() if value.dtype.itemsize <= 8 else float(value)
    for base in (int, float, str, bytes):
        if isinstance(value, base):
            return base.__new__(base, value) if base is not int else int.__index__(value)
    if isinstance(value, (list, tuple)):
        copies = [plain(item, refer, depth + 1, grad) for item in value]
        return tuple(copies) if isinstance(value, tuple) else copies
    if isinstance(value, dict) and all(map(_is_key, value)):
        return {plain(key, refer): plain(item, refer, depth + 1, grad) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array(value, order="C", subok=False)
    if is_tensor(value):
        copied = value.detach().clone(memory_format=sys.modules["torch"].contiguous_format)
        return copied.requires_grad_() if grad and value.requires_grad else copied
    return refer(value)


def _is_key(key):
    if isinstance(key, tuple):
        return all(map(_is_key, key))
    return isinstance(key, (str, int, bytes, np.integer))


def is_tensor(value):
    """Whether it is a torch tensor, without importing torch for those who never did."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value):
    """A numpy array or a torch tensor."""
    return isinstance(value, np.ndarray) or is_tensor(value)


def as_numpy(value):
    """An array, tensor or number as numpy; bfloat16, which numpy lacks, as float32."""
    if is_tensor(value):
        value = value.float() if "bfloat16" in str(value.dtype) else value
        return value.detach().cpu().numpy()
    return np.asarray(value)


def same(a, b):
    """Whether two plain values are alike in every bit that shows: types, shapes, dtypes, values (NaN equals NaN), and
    whether a tensor asks for gradients."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if is_array(a):
        if getattr(a, "requires_grad", False) != getattr(b, "requires_grad", False):
            return False
        a, b = as_numpy(a), as_numpy(b)
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def describe(value):
    """What kind of thing it is, in words.

    >>> describe(np.zeros((2, 3))), describe([1, 2]), describe(None)
    ('a numpy array of shape (2, 3), float64', 'a list of 2', 'None')
    """
    if value is None:
        return "None"
    if is_array(value):
        kind = "a torch tensor" if is_tensor(value) else "a numpy array"
        return f"{kind} of shape {tuple(value.shape)}, {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, (list, tuple, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    names = {bool: "a bool", int: "a whole number (int)", float: "a number (float)", str: "a str", bytes: "bytes"}
    return names.get(type(value)) or getattr(value, "kind", f"a {type(value).__name__}")


def show(value, width=160):
    """A short text of a value, the same on every machine.

    >>> show([b"a", 1, 0.1234567])
    "[b'a', 1, 0.1235]"
    """
    text = _show(value)
    if len(text) <= width or "\n" in text:
        return text
    return f"{text[: width - 20].rstrip()} … ({describe(value)})"


def _show(value):
    if isinstance(value, float):
        return f"{value:.7g}" if value and abs(value) < 1e-3 else f"{round(value, 4):.10g}" + _point(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value[:60])) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_show, value[:60])) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_show(key)}: {_show(item)}" for key, item in list(value.items())[:30]) + "}"
    if is_array(value):
        return _show_array(as_numpy(value))
    return repr(value) if type(value) in (type(None), bool, int, str, bytes) else describe(value)


def _point(value):
    """Whole floats keep their ".0", so that 1.0 and 1 look different."""
    return ".0" if math.isfinite(value) and round(value, 4).is_integer() and abs(value) < 1e10 else ""


def _show_array(array):
    with np.printoptions(precision=4, suppress=True, threshold=40, edgeitems=3, linewidth=90):
        return np.array2string(array, separator=", ")
