"""Answers to 6.4, the arithmetic of LoRA."""

from bank import body, right, swap, wrong

EXERCISE = "6.4"
FULL = "return 3 * full"
LORA = "return 2 * full + 3 * 2 * rank * (in_features + out_features)"
ADAPTER = "3 * 2 * rank * (in_features + out_features)"
RANK = "in_features * out_features / (3 * (in_features + out_features))"
ANSWERS = [
    wrong("multiply-adds", "multiply-adds", swap("full = 2 * in", "full = in"), swap("3 * 2 * rank", "3 * rank")),
    wrong("the forward pass", "forward only", swap(FULL, "return full")),
    wrong("backward as much as forward", "backward once", swap(FULL, "return 2 * full")),
    wrong("LoRA: a third of the work on W", "a third", swap("2 * full +", "full +")),
    wrong("LoRA: the gradient of W too", "all three", swap("2 * full +", "3 * full +")),
    wrong("LoRA is like full", "all three", swap(LORA, "return 3 * full")),
    wrong("LoRA: only A and B", "only the adapter", swap("2 * full + ", "")),
    wrong("LoRA: A and B for free", "adapter free", swap(LORA, "return 2 * full")),
    wrong("LoRA: A and B forward only", "adapter free", swap("3 * 2 * rank", "2 * rank")),
    wrong("LoRA: A and B as if frozen", "adapter free", swap("3 * 2 * rank", "2 * 2 * rank")),
    wrong("twice A", "square", swap(ADAPTER, "3 * 2 * rank * 2 * in_features")),
    wrong("twice B", "square", swap(ADAPTER, "3 * 2 * rank * 2 * out_features")),
    wrong("LoRA: the forward pass", "forward only", swap("2 * full +", "full +"), swap("3 * 2 * rank", "2 * rank")),
    wrong("rank 0 for None", "raised", swap("if rank is None", "if rank <= 0")),
    wrong(
        "break-even of storage", "parameters", swap(RANK, "in_features * out_features / (in_features + out_features)")
    ),
    wrong("a sixth of the input side", "sixth", swap(RANK, "in_features / 6")),
    wrong("a sixth of the smaller side", "sixth", swap(RANK, "min(in_features, out_features) / 6")),
    wrong("a sixth of the mean side", "sixth", swap(RANK, "(in_features + out_features) / 12")),
    wrong("rounded down", "rounded", swap(RANK, RANK.replace(" / ", " // "))),
    wrong("rounded", "rounded", swap(RANK, f"round({RANK})")),
    wrong("rounded to two places", "rounded", swap(RANK, f"round({RANK}, 2)")),
    right(
        "product by product",
        body(
            "training_flops",
            """
        def products(rows, columns, learns):
            once = 2 * rows * columns
            return once + once + (once if learns else 0)

        if rank is None:
            return products(out_features, in_features, True)
        thin = products(rank, in_features, True) + products(out_features, rank, True)
        return products(out_features, in_features, False) + thin
    """,
        ),
    ),
    right("six and four", swap(FULL, "return 6 * in_features * out_features"), swap("2 * full +", "full + full +")),
    right("by fractions", swap(RANK, "1 / (3 / in_features + 3 / out_features)")),
]
