"""Answers to 2.2, one head of causal attention."""

from bank import body, right, swap, wrong

EXERCISE = "2.2"
MASK = "np.triu(np.full((n_queries, n_keys), -np.inf), k=n_keys - n_queries + 1)"
SCORES = "q @ k.T / np.sqrt(q.shape[1]) + causal_mask(len(q), len(k))"
MIX = "softmax(scores, axis=1) @ v"
ANSWERS = [
    wrong("hides the position itself", "itself", swap("n_queries + 1)", "n_queries)")),
    wrong("shows one position more", "one ahead", swap("n_queries + 1)", "n_queries + 2)")),
    wrong("the lower triangle", "past", swap(MASK, "np.tril(np.full((n_queries, n_keys), -np.inf), k=-1)")),
    wrong("the lower triangle and the diagonal", "past", swap(MASK, "np.tril(np.full((n_queries, n_keys), -np.inf))")),
    wrong("ones and zeros", "ones", swap(MASK, "np.tri(n_queries, n_keys, n_keys - n_queries)")),
    wrong("zeros and ones", "ones", swap(MASK, "1 - np.tri(n_queries, n_keys, n_keys - n_queries)")),
    wrong("True and False", "ones", swap(MASK, "np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)")),
    wrong("minus a billion", "finite", swap("-np.inf", "-1e9")),
    wrong("the smallest number", "finite", swap("-np.inf", "np.finfo(np.float32).min")),
    wrong(
        "zero times infinity",
        "0 times inf",
        swap(MASK, "(1 - np.tri(n_queries, n_keys, n_keys - n_queries)) * -np.inf"),
    ),
    wrong(
        "log of what is allowed, the wrong way",
        "past",
        swap(MASK, "np.where(np.tri(n_keys) > np.eye(n_keys), -np.inf, 0.0)[-n_queries:]"),
    ),
    wrong("the queries come first", "aligned at the start", swap("k=n_keys - n_queries + 1", "k=1")),
    wrong(
        "a square mask, cut",
        "aligned at the start",
        swap(MASK, "np.triu(np.full((n_keys, n_keys), -np.inf), k=1)[:n_queries]"),
    ),
    wrong("not scaled", "no scale", swap(" / np.sqrt(q.shape[1])", "")),
    wrong("divided by K", "not the root", swap("np.sqrt(q.shape[1])", "q.shape[1]")),
    wrong("the root of the number of queries", "other size", swap("q.shape[1]", "q.shape[0]")),
    wrong("the root of the number of keys", "other size", swap("q.shape[1]", "len(k)")),
    wrong("the root of the size of the values", "other size", swap("q.shape[1]", "v.shape[1]")),
    wrong("no mask", "not causal", swap(" + causal_mask(len(q), len(k))", "")),
    wrong(
        "forbidden scores are 0",
        "not causal",
        body(
            "causal_attention",
            """
        scores = q @ k.T / np.sqrt(q.shape[1])
        scores[causal_mask(len(q), len(k)) < 0] = 0
        return softmax(scores, axis=1) @ v
    """,
        ),
    ),
    wrong(
        "weights are cut after the softmax",
        "masked afterwards",
        body(
            "causal_attention",
            """
        weights = softmax(q @ k.T / np.sqrt(q.shape[1]), axis=1)
        weights[causal_mask(len(q), len(k)) < 0] = 0
        return weights @ v
    """,
        ),
    ),
    wrong(
        "its own mask forbids the diagonal",
        "itself",
        swap("causal_mask(len(q), len(k))", "np.triu(np.full((len(q), len(k)), -np.inf))"),
    ),
    wrong(
        "its own mask is one ahead",
        "one ahead",
        swap("causal_mask(len(q), len(k))", "np.triu(np.full((len(q), len(k)), -np.inf), 2)"),
    ),
    wrong(
        "its own mask starts at the first key",
        "aligned at the start",
        swap("causal_mask(len(q), len(k))", "np.triu(np.full((len(q), len(k)), -np.inf), 1)"),
    ),
    wrong(
        "a square mask of its own",
        "aligned at the start",
        swap("causal_mask(len(q), len(k))", "causal_mask(len(q), len(q))"),
    ),
    wrong("a mask transposed", "past", swap("causal_mask(len(q), len(k))", "causal_mask(len(k), len(q)).T")),
    wrong("the softmax goes over the queries", "over the queries", swap("axis=1", "axis=0")),
    wrong("keys ask, queries answer", "q and k swapped", swap("q @ k.T", "k @ q.T")),
    wrong(
        "a softmax of its own that overflows",
        "overflow",
        body(
            "causal_attention",
            """
        powers = np.exp(q @ k.T / np.sqrt(q.shape[1]) + causal_mask(len(q), len(k)))
        return powers / powers.sum(axis=1, keepdims=True) @ v
    """,
        ),
    ),
    wrong("the weights", "shape", swap(f"return {MIX}", "return softmax(scores, axis=1)")),
    wrong("scales in place", "mutated", swap("scores = q", "q /= np.sqrt(q.shape[1])\n    scores = q")),
    right(
        "a loop over the queries",
        body(
            "causal_attention",
            """
        offset, rows = len(k) - len(q), []
        for t, query in enumerate(q):
            scores = k[: offset + t + 1] @ query / len(query) ** 0.5
            weights = np.exp(scores - scores.max())
            rows.append(weights / weights.sum() @ v[: offset + t + 1])
        return np.array(rows)
    """,
        ),
    ),
    right(
        "einsum",
        swap("q @ k.T", "np.einsum('tk,sk->ts', q, k)"),
        swap(MIX, "np.einsum('ts,sm->tm', softmax(scores, axis=-1), v)"),
    ),
    right(
        "positions compared",
        swap(MASK, "np.where(np.arange(n_keys) > np.arange(n_keys - n_queries, n_keys)[:, None], -np.inf, 0.0)"),
    ),
    right("the last rows of a square", swap(MASK, "np.log(np.tri(n_keys))[n_keys - n_queries :]")),
    right(
        "torch's own attention",
        body(
            "causal_attention",
            """
        q, k, v = (torch.from_numpy(x.astype(float)) for x in (q, k, v))
        allowed = torch.ones(len(q), len(k)).tril(len(k) - len(q)).bool()
        return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=allowed)[0].numpy()
    """,
        ),
    ),
    right("a mask in float32", swap("-np.inf)", "-np.inf, dtype=np.float32)")),
]
