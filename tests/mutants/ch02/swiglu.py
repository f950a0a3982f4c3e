"""Answers to 2.5, SwiGLU."""

from bank import body, right, swap, wrong

EXERCISE = "2.5"
RETURN = "down_proj(F.silu(gate_proj(x)) * up_proj(x))"
ANSWERS = [
    wrong("the other one is the gate", "silu on up", swap(RETURN, "down_proj(gate_proj(x) * F.silu(up_proj(x)))")),
    wrong("SiLU on both", "silu on both", swap("* up_proj(x)", "* F.silu(up_proj(x))")),
    wrong("SiLU on the product", "silu on both", swap(RETURN, "down_proj(F.silu(gate_proj(x) * up_proj(x)))")),
    wrong("SiLU at the end", "silu on both", swap(RETURN, "F.silu(down_proj(gate_proj(x) * up_proj(x)))")),
    wrong("no SiLU", "no silu", swap("F.silu(gate_proj(x))", "gate_proj(x)")),
    wrong("a sigmoid", "sigmoid", swap("F.silu(", "torch.sigmoid(")),
    wrong("GELU", "other activation", swap("F.silu(", "F.gelu(")),
    wrong("ReLU", "other activation", swap("F.silu(", "F.relu(")),
    wrong("a sum", "added", swap("* up_proj", "+ up_proj")),
    wrong("not brought down", "no down", swap(RETURN, "F.silu(gate_proj(x)) * up_proj(x)")),
    wrong(
        "each brought down alone",
        "inner order",
        swap(RETURN, "down_proj(F.silu(gate_proj(x))) * down_proj(up_proj(x))"),
    ),
    wrong(
        "weights by hand",
        "not called",
        swap(RETURN, "(F.silu(x @ gate_proj.weight.T) * (x @ up_proj.weight.T)) @ down_proj.weight.T"),
    ),
    wrong("the gate is a constant", "detached", swap("F.silu(gate_proj(x))", "F.silu(gate_proj(x)).detach()")),
    wrong("no gradients", "detached", swap("return down", "x = x.detach()\n    return down")),
    wrong("SiLU in place on x", "mutated", swap("return down", "x.mul_(1.5)\n    return down")),
    right(
        "SiLU written out",
        body(
            "swiglu",
            """
        gate = gate_proj(x)
        return down_proj(gate * torch.sigmoid(gate) * up_proj(x))
    """,
        ),
    ),
    right("the factors the other way round", swap(RETURN, "down_proj(up_proj(x) * F.silu(gate_proj(x)))")),
    right(
        "torch's module",
        body(
            "swiglu",
            """
        inner = torch.mul(nn.SiLU()(gate_proj(x)), up_proj(x))
        return down_proj(inner)
    """,
        ),
    ),
    right(
        "an exponential",
        body(
            "swiglu",
            """
        gate = gate_proj(x)
        return down_proj(gate / (1 + torch.exp(-gate)) * up_proj(x))
    """,
        ),
    ),
]
