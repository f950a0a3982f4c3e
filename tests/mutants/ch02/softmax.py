"""Answers to 2.1, a softmax that never overflows."""

from bank import body, right, swap, wrong

EXERCISE = "2.1"
POWERS = "np.exp(x - x.max(axis=axis, keepdims=True))"
RETURN = "return powers / powers.sum(axis=axis, keepdims=True)"
ANSWERS = [
    wrong("nothing subtracted", "overflow", swap(POWERS, "np.exp(x)")),
    wrong("adds the maximum", "overflow", swap("x - x.max", "x + x.max")),
    wrong("clips", "clipped", swap(POWERS, "np.exp(np.clip(x, -500, 500))")),
    wrong("one maximum for all", "one maximum", swap(POWERS, "np.exp(x - x[np.isfinite(x)].max())")),
    wrong("takes the mean off", "minus infinity", swap(POWERS, "np.exp(x - x.mean(axis=axis, keepdims=True))")),
    wrong("takes the smallest off", "minus infinity", swap("x.max(", "x.min(")),
    wrong("the largest absolute value", "overflow", swap("x.max(", "np.abs(x).max(")),
    wrong("divides by the maximum", "scaled", swap("x - x.max", "x / x.max")),
    wrong(
        "always the last axis",
        "axis",
        body("softmax", "axis = -1\n" + "p = " + POWERS + "\nreturn p / p.sum(axis, keepdims=True)"),
    ),
    wrong(
        "always the first axis",
        "axis",
        body("softmax", "axis = 0\n" + "p = " + POWERS + "\nreturn p / p.sum(axis, keepdims=True)"),
    ),
    wrong("rows when asked for columns", "axis", swap("powers.sum(axis=axis", "powers.sum(axis=x.ndim - 1")),
    wrong("the sum of everything", "whole array", swap(RETURN, "return powers / powers.sum()")),
    wrong(
        "everything at once",
        "whole array",
        body("softmax", "powers = np.exp(x - x.max())\nreturn powers / powers.sum()"),
    ),
    wrong("the maximum loses its axis", "keepdims", swap("x.max(axis=axis, keepdims=True)", "x.max(axis=axis)")),
    wrong("the sum loses its axis", "keepdims", swap("powers.sum(axis=axis, keepdims=True)", "powers.sum(axis=axis)")),
    wrong("no exponential", "no exponential", body("softmax", "return x / x.sum(axis=axis, keepdims=True)")),
    wrong("no division", "not divided", swap(RETURN, "return powers")),
    wrong("exponentials alone", "not divided", body("softmax", "return np.exp(x)")),
    wrong("base 2", "base", swap("np.exp(", "np.exp2(")),
    wrong("the logarithm", "logarithm", swap(RETURN, "return np.log(powers / powers.sum(axis=axis, keepdims=True))")),
    wrong(
        "row by row into an array of the same kind",
        "whole numbers",
        body(
            "softmax",
            """
        result = np.zeros_like(x)
        moved, target = np.moveaxis(x, axis, -1), np.moveaxis(result, axis, -1)
        for place in np.ndindex(moved.shape[:-1]):
            powers = np.exp(moved[place] - moved[place].max())
            target[place] = powers / powers.sum()
        return result
    """,
        ),
    ),
    wrong(
        "divides a copy in place",
        "whole numbers",
        body(
            "softmax",
            """
        result = x.copy()
        result -= x.max(axis=axis, keepdims=True)
        np.exp(result, out=result)
        result /= result.sum(axis=axis, keepdims=True)
        return result
    """,
        ),
    ),
    wrong(
        "subtracts in place", "mutated", swap("powers = np", "x -= x.max(axis=axis, keepdims=True)\n    powers = np")
    ),
    wrong("a list", "type", swap(RETURN, "return (powers / powers.sum(axis=axis, keepdims=True)).tolist()")),
    right(
        "minus the logarithm of the sum",
        body(
            "softmax",
            """
        largest = np.max(x, axis, keepdims=True)
        return np.exp(x - largest - np.log(np.exp(x - largest).sum(axis, keepdims=True)))
    """,
        ),
    ),
    right(
        "along one axis at a time",
        body(
            "softmax",
            """
        def one(row):
            powers = np.exp(row - row.max())
            return powers / sum(powers)

        return np.apply_along_axis(one, axis, x.astype(float))
    """,
        ),
    ),
    right(
        "the axis put back by hand",
        body(
            "softmax",
            """
        powers = np.exp(x - np.expand_dims(x.max(axis), axis))
        return powers / np.expand_dims(powers.sum(axis), axis)
    """,
        ),
    ),
    right("torch's own", body("softmax", "return torch.softmax(torch.from_numpy(x).double(), axis).numpy()")),
    right(
        "in float32",
        body(
            "softmax",
            """
        small = (x - x.max(axis=axis, keepdims=True)).astype(np.float32)
        return np.exp(small) / np.exp(small).sum(axis=axis, keepdims=True)
    """,
        ),
    ),
]
