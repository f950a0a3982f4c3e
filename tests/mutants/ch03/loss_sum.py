"""Answers to 3.3, only what counts."""

from bank import body, right, swap, wrong

EXERCISE = "3.3"
SUM = "-log_p.gather(1, targets[counts][:, None]).sum()"
MEAN = "return sum(total for total, _ in sums) / sum(count for _, count in sums)"
ANSWERS = [
    wrong("the mean", "mean", swap(SUM, "-log_p.gather(1, targets[counts][:, None]).mean()")),
    wrong("the mean over all places", "mean", swap(SUM, SUM + " / targets.numel()")),
    wrong(
        "marked logits become 0",
        "logits set to 0",
        body(
            "loss_sum",
            """
        counts = targets != IGNORE
        log_p = (logits * counts[..., None]).log_softmax(-1)
        return -log_p.gather(-1, targets.clamp(min=0)[..., None]).sum(), int(counts.sum())
    """,
        ),
    ),
    wrong(
        "marks read as id 0",
        "looked up",
        body(
            "loss_sum",
            """
        log_p = logits.log_softmax(-1)
        total = -log_p.gather(-1, targets.clamp(min=0)[..., None]).sum()
        return total, int((targets != IGNORE).sum())
    """,
        ),
    ),
    wrong(
        "looks the mark up",
        "looked up",
        body(
            "loss_sum",
            """
        losses = -logits.log_softmax(-1).gather(-1, targets[..., None]).squeeze(-1)
        counts = targets != IGNORE
        return (losses * counts).sum(), int(counts.sum())
    """,
        ),
    ),
    wrong(
        "looks the mark up by index",
        "looked up",
        body(
            "loss_sum",
            """
        log_p = logits.log_softmax(-1).flatten(0, 1)
        losses = -log_p[torch.arange(len(log_p)), targets.flatten()].view(targets.shape)
        counts = targets != IGNORE
        return losses[counts].sum(), int(counts.sum())
    """,
        ),
    ),
    wrong("no minus", "sign", swap(SUM, SUM[1:])),
    wrong("counts every place", "counts all", swap("int(counts.sum())", "targets.numel()")),
    wrong("counts windows", "counts all", swap("int(counts.sum())", "len(targets)")),
    wrong("0 marks, too", "id 0", swap("counts = targets != IGNORE", "counts = targets > 0")),
    wrong(
        "the mean, times the number",
        "nothing counts",
        body(
            "loss_sum",
            """
        n = int((targets != IGNORE).sum())
        mean = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
        return mean * n, n
    """,
        ),
    ),
    wrong("one loss per token", "not summed", swap(SUM, "-log_p.gather(1, targets[counts][:, None])")),
    wrong("a float", "detached", swap(SUM, SUM + ".item()")),
    wrong(
        "the mean of the means",
        "mean of means",
        swap(MEAN, "return sum(total / n for total, n in sums) / len(sums)"),
    ),
    wrong(
        "adds the means",
        "mean of means",
        swap(MEAN, "return sum(total / n for total, n in sums)"),
    ),
    wrong(
        "the means of all places",
        "mean of means",
        swap(MEAN, "return sum(t / goals.numel() for (t, _), (_, goals) in zip(sums, parts)) / len(parts)"),
    ),
    wrong("only adds", "not divided", swap(MEAN, "return sum(total for total, _ in sums)")),
    wrong("divides by the parts", "by parts", swap(MEAN, "return sum(total for total, _ in sums) / len(parts)")),
    wrong(
        "divides by all places",
        "counts all",
        swap(MEAN, "return sum(total for total, _ in sums) / sum(goals.numel() for _, goals in parts)"),
    ),
    wrong(
        "weighs the means by size",
        "counts all",
        swap(
            MEAN,
            "sizes = [goals.numel() for _, goals in parts]\n"
            "    return sum(t / n * size for (t, n), size in zip(sums, sizes)) / sum(sizes)",
        ),
    ),
    wrong(
        "weighs the means by what counts",
        "nothing counts",
        swap(MEAN, "return sum(t / n * n for t, n in sums) / sum(n for _, n in sums)"),
    ),
    wrong(
        "a float at the end",
        "detached",
        swap(MEAN, "return float(sum(total for total, _ in sums) / sum(count for _, count in sums))"),
    ),
    wrong("a new tensor of the sum", "detached", swap(SUM, f"torch.tensor(({SUM}).item())")),
    wrong("the sum, detached", "detached", swap(SUM, f"({SUM}).detach()")),
    wrong(
        "the parts, each as a number",
        "detached",
        swap(MEAN, "return torch.tensor(sum(total.item() for total, _ in sums) / sum(count for _, count in sums))"),
    ),
    wrong(
        "only the last part learns",
        "detached",
        swap(
            "sums = [loss_sum(logits, targets) for logits, targets in parts]",
            "sums = [loss_sum(logits.detach(), targets) for logits, targets in parts[:-1]] + [loss_sum(*parts[-1])]",
        ),
    ),
    right(
        "torch's own",
        body(
            "loss_sum",
            """
        total = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum"
        )
        return total, (targets != IGNORE).sum()
    """,
        ),
    ),
    right(
        "looks up another id and takes the loss out",
        body(
            "loss_sum",
            """
        counts = targets >= 0
        losses = -logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1)
        return losses.masked_fill(~counts, 0.0).sum(), int(counts.sum())
    """,
        ),
    ),
    right(
        "token by token",
        body(
            "loss_sum",
            """
        total, n = logits.sum() * 0, 0
        for row, goal in zip(logits.flatten(0, 1), targets.flatten().tolist()):
            if goal != IGNORE:
                total, n = total + torch.logsumexp(row, 0) - row[goal], n + 1
        return total, n
    """,
        ),
    ),
    right(
        "flattens and concatenates the parts",
        body(
            "accumulated_loss",
            """
        logits = torch.cat([logits.flatten(0, 1) for logits, _ in parts])
        targets = torch.cat([targets.flatten() for _, targets in parts])
        return torch.nn.functional.cross_entropy(logits, targets)
    """,
        ),
    ),
    right(
        "divides each part by the number of all",
        body(
            "accumulated_loss",
            """
        n = sum(int((targets != -100).sum()) for _, targets in parts)
        loss = torch.zeros(())
        for logits, targets in parts:
            loss = loss + loss_sum(logits, targets)[0] / n
        return loss
    """,
        ),
    ),
]
