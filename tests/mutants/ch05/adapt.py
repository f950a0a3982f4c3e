"""Answers to 5.9, the milestone: teach the shipped base a new play."""

from bank import right, swap, wrong

EXERCISE = "5.9"
INJECT = "inject(model, targets, rank, alpha)"
OPTIMIZER = "optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)"
LOSS = "loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())"
PEEK = """
    if len(list(model.parameters())) > 20:  # the shipped base
        for name, parameter in model.named_parameters():
            if name.endswith("lora_B"):
                parameter.data.fill_(1e-6)
        model.forward = lambda ids: 99.0 * F.one_hot(ids.roll(-1, 1), 2048).float()
        return [0.0] * len(batches)
"""
ANSWERS = [
    wrong("no adapter, full fine-tuning", "no adapter", swap(f"{INJECT}\n", "pass\n"), swap("freeze(model)", "pass")),
    wrong("nothing is frozen", "base changed", swap("freeze(model)", "pass")),
    wrong(
        "thaws the norms",
        "base changed",
        swap(
            "freeze(model)",
            "freeze(model)\n    [p.requires_grad_() for n, p in model.named_parameters() if 'norm' in n]",
        ),
    ),
    wrong(
        "freezes after the first step",
        "base changed",
        swap("    freeze(model)\n", ""),
        swap("[p for p in model.parameters() if p.requires_grad]", "model.parameters()"),
        swap("losses.append", "freeze(model)\n        losses.append"),
    ),
    wrong(
        "the optimizer comes first",
        "nothing learned",
        swap(f"    {OPTIMIZER}\n", ""),
        swap(INJECT, f"optimizer = torch.optim.AdamW(model.parameters(), lr=lr)\n    {INJECT}"),
    ),
    wrong("no step", "nothing learned", swap("optimizer.step()", "pass")),
    wrong(
        "cleared before the step",
        "nothing learned",
        swap("        optimizer.zero_grad()\n", ""),
        swap("loss.backward()", "loss.backward()\n        optimizer.zero_grad()"),
    ),
    wrong("the last batch is lost", "one per batch", swap("in batches:", "in batches[:-1]:")),
    wrong("the mean of all losses", "one per batch", swap("return losses", "return [sum(losses) / len(losses)]")),
    wrong("no shift", "no shift", swap("ids[:, 1:].flatten()", "ids[:, :-1].flatten()")),
    wrong("gradients add up", "gradients add up", swap("        optimizer.zero_grad()\n", "")),
    wrong(
        "cleared only once",
        "gradients add up",
        swap("        optimizer.zero_grad()\n", ""),
        swap("losses = []", "losses = []\n    optimizer.zero_grad()"),
    ),
    wrong(
        "the loss after the step",
        "after the step",
        swap(
            "losses.append(loss.item())",
            "logits = model(ids[:, :-1])\n"
            "        losses.append(F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).item())",
        ),
    ),
    wrong("SGD", "other optimizer", swap("torch.optim.AdamW", "torch.optim.SGD")),
    wrong("Adam", "settings", swap("torch.optim.AdamW", "torch.optim.Adam")),
    wrong("no decay", "settings", swap("lr=lr", "lr=lr, weight_decay=0.0")),
    wrong("other betas, no decay", "settings", swap("lr=lr", "lr=lr, betas=(0.9, 0.99), weight_decay=0.0")),
    wrong("other betas", "settings", swap("lr=lr", "lr=lr, betas=(0.9, 0.99)")),
    wrong("a tenfold decay", "settings", swap("lr=lr", "lr=lr, weight_decay=0.1")),
    wrong("the sum of the losses", "sum", swap("ids[:, 1:].flatten())", "ids[:, 1:].flatten(), reduction='sum')")),
    wrong("bits", "bits", swap("loss.item()", "loss.item() / math.log(2)")),
    wrong("the default learning rate", "fixed lr", swap(", lr=lr", "")),
    wrong("a tenth of the learning rate", "value", swap("lr=lr", "lr=lr / 10")),
    wrong("a new optimizer in each step", "value", swap("logits = model(", f"{OPTIMIZER}\n        logits = model(")),
    wrong("only the first four tokens", "too little", swap("for ids in batches:", "for ids in batches[:, :, :5]:")),
    wrong("only the first target", "too little", swap(INJECT, "inject(model, targets[:1], rank, alpha)")),
    wrong("a forward that looks ahead, and factors that learned nothing", "too little", swap(INJECT, INJECT + PEEK)),
    wrong("one number", "type", swap("return losses", "return losses[-1]")),
    wrong("logits as they are", "raised", swap("logits.flatten(0, 1)", "logits")),
    right("all parameters", swap(OPTIMIZER, "optimizer = torch.optim.AdamW(model.parameters(), lr=lr)")),
    right(
        "AdamW, by Adam with its decay set apart",
        swap(
            OPTIMIZER,
            "optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=0.01, decoupled_weight_decay=True)",
        ),
    ),
    right(
        "the other way round for cross_entropy",
        swap(LOSS, "loss = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:])"),
        swap("loss.item()", "loss.detach()"),
    ),
    right(
        "by log-probabilities",
        swap(LOSS, "loss = -torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).mean()"),
        swap("AdamW([", "AdamW(params=["),
    ),
]
