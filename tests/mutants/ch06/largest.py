"""Answers to 6.5, the largest model that fits."""

from bank import body, right, swap, wrong

EXERCISE = "6.5"
BITS = "return 4 + 8 / block + 32 / (block * group)"
LORA = '"lora": 2 + 16 * share'
QLORA = '"qlora": quantized_bits(64, 256) / 8 + 16 * share'
RETURN = "return int((gigabytes - activations) * 10**9 / per_number[method])"
ANSWERS = [
    wrong("four bits", "scales", swap(BITS, "return 4.0")),
    wrong("only the scales of the blocks", "scales", swap(" + 32 / (block * group)", "")),
    wrong("only the scales of the groups", "scales", swap(" + 8 / block", "")),
    wrong("a group is `group` weights", "per group", swap("32 / (block * group)", "32 / group")),
    wrong("the scale of a group is a byte", "value", swap("32 / (block", "8 / (block")),
    wrong("scales of 32 bits", "plain scales", swap(BITS, "return 4 + 32 / block")),
    wrong("scales of 32 bits, twice", "plain scales", swap("8 / block", "32 / block")),
    wrong("bytes for bits", "bits", swap(BITS, "return (4 + 8 / block + 32 / (block * group)) / 8")),
    wrong("GiB", "GiB", swap("10**9", "2**30")),
    wrong("no master copy", "twelve", swap('"full": 16', '"full": 12')),
    wrong("no master copy of the adapter", "twelve", swap(LORA, LORA.replace("16", "12"))),
    wrong("no master copy of QLoRA's adapter", "twelve", swap(QLORA, QLORA.replace("16", "12"))),
    wrong("the whole device", "activations", swap("(gigabytes - activations)", "gigabytes")),
    wrong("no adapter", "adapter free", swap(LORA, '"lora": 2')),
    wrong("no adapter in QLoRA", "adapter free", swap(" / 8 + 16 * share", " / 8")),
    wrong("a frozen adapter", "adapter frozen", swap(LORA, '"lora": 2 + 2 * share')),
    wrong("a quantized adapter", "adapter frozen", swap(QLORA, '"qlora": quantized_bits(64, 256) / 8 * (1 + share)')),
    wrong("an adapter as large as the base", "share", swap(LORA, '"lora": 2 + 16')),
    wrong("a percentage", "share", swap(LORA, '"lora": 2 + 16 * share / 100')),
    wrong("a trained base", "base trained", swap(LORA, '"lora": 16 + 16 * share')),
    wrong("an adapter on full", "full has none", swap('"full": 16', '"full": 16 * (1 + share)')),
    wrong("bits of the base", "bits", swap("quantized_bits(64, 256) / 8", "quantized_bits(64, 256)")),
    wrong("no scales in QLoRA", "scales", swap("quantized_bits(64, 256) / 8", "0.5")),
    wrong("QLoRA like LoRA", "not quantized", swap("quantized_bits(64, 256) / 8", "2")),
    wrong("rounded up", "rounded up", swap(RETURN, RETURN.replace("int(", "1 + int("))),
    wrong("rounded", "rounded up", swap(RETURN, RETURN.replace("int(", "round("))),
    wrong("a float", "type", swap(RETURN, RETURN.replace("int(", "("))),
    right(
        "by cases",
        body(
            "largest_model",
            """
        room = gigabytes * 1e9 - activations * 1e9
        if method == "full":
            return int(room // 16)
        base = 2 if method == "lora" else (4 + 8 / 64 + 32 / 64 / 256) / 8
        return int(room // (base + share * (2 + 2 + 4 + 4 + 4)))
    """,
        ),
    ),
    right(
        "everything in bits", body("quantized_bits", "return (block * group * 4 + group * 8 + 32) / (block * group)")
    ),
]
