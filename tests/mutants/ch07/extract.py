"""Answers to 7.5, extract an adapter."""

from bank import body, right, swap, wrong

EXERCISE = "7.5"
RETURN = "return Vt[:rank], B * rank / alpha"
B = "B = U[:, :rank] * s[:rank]"
ANSWERS = [
    wrong("no gamma", "no gamma", swap(RETURN, "return Vt[:rank], B")),
    wrong("gamma in both factors", "gamma twice", swap(RETURN, "return Vt[:rank] * rank / alpha, B * rank / alpha")),
    wrong(
        "gamma in delta and in B",
        "gamma twice",
        swap("after - before", "(after - before) * rank / alpha"),
    ),
    wrong("times gamma", "times gamma", swap("B * rank / alpha", "B * alpha / rank")),
    wrong("divides by alpha", "alpha", swap("B * rank / alpha", "B / alpha")),
    wrong("from after to before", "sign", swap("after - before", "before - after")),
    wrong("the trained weight", "trained weight", swap("after - before", "after")),
    wrong("takes Vt for V", "V for Vt", swap(RETURN, "return Vt.T[:rank], B * rank / alpha")),
    wrong("columns of Vt", "V for Vt", swap(RETURN, "return Vt[:, :rank].T, B * rank / alpha")),
    wrong("no singular values", "no s", swap(B, "B = U[:, :rank]")),
    wrong("singular values in both", "s twice", swap(RETURN, "return s[:rank, None] * Vt[:rank], B * rank / alpha")),
    wrong("the root in one factor only", "not best", swap("* s[:rank]", "* s[:rank].sqrt()")),
    wrong("the smallest", "smallest", swap(B, "B = U[:, -rank:] * s[-rank:]"), swap("Vt[:rank]", "Vt[-rank:]")),
    wrong("B first", "order", swap(RETURN, "return B * rank / alpha, Vt[:rank]")),
    wrong("the root of gamma from one factor", "not best", swap("B * rank / alpha", "B * (rank / alpha) ** 0.5")),
    wrong("nothing cut off", "shape", swap(B, "B = U * s"), swap("Vt[:rank]", "Vt")),
    wrong(
        "columns of the change itself",
        "not best",
        swap(RETURN, "return torch.eye(rank, Vt.shape[1], dtype=s.dtype), (after - before)[:, :rank] * rank / alpha"),
    ),
    wrong("the change", "type", swap(RETURN, "return B @ Vt[:rank]")),
    wrong("subtracts in place", "mutated", swap("after - before", "after.sub_(before)")),
    right(
        "roots in both factors",
        body(
            "extract",
            """
        U, s, Vt = torch.linalg.svd(after - before)
        root = (s[:rank] * rank / alpha).sqrt()
        return torch.diag(root) @ Vt[:rank, :], U[:, :rank] @ torch.diag(root)
    """,
        ),
    ),
    right(
        "torch.svd, gamma in the change",
        body(
            "extract",
            """
        U, s, V = torch.svd((after - before) / (alpha / rank))
        return (V[:, :rank] * s[:rank]).T, U[:, :rank]
    """,
        ),
    ),
    right(
        "numpy in float64",
        swap(RETURN, "return Vt[:rank].clone(), (B.double() / (alpha / rank)).to(B.dtype)"),
    ),
    right(
        "by the eigenvectors of the Gram matrix",
        body(
            "extract",
            """
        delta = after.double() - before.double()
        _, vectors = torch.linalg.eigh(delta.T @ delta)
        A = vectors[:, -rank:].T
        return A.to(after.dtype), (delta @ A.T * rank / alpha).to(after.dtype)
    """,
        ),
    ),
]
SURVIVORS = {"extract: False -> True": "the full matrices are cut to the same columns and rows"}
