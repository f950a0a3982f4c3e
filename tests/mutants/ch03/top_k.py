"""Answers to 3.7, top-k."""

from bank import body, right, swap, wrong

EXERCISE = "3.7"
KEPT = "kept = logits.topk(min(k, len(logits))).indices"
EMPTY = "filtered = torch.full_like(logits, -torch.inf)"
RETURN = "return filtered"
THRESHOLD = "return logits.masked_fill(logits {test} logits.sort(descending=True).values[{place}], -torch.inf)"
ANSWERS = [
    wrong("zeros in place of -inf", "zeros", swap("torch.full_like(logits, -torch.inf)", "torch.zeros_like(logits)")),
    wrong(
        "multiplies by a mask",
        "zeros",
        body("top_k", "return logits * (logits >= logits.topk(min(k, len(logits))).values[-1])"),
    ),
    wrong("a large negative number", "finite", swap("-torch.inf", "-1e9")),
    wrong("the smallest number there is", "finite", swap("-torch.inf", "torch.finfo(logits.dtype).min")),
    wrong("the smallest", "smallest", swap("min(k, len(logits)))", "min(k, len(logits)), largest=False)")),
    wrong("the first k of the sorted ids", "smallest", swap(KEPT, "kept = logits.argsort()[:k]")),
    wrong(
        "stays sorted",
        "places",
        body(
            "top_k",
            """
        ranked = logits.sort(descending=True).values
        ranked[k:] = -torch.inf
        return ranked
    """,
        ),
    ),
    wrong("the first k ids", "places", swap(KEPT, "kept = torch.arange(len(logits))[:k]")),
    wrong("a softmax at the end", "probabilities", swap(RETURN, "return filtered.softmax(0)")),
    wrong(
        "masked probabilities",
        "probabilities",
        swap(EMPTY, "logits = logits.softmax(0)\n    filtered = torch.zeros_like(logits)"),
    ),
    wrong(
        "drops what should stay",
        "other way round",
        swap(EMPTY, "filtered = logits.clone()"),
        swap("filtered[kept] = logits[kept]", "filtered[kept] = -torch.inf"),
    ),
    wrong(
        "more than the k-th", "one fewer", body("top_k", THRESHOLD.format(test="<=", place="min(k, len(logits)) - 1"))
    ),
    wrong(
        "place k in place of k - 1",
        "one more",
        body("top_k", THRESHOLD.format(test="<", place="min(k, len(logits) - 1)")),
    ),
    wrong("only the values", "values only", swap(RETURN, "return logits[kept]")),
    wrong("the ids", "values only", swap(RETURN, "return kept")),
    wrong("a threshold", "ties", body("top_k", THRESHOLD.format(test="<", place="min(k, len(logits)) - 1"))),
    wrong("no limit for k", "large k", swap("min(k, len(logits))", "k")),
    wrong(
        "reads place k - 1 of V",
        "large k",
        body(
            "top_k",
            """
        order = logits.argsort(descending=True)
        last = order[k - 1]
        stays = order.tolist().index(last)
        filtered = torch.full_like(logits, -torch.inf)
        filtered[order[: stays + 1]] = logits[order[: stays + 1]]
        return filtered
    """,
        ),
    ),
    wrong(
        "in the logits themselves",
        "mutated",
        body(
            "top_k",
            """
        order = logits.argsort(descending=True)
        logits[order[k:]] = -torch.inf
        return logits
    """,
        ),
    ),
    right(
        "by a sort",
        body(
            "top_k",
            """
        filtered = logits.clone()
        filtered[logits.argsort(descending=True)[k:]] = -torch.inf
        return filtered
    """,
        ),
    ),
    right(
        "scatter",
        body(
            "top_k",
            """
        best = torch.topk(logits, min(k, logits.numel()))
        return torch.full_like(logits, float("-inf")).scatter(0, best.indices, best.values)
    """,
        ),
    ),
    right(
        "one after the other",
        body(
            "top_k",
            """
        left, kept = logits.tolist(), []
        for _ in range(min(k, len(left))):
            best = max((place for place in range(len(left)) if place not in kept), key=lambda place: left[place])
            kept.append(best)
        return torch.tensor([logit if place in kept else -math.inf for place, logit in enumerate(left)])
    """,
        ),
    ),
    right(
        "a mask of ranks",
        body(
            "top_k",
            """
        ranks = logits.argsort(descending=True, stable=True).argsort()
        return torch.where(ranks < k, logits, -torch.inf)
    """,
        ),
    ),
]
SURVIVORS = {
    "top_k: min(k, len(logits)) -> arguments swapped": "the smaller of two numbers is the same either way",
}
