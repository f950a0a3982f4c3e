"""Answers to 3.2, cross-entropy from logits."""

from bank import body, right, swap, wrong

EXERCISE = "3.2"
RETURN = "return -log_p.gather(-1, targets[..., None]).mean()"
PICKED = "log_p.gather(-1, targets[..., None])"
NO_SHIFT = swap("shifted = logits - logits.amax(-1, keepdim=True)", "shifted = logits")
ANSWERS = [
    wrong("no minus", "sign", swap(RETURN, f"return {PICKED}.mean()")),
    wrong("in bits", "bits", swap(RETURN, f"return -{PICKED}.mean() / math.log(2)")),
    wrong("the sum", "sum", swap(RETURN, f"return -{PICKED}.sum()")),
    wrong("the sum of each window, averaged", "sum", swap(RETURN, f"return -{PICKED}.sum(1).mean()")),
    wrong(
        "the mean over the masked table",
        "over V",
        swap(RETURN, "return -(log_p * torch.nn.functional.one_hot(targets, logits.shape[-1])).mean()"),
    ),
    wrong("all of the table", "all classes", swap(RETURN, "return -log_p.mean()")),
    wrong("all classes of each token", "all classes", swap(RETURN, "return -log_p.sum(-1).mean()")),
    wrong("the raw logits", "not normalised", swap(RETURN, "return -logits.gather(-1, targets[..., None]).mean()")),
    wrong("p without a logarithm", "probability", swap(RETURN, f"return 1 - {PICKED}.exp().mean()")),
    wrong("minus p", "probability", swap(RETURN, f"return -{PICKED}.exp().mean()")),
    wrong("the logarithm of the mean", "log of the mean", swap(RETURN, f"return -{PICKED}.exp().mean().log()")),
    wrong("the last token of each window", "last token", swap(RETURN, f"return -{PICKED}[:, -1].mean()")),
    wrong("the perplexity", "perplexity", swap(RETURN, f"return (-{PICKED}.mean()).exp()")),
    wrong(
        "softmax over time",
        "wrong axis",
        body("cross_entropy", "return -logits.log_softmax(1).gather(-1, targets[..., None]).mean()"),
    ),
    wrong(
        "softmax over the batch",
        "wrong axis",
        body("cross_entropy", "return -logits.log_softmax(0).gather(-1, targets[..., None]).mean()"),
    ),
    wrong(
        "probabilities where logits are asked for",
        "softmax twice",
        body(
            "cross_entropy",
            "return torch.nn.functional.cross_entropy(logits.softmax(-1).flatten(0, 1), targets.flatten())",
        ),
    ),
    wrong("one loss per token", "not averaged", swap(RETURN, f"return -{PICKED}.squeeze(-1)")),
    wrong("one loss per window", "not averaged", swap(RETURN, f"return -{PICKED}.squeeze(-1).mean(1)")),
    wrong("exp of the logits as they are", "overflow", NO_SHIFT),
    wrong(
        "softmax, then the logarithm",
        "underflow",
        body("cross_entropy", "return -logits.softmax(-1).gather(-1, targets[..., None]).log().mean()"),
    ),
    wrong(
        "a small constant under the logarithm",
        "underflow",
        body("cross_entropy", "return -(logits.softmax(-1) + 1e-12).gather(-1, targets[..., None]).log().mean()"),
    ),
    wrong(
        "one maximum for the whole batch",
        "one maximum",
        swap("logits.amax(-1, keepdim=True)", "logits.max()"),
    ),
    wrong("a float", "detached", swap(".mean()", ".mean().item()")),
    wrong("a new tensor of the number", "detached", swap(RETURN, f"return torch.tensor(-{PICKED}.mean().item())")),
    wrong("without gradients", "detached", swap("shifted = logits -", "shifted = logits.detach() -")),
    wrong("forgets to return", "type", swap(RETURN, f"-{PICKED}.mean()")),
    wrong(
        "subtracts in place",
        "mutated",
        swap("shifted = logits - logits", "shifted = logits.sub_(logits"),
        swap("keepdim=True)  #", "keepdim=True))  #"),
    ),
    right("torch's own", body("cross_entropy", "return torch.nn.functional.cross_entropy(logits.mT, targets)")),
    right(
        "logsumexp minus the target's logit",
        body(
            "cross_entropy",
            """
        picked = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        return (torch.logsumexp(logits, dim=-1) - picked).mean()
    """,
        ),
    ),
    right(
        "a one-hot table and einsum",
        body(
            "cross_entropy",
            """
        B, T, V = logits.shape
        hot = torch.nn.functional.one_hot(targets, V).to(logits.dtype)
        return -torch.einsum("btv,btv->", torch.log_softmax(logits, -1), hot) / (B * T)
    """,
        ),
    ),
    right(
        "token by token",
        body(
            "cross_entropy",
            """
        losses = []
        for row, goal in zip(logits.flatten(0, 1), targets.flatten()):
            row = row - row.max()
            losses.append(row.exp().sum().log() - row[goal])
        return sum(losses) / len(losses)
    """,
        ),
    ),
    right(
        "in double precision",
        swap("shifted = logits -", "shifted = logits.double() -"),
    ),
]
