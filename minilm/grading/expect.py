"""What graded tests say: `@graded`, and the three ways to expect something: equal, close, require.

A failure is a Problem that tells wrong type, wrong shape, NaN and wrong value apart, shows what was given and what
was expected, and names the misconception: the test's own, or the one whose known wrong value was seen.

What this file does not do: run anything.
"""

from typing import NamedTuple

import numpy as np

from .answers import Handle
from .plain import NUMBERS, as_numpy, describe, is_array, is_tensor, show
from .problem import NO_RETURN, Problem
from .registry import exercise as find

TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-7}  # relative to the largest value


class Grade(NamedTuple):
    """What `@graded` hangs on a test, as its attribute `graded`."""

    exercise: str
    means: str | None
    raises: dict


def graded(exercise, means=None, raises=None):
    """Mark a test: which exercise it belongs to (its points are declared there), and what a failure points to.

    means: the misconception behind a wrong value, shape or NaN (unless a known value says another).
    raises: name of an exception, or "TooSlow" -> the misconception behind it.
    """
    declared = find(exercise)
    for key in (means, *(raises or {}).values()):
        if key is not None and key not in declared.misconceptions:
            raise KeyError(f"exercise {exercise} declares no misconception {key!r}")

    def mark(test):
        test.graded = Grade(exercise, means, raises or {})
        return test

    return mark


def equal(seen, expected, *, known=None, case=""):
    """`seen` must be exactly `expected` (numbers, str, bytes, lists, tuples, dicts of them).

    known: misconception -> the value that it gives, a dict or a list of pairs. A list may stand for a tuple and the
    other way round. case: as in `close`; also which part of the result this is ("m, the second of the three").
    """
    if _same(seen, expected):
        return
    means = _diagnose(seen, known, _same)
    _check_type(seen, expected, means, case)
    gave, wanted = show(seen), show(expected)
    if gave == wanted:  # cut in front of the place where they differ
        case = "\n".join(filter(None, [_first_difference(seen, expected), case]))
    raise Problem("value", _compared(gave, wanted, case), means)


def close(seen, expected, *, known=None, tolerance=None, case=""):
    """`seen` must be `expected` up to rounding: an array, a tensor or a number, of the same kind and shape.

    tolerance: relative to the largest expected value; default by the coarser dtype of the two. case: what a learner has
    to know to follow a wrong value by hand and cannot see in the call ("the norm is 2x + 1"), or which part of the
    result this is.
    """
    _check_type(seen, expected, _diagnose(seen, known, _same), case)
    means = _diagnose(seen, known, lambda a, b: _close(a, b, tolerance))
    if is_array(seen) and tuple(seen.shape) != as_numpy(expected).shape:
        raise Problem("shape", _compared(_shape(seen), _shape(expected), case), means)
    if np.isnan(as_numpy(seen).astype(float)).any() and not np.isnan(as_numpy(expected)).any():
        raise Problem("nan", _compared(show(seen), show(expected), case))
    if not _close(seen, expected, tolerance):
        raise Problem("value", _difference(seen, expected, case), means)


def require(condition, seen, means=None):
    """A property must hold; `seen` says what was seen instead."""
    if not condition:
        raise Problem("value", seen, means)


def is_object(seen, what):
    """`seen` must be an object that stays with the learner's code (a Handle), not plain data; returns it.

    what: what it should be, in words ("a tiktoken.Encoding").
    """
    if not isinstance(seen, Handle):
        raise Problem("type", _compared(_kind(seen), what))
    return seen


def like(seen, example):
    """`seen` must be of the same kind as `example`, whatever its value; returns it."""
    _check_type(seen, example, None)
    return seen


def parts(seen, count):
    """`seen` must be a tuple (or list) of `count` things; returns it, ready to be unpacked."""
    if not isinstance(seen, (tuple, list)) or len(seen) != count:
        raise Problem("type", _compared(_kind(seen), f"a tuple of {count}"))
    return seen


def shaped(seen, shape, name, means=None):
    """`seen` must be an array or a tensor of this shape; name: what to call it ("B")."""
    if not is_array(seen):
        raise Problem("type", f"{name} is {describe(seen)}, expected an array of shape {tuple(shape)}", means)
    if tuple(seen.shape) != tuple(shape):
        raise Problem("shape", f"{name} has shape {tuple(seen.shape)}, expected {tuple(shape)}", means)
    return seen


def _check_type(seen, expected, means, case=""):
    if not _type_fits(seen, expected):
        raise Problem("type", _compared(_kind(seen), describe(expected), case), means)
    if isinstance(expected, (list, tuple)) and len(seen) == len(expected):
        for number, (one, other) in enumerate(zip(seen, expected, strict=True)):
            if not _type_fits(one, other):
                gave = f"item {number} is {describe(one)}: {show(one, 60)}"
                raise Problem("type", _compared(gave, describe(other), case), means)


def _type_fits(seen, expected):
    if isinstance(expected, (list, tuple)):
        return isinstance(seen, (list, tuple))
    if is_array(expected):
        return is_tensor(seen) if is_tensor(expected) else isinstance(seen, np.ndarray)
    if isinstance(expected, bool) or isinstance(seen, bool):
        return isinstance(expected, bool) and isinstance(seen, bool)
    if isinstance(expected, float):
        return isinstance(seen, NUMBERS) or (is_array(seen) and tuple(seen.shape) == ())
    if isinstance(expected, int) and is_array(seen):
        return tuple(seen.shape) == () and as_numpy(seen).dtype.kind in "iu"
    return type(seen) is type(expected)


def _same(seen, expected):
    """Equal, and of fitting types all the way down."""
    if not _type_fits(seen, expected):
        return False
    if isinstance(expected, (list, tuple)):
        return len(seen) == len(expected) and all(map(_same, seen, expected))
    if isinstance(expected, dict):
        return seen.keys() == expected.keys() and all(_same(seen[key], expected[key]) for key in expected)
    return as_numpy(seen).tolist() == as_numpy(expected).tolist() if is_array(expected) else bool(seen == expected)


def _close(seen, expected, tolerance):
    a, b = as_numpy(seen), as_numpy(expected)
    if a.shape != b.shape:
        return False
    if tolerance is None:  # what was computed in float32 on one side is only as exact as float32 on both
        tolerance = max(_tolerance(seen), _tolerance(expected))
    largest = max(np.abs(b[np.isfinite(b)]).max(initial=0.0), 1e-6)
    return np.allclose(a.astype(float), b.astype(float), rtol=0, atol=tolerance * largest, equal_nan=True)


def _tolerance(value):
    name = str(getattr(value, "dtype", "float64")).removeprefix("torch.")
    return TOLERANCE.get(name, TOLERANCE["float64"])


def _diagnose(seen, known, alike):
    """The misconception whose known wrong value was seen, or None."""
    pairs = known.items() if isinstance(known, dict) else known or ()
    return next((key for key, wrong in pairs if _type_fits(seen, wrong) and alike(seen, wrong)), None)


def _kind(seen):
    return describe(seen) + (f". {NO_RETURN}" if seen is None else "")


def _shape(value):
    return f"shape {tuple(as_numpy(value).shape)}"


def _compared(gave, wanted, case=""):
    """Both, one below the other, and what a learner has to know beside them."""
    lines = [f"gave      {_indent(gave)}", f"expected  {_indent(wanted)}", case]
    return "\n".join(filter(None, lines))


def _first_difference(seen, expected):
    """The first item that differs, for two long lists that look alike where they are shown."""
    if not isinstance(expected, (list, tuple)) or len(seen) != len(expected):
        return ""
    pairs = enumerate(zip(seen, expected, strict=True))
    place, (one, other) = next((place, pair) for place, pair in pairs if not _same(*pair))
    return f"at [{place}]  gave {show(one, 60)}, expected {show(other, 60)}"


def _difference(seen, expected, case=""):
    """Both values when they are small, else the place where they differ most."""
    a, b = as_numpy(seen).astype(float), as_numpy(expected).astype(float)
    if a.size <= 12:
        gave, wanted = show(seen), show(expected)
        if gave == wanted:
            gave, wanted = repr(a.tolist()), repr(b.tolist())
        return _compared(gave, wanted, case)
    place = np.unravel_index(np.nanargmax(np.abs(a - b)), a.shape)
    where = ", ".join(map(str, place))
    gave, wanted = f"{a[place]:.6g}", f"{b[place]:.6g}"
    if gave == wanted:
        gave, wanted = repr(float(a[place])), repr(float(b[place]))
    found = f"at [{where}]  gave {gave}, expected {wanted}, in an array of shape {a.shape}"
    return "\n".join(filter(None, [found, case]))


def _indent(text):
    return text.replace("\n", "\n          ")
