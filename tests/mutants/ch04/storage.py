"""Answers to 4.4, where two factors stop paying."""

from bank import body, right, swap, wrong

EXERCISE = "4.4"
SIZE = "rank * (out_features + in_features)"
RANK = "out_features * in_features // (out_features + in_features)"
ANSWERS = [
    wrong("twice the first side", "square", swap(SIZE, "2 * out_features * rank")),
    wrong("twice the larger side", "square", swap(SIZE, "2 * max(out_features, in_features) * rank")),
    wrong("twice the smaller side", "value", swap(SIZE, "2 * min(out_features, in_features) * rank")),
    wrong("a middle matrix", "rank squared", swap(SIZE, f"{SIZE} + rank**2")),
    wrong("only B", "one factor", swap(SIZE, "rank * out_features")),
    wrong("the full matrix", "product", swap(SIZE, "out_features * in_features")),
    wrong("rounds up", "rounded up", swap(RANK, "-(-out_features * in_features // (out_features + in_features))")),
    wrong("rounds", "rounded up", swap(RANK, "round(out_features * in_features / (out_features + in_features))")),
    wrong("half the smaller side", "half side", swap(RANK, "min(out_features, in_features) // 2")),
    wrong("strictly fewer", "strictly", swap(RANK, "(out_features * in_features - 1) // (out_features + in_features)")),
    wrong("a fraction", "float", swap(RANK, "out_features * in_features / (out_features + in_features)")),
    wrong("a whole float", "type", swap(RANK, "float(out_features * in_features // (out_features + in_features))")),
    wrong(
        "a search that never ends",
        "slow",
        body(
            "factor_size",
            """
        total = 0
        while total < out_features + in_features:
            total += 0
        return total * rank
    """,
        ),
        endless=True,
    ),
    right("one factor after the other", swap(SIZE, "out_features * rank + rank * in_features")),
    right("by search", body("factor_size", "return sum([out_features, in_features]) * rank")),
    right(
        "the sizes of arrays",
        body("factor_size", "return np.zeros((out_features, rank)).size + np.zeros((rank, in_features)).size"),
    ),
]
