"""Answers to 4.2, the error without building it."""

from bank import body, right, swap, wrong

EXERCISE = "4.2"
RETURN = "return float(np.sqrt((dropped**2).sum())), float(dropped.max(initial=0.0))"
ANSWERS = [
    wrong("the norm of what was kept", "kept", swap("s[rank:]", "s[:rank]")),
    wrong("a plain sum", "plain sum", swap("np.sqrt((dropped**2).sum())", "dropped.sum()")),
    wrong("no root", "no root", swap("np.sqrt((dropped**2).sum())", "(dropped**2).sum()")),
    wrong("the spectral error is a sum too", "spectral sum", swap("dropped.max(initial=0.0)", "dropped.sum()")),
    wrong(
        "the spectral error is the smallest",
        "spectral sum",
        swap("dropped.max(initial=0.0)", "dropped.min(initial=1e9)"),
    ),
    wrong("the last value kept", "largest kept", swap("dropped.max(initial=0.0)", "s[rank - 1]")),
    wrong(
        "spectral first",
        "swapped",
        swap(RETURN, "return float(dropped.max(initial=0.0)), float(np.sqrt((dropped**2).sum()))"),
    ),
    wrong(
        "a share of the whole",
        "relative",
        swap("np.sqrt((dropped**2).sum())", "np.sqrt((dropped**2).sum() / (s**2).sum())"),
    ),
    wrong("max of nothing", "nothing dropped", swap("dropped.max(initial=0.0)", "dropped.max()")),
    wrong("s[rank] at full rank", "nothing dropped", swap("dropped.max(initial=0.0)", "s[rank]")),
    wrong("the mean of the squares", "value", swap(".sum())", ".mean())")),
    wrong("one number", "type", swap(RETURN, "return float(np.sqrt((dropped**2).sum()))")),
    wrong("squares in place", "mutated", swap("dropped = s[rank:]", "s **= 2\n    dropped = np.sqrt(s[rank:])")),
    right("numpy's norm", swap(RETURN, "return np.linalg.norm(dropped), max(dropped, default=0.0)")),
    right(
        "plain Python",
        body(
            "truncation_error",
            """
        dropped = list(s)[rank:]
        return sum(value**2 for value in dropped) ** 0.5, dropped[0] if dropped else 0
    """,
        ),
    ),
    right(
        "whole minus kept",
        body(
            "truncation_error",
            """
        padded = np.append(s, 0.0)
        return float(np.sqrt(np.square(padded[rank:]).sum())), padded[rank]
    """,
        ),
    ),
]
