"""Answers to 6.1, sixteen bytes or twelve."""

from bank import body, right, swap, wrong

EXERCISE = "6.1"
WEIGHTS = "weights = 2 * (trained + frozen)"
GRADIENTS = "gradients = 2 * trained"
OPTIMIZER = "optimizer = (12 if master else 8) * trained"
RETURN = "return weights, gradients, optimizer"
ANSWERS = [
    wrong("gradients for everything", "frozen", swap(GRADIENTS, "gradients = weights")),
    wrong(
        "moments for everything", "frozen", swap(OPTIMIZER, "optimizer = (12 if master else 8) * (trained + frozen)")
    ),
    wrong("a master copy of everything", "frozen", swap(OPTIMIZER, "optimizer = 8 * trained + 2 * weights * master")),
    wrong("weights of what learns", "frozen forgotten", swap(WEIGHTS, "weights = 2 * trained")),
    wrong("weights in 32 bits", "wide", swap(WEIGHTS, "weights = 4 * (trained + frozen)")),
    wrong("gradients in 32 bits", "wide", swap(GRADIENTS, "gradients = 4 * trained")),
    wrong("one moment", "moments", swap(OPTIMIZER, "optimizer = (8 if master else 4) * trained")),
    wrong("one moment in 16 bits", "moments", swap(OPTIMIZER, "optimizer = (6 if master else 2) * trained")),
    wrong("never a master copy", "no master", swap(OPTIMIZER, "optimizer = 8 * trained")),
    wrong("always a master copy", "master always", swap(OPTIMIZER, "optimizer = 12 * trained")),
    wrong("the other way round", "master always", swap("12 if master else 8", "8 if master else 12")),
    wrong("a master copy in 16 bits", "narrow master", swap("12 if master", "10 if master")),
    wrong(
        "the master copy is a weight",
        "master in weights",
        swap(WEIGHTS, "weights = 2 * (trained + frozen) + 4 * trained * master"),
        swap("12 if master else 8", "8"),
    ),
    wrong("bits", "bits", swap(RETURN, "return 8 * weights, 8 * gradients, 8 * optimizer")),
    wrong("the total", "type", swap(RETURN, "return weights + gradients + optimizer")),
    wrong("by float", "type", swap(GRADIENTS, "gradients = 2e0 * trained")),
    right(
        "a table",
        body(
            "training_bytes",
            """
        table = {"weight": 2, "gradient": 2, "m": 4, "v": 4, "master": 4 * master}
        optimizer = sum(table[name] for name in ("m", "v", "master")) * trained
        return table["weight"] * frozen + table["weight"] * trained, table["gradient"] * trained, optimizer
    """,
        ),
    ),
    right("what is left of 16 or 12", swap(OPTIMIZER, "optimizer = (16 if master else 12) * trained - 4 * trained")),
    right("a list", swap(RETURN, "return [weights, gradients, optimizer]")),
    right(
        "from dtypes",
        body(
            "training_bytes",
            """
        low, high = torch.bfloat16.itemsize, torch.float32.itemsize
        return low * (trained + frozen), low * trained, high * trained * (3 if master else 2)
    """,
        ),
    ),
]
