"""Answers to 5.2, the output with its correction."""

from bank import body, right, swap, wrong

EXERCISE = "5.2"
GAMMA = "gamma = alpha / A.shape[0]"
Y = "y = x @ W.T + gamma * (x @ A.T) @ B.T"
RETURN = "return y if bias is None else y + bias"
ANSWERS = [
    wrong("no gamma", "no gamma", swap("gamma * (x", "(x")),
    wrong("gamma is alpha", "gamma is alpha", swap(GAMMA, "gamma = alpha")),
    wrong("gamma upside down", "upside down", swap(GAMMA, "gamma = A.shape[0] / alpha")),
    wrong("alpha over the root", "root", swap(GAMMA, "gamma = alpha / A.shape[0] ** 0.5")),
    wrong("alpha over in", "over in", swap("A.shape[0]", "A.shape[1]")),
    wrong("through B first", "B first", swap("(x @ A.T) @ B.T", "(x @ B) @ A")),
    wrong("the update alone", "no base", swap("x @ W.T + ", "")),
    wrong("the base alone", "no update", swap(" + gamma * (x @ A.T) @ B.T", "")),
    wrong("a blend", "blended", swap("x @ W.T + gamma", "(1 - gamma) * x @ W.T + gamma")),
    wrong(
        "columns for rows",
        "leading",
        swap(Y, "y = (W @ x.T + gamma * B @ (A @ x.T)).T"),
    ),
    wrong("torch.mm", "leading", swap("(x @ A.T)", "torch.mm(x, A.T)")),
    wrong("needs a batch", "leading", swap(Y, "N, D = x.shape[0], x.shape[1]\n    " + Y)),
    wrong("bias forgotten", "no bias", swap(RETURN, "return y")),
    wrong("bias inside gamma", "bias", swap("y + bias", "y + gamma * bias")),
    wrong("a tiny number against zeros", "no-op", swap("@ B.T", "@ (B + 1e-6).T")),
    wrong("adds the input", "value", swap("x @ W.T +", "x + x @ W.T +")),
    wrong("gamma outside of both", "value", swap("x @ W.T + gamma * (x @ A.T)", "gamma * x @ W.T + gamma * (x @ A.T)")),
    wrong("no transpose of A", "not transposed", swap("x @ A.T", "x @ A")),
    wrong("no transpose of B", "not transposed", swap("@ B.T", "@ B")),
    wrong("no transpose of W", "not transposed", swap("x @ W.T", "x @ W")),
    wrong("no transpose at all", "not transposed", swap(Y, "y = x @ W + gamma * (x @ A) @ B")),
    wrong("a new tensor", "detached", swap(RETURN, "return torch.tensor((y if bias is None else y + bias).tolist())")),
    wrong("A and B taken for constants", "detached", swap(Y, "y = x @ W.T + gamma * (x @ A.detach().T) @ B.data.T")),
    wrong("only B learns", "detached", swap("(x @ A.T)", "(x @ A.T).detach()")),
    wrong("writes into W", "mutated", swap(Y, "W += gamma * B @ A\n    y = x @ W.T")),
    wrong("returns numpy", "type", swap(RETURN, "return (y if bias is None else y + bias).numpy()")),
    right("merged", swap(Y, "y = x @ (W + gamma * B @ A).T")),
    right(
        "F.linear", body("lora_forward", "return F.linear(x, W, bias) + F.linear(F.linear(x, A), B) * (alpha / len(A))")
    ),
    right(
        "einsum",
        swap(Y, "y = torch.einsum('...i,oi->...o', x, W) + gamma * torch.einsum('...i,ri,or->...o', x, A, B)"),
    ),
    right(
        "a sum over the rank",
        body(
            "lora_forward",
            """
        y = torch.matmul(x, W.t())
        for row, column in zip(A, B.T):
            y = y + (alpha / B.shape[1]) * (x @ row)[..., None] * column
        return y + (0 if bias is None else bias)
    """,
        ),
    ),
]
