"""Answers to 6.3, what attention keeps."""

from bank import body, right, swap, wrong

EXERCISE = "6.3"
RETURN = "return 3 * rows * head_size * size, rows * context * size"
LINEAR = "3 * rows * head_size * size"
SQUARE = "rows * context * size"
ANSWERS = [
    wrong("scores and weights", "scores", swap(SQUARE, f"2 * {SQUARE}")),
    wrong("scores, masked scores and weights", "scores", swap(SQUARE, f"3 * {SQUARE}")),
    wrong("half of the square", "half", swap(SQUARE, f"{SQUARE} // 2")),
    wrong("the triangle", "half", swap(SQUARE, "rows * (context + 1) // 2 * size")),
    wrong("one head's weights", "one head", swap(SQUARE, "batch * context * context * size")),
    wrong("K for D", "one head", swap("batch * heads * context", "batch * context")),
    wrong("only q", "fewer than three", swap("3 * rows", "rows")),
    wrong("q and k", "fewer than three", swap("3 * rows", "2 * rows")),
    wrong("out as well", "output", swap("3 * rows", "4 * rows")),
    wrong("T for T x T", "not squared", swap(SQUARE, "rows * size")),
    wrong("one sequence", "one sequence", swap("batch * heads * context", "heads * context")),
    wrong("numbers", "numbers", swap(RETURN, "return 3 * rows * head_size, rows * context")),
    wrong("always 2 bytes", "numbers", swap(RETURN, RETURN.replace("size,", "2,").replace("* size", "* 2"))),
    wrong("always 4 bytes", "numbers", swap(RETURN, "return 3 * rows * head_size * 4, rows * context * 4")),
    wrong("square first", "swapped", swap(RETURN, f"return {SQUARE}, {LINEAR}")),
    wrong("the total", "type", swap(RETURN, f"return {LINEAR} + {SQUARE}")),
    right(
        "from shapes",
        body(
            "attention_kept",
            """
        q = k = v = (batch, heads, context, head_size)
        bytes_of = lambda shape: torch.Size(shape).numel() * size
        return bytes_of(q) + bytes_of(k) + bytes_of(v), bytes_of((batch, heads, context, context))
    """,
        ),
    ),
    right(
        "by the width of the model",
        body(
            "attention_kept",
            """
        width = heads * head_size
        return 3 * batch * context * width * size, size * batch * heads * context**2
    """,
        ),
    ),
    right("a list", swap(RETURN, f"return [{LINEAR}, {SQUARE}]")),
]
