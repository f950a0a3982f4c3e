"""Answers to 2.8, count the parameters."""

from bank import body, right, swap, wrong

EXERCISE = "2.8"
IF = "if p.requires_grad or not trainable_only"
ANSWERS = [
    wrong(
        "every name of the state dict",
        "buffers",
        body(
            "count_parameters",
            """
        trained = {name for name, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
        return sum(v.numel() for name, v in model.state_dict().items() if name in trained or not trainable_only)
    """,
        ),
    ),
    wrong("buffers too", "buffers", swap(IF, f"{IF}) + sum(b.numel() for b in model.buffers()")),
    wrong(
        "tied matrices twice",
        "tied",
        body(
            "count_parameters",
            """
        everything = model.named_parameters(remove_duplicate=False)
        return sum(p.numel() for _, p in everything if p.requires_grad or not trainable_only)
    """,
        ),
    ),
    wrong(
        "module by module, tied twice",
        "tied",
        body(
            "count_parameters",
            """
        total = 0
        for module in model.modules():
            for p in module.parameters(recurse=False):
                total += p.numel() if p.requires_grad or not trainable_only else 0
        return total
    """,
        ),
    ),
    wrong("tensors, not numbers", "tensors", swap("p.numel()", "1")),
    wrong("rows", "value", swap("p.numel()", "len(p)")),
    wrong("only matrices", "matrices", swap(IF, "if p.ndim > 1 and (p.requires_grad or not trainable_only)")),
    wrong("bytes", "bytes", swap("p.numel()", "p.numel() * p.element_size()")),
    wrong("frozen or not is ignored", "ignored", swap(f" {IF}", "")),
    wrong("never counts what is frozen", "always", swap(IF, "if p.requires_grad")),
    wrong("the condition upside down", "opposite", swap(IF, "if p.requires_grad == trainable_only")),
    wrong("frozen ones when asked for trainable", "opposite", swap(IF, "if not (p.requires_grad and trainable_only)")),
    wrong("only the outermost module", "top level", swap("parameters()", "parameters(recurse=False)")),
    wrong(
        "two levels",
        "top level",
        body(
            "count_parameters",
            """
        modules = [model, *model.children()]
        own = [p for module in modules for p in module.parameters(recurse=False)]
        return sum(p.numel() for p in own if p.requires_grad or not trainable_only)
    """,
        ),
    ),
    wrong("a float", "type", swap("return sum(", "return 1.0 * sum(")),
    right(
        "a loop",
        body(
            "count_parameters",
            """
        total = 0
        for parameter in model.parameters():
            if trainable_only and not parameter.requires_grad:
                continue
            total += math.prod(parameter.shape)
        return total
    """,
        ),
    ),
    right(
        "by identity",
        body(
            "count_parameters",
            """
        own = {id(p): p for m in model.modules() for p in m.parameters(recurse=False)}
        return sum(p.nelement() for p in own.values() if p.requires_grad or not trainable_only)
    """,
        ),
    ),
    right("a tensor holds the number", swap("return sum(", "return torch.tensor(0) + sum(")),
]
