"""Answers to 5.3, the gradients of A and B by hand."""

from bank import body, right, swap, wrong

EXERCISE = "5.3"
GAMMA = "gamma = alpha / len(A)"
DA = "dA = gamma * (dy @ B).T @ x"
DB = "dB = gamma * dy.T @ (x @ A.T)"
RETURN = "return dA, dB"
ANSWERS = [
    wrong("both transposed", "transposed", swap(RETURN, "return dA.T, dB.T")),
    wrong("dB as (r, out)", "transposed", swap(DB, "dB = gamma * (x @ A.T).T @ dy")),
    wrong("dA as (in, r)", "transposed", swap(DA, "dA = gamma * x.T @ (dy @ B)")),
    wrong("dB first", "swapped", swap(RETURN, "return dB, dA")),
    wrong("A's gradient through A", "step 0", swap(DA, "dA = gamma * (x @ A.T).T @ x")),
    wrong("B's gradient through B", "step 0", swap(DB, "dB = gamma * dy.T @ (dy @ B)")),
    wrong(
        "the two roles exchanged",
        "step 0",
        swap("(dy @ B).T @ x", "(x @ A.T).T @ x"),
        swap("(x @ A.T)\n", "(dy @ B)\n"),
    ),
    wrong("the initial B left out", "step 0", swap("(dy @ B).T", "(dy @ np.ones_like(B)).T")),
    wrong("no gamma", "no gamma", swap(GAMMA, "gamma = 1.0")),
    wrong("no gamma in dA", "no gamma", swap("dA = gamma * (", "dA = (")),
    wrong("no gamma in dB", "no gamma", swap("dB = gamma * dy", "dB = dy")),
    wrong("gamma is alpha", "gamma is alpha", swap(GAMMA, "gamma = alpha")),
    wrong("gamma twice", "gamma twice", swap(GAMMA, "gamma = (alpha / len(A)) ** 2")),
    wrong("gamma upside down", "upside down", swap(GAMMA, "gamma = len(A) / alpha")),
    wrong("alpha over the root", "root", swap(GAMMA, "gamma = alpha / np.sqrt(len(A))")),
    wrong("the mean over the rows", "mean", swap(GAMMA, "gamma = alpha / len(A) / len(x)")),
    wrong("downhill already", "value", swap(GAMMA, "gamma = -alpha / len(A)")),
    wrong("alpha over out", "value", swap(GAMMA, "gamma = alpha / len(B)")),
    wrong("changes dy", "mutated", swap(GAMMA, "gamma = 1.0\n    dy *= alpha / len(A)")),
    wrong("only dB", "type", swap(RETURN, "return dB")),
    right(
        "einsum",
        swap(DA, "dA = gamma * np.einsum('no,or,ni->ri', dy, B, x)"),
        swap(DB, "dB = gamma * np.einsum('no,ni,ri->or', dy, x, A)"),
    ),
    right(
        "the other order of the products",
        swap(DA, "dA = gamma * (B.T @ (dy.T @ x))"),
        swap(DB, "dB = gamma * ((dy.T @ x) @ A.T)"),
    ),
    right(
        "one row at a time",
        body(
            "lora_gradients",
            """
        dA, dB = np.zeros_like(A), np.zeros_like(B)
        for row, push in zip(x, dy):
            dA = dA + alpha / A.shape[0] * np.outer(B.T @ push, row)
            dB = dB + alpha / A.shape[0] * np.outer(push, A @ row)
        return dA, dB
    """,
        ),
    ),
    right(
        "in float64",
        swap(GAMMA, "gamma = alpha / len(A)\n    x, dy, A, B = (value.astype(float) for value in (x, dy, A, B))"),
    ),
]
