"""What graded tests say: `@graded`, and the three ways to expect something: equal, close, require.

A failure is a Problem that tells wrong type, wrong shape, NaN and wrong value apart, shows what was given and what
was expected, and names the misconception: the test's own, or the one whose known wrong value was seen.

What this file does not do: run anything.
"""

from typing import NamedTuple

import numpy as np

from .answers import Handle
from .plain import NUMBERS, as_numpy, describe, is_array, is_tensor, show
from .problem import Problem
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


def equal(seen, expected, *, known=None):
    """`seen` must be exactly `expected` (numbers, str, bytes, lists, tuples, dicts of them).

    known: misconception -> the value that it gives, a dict or a list of pairs. A list may stand for a tuple and the
    other way round.
    """
    if _same(seen, expected):
        return
    means = _diagnose(seen, known, _same)
    _check_type(seen, expected, means)
    raise Problem("value", f"gave      {show(seen)}\nexpected  {show(expected)}", means)


def close(seen, expected, *, known=None, tolerance=None, case=""):
    """`seen` must be `expected` up to rounding: an array, a tensor or a number, of the same kind and shape.

    tolerance: relative to the largest expected value; default by the dtype of what was seen. case: what a learner has
    to know to follow a wrong value by hand and cannot see in the call ("the norm is 2x + 1").
    """
    _check_type(seen, expected, _diagnose(seen, known, _same))
    means = _diagnose(seen, known, lambda a, b: _close(a, b, tolerance))
    if is_array(seen) and tuple(seen.shape) != as_numpy(expected).shape:
        raise Problem("shape", f"gave      {_shape(seen)}\nexpected  {_shape(expected)}", means)
    if np.isnan(as_numpy(seen).astype(float)).any() and not np.isnan(as_numpy(expected)).any():
        raise Problem("nan", f"gave      {show(seen)}\nexpected  {show(expected)}")
    if not _close(seen, expected, tolerance):
        raise Problem("value", "\n".join(filter(None, [_difference(seen, expected), case])), means)


def require(condition, seen, means=None):
    """A property must hold; `seen` says what was seen instead."""
    if not condition:
        raise Problem("value", seen, means)


def is_object(seen, what):
    """`seen` must be an object that stays with the learner's code (a Handle), not plain data; returns it.

    what: what it should be, in words ("a tiktoken.Encoding").
    """
    if not isinstance(seen, Handle):
        extra = ". Is a `return` missing?" if seen is None else ""
        raise Problem("type", f"gave      {describe(seen)}{extra}\nexpected  {what}")
    return seen


def like(seen, example):
    """`seen` must be of the same kind as `example`, whatever its value; returns it."""
    _check_type(seen, example, None)
    return seen


def parts(seen, count):
    """`seen` must be a tuple (or list) of `count` things; returns it, ready to be unpacked."""
    if not isinstance(seen, (tuple, list)) or len(seen) != count:
        raise Problem("type", f"gave      {describe(seen)}\nexpected  a tuple of {count}")
    return seen


def shaped(seen, shape, name, means=None):
    """`seen` must be an array or a tensor of this shape; name: what to call it ("B")."""
    if not is_array(seen):
        raise Problem("type", f"{name} is {describe(seen)}, expected an array of shape {tuple(shape)}", means)
    if tuple(seen.shape) != tuple(shape):
        raise Problem("shape", f"{name} has shape {tuple(seen.shape)}, expected {tuple(shape)}", means)
    return seen


def _check_type(seen, expected, means):
    if not _type_fits(seen, expected):
        extra = ". Is a `return` missing?" if seen is None else ""
        raise Problem("type", f"gave      {describe(seen)}{extra}\nexpected  {describe(expected)}", means)
    if isinstance(expected, (list, tuple)) and len(seen) == len(expected):
        for number, (one, other) in enumerate(zip(seen, expected, strict=True)):
            if not _type_fits(one, other):
                gave = f"item {number} is {describe(one)}: {show(one, 60)}"
                raise Problem("type", f"gave      {gave}\nexpected  {describe(other)}", means)


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
    if tolerance is None:
        name = str(getattr(seen, "dtype", "float64")).removeprefix("torch.")
        tolerance = TOLERANCE.get(name, 1e-7)
    largest = max(np.abs(b[np.isfinite(b)]).max(initial=0.0), 1e-6)
    return np.allclose(a.astype(float), b.astype(float), rtol=0, atol=tolerance * largest, equal_nan=True)


def _diagnose(seen, known, alike):
    """The misconception whose known wrong value was seen, or None."""
    pairs = known.items() if isinstance(known, dict) else known or ()
    return next((key for key, wrong in pairs if _type_fits(seen, wrong) and alike(seen, wrong)), None)


def _shape(value):
    return f"shape {tuple(as_numpy(value).shape)}"


def _difference(seen, expected):
    """Both values when they are small, else the place where they differ most."""
    a, b = as_numpy(seen).astype(float), as_numpy(expected).astype(float)
    if a.size <= 12:
        gave, wanted = show(seen), show(expected)
        if gave == wanted:
            gave, wanted = repr(a.tolist()), repr(b.tolist())
        return f"gave      {_indent(gave)}\nexpected  {_indent(wanted)}"
    place = np.unravel_index(np.nanargmax(np.abs(a - b)), a.shape)
    where = ", ".join(map(str, place))
    return f"at [{where}]  gave {a[place]:.6g}, expected {b[place]:.6g}, in an array of shape {a.shape}"


def _indent(text):
    return text.replace("\n", "\n          ")
