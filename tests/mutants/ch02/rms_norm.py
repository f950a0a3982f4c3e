"""Answers to 2.3, RMSNorm."""

from bank import body, right, swap, wrong

EXERCISE = "2.3"
RMS = "torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)"
RETURN = "return (wide * inverse_rms).to(x.dtype) * weight"
ANSWERS = [
    wrong(
        "LayerNorm", "mean subtracted", swap("wide = x.float()", "wide = x.float() - x.float().mean(-1, keepdim=True)")
    ),
    wrong(
        "the mean comes off the result only",
        "mean subtracted",
        swap("(wide * inv", "((wide - wide.mean(-1, keepdim=True)) * inv"),
    ),
    wrong(
        "torch's LayerNorm",
        "mean subtracted",
        body("rms_norm", "return F.layer_norm(x.float(), (x.shape[-1],), eps=eps).to(x.dtype) * weight"),
    ),
    wrong("the sum of the squares", "sum", swap(".mean(-1", ".sum(-1")),
    wrong("unit length", "sum", body("rms_norm", "return (F.normalize(x.float(), dim=-1)).to(x.dtype) * weight")),
    wrong("no root", "no root", swap(RMS, "1 / (wide.square().mean(-1, keepdim=True) + eps)")),
    wrong("the mean over time", "other axis", swap(".mean(-1,", ".mean(max(-2, -x.ndim),")),
    wrong("the mean over everything", "other axis", swap(".mean(-1, keepdim=True)", ".mean()")),
    wrong("the mean loses its axis", "keepdim", swap(", keepdim=True", "")),
    wrong(
        "the weight comes first",
        "weight first",
        swap("wide = x.float()", "wide = x.float() * weight"),
        swap(".to(x.dtype) * weight", ".to(x.dtype)"),
    ),
    wrong("no weight", "no weight", swap(" * weight", "")),
    wrong("one plus the weight", "one plus weight", swap("* weight", "* (1 + weight)")),
    wrong("eps after the root", "eps outside", swap(RMS, "1 / (wide.square().mean(-1, keepdim=True).sqrt() + eps)")),
    wrong("eps squared", "eps outside", swap("+ eps", "+ eps**2")),
    wrong("no eps", "eps left out", swap(" + eps", "")),
    wrong(
        "eps as a floor", "eps left out", swap(RMS, "torch.rsqrt(wide.square().mean(-1, keepdim=True).clamp(min=eps))")
    ),
    wrong("stays in half precision", "half", swap("x.float()", "x")),
    wrong("squares first, widens later", "half", swap("wide.square()", "x.square().float()")),
    wrong("comes back as float32", "dtype", swap("(wide * inverse_rms).to(x.dtype)", "(wide * inverse_rms)")),
    wrong(
        "always bfloat16 for halves",
        "dtype",
        swap(".to(x.dtype)", ".to(x.dtype if x.dtype == torch.float32 else torch.bfloat16)"),
        swap("* weight", "* weight.to(torch.bfloat16 if x.dtype != torch.float32 else x.dtype)"),
    ),
    wrong("the rms is taken for a constant", "detached", swap("inverse_rms)", "inverse_rms.detach())")),
    wrong("through numpy", "detached", swap("wide = x.float()", "wide = torch.from_numpy(x.detach().float().numpy())")),
    wrong(
        "no gradients",
        "detached",
        swap("    wide = x.float()", "    weight = weight.detach()\n    wide = x.detach().float()"),
    ),
    wrong("the weight is taken for a constant", "weight detached", swap("* weight", "* weight.detach()")),
    wrong("the weight's data", "weight detached", swap("* weight", "* weight.data")),
    wrong("normalises in place", "mutated", swap("(wide * inverse_rms)", "wide.mul_(inverse_rms)")),
    right("divided by a root", swap(RMS, "1 / ((wide**2).mean(dim=-1, keepdim=True) + eps) ** 0.5")),
    right(
        "torch's own", body("rms_norm", "return F.rms_norm(x.float(), (x.shape[-1],), weight.float(), eps).to(x.dtype)")
    ),
    right("the weight in float32, too", swap(RETURN, "return (wide * inverse_rms * weight.float()).to(x.dtype)")),
    right(
        "by a dot product",
        swap(
            "wide.square().mean(-1, keepdim=True)",
            "torch.einsum('...d,...d->...', wide, wide).unsqueeze(-1) / x.shape[-1]",
        ),
    ),
    right("in float64", swap("x.float()", "x.double()")),
    right(
        "by the norm",
        swap(RMS, "1 / torch.sqrt(torch.linalg.vector_norm(wide, dim=-1, keepdim=True) ** 2 / x.size(-1) + eps)"),
    ),
]
