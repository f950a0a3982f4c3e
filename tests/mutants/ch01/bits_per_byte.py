"""Answers to 1.7, nats per token to bits per byte."""

from bank import right, swap, wrong

EXERCISE = "1.7"
WHOLE = "nats_per_token * n_tokens / math.log(2) / n_bytes"
ANSWERS = [
    wrong("nats per byte", "still nats", swap(" / math.log(2)", "")),
    wrong("times ln 2", "times ln 2", swap("/ math.log(2)", "* math.log(2)")),
    wrong("bytes over tokens", "upside down", swap(WHOLE, "nats_per_token / math.log(2) * n_bytes / n_tokens")),
    wrong("bits per token", "per token", swap(WHOLE, "nats_per_token / math.log(2)")),
    wrong("log2 of the loss", "log of the loss", swap(WHOLE, "math.log2(nats_per_token) * n_tokens / n_bytes")),
    wrong("log10", "base 10", swap("math.log(2)", "math.log10(2)")),
    wrong("whole numbers only", "value", swap("/ n_bytes", "// n_bytes")),
    wrong("rounded", "per token", swap(WHOLE, f"round({WHOLE}, 2)")),
    wrong("prints it", "type", swap(f"return {WHOLE}", f"print({WHOLE})")),
    wrong("a misspelt name", "raised", swap("n_bytes", "n_byte")),
    right("log2 of e", swap(WHOLE, "nats_per_token * math.log2(math.e) * (n_tokens / n_bytes)")),
    right("perplexity first", swap(WHOLE, "math.log2(math.exp(nats_per_token)) * n_tokens / n_bytes")),
    right("a numpy number", swap(WHOLE, f"__import__('numpy').float64({WHOLE})")),
]
