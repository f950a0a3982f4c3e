"""Answers to 3.6, clip by the joint length."""

from bank import body, right, swap, wrong

EXERCISE = "3.6"
LENGTH = "length = torch.stack([grad.norm() for grad in grads]).norm()"
FACTOR = "factor = (limit / length).clamp(max=1.0)"
RETURN = "return [grad * factor for grad in grads], float(length)"
ANSWERS = [
    wrong(
        "each tensor on its own",
        "one by one",
        swap(RETURN, "return [grad * (limit / grad.norm()).clamp(max=1.0) for grad in grads], float(length)"),
    ),
    wrong(
        "clamps every number",
        "clamped",
        swap(RETURN, "return [grad.clamp(-limit, limit) for grad in grads], float(length)"),
    ),
    wrong("adds the lengths", "sum of lengths", swap("for grad in grads]).norm()", "for grad in grads]).sum()")),
    wrong("adds absolute values", "sum of lengths", swap(LENGTH, "length = sum(grad.abs().sum() for grad in grads)")),
    wrong("the largest number", "largest", swap(LENGTH, "length = max(grad.abs().max() for grad in grads)")),
    wrong("the largest tensor", "largest", swap("for grad in grads]).norm()", "for grad in grads]).max()")),
    wrong("no root", "no root", swap(LENGTH, "length = sum(grad.square().sum() for grad in grads)")),
    wrong("to length 1", "length 1", swap(FACTOR, "factor = 1 / length.clamp(min=1e-9)")),
    wrong(
        "to length 1 when it is too long", "length 1", swap(FACTOR, "factor = 1 / length if length > limit else 1.0")
    ),
    wrong("times the limit", "times the limit", swap(FACTOR, "factor = limit if length > limit else 1.0")),
    wrong("returns the gradients as they came", "not clipped", swap("grad * factor for", "grad for")),
    wrong("the length after", "after", swap("float(length)", "float(length * factor)")),
    wrong("the factor in place of the length", "factor", swap("float(length)", "float(factor)")),
    wrong("the factor upside down", "factor", swap("float(length)", "float(length / limit)")),
    wrong("the squared length", "no root", swap("float(length)", "float(length) ** 2")),
    wrong("always to the limit", "scales up", swap(FACTOR, "factor = limit / length.clamp(min=1e-9)")),
    wrong("only the shorter ones", "not clipped", swap(FACTOR, "factor = (limit / length).clamp(min=1.0)")),
    wrong("0 / 0", "zero", swap(FACTOR, "factor = torch.minimum(length, torch.tensor(limit)) / length")),
    wrong("divides by a float of 0", "zero", swap(FACTOR, "factor = min(1.0, limit / float(length))")),
    wrong("scales in place", "mutated", swap("grad * factor for", "grad.mul_(factor) for")),
    wrong("the length first", "type", swap(RETURN, "return float(length), [grad * factor for grad in grads]")),
    right(
        "a condition",
        body(
            "clip_gradients",
            """
        length = math.sqrt(sum(float((grad**2).sum()) for grad in grads))
        if length <= limit:
            return list(grads), length
        return [grad / length * limit for grad in grads], length
    """,
        ),
    ),
    right(
        "one long vector, and a little in the denominator",
        body(
            "clip_gradients",
            """
        length = torch.linalg.vector_norm(torch.cat([grad.reshape(-1) for grad in grads]))
        factor = min(1.0, limit / (length.item() + 1e-6))
        return tuple(grad * factor for grad in grads), length
    """,
        ),
    ),
    right(
        "by torch, on copies",
        body(
            "clip_gradients",
            """
        holders = [torch.nn.Parameter(torch.zeros_like(grad)) for grad in grads]
        for holder, grad in zip(holders, grads):
            holder.grad = grad.clone()
        length = torch.nn.utils.clip_grad_norm_(holders, limit)
        return [holder.grad for holder in holders], float(length)
    """,
        ),
    ),
]
