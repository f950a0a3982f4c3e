"""Answers to 2.4, rotary positions."""

from bank import body, right, swap, wrong

EXERCISE = "2.4"
EXPONENTS = "torch.arange(0, head_dim, 2) / head_dim"
ANGLES = "positions[:, None] * theta**-exponents"
CAT = "torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)"
ANSWERS = [
    wrong("exponents i/K", "no 2", swap(EXPONENTS, "torch.arange(head_dim // 2) / head_dim")),
    wrong("exponents 2i/(K/2)", "too fast", swap(" / head_dim", " / (head_dim // 2)")),
    wrong("a positive exponent", "growing", swap("theta**-exponents", "theta**exponents")),
    wrong("pairs count from 1", "from 1", swap("(0, head_dim, 2)", "(2, head_dim + 1, 2)")),
    wrong("positions count from 1", "from 1", swap("positions[:, None]", "(positions[:, None] + 1)")),
    wrong("times instead of to the power of", "no power", swap("theta**-exponents", "theta * -exponents")),
    wrong("no theta", "no power", swap("theta**-exponents", "-exponents")),
    wrong("every angle twice, halves", "doubled", swap(f"return {ANGLES}", f"return torch.cat([{ANGLES}] * 2, dim=1)")),
    wrong("every angle twice, neighbours", "doubled", swap(EXPONENTS, "torch.arange(head_dim) // 2 * 2 / head_dim")),
    wrong("positions always from 0", "restarts", swap("positions[:, None]", "torch.arange(len(positions))[:, None]")),
    wrong(
        "positions relative to the first", "restarts", swap("positions[:, None]", "(positions - positions[0])[:, None]")
    ),
    wrong("in float64", "dtype", swap(EXPONENTS, "torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim")),
    wrong("positions in float64", "dtype", swap("positions[:, None]", "positions.double()[:, None]")),
    wrong("the cosines", "cosines", swap(ANGLES, f"({ANGLES}).cos()")),
    wrong("the sines", "cosines", swap(ANGLES, f"({ANGLES}).sin()")),
    wrong("pairs down, positions across", "shape", swap(ANGLES, "positions * (theta**-exponents)[:, None]")),
    wrong(
        "neighbours",
        "neighbours",
        body(
            "rope",
            """
        first, second = x[..., ::2], x[..., 1::2]
        cos, sin = angles.cos(), angles.sin()
        return torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
    """,
        ),
    ),
    wrong("turns the other way", "other way", swap("cos - second", "cos + second"), swap("cos + first", "cos - first")),
    wrong("a minus angle", "other way", swap("angles.sin()", "(-angles).sin()")),
    wrong("a plus for a minus", "no minus", swap("cos - second", "cos + second")),
    wrong("a minus for a plus", "no minus", swap("cos + first", "cos - first")),
    wrong(
        "overwrites the first half",
        "overwritten",
        body(
            "rope",
            """
        first, second = x.chunk(2, dim=-1)
        first = first * angles.cos() - second * angles.sin()
        second = second * angles.cos() + first * angles.sin()
        return torch.cat([first, second], dim=-1)
    """,
        ),
    ),
    wrong(
        "sine for cosine",
        "cosine and sine",
        swap("cos, sin = angles.cos(), angles.sin()", "sin, cos = angles.cos(), angles.sin()"),
    ),
    wrong(
        "halves change places",
        "order",
        swap(CAT, "torch.cat([second * cos + first * sin, first * cos - second * sin], dim=-1)"),
    ),
    wrong(
        "halves in, neighbours out",
        "order",
        swap(CAT, "torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)"),
    ),
    wrong(
        "angles along the heads",
        "time axis",
        swap("cos, sin = angles", "angles = angles[:, None]\n    cos, sin = angles"),
    ),
    wrong(
        "x as (B, T, H, K) when it looks so",
        "time axis",
        swap(
            "cos, sin = angles",
            "angles = angles[:, None] if x.shape[1] == len(angles) else angles\n    cos, sin = angles",
        ),
    ),
    wrong("rotated outside of the graph", "detached", swap("x.chunk", "x.detach().chunk")),
    wrong(
        "rotated without gradients",
        "detached",
        body(
            "rope",
            """
        with torch.no_grad():
            a, b = x.chunk(2, dim=-1)
            cos, sin = angles.cos(), angles.sin()
            return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    """,
        ),
    ),
    wrong(
        "rotated in place",
        "mutated",
        body(
            "rope",
            """
        half = x.shape[-1] // 2
        first, second = x[..., :half].clone(), x[..., half:].clone()
        x[..., :half] = first * angles.cos() - second * angles.sin()
        x[..., half:] = second * angles.cos() + first * angles.sin()
        return x
    """,
        ),
    ),
    right(
        "Hugging Face's rotate_half",
        body(
            "rope",
            """
        first, second = x.chunk(2, dim=-1)
        both = torch.cat([angles, angles], dim=-1)
        return x * both.cos() + torch.cat([-second, first], dim=-1) * both.sin()
    """,
        ),
    ),
    right(
        "complex numbers",
        body(
            "rope",
            """
        first, second = x.chunk(2, dim=-1)
        turned = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)
        return torch.cat([turned.real, turned.imag], dim=-1)
    """,
        ),
    ),
    right(
        "halves by unflatten",
        body(
            "rope",
            """
        pairs = x.unflatten(-1, (2, -1))
        c, s = torch.cos(angles), torch.sin(angles)
        matrix = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])
        return torch.einsum("oith,bntih->bntoh", matrix.permute(0, 1, 2, 3), pairs).flatten(-2)
    """,
        ),
    ),
    right("an outer product", swap(ANGLES, "torch.outer(positions.float(), 1 / theta**exponents)")),
    right("through logarithms", swap(ANGLES, "positions[:, None] * torch.exp(-math.log(theta) * exponents)")),
    right(
        "in float64, then back",
        swap(EXPONENTS, "torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim"),
        swap(ANGLES, f"({ANGLES}).float()"),
    ),
    right(
        "a list",
        swap(
            ANGLES,
            "torch.tensor([[int(t) * theta ** (-2 * i / head_dim) for i in range(head_dim // 2)] for t in positions])",
        ),
    ),
]
