"""Answers to 3.8, top-p."""

from bank import body, right, swap, wrong

EXERCISE = "3.8"
SORT = "probabilities, order = logits.softmax(0).sort(descending=True)"
BEFORE = "before = probabilities.cumsum(0) - probabilities"
KEPT = "kept = order[before < p]"
EMPTY = "filtered = torch.full_like(logits, -torch.inf)"
RETURN = "return filtered"
ANSWERS = [
    wrong("drops the token that crosses", "crossing", swap(KEPT, "kept = order[before + probabilities <= p]")),
    wrong(
        "drops it, but never all",
        "crossing",
        swap(KEPT, "kept = order[: max(1, int((before + probabilities <= p).sum()))]"),
    ),
    wrong(
        "moves the mask by two",
        "one more",
        swap(KEPT, "n = int((before < p).sum())\n    kept = order[: n + 1] if n > 1 else order[:1]"),
    ),
    wrong("one more where the sum is exactly p", "one more", swap("before < p", "before <= p")),
    wrong(
        "moves the mask by one, above p",
        "one more",
        body(
            "top_p",
            """
        ranked, order = torch.sort(logits, descending=True)
        out = ranked.softmax(-1).cumsum(-1) > p
        out[1:] = out[:-1].clone()
        out[0] = False
        return logits.masked_fill(out.scatter(0, order, out), float("-inf"))
    """,
        ),
    ),
    wrong("the unlikeliest first", "smallest first", swap("descending=True", "descending=False")),
    wrong(
        "the unlikeliest first, without the crossing one",
        "smallest first",
        swap("descending=True", "descending=False"),
        swap(KEPT, "kept = order[before + probabilities <= p]"),
    ),
    wrong(
        "does not sort",
        "unsorted",
        swap(SORT, "probabilities, order = logits.softmax(0), torch.arange(len(logits))"),
    ),
    wrong("the mask stays in the sorted row", "places", swap(KEPT, "kept = before < p")),
    wrong(
        "returns the sorted row",
        "places",
        swap("filtered[kept] = logits[kept]", "filtered[before < p] = logits[kept]"),
    ),
    wrong("adds up the logits", "not shares", swap("logits.softmax(0).sort", "logits.sort")),
    wrong("each token on its own", "one by one", swap(KEPT, "kept = order[probabilities >= p]")),
    wrong(
        "compared with the likeliest", "one by one", swap(KEPT, "kept = order[probabilities >= p * probabilities[0]]")
    ),
    wrong(
        "drops what should stay",
        "other way round",
        swap(EMPTY, "filtered = logits.clone()"),
        swap("filtered[kept] = logits[kept]", "filtered[kept] = -torch.inf"),
    ),
    wrong("zeros in place of -inf", "zeros", swap("torch.full_like(logits, -torch.inf)", "torch.zeros_like(logits)")),
    wrong("a large negative number", "finite", swap("-torch.inf", "-1e9")),
    wrong("a softmax at the end", "probabilities", swap(RETURN, "return filtered.softmax(0)")),
    wrong(
        "masked probabilities",
        "probabilities",
        swap(
            "filtered[kept] = logits[kept]", "filtered = filtered.exp()\n    filtered[kept] = logits.softmax(0)[kept]"
        ),
    ),
    wrong("only the values", "values only", swap(RETURN, "return logits[kept]")),
    wrong(
        "as likely as the last one kept",
        "ties",
        swap(RETURN, "return logits.masked_fill(logits < logits[kept].min(), -torch.inf)"),
    ),
    wrong(
        "subtracts the smallest logit",
        "infinite",
        swap("logits.softmax(0)", "((logits - logits.min()).exp() / (logits - logits.min()).exp().sum())"),
    ),
    wrong(
        "in the logits themselves",
        "mutated",
        swap(EMPTY, "filtered = logits"),
        swap("filtered[kept] = logits[kept]", "filtered[order[before >= p]] = -torch.inf"),
    ),
    right(
        "moves the mask by one",
        body(
            "top_p",
            """
        ranked, order = torch.sort(logits, descending=True)
        out = ranked.softmax(-1).cumsum(-1) >= p
        out[1:] = out[:-1].clone()
        out[0] = False
        return logits.masked_fill(out.scatter(0, order, out), float("-inf"))
    """,
        ),
    ),
    right(
        "a loop",
        body(
            "top_p",
            """
        shares = torch.softmax(logits, 0).tolist()
        filtered, total = torch.full_like(logits, -math.inf), 0.0
        for token in sorted(range(len(shares)), key=lambda token: shares[token], reverse=True):
            filtered[token] = logits[token]
            total += shares[token]
            if total >= p:
                return filtered
        return filtered
    """,
        ),
    ),
    right(
        "searches for the place",
        body(
            "top_p",
            """
        shares, order = logits.double().softmax(0).sort(descending=True)
        n = int(torch.searchsorted(shares.cumsum(0), p)) + 1
        filtered = logits.clone()
        filtered[order[n:]] = -torch.inf
        return filtered
    """,
        ),
    ),
]
