"""Answers to 5.7, what learns, and how much of it."""

from bank import body, right, swap, wrong

EXERCISE = "5.7"
MINE = 'name.split(".")[-1] in FACTORS'
LOOP = "for name, parameter in model.named_parameters():"
LEARNING = "sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)"
EVERYTHING = "sum(parameter.numel() for parameter in model.parameters())"
ANSWERS = [
    wrong("everything learns", "more learns", swap(MINE, "True")),
    wrong("does nothing", "more learns", swap(f"parameter.requires_grad_({MINE})", "pass")),
    wrong("a new attribute", "more learns", swap(f"parameter.requires_grad_({MINE})", f"parameter.trainable = {MINE}")),
    wrong(
        "a misspelt attribute",
        "more learns",
        swap(f"parameter.requires_grad_({MINE})", f"parameter.require_grad = {MINE}"),
    ),
    wrong(
        "freezes only the base layers",
        "more learns",
        swap(f"parameter.requires_grad_({MINE})", 'parameter.requires_grad_("base_layer" not in name)'),
    ),
    wrong("biases learn too", "bias and norm", swap(MINE, f'{MINE} or "bias" in name')),
    wrong("norms learn too", "bias and norm", swap(MINE, f'{MINE} or "norm" in name')),
    wrong(
        "freezes linear layers only",
        "more learns",
        body(
            "freeze",
            """
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear):
                module.requires_grad_(False)
    """,
        ),
    ),
    wrong("only matrices are frozen", "bias and norm", swap(MINE, f"{MINE} or parameter.ndim == 1")),
    wrong("the embedding learns", "embedding", swap(MINE, f'{MINE} or "embed" in name')),
    wrong("the head learns", "embedding", swap(MINE, f'{MINE} or "lm_head" in name')),
    wrong("lora anywhere in the name", "lora in a name", swap(MINE, '"lora" in name')),
    wrong("the end of the name as text", "lora in a name", swap(MINE, "name.endswith(FACTORS)")),
    wrong("everything is frozen", "frozen too", swap(MINE, "False")),
    wrong("only B learns", "frozen too", swap(MINE, 'name.endswith("lora_B")')),
    wrong(
        "only ever switches off",
        "frozen too",
        swap(f"parameter.requires_grad_({MINE})", f"if not {MINE}:\n            parameter.requires_grad = False"),
    ),
    wrong(
        "freezes the modules last",
        "frozen too",
        swap(f"parameter.requires_grad_({MINE})", f"parameter.requires_grad_({MINE})\n    model.requires_grad_(False)"),
    ),
    wrong("learning twice", "learning only", swap(f"return learning, {EVERYTHING}", "return learning, learning")),
    wrong(
        "learning and frozen",
        "learning only",
        swap(EVERYTHING, "sum(p.numel() for p in model.parameters() if not p.requires_grad)"),
    ),
    wrong(
        "counts tensors",
        "tensors",
        body("count", "grads = [p.requires_grad for p in model.parameters()]\nreturn sum(grads), len(grads)"),
    ),
    wrong(
        "a share first",
        "share",
        swap(
            f"return learning, {EVERYTHING}", f"everything = {EVERYTHING}\n    return learning / everything, everything"
        ),
    ),
    wrong("everything first", "swapped", swap(f"return learning, {EVERYTHING}", f"return {EVERYTHING}, learning")),
    wrong(
        "counts by name",
        "by name",
        swap(
            f"learning = {LEARNING}", "learning = sum(p.numel() for n, p in model.named_parameters() if 'lora_' in n)"
        ),
    ),
    wrong(
        "counts the state dict",
        "tied",
        swap(f"return learning, {EVERYTHING}", "return learning, sum(v.numel() for v in model.state_dict().values())"),
    ),
    wrong(
        "counts module by module",
        "tied",
        body(
            "count",
            """
        own = [p for _, m in model.named_modules(remove_duplicate=False) for p in m.parameters(recurse=False)]
        return sum(p.numel() for p in own if p.requires_grad), sum(p.numel() for p in own)
    """,
        ),
    ),
    wrong("one number", "type", swap(f"return learning, {EVERYTHING}", "return learning")),
    wrong(
        "asks for tensors' size",
        "raised",
        swap(
            "parameter.numel() for parameter in model.parameters() if",
            "parameter.size for parameter in model.parameters() if",
        ),
    ),
    right(
        "all off, then some on",
        body(
            "freeze",
            """
        model.requires_grad_(False)
        for name, parameter in model.named_parameters():
            if name.endswith((".lora_A", ".lora_B")):
                parameter.requires_grad = True
    """,
        ),
    ),
    right(
        "by module",
        body(
            "freeze",
            """
        model.requires_grad_(False)
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                parameter.requires_grad = name in FACTORS
    """,
        ),
    ),
    right(
        "in one pass",
        body(
            "count",
            """
        learning = everything = 0
        for parameter in model.parameters():
            everything += parameter.numel()
            learning += parameter.numel() * parameter.requires_grad
        return learning, everything
    """,
        ),
    ),
    right(
        "products of shapes",
        body(
            "count",
            """
        sizes = [(math.prod(p.shape), p.requires_grad) for p in model.parameters()]
        return [sum(n for n, learns in sizes if learns), sum(n for n, _ in sizes)]
    """,
        ),
    ),
]
