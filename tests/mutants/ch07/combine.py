"""Answers to 7.3, add adapters by their ranks."""

from bank import body, right, swap, wrong

EXERCISE = "7.3"
RETURN = "return A, B, float(len(A))"
SCALED = "w * alpha / len(A) * B"
STACKED = "A = torch.cat([A for A, B, alpha in adapters])"
TWICE = "A = torch.cat([%s * A for w, (A, B, alpha) in zip(weights, adapters)])"
ANSWERS = [
    wrong("no gamma", "no gamma", swap(SCALED, "w * B")),
    wrong("alpha for gamma", "no gamma", swap(SCALED, "w * alpha * B")),
    wrong("gamma in both factors", "gamma twice", swap(STACKED, TWICE % "alpha / len(A)")),
    wrong("the first adapter's alpha", "result gamma", swap(RETURN, "return A, B, adapters[0][2]")),
    wrong("gamma 1 is alpha 1", "result gamma", swap(RETURN, "return A, B, 1.0")),
    wrong("the sum of the alphas", "result gamma", swap(RETURN, "return A, B, float(sum(a for _, _, a in adapters))")),
    wrong(
        "alphas and ranks added, factors as they are",
        "shared gamma",
        swap(SCALED, "w * B"),
        swap(RETURN, "return A, B, float(sum(a for _, _, a in adapters))"),
    ),
    wrong(
        "the gamma of the first for all",
        "shared gamma",
        swap(SCALED, "w * adapters[0][2] / len(adapters[0][0]) * B"),
    ),
    wrong(
        "the gamma of the last for all",
        "shared gamma",
        swap(SCALED, "w * adapters[-1][2] / len(adapters[-1][0]) * B"),
    ),
    wrong("no weights", "weights ignored", swap(SCALED, "alpha / len(A) * B")),
    wrong("weights in both factors", "weight twice", swap(STACKED, TWICE % "w")),
    wrong(
        "the root of each weight in each factor",
        "weight twice",
        swap(STACKED, TWICE % "abs(w) ** 0.5"),
        swap(SCALED, "abs(w) ** 0.5 * alpha / len(A) * B"),
    ),
    wrong(
        "adds the factors",
        "added",
        body(
            "combine",
            """
        A = sum(A for A, B, alpha in adapters)
        B = sum(w * alpha / len(A) * B for w, (A, B, alpha) in zip(weights, adapters))
        return A, B, float(len(A))
    """,
        ),
    ),
    wrong(
        "adds the factors of equal rank",
        "added",
        body(
            "combine",
            """
        scaled = [w * alpha / len(A) * B for w, (A, B, alpha) in zip(weights, adapters)]
        if len({len(A) for A, _, _ in adapters}) == 1:
            A, B = sum(A for A, _, _ in adapters), sum(scaled)
        else:
            A, B = torch.cat([A for A, _, _ in adapters]), torch.cat(scaled, dim=1)
        return A, B, float(len(A))
    """,
        ),
    ),
    wrong("B's below each other", "added", swap("dim=1", "dim=0")),
    wrong("A's side by side", "added", swap(STACKED, "A = torch.cat([A for A, B, alpha in adapters], dim=1)")),
    wrong("B first", "order", swap(RETURN, "return B, A, float(len(A))")),
    wrong("no alpha", "type", swap(RETURN, "return A, B")),
    wrong("the change itself", "type", swap(RETURN, "return B @ A")),
    wrong("scales in place", "mutated", swap(SCALED, "B.mul_(w * alpha / len(A))")),
    right(
        "scaled in A",
        body(
            "combine",
            """
        A = torch.vstack([w * alpha / len(A) * A for w, (A, B, alpha) in zip(weights, adapters)])
        return A, torch.hstack([B for _, B, _ in adapters]), A.shape[0]
    """,
        ),
    ),
    right(
        "another alpha, made up for in B",
        swap(SCALED, "w * alpha / len(A) * B * sum(len(A) for A, _, _ in adapters) / 16"),
        swap(RETURN, "return A, B, 16.0"),
    ),
    right(
        "roots in both factors",
        body(
            "combine",
            """
        As, Bs = [], []
        for w, (A, B, alpha) in zip(weights, adapters):
            gamma = w * alpha / A.shape[0]
            As.append(abs(gamma) ** 0.5 * A)
            Bs.append((1 if gamma > 0 else -1) * abs(gamma) ** 0.5 * B)
        return torch.cat(As), torch.cat(Bs, 1), float(sum(map(len, As)))
    """,
        ),
    ),
]
SURVIVORS = {"combine: True -> False": "strict only refuses lists of different lengths"}
