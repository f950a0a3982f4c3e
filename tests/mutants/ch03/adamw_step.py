"""Answers to 3.4, one AdamW step."""

from bank import body, right, swap, wrong

EXERCISE = "3.4"
M = "m = beta1 * m + (1 - beta1) * grad"
V = "v = beta2 * v + (1 - beta2) * grad**2"
DIRECTION = "direction = m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + eps)"
RETURN = "return w - lr * direction - lr * weight_decay * w, m, v"
DECAY = "lr * direction - lr * weight_decay * w"
ANSWERS = [
    wrong("uphill", "against", swap("w - lr * direction", "w + lr * direction")),
    wrong("no bias correction", "no correction", swap(DIRECTION, "direction = m / (v.sqrt() + eps)")),
    wrong("only m is corrected", "one correction", swap("(v / (1 - beta2**t)).sqrt()", "v.sqrt()")),
    wrong("only v is corrected", "one correction", swap("m / (1 - beta1**t) /", "m /")),
    wrong(
        "corrects the root",
        "correction after the root",
        swap("(v / (1 - beta2**t)).sqrt()", "v.sqrt() / (1 - beta2**t)"),
    ),
    wrong("no root", "no root", swap("(v / (1 - beta2**t)).sqrt()", "v / (1 - beta2**t)")),
    wrong("plain momentum", "no v", swap(DIRECTION, "direction = m / (1 - beta1**t)")),
    wrong("counts t from 0", "t", swap(DIRECTION, DIRECTION.replace("**t", "**(t - 1)"))),
    wrong("counts t up once more", "t", swap(DIRECTION, DIRECTION.replace("**t", "**(t + 1)"))),
    wrong("t is always 1", "t", swap(DIRECTION, DIRECTION.replace("**t", ""))),
    wrong("m of the squared gradient", "m", swap(M, M + "**2")),
    wrong("v of the squared m", "v", swap(V, V.replace("grad", "m"))),
    wrong("m without a share", "no share", swap(M, "m = beta1 * m + grad")),
    wrong("v without a share", "no share", swap(V, "v = beta2 * v + grad**2")),
    wrong("shares of m the wrong way round", "shares swapped", swap(M, "m = (1 - beta1) * m + beta1 * grad")),
    wrong("shares of v the wrong way round", "shares swapped", swap(V, "v = (1 - beta2) * v + beta2 * grad**2")),
    wrong(
        "hands the corrected averages on",
        "corrected kept",
        swap(DIRECTION, "m, v = m / (1 - beta1**t), v / (1 - beta2**t)\n    direction = m / (v.sqrt() + eps)"),
    ),
    wrong(
        "hands the corrected v on",
        "corrected kept",
        swap(DIRECTION, "v = v / (1 - beta2**t)\n    direction = m / (1 - beta1**t) / (v.sqrt() + eps)"),
    ),
    wrong(
        "L2 regularisation",
        "decay in the gradient",
        swap(M, f"grad = grad + weight_decay * w\n    {M}"),
        swap(DECAY, "lr * direction"),
    ),
    wrong(
        "the decay enters only m",
        "decay in the gradient",
        swap(M, M.replace("grad", "(grad + weight_decay * w)")),
        swap(DECAY, "lr * direction"),
    ),
    wrong("betas that are always the same", "betas", swap("beta1, beta2 = betas", "beta1, beta2 = 0.9, 0.95")),
    wrong("betas in the other order", "betas", swap("beta1, beta2 = betas", "beta2, beta1 = betas")),
    wrong("does not square", "not squared", swap("grad**2", "grad.abs()")),
    wrong("squares the share as well", "not squared", swap("(1 - beta2) * grad**2", "((1 - beta2) * grad) ** 2")),
    wrong("returns the old m", "not kept", swap(M, "old = m\n    " + M), swap("* w, m, v", "* w, old, v")),
    wrong("returns the old v", "not kept", swap(M, "old = v\n    " + M), swap("* w, m, v", "* w, m, old")),
    wrong("average of one gradient", "not kept", swap("beta1 * m + ", "")),
    wrong("no eps", "eps", swap(".sqrt() + eps)", ".sqrt() + 1e-12)")),
    wrong(
        "eps under the root",
        "eps inside",
        swap("(v / (1 - beta2**t)).sqrt() + eps", "(v / (1 - beta2**t) + eps).sqrt()"),
    ),
    wrong(
        "eps before the correction",
        "eps too early",
        swap("((v / (1 - beta2**t)).sqrt() + eps)", "((v.sqrt() + eps) / math.sqrt(1 - beta2**t))"),
    ),
    wrong("decay without the rate", "decay without lr", swap("- lr * weight_decay * w", "- weight_decay * w")),
    wrong("no decay", "decay forgotten", swap(" - lr * weight_decay * w", "")),
    wrong("decay that grows", "decay", swap("- lr * weight_decay * w", "+ lr * weight_decay * w")),
    wrong(
        "decays the new weight",
        "decay after the step",
        swap(RETURN, "w = w - lr * direction\n    return w * (1 - lr * weight_decay), m, v"),
    ),
    wrong(
        "steps with the old averages",
        "old averages",
        body(
            "adamw_step",
            """
        direction = m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)).sqrt() + eps)
        w = w - lr * direction - lr * weight_decay * w
        return w, betas[0] * m + (1 - betas[0]) * grad, betas[1] * v + (1 - betas[1]) * grad**2
    """,
        ),
    ),
    wrong(
        "a rate that falls with the root of t", "later step", swap("w - lr * direction", "w - lr / t**0.5 * direction")
    ),
    wrong("no weight moves by more than the rate", "later step", swap("lr * direction", "lr * direction.clamp(-1, 1)")),
    wrong("updates m in place", "mutated", swap(M, "m.mul_(beta1).add_((1 - beta1) * grad)")),
    wrong("the weights only", "type", swap(RETURN, "return w - lr * direction - lr * weight_decay * w")),
    right(
        "decay first, then the step",
        swap(RETURN, "w = w * (1 - lr * weight_decay)\n    return w - lr * direction, m, v"),
    ),
    right(
        "the algorithm with lerp",
        swap(M, "m = torch.lerp(m, grad, 1 - beta1)"),
        swap(V, "v = v.lerp(grad.square(), 1 - beta2)"),
    ),
    right(
        "both corrections in the rate",
        body(
            "adamw_step",
            """
        m = betas[0] * m + (1 - betas[0]) * grad
        v = betas[1] * v + (1 - betas[1]) * grad * grad
        root = math.sqrt(1 - betas[1] ** t)
        step = lr * root / (1 - betas[0] ** t) * m / (v.sqrt() + eps * root)
        return [w - step - lr * weight_decay * w, m, v]
    """,
        ),
    ),
    right(
        "by torch",
        body(
            "adamw_step",
            """
        w = w.detach().clone().requires_grad_()
        optimizer = torch.optim.AdamW([w], lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        optimizer.state[w] = {"step": torch.tensor(t - 1.0), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
        w.grad = grad
        optimizer.step()
        return w.detach(), optimizer.state[w]["exp_avg"], optimizer.state[w]["exp_avg_sq"]
    """,
        ),
    ),
    right(
        "a copy, updated in place",
        body(
            "adamw_step",
            """
        w, m, v = w.clone(), m.clone(), v.clone()
        m.mul_(betas[0]).add_(grad, alpha=1 - betas[0])
        v.mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
        w.mul_(1 - lr * weight_decay)
        w.addcdiv_(m / (1 - betas[0] ** t), (v / (1 - betas[1] ** t)).sqrt_().add_(eps), value=-lr)
        return w, m, v
    """,
        ),
    ),
]
