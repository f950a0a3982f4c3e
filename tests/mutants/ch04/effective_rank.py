"""Answers to 4.5, effective rank."""

from bank import body, right, swap, wrong

EXERCISE = "4.5"
RETURN = "return float(np.exp(-(p * np.log(p)).sum()))"
ANSWERS = [
    wrong("the entropy", "entropy", swap("np.exp(-(p * np.log(p)).sum())", "-(p * np.log(p)).sum()")),
    wrong("shares of the squares", "squares", swap("p = s / s.sum()", "p = s**2 / (s**2).sum()")),
    wrong("no shares", "no shares", swap("p = s / s.sum()", "p = s")),
    wrong("shares of the largest", "value", swap("p = s / s.sum()", "p = s / s.max() / 2")),
    wrong(
        "zeros stay in",
        "zeros",
        body(
            "effective_rank",
            """
        if not s.any():
            return 0.0
        p = s / s.sum()
        return float(np.exp(-(p * np.log(p)).sum()))
    """,
        ),
    ),
    wrong("two to the nats", "base 2", swap("np.exp(-(p * np.log(p)).sum())", "2 ** -(p * np.log(p)).sum()")),
    wrong("e to the bits", "base 2", swap("np.log(p)", "np.log2(p)")),
    wrong("no minus", "sign", swap("np.exp(-(", "np.exp((")),
    wrong("counts the values", "count", swap(RETURN, "return float(len(s))")),
    wrong("the stable rank", "stable rank", swap(RETURN, "return float((s**2).sum() / s.max() ** 2)")),
    wrong("no look at a matrix of zeros", "all zero", swap("    if len(s) == 0:\n        return 0.0\n", "")),
    wrong("one direction for a matrix of zeros", "all zero", swap("return 0.0", "return 1.0")),
    wrong(
        "scaled by the largest in advance",
        "no shares",
        swap("p = s / s.sum()", "p = s / s.sum() if s.sum() < 1000 else s / 1000"),
    ),
    wrong("a list", "type", swap(RETURN, "return [float(np.exp(-(p * np.log(p)).sum()))]")),
    wrong("scales in place", "mutated", swap("s = s[s > 0]", "s /= max(s.sum(), 1.0)\n    s = s[s > 0]")),
    right(
        "a sum with where",
        body(
            "effective_rank",
            """
        if s.sum() == 0:
            return 0
        p = s / s.sum()
        return np.exp(-np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0)))
    """,
        ),
    ),
    right(
        "a product of powers",
        body(
            "effective_rank",
            """
        total = s.sum()
        return float(np.prod([(value / total) ** (-value / total) for value in s if value > 0])) if total else 0.0
    """,
        ),
    ),
    right("bits on both sides", swap(RETURN, "return float(2.0 ** -(p * np.log2(p)).sum())")),
    right(
        "in float32",
        swap("s = s[s > 0]", "s = s[s > 0].astype(np.float32)"),
        swap(RETURN, "return np.asarray(np.exp(-(p * np.log(p)).sum()))"),
    ),
]
