"""Answers to 2.7, a block."""

from bank import body, right, swap, wrong

EXERCISE = "2.7"
FIRST = "x = x + self_attn(input_layernorm(x))"
SECOND = "return x + mlp(post_attention_layernorm(x))"
ANSWERS = [
    wrong(
        "the sum is normalised",
        "post-norm",
        body(
            "block",
            """
        x = input_layernorm(x + self_attn(x))
        return post_attention_layernorm(x + mlp(x))
    """,
        ),
    ),
    wrong("attention replaces the stream", "no first residual", swap("x = x + self_attn", "x = self_attn")),
    wrong("the MLP replaces the stream", "no second residual", swap("return x + mlp", "return mlp")),
    wrong(
        "a plain chain",
        "no residuals",
        swap("x = x + self_attn", "x = self_attn"),
        swap("return x + mlp", "return mlp"),
    ),
    wrong(
        "the normalised x is the stream",
        "normed residual",
        body(
            "block",
            """
        x = input_layernorm(x)
        x = x + self_attn(x)
        x = post_attention_layernorm(x)
        return x + mlp(x)
    """,
        ),
    ),
    wrong(
        "side by side",
        "parallel",
        body("block", "return x + self_attn(input_layernorm(x)) + mlp(post_attention_layernorm(x))"),
    ),
    wrong(
        "side by side after one norm",
        "parallel",
        body(
            "block",
            """
        normed = input_layernorm(x)
        return x + self_attn(normed) + mlp(normed)
    """,
        ),
    ),
    wrong(
        "adds the MLP to what came in",
        "original added",
        body(
            "block",
            """
        middle = x + self_attn(input_layernorm(x))
        return x + mlp(post_attention_layernorm(middle))
    """,
        ),
    ),
    wrong("the first norm twice", "one norm for both", swap("post_attention_layernorm(x)", "input_layernorm(x)")),
    wrong("the second norm twice", "one norm for both", swap("input_layernorm(x)", "post_attention_layernorm(x)")),
    wrong(
        "norms swapped",
        "norms swapped",
        body(
            "block",
            """
        x = x + self_attn(post_attention_layernorm(x))
        return x + mlp(input_layernorm(x))
    """,
        ),
    ),
    wrong(
        "the MLP first",
        "parts swapped",
        body(
            "block",
            """
        x = x + mlp(input_layernorm(x))
        return x + self_attn(post_attention_layernorm(x))
    """,
        ),
    ),
    wrong(
        "the MLP first, each with its norm",
        "parts swapped",
        body(
            "block",
            """
        x = x + mlp(post_attention_layernorm(x))
        return x + self_attn(input_layernorm(x))
    """,
        ),
    ),
    wrong(
        "no norms",
        "norm left out",
        body(
            "block",
            """
        x = x + self_attn(x)
        return x + mlp(x)
    """,
        ),
    ),
    wrong("no norm before the MLP", "norm left out", swap("mlp(post_attention_layernorm(x))", "mlp(x)")),
    wrong("no norm before attention", "norm left out", swap("self_attn(input_layernorm(x))", "self_attn(x)")),
    wrong(
        "attention without gradient",
        "detached",
        swap("self_attn(input_layernorm(x))", "self_attn(input_layernorm(x)).detach()"),
    ),
    wrong("no gradients", "detached", swap("x = x + self", "x = x.detach()\n    x = x + self")),
    wrong("adds in place", "mutated", swap(FIRST, "x += self_attn(input_layernorm(x))")),
    wrong("adds in place to a copy", "in place", swap(SECOND, "x += mlp(post_attention_layernorm(x))\n    return x")),
    right(
        "names for everything",
        body(
            "block",
            """
        attended = self_attn(input_layernorm(x))
        middle = x + attended
        thought = mlp(post_attention_layernorm(middle))
        return middle + thought
    """,
        ),
    ),
    right(
        "the sum of three",
        body(
            "block",
            """
        attended = self_attn(input_layernorm(x))
        return x + attended + mlp(post_attention_layernorm(x + attended))
    """,
        ),
    ),
    right(
        "torch.add",
        body(
            "block",
            """
        x = torch.add(x, self_attn(input_layernorm(x)))
        return torch.add(x, mlp(post_attention_layernorm(x)))
    """,
        ),
    ),
]
