"""Answers to 2.6, multi-head attention."""

from bank import body, right, swap, wrong

EXERCISE = "2.6"
SPLIT = "x.reshape(batch, time, heads, width // heads).transpose(1, 2)"
MERGE = "x.transpose(1, 2).flatten(2)"
WEIGHTS = "weights = scores.masked_fill(later, -math.inf).softmax(dim=3)"
ANSWERS = [
    wrong("reshaped straight to heads", "no transpose", swap(SPLIT, "x.reshape(batch, heads, time, width // heads)")),
    wrong("stays time before heads", "time before heads", swap(SPLIT, "x.reshape(batch, time, heads, width // heads)")),
    wrong(
        "every H-th channel",
        "every Hth channel",
        swap(SPLIT, "x.reshape(batch, time, width // heads, heads).permute(0, 3, 1, 2)"),
    ),
    wrong(
        "views what was transposed", "raised", swap(SPLIT, "x.transpose(1, 2).view(batch, heads, time, width // heads)")
    ),
    wrong(
        "merged where it stands",
        "merged without transpose",
        body(
            "merge_heads",
            """
        batch, heads, time, size = x.shape
        return x.reshape(batch, time, heads * size)
    """,
        ),
    ),
    wrong(
        "merged by a view",
        "view",
        body(
            "merge_heads",
            """
        batch, heads, time, size = x.shape
        return x.transpose(1, 2).view(batch, time, heads * size)
    """,
        ),
    ),
    wrong("merged channel by channel", "every Hth channel", swap(MERGE, "x.permute(0, 2, 3, 1).flatten(2)")),
    wrong("transposed, not merged", "time before heads", swap(MERGE, "x.transpose(1, 2)")),
    wrong("not scaled", "no scale", swap(" / math.sqrt(q.shape[3])", "")),
    wrong("the root of H * K", "root of D", swap("q.shape[3]", "q.shape[3] * heads")),
    wrong("the root of the width of x", "root of D", swap("q.shape[3]", "x.shape[2]")),
    wrong("divided by K", "not the root", swap("math.sqrt(q.shape[3])", "q.shape[3]")),
    wrong("no mask", "not causal", swap("scores.masked_fill(later, -math.inf)", "scores")),
    wrong(
        "masked after the softmax",
        "not causal",
        swap(WEIGHTS, "weights = scores.softmax(dim=3).masked_fill(later, 0.0)"),
    ),
    wrong("forbidden scores are 0", "not causal", swap("-math.inf", "0.0")),
    wrong("one ahead", "one ahead", swap("triu(1)", "triu(2)")),
    wrong("not even itself", "itself", swap("triu(1)", "triu(0)")),
    wrong("the past is hidden", "past", swap("triu(1)", "tril(-1)")),
    wrong("itself and the past are hidden", "past", swap("triu(1)", "tril()")),
    wrong("the softmax goes over the queries", "over the queries", swap("dim=3", "dim=2")),
    wrong("keys ask, queries answer", "q and k swapped", swap("rotate(q) @ rotate(k).mT", "rotate(k) @ rotate(q).mT")),
    wrong(
        "q_proj and k_proj mixed up", "q and k swapped", swap("(q_proj, k_proj, v_proj)", "(k_proj, q_proj, v_proj)")
    ),
    wrong("one large head", "one head", swap("split_heads(project(x), heads)", "split_heads(project(x), 1)")),
    wrong(
        "split without a transpose of its own",
        "no transpose",
        swap("split_heads(project(x), heads)", "project(x).reshape(len(x), heads, x.shape[1], -1)"),
    ),
    wrong(
        "merged without a transpose of its own",
        "merged without transpose",
        swap("merge_heads(weights @ v)", "(weights @ v).reshape(len(x), x.shape[1], -1)"),
    ),
    wrong("no o_proj", "no o_proj", swap("o_proj(merge_heads(weights @ v))", "merge_heads(weights @ v)")),
    wrong("not rotated", "not rotated", swap("rotate(q) @ rotate(k).mT", "q @ k.mT")),
    wrong("only queries rotated", "one rotated", swap("rotate(k)", "k")),
    wrong("only keys rotated", "one rotated", swap("rotate(q)", "q")),
    wrong("values rotated as well", "values rotated", swap("weights @ v", "weights @ rotate(v)")),
    wrong(
        "values instead of queries rotated",
        "values rotated",
        swap("rotate(q)", "q"),
        swap("weights @ v", "weights @ rotate(v)"),
    ),
    wrong(
        "rotated before the split",
        "rotated too early",
        swap("rotate(q) @ rotate(k)", "q @ k"),
        swap("split_heads(project(x), heads)", "split_heads(rotate(project(x)), heads)"),
    ),
    wrong(
        "x itself rotated",
        "rotated too early",
        swap("rotate(q) @ rotate(k)", "q @ k"),
        swap("    q, k, v = (", "    x = rotate(x)\n    q, k, v = ("),
    ),
    wrong(
        "weights by hand",
        "not called",
        swap("project(x)", "x @ project.weight.T"),
        swap("o_proj(merge_heads(weights @ v))", "merge_heads(weights @ v) @ o_proj.weight.T"),
    ),
    wrong("weights without gradient", "detached", swap("dim=3)", "dim=3).detach()")),
    wrong("no gradients", "detached", swap("    q, k, v = (", "    x = x.detach()\n    q, k, v = (")),
    wrong("x scaled in place", "mutated", swap("    q, k, v = (", "    x *= 0.5\n    q, k, v = (")),
    right(
        "torch's own attention",
        body(
            "multi_head_attention",
            """
        q, k, v = (split_heads(project(x), heads) for project in (q_proj, k_proj, v_proj))
        mixed = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        return o_proj(merge_heads(mixed))
    """,
        ),
    ),
    right(
        "einsum all the way",
        body(
            "multi_head_attention",
            """
        batch, time, _ = x.shape
        q, k, v = (project(x).view(batch, time, heads, -1) for project in (q_proj, k_proj, v_proj))
        q, k = (rotate(one.transpose(1, 2)).transpose(1, 2) for one in (q, k))
        scores = torch.einsum("bthk,bshk->bhts", q, k) * q.shape[-1] ** -0.5
        scores = scores + torch.full((time, time), -math.inf).triu(1)
        mixed = torch.einsum("bhts,bshk->bthk", torch.softmax(scores, -1), v)
        return o_proj(mixed.reshape(batch, time, -1))
    """,
        ),
    ),
    right(
        "a loop over heads and tokens",
        body(
            "multi_head_attention",
            """
        q, k, v = (split_heads(project(x), heads) for project in (q_proj, k_proj, v_proj))
        q, k = rotate(q), rotate(k)
        columns = []
        for h in range(heads):
            tokens = []
            for t in range(x.shape[1]):
                scores = (q[:, h, t : t + 1] * k[:, h, : t + 1]).sum(-1) / math.sqrt(q.shape[-1])
                tokens.append((scores.softmax(-1)[..., None] * v[:, h, : t + 1]).sum(1))
            columns.append(torch.stack(tokens, 1))
        return o_proj(torch.cat(columns, -1))
    """,
        ),
    ),
    right(
        "chunks for heads",
        swap(SPLIT, "torch.stack(x.chunk(heads, dim=-1), dim=1)"),
        swap(MERGE, "torch.cat(x.unbind(1), dim=-1)"),
    ),
    right(
        "scaled queries",
        swap(
            "rotate(q) @ rotate(k).mT / math.sqrt(q.shape[3])",
            "(rotate(q) * q.shape[3] ** -0.5) @ rotate(k).transpose(-2, -1)",
        ),
    ),
    right("a contiguous view", swap(MERGE, "x.permute(0, 2, 1, 3).contiguous().view(x.shape[0], x.shape[2], -1)")),
]
SURVIVORS = {
    f"split_heads: {SPLIT} -> arguments swapped": "swapping axes 2 and 1 is swapping axes 1 and 2",
    "merge_heads: x.transpose(1, 2) -> arguments swapped": "swapping axes 2 and 1 is swapping axes 1 and 2",
}
