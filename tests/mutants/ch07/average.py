"""Answers to 7.4, the average of a product."""

from bank import body, right, swap, wrong

EXERCISE = "7.4"
RETURN = "return mean_product - mean_B @ mean_A"
CLIENTS = "clients = [(size / total, A, B)"
MEAN_A = "mean_A = sum(share * A for"
MEAN_B = "mean_B = sum(share * B for"
PRODUCT = "mean_product = sum(share * B @ A for"
ANSWERS = [
    wrong("the other way round", "sign", swap(RETURN, "return mean_B @ mean_A - mean_product")),
    wrong("only the first", "average of products", swap(RETURN, "return mean_product")),
    wrong("only the second", "product of averages", swap(RETURN, "return mean_B @ mean_A")),
    wrong("sums throughout", "sum", swap(CLIENTS, "clients = [(1, A, B)")),
    wrong("a sum of A's", "sum", swap(MEAN_A, "mean_A = sum(A for")),
    wrong("sums of A's and of B's", "sum", swap(MEAN_A, "mean_A = sum(A for"), swap(MEAN_B, "mean_B = sum(B for")),
    wrong("a sum of products", "sum", swap(PRODUCT, "mean_product = sum(B @ A for")),
    wrong("each client alike", "unweighted", swap("size / total", "1 / len(sizes)")),
    wrong("sizes over the number of clients", "not a share", swap("total = sum(sizes)", "total = len(sizes)")),
    wrong(
        "divides by the number of clients too",
        "share twice",
        swap(PRODUCT, "mean_product = 1 / len(pairs) * sum(share * B @ A for"),
    ),
    wrong("shares by the square", "share twice", swap("size / total", "size**2 / sum(n**2 for n in sizes)")),
    wrong("sure that they agree", "no gap", swap(RETURN, "return torch.zeros_like(mean_product)")),
    wrong(
        "two averages that are one",
        "no gap",
        swap(PRODUCT, "mean_product = sum(share * B @ mean_A for"),
    ),
    wrong(
        "A B for B A", "raised", swap("share * B @ A", "share * A @ B"), swap("mean_B @ mean_A", "mean_A @ mean_B * 0")
    ),
    wrong("its size", "type", swap(RETURN, "return (mean_product - mean_B @ mean_A).norm().item()")),
    wrong("adds in place", "mutated", swap("    mean_A =", "    pairs[0][0].mul_(2)\n    mean_A =")),
    right(
        "by the deviations",
        body(
            "averaging_gap",
            """
        shares = [size / sum(sizes) for size in sizes]
        mean_A = sum(s * pair[0] for s, pair in zip(shares, pairs))
        mean_B = sum(s * pair[1] for s, pair in zip(shares, pairs))
        return sum(s * (B - mean_B) @ (A - mean_A) for s, (A, B) in zip(shares, pairs))
    """,
        ),
    ),
    right(
        "stacked, by einsum",
        body(
            "averaging_gap",
            """
        A, B = torch.stack([A for A, _ in pairs]), torch.stack([B for _, B in pairs])
        shares = torch.tensor(sizes, dtype=A.dtype) / sum(sizes)
        products = torch.einsum("c,cor,cri->oi", shares, B, A)
        return products - torch.tensordot(shares, B, 1) @ torch.tensordot(shares, A, 1)
    """,
        ),
    ),
    right(
        "divided at the end",
        body(
            "averaging_gap",
            """
        n = sum(sizes)
        A = sum(k * A for k, (A, B) in zip(sizes, pairs)) / n
        B = sum(k * B for k, (A, B) in zip(sizes, pairs)) / n
        return sum(k * (B @ A) for k, (A, B) in zip(sizes, pairs)) / n - B @ A
    """,
        ),
    ),
]
SURVIVORS = {"averaging_gap: True -> False": "strict only refuses lists of different lengths"}
