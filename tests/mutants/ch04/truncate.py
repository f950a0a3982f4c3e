"""Answers to 4.1, the best two thin factors."""

from bank import body, right, swap, wrong

EXERCISE = "4.1"
RETURN = "return U[:, :rank] * root, root[:, None] * Vt[:rank]"
ANSWERS = [
    wrong("takes the result for V", "V for Vt", swap("Vt[:rank]", "Vt.T[:rank]")),
    wrong("columns of Vt", "V for Vt", swap("Vt[:rank]", "Vt[:, :rank].T")),
    wrong(
        "all of V for a wide matrix",
        "V for Vt",
        body(
            "truncate",
            """
        U, s, Vt = np.linalg.svd(W, full_matrices=False)
        root = np.sqrt(s[:rank])
        if W.shape[0] < W.shape[1]:
            return U[:, :rank] * root, root[:, None] * Vt.T[:rank]
        return U[:, :rank] * root, root[:, None] * Vt[:rank]
    """,
        ),
    ),
    wrong("no singular values", "no s", swap(RETURN, "return U[:, :rank], Vt[:rank]")),
    wrong("each value in both factors", "s twice", swap("np.sqrt(s[:rank])", "s[:rank]")),
    wrong("all of s in B", "one side", swap(RETURN, "return U[:, :rank] * s[:rank], Vt[:rank]")),
    wrong("all of s in A", "one side", swap(RETURN, "return U[:, :rank], s[:rank, None] * Vt[:rank]")),
    wrong(
        "keeps the last ones",
        "smallest",
        body(
            "truncate",
            """
        U, s, Vt = np.linalg.svd(W, full_matrices=False)
        root = np.sqrt(s[-rank:])
        return U[:, -rank:] * root, root[:, None] * Vt[-rank:]
    """,
        ),
    ),
    wrong("cuts nothing off", "full", swap(RETURN, "root = np.sqrt(s)\n    return U * root, root[:, None] * Vt")),
    wrong("A first", "swapped", swap(RETURN, "return root[:, None] * Vt[:rank], U[:, :rank] * root")),
    wrong("the root only in B", "not W", swap(RETURN, "return U[:, :rank] * root, Vt[:rank]")),
    wrong("the product", "type", swap(RETURN, "return U[:, :rank] * s[:rank] @ Vt[:rank]")),
    wrong("scales the rows of U", "raised", swap("U[:, :rank] * root,", "root[:, None] * U[:, :rank],")),
    wrong("first columns and rows of W", "not W", swap(RETURN, "return W[:, :rank], np.eye(rank, W.shape[1])")),
    wrong(
        "a random range",
        "not W",
        body(
            "truncate",
            """
        Q = np.linalg.qr(W @ np.random.default_rng(0).standard_normal((W.shape[1], rank)))[0]
        U, s, Vt = np.linalg.svd(Q @ (Q.T @ W) + 0.1, full_matrices=False)
        root = np.sqrt(s[:rank])
        return U[:, :rank] * root, root[:, None] * Vt[:rank]
    """,
        ),
    ),
    right("a diagonal matrix", swap(RETURN, "R = np.diag(root)\n    return U[:, :rank] @ R, R @ Vt[:rank]")),
    right(
        "einsum",
        swap(RETURN, "return np.einsum('or,r->or', U[:, :rank], root), np.einsum('r,ri->ri', root, Vt[:rank])"),
    ),
    right("full matrices, cut afterwards", swap("full_matrices=False", "full_matrices=True")),
    right("other signs", swap(RETURN, "return -(U[:, :rank] * root), -(root[:, None] * Vt[:rank])")),
    right(
        "by an outer product for each value",
        body(
            "truncate",
            """
        U, s, Vt = np.linalg.svd(W)
        columns = [np.sqrt(s[i]) * U[:, i] for i in range(rank)]
        rows = [np.sqrt(s[i]) * Vt[i] for i in range(rank)]
        return np.stack(columns, axis=1), np.stack(rows)
    """,
        ),
    ),
    right("a view", swap(RETURN, "both = (U[:, :rank] * root, (root * Vt[:rank].T))\n    return both[0], both[1].T")),
]
SURVIVORS = {"truncate: False -> True": "the full matrices are cut to the same columns and rows"}
