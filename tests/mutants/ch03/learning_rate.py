"""Answers to 3.5, warm up, then cool down."""

from bank import body, right, swap, wrong

EXERCISE = "3.5"
WARM = "return peak * t / warmup"
SHARE = "share = (t - warmup) / (steps - warmup)"
WAVE = "return floor + (peak - floor) * (1 + math.cos(math.pi * share)) / 2"
ANSWERS = [
    wrong("counts from 0", "starts at 0", swap(WARM, "return peak * (t - 1) / warmup")),
    wrong(
        "from 0 to the peak", "starts at 0", swap(WARM, "return peak * (t - 1) / (warmup - 1) if warmup > 1 else peak")
    ),
    wrong("one step short of the peak", "misses the peak", swap(WARM, "return peak * t / (warmup + 1)")),
    wrong("a step ahead", "misses the peak", swap(WARM, "return min(peak * (t + 1) / warmup, peak)")),
    wrong("climbs from the floor", "from the floor", swap(WARM, "return floor + (peak - floor) * t / warmup")),
    wrong("climbs to 1", "peak forgotten", swap(WARM, "return t / warmup")),
    wrong("falls from 1", "peak forgotten", swap("(peak - floor)", "(1 - floor)")),
    wrong("at the peak at once", "no line", swap(WARM, "return peak")),
    wrong(
        "no warm-up at all",
        "no line",
        body("learning_rate", "return floor + (peak - floor) * (1 + math.cos(math.pi * t / steps)) / 2"),
    ),
    wrong(
        "divides by a warm-up of 0",
        "no warm-up",
        body(
            "learning_rate",
            """
        up = min(1.0, t / warmup)
        share = max(0, t - warmup) / max(1, steps - warmup)
        return up * (floor + (peak - floor) * (1 + math.cos(math.pi * share)) / 2)
    """,
        ),
    ),
    wrong("takes at least one step to warm up", "no warm-up", swap(SHARE, "warmup = max(1, warmup)\n    " + SHARE)),
    wrong("divides by a cool-down of 0", "only warm-up", swap("if t <= warmup", "if t < warmup")),
    wrong("the wave begins with the run", "from the start", swap(SHARE, "share = t / steps")),
    wrong("a share of the whole run", "from the start", swap(SHARE, "share = (t - warmup) / steps")),
    wrong("a step behind", "late", swap(SHARE, "share = (t - 1 - warmup) / (steps - warmup)")),
    wrong("never quite there", "late", swap(SHARE, "share = (t - warmup) / (steps - warmup + 1)")),
    wrong("begins a step late", "late", swap(SHARE, "share = (t - warmup - 1) / (steps - warmup - 1)")),
    wrong("a line down", "line", swap(WAVE, "return peak + (floor - peak) * share")),
    wrong(
        "a quarter of the wave", "wave", swap("(1 + math.cos(math.pi * share)) / 2", "math.cos(math.pi / 2 * share)")
    ),
    wrong("the whole wave", "wave", swap("math.pi * share", "2 * math.pi * share")),
    wrong("not halved", "wave", swap("(1 + math.cos(math.pi * share)) / 2", "(1 + math.cos(math.pi * share))")),
    wrong("upside down", "wave", swap("1 + math.cos", "1 - math.cos")),
    wrong("the cosine alone", "wave", swap("(1 + math.cos(math.pi * share)) / 2", "math.cos(math.pi * share)")),
    wrong("down to 0", "floor ignored", swap(WAVE, "return peak * (1 + math.cos(math.pi * share)) / 2")),
    wrong("the floor on top of it", "floor on top", swap("(peak - floor)", "peak")),
    wrong(
        "cut off at the floor", "cut off", swap(WAVE, "return max(floor, peak * (1 + math.cos(math.pi * share)) / 2)")
    ),
    wrong("stays at the peak", "no wave", swap(WAVE, "return peak")),
    wrong("forgets to return", "type", swap(WAVE, WAVE.removeprefix("return "))),
    right(
        "a factor between 0 and 1",
        body(
            "learning_rate",
            """
        if t <= warmup:
            return peak * (t / warmup)
        half = 0.5 * (1.0 + math.cos(math.pi * (t - warmup) / (steps - warmup)))
        return half * peak + (1 - half) * floor
    """,
        ),
    ),
    right("the square of a cosine", swap("(1 + math.cos(math.pi * share)) / 2", "math.cos(math.pi * share / 2) ** 2")),
    right(
        "a tensor",
        swap(WAVE, "return floor + (peak - floor) * (1 + torch.cos(torch.tensor(math.pi * share).double())) / 2"),
    ),
    right(
        "both cases in one line",
        body(
            "learning_rate",
            """
        up, down = t / max(1, warmup), (t - warmup) / max(1, steps - warmup)
        return peak * up if t <= warmup else (peak + floor + (peak - floor) * math.cos(math.pi * down)) / 2
    """,
        ),
    ),
]
