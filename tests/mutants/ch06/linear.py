"""Answers to 6.2, what a linear layer keeps."""

from bank import body, right, swap, wrong

EXERCISE = "6.2"
TABLE = '{"full": in_features, "lora": in_features + rank, "frozen": 0}'
RETURN = "return batch * context * per_token[method] * size"
WEIGHTS = "sum(n for m, n in (('full', in_features * out_features),) if m == method)"
ANSWERS = [
    wrong("LoRA keeps x A only", "lora drops x", swap('"lora": in_features + rank', '"lora": rank')),
    wrong("LoRA keeps nothing", "lora drops x", swap('"lora": in_features + rank', '"lora": 0')),
    wrong("LoRA keeps x only", "x A forgotten", swap('"lora": in_features + rank', '"lora": in_features')),
    wrong("keeps the output", "output", swap('"full": in_features', '"full": out_features')),
    wrong("keeps input and output", "output", swap('"full": in_features', '"full": in_features + out_features')),
    wrong(
        "LoRA keeps the output of B",
        "output",
        swap('"lora": in_features + rank', '"lora": in_features + rank + out_features'),
    ),
    wrong("a frozen layer keeps x", "frozen keeps x", swap('"frozen": 0', '"frozen": in_features')),
    wrong("the gradient of x needs W", "frozen keeps x", swap('"frozen": 0', '"frozen": out_features')),
    wrong("W counted in", "weights", swap(RETURN, f"{RETURN} + size * {WEIGHTS}")),
    wrong(
        "A and B counted in",
        "weights",
        swap(RETURN, f"{RETURN} + size * rank * (in_features + out_features) * (method == 'lora')"),
    ),
    wrong("numbers", "numbers", swap(" * size", "")),
    wrong("always 2 bytes", "numbers", swap(" * size", " * 2")),
    wrong("always 4 bytes", "numbers", swap(" * size", " * 4")),
    wrong("one sequence", "tokens", swap("batch * context", "context")),
    wrong("one token per sequence", "tokens", swap("batch * context", "batch")),
    wrong("one row", "tokens", swap("batch * context * ", "")),
    wrong("x for W and x for A", "x twice", swap("in_features + rank", "2 * in_features + rank")),
    wrong("a tuple", "type", swap(RETURN, f"{RETURN}, 0")),
    right(
        "by cases",
        body(
            "linear_kept",
            """
        kept = 0
        if method in ("full", "lora"):
            kept += batch * context * in_features
        if method == "lora":
            kept += batch * context * rank
        return size * kept
    """,
        ),
    ),
    right(
        "with tensors that exist",
        body(
            "linear_kept",
            """
        x, low = torch.zeros(batch, context, in_features), torch.zeros(batch, context, rank)
        kept = {"full": [x], "lora": [x, low], "frozen": []}[method]
        return sum(tensor.numel() for tensor in kept) * size
    """,
        ),
    ),
]
