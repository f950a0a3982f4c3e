"""Answers to 4.7, the rank of what training changed."""

from bank import body, right, swap, wrong

EXERCISE = "4.7"
DELTA = "after[name] - before[name]"
RANK = "rank_for_energy(np.linalg.svd(delta, compute_uv=False), share)"
ANSWERS = [
    wrong("the trained weight", "trained weight", swap("np.linalg.svd(delta,", "np.linalg.svd(after[name],")),
    wrong("takes vectors along", "vectors", swap("delta.ndim == 2 and ", "")),
    wrong(
        "vectors as matrices of one row",
        "vectors",
        swap("delta.ndim == 2 and delta.any()", "delta.any()"),
        swap("np.linalg.svd(delta,", "np.linalg.svd(np.atleast_2d(delta),"),
    ),
    wrong("unchanged ones too", "unchanged", swap(" and delta.any()", "")),
    wrong(
        "unchanged ones as 0",
        "unchanged",
        swap("    return ranks", "    return {name: ranks.get(name, 0) for name in after if after[name].ndim == 2}"),
    ),
    wrong("relative to the weight", "relative", swap(DELTA, "(after[name] - before[name]) / before[name]")),
    wrong("always 90 %", "share ignored", swap(", share)", ", 0.9)")),
    wrong("the exact rank", "exact rank", swap(RANK, "int(np.linalg.matrix_rank(delta))")),
    wrong("a list", "type", swap("return ranks", "return list(ranks.values())")),
    wrong(
        "subtracts in place",
        "mutated",
        swap("delta = after[name] - before[name]", "delta = after[name]\n        delta -= before[name]"),
    ),
    wrong(
        "None for what is left out",
        "unchanged",
        swap("    return ranks", "    return {name: ranks.get(name) for name in after}"),
        swap("ranks = {}", "ranks = {}  # None"),
    ),
    wrong("the first name only", "value", swap("    return ranks", "    return dict(list(ranks.items())[:0])")),
    right(
        "a comprehension",
        body(
            "update_ranks",
            """
        deltas = {name: after[name] - old for name, old in before.items()}
        return {
            name: rank_for_energy(np.linalg.svd(delta)[1], share)
            for name, delta in deltas.items() if delta.ndim == 2 and not np.array_equal(delta, np.zeros_like(delta))
        }
    """,
        ),
    ),
    right("the other sign", swap(DELTA, "before[name] - after[name]")),
    right("in float64 after all", swap(DELTA, "np.asarray(after[name], dtype=float) - before[name]")),
]
