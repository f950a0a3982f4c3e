"""Answers to 4.3, how many directions for 90 %."""

from bank import body, right, swap, wrong

EXERCISE = "4.3"
KEPT = "kept = np.cumsum(s**2) / np.sum(s**2)"
ANSWERS = [
    wrong("plain values", "plain values", swap(KEPT, "kept = np.cumsum(s) / np.sum(s)")),
    wrong("the place, not the rank", "one short", swap(".sum()) + 1", ".sum())")),
    wrong("one too many", "one long", swap(".sum()) + 1", ".sum()) + 2")),
    wrong("more than the share", "exactly", swap("kept < share - 1e-12", "kept <= share")),
    wrong(
        "searchsorted from the right",
        "exactly",
        body(
            "rank_for_energy",
            """
        kept = np.cumsum(s**2) / np.sum(s**2)
        return int(np.searchsorted(kept, share, side="right")) + 1
    """,
        ),
    ),
    wrong("values near the largest", "threshold", body("rank_for_energy", "return int((s >= share * s[0]).sum())")),
    wrong("values above a tenth", "threshold", body("rank_for_energy", "return int((s > (1 - share) * s[0]).sum())")),
    wrong("smallest first", "from the small end", swap(KEPT, "kept = np.cumsum(s[::-1]**2) / np.sum(s**2)")),
    wrong("a share of the norm", "of the norm", swap(KEPT, "kept = np.sqrt(np.cumsum(s**2) / np.sum(s**2))")),
    wrong("no room for rounding", "rounding", swap("share - 1e-12", "share")),
    wrong(
        "argmax of what never comes",
        "rounding",
        body(
            "rank_for_energy",
            """
        kept = np.cumsum(s**2) / np.sum(s**2)
        return int(np.argmax(kept >= share)) + 1
    """,
        ),
    ),
    wrong("a list of shares", "type", swap("return int(", "return kept\n    int(")),
    wrong("rounds the shares", "rounding", swap(KEPT, "kept = np.round(np.cumsum(s**2) / np.sum(s**2), 1)")),
    right(
        "searchsorted",
        body(
            "rank_for_energy",
            """
        energy = np.cumsum(s**2)
        return int(np.searchsorted(energy, (share - 1e-10) * energy[-1])) + 1
    """,
        ),
    ),
    right(
        "a loop",
        body(
            "rank_for_energy",
            """
        total, so_far = sum(float(value) ** 2 for value in s), 0.0
        for rank, value in enumerate(s, start=1):
            so_far += float(value) ** 2
            if so_far >= share * total - 1e-9 * total:
                return rank
        return len(s)
    """,
        ),
    ),
    right(
        "a numpy integer",
        body(
            "rank_for_energy",
            """
        kept = np.cumsum(np.square(s))
        return np.argmax(kept / kept[-1] >= share - 1e-12) + 1
    """,
        ),
    ),
]
SURVIVORS = {"rank_for_energy: kept < share - 1e-12 -> LtE": "no share is exactly 1e-12 short of its goal"}
