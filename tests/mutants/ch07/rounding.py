"""Answers to 7.2, what rounding eats."""

from bank import body, right, swap, wrong

EXERCISE = "7.2"
MERGED = "merged = (W.float() + delta).to(W.dtype)"
CHANGES = "changes = delta != 0"
RETURN = "return ((merged == W) & changes).sum().item() / changes.sum().item()"
ANSWERS = [
    wrong("what survives", "survived", swap("merged == W", "merged != W")),
    wrong("a fixed threshold", "threshold", swap("(merged == W)", "(delta.abs() < 2**-8)")),
    wrong("the machine epsilon", "threshold", swap("(merged == W)", "(delta.abs() < torch.finfo(W.dtype).eps)")),
    wrong(
        "the epsilon times W",
        "threshold",
        swap("(merged == W)", "(delta.abs() < torch.finfo(W.dtype).eps * W.abs())"),
    ),
    wrong(
        "half the epsilon times W",
        "threshold",
        swap("(merged == W)", "(delta.abs() < torch.finfo(W.dtype).eps / 2 * W.abs())"),
    ),
    wrong("never rounds", "not rounded", swap(".to(W.dtype)", "")),
    wrong("rounds delta first", "rounded before", swap(MERGED, "merged = W + delta.to(W.dtype)")),
    wrong("adds in place", "rounded before", swap(MERGED, "merged = W.clone().add_(delta.to(W.dtype))")),
    wrong("zeros count as lost", "zeros", swap(RETURN, "return (merged == W).float().mean().item()")),
    wrong("zeros count as kept", "zeros", swap("/ changes.sum().item()", "/ delta.numel()")),
    wrong("zeros count above only", "zeros", swap("((merged == W) & changes)", "(merged == W)")),
    wrong("how many", "count", swap(" / changes.sum().item()", "")),
    wrong("per cent", "percent", swap(RETURN, RETURN.replace("return ", "return 100 * "))),
    wrong("always to bfloat16", "always bfloat16", swap(".to(W.dtype)", ".bfloat16()")),
    wrong("a mask", "type", swap(RETURN, "return ((merged == W) & changes).tolist()")),
    wrong("adds into W", "mutated", swap(MERGED, "before = W.clone()\n    merged = W.add_(delta)\n    W = before")),
    right("by promotion", swap(MERGED, "merged = torch.add(W, delta).type_as(W)")),
    right(
        "in float64, by selection",
        body(
            "vanished",
            """
        moved = delta.nonzero(as_tuple=True)
        old, new = W[moved], (W[moved].double() + delta[moved].double()).to(W.dtype)
        return torch.eq(old, new).double().mean()
    """,
        ),
    ),
    right(
        "a loop",
        body(
            "vanished",
            """
        lost, count = 0, 0
        for w, d in zip(W.flatten(), delta.flatten()):
            if d != 0:
                count += 1
                lost += bool((w.float() + d).to(w.dtype) == w)
        return lost / count
    """,
        ),
    ),
]
