"""Chapter 0, welcome: one warm-up that goes once round the loop of edit, check, points."""

from ..registry import Chapter, Exercise

SURPRISE = Exercise(
    id="0.1",
    title="Bits of surprise",
    functions=("surprise",),
    points=2,
    difficulty=1,
    minutes=5,
    tests=5,
    hints=(
        "A fair coin has p = 1/2 and is worth 1 bit; two fair coins have p = 1/4 and are worth 2 bits. What do "
        "you do "
        "to 1/2 and 1/4 to get 1 and 2?",
        "The exponent that 2 needs to become a number is its logarithm to base 2. Look at `math.log2`, and at "
        "the sign "
        "of what it gives for numbers below 1.",
    ),
    misconceptions={
        "nats": "the natural logarithm, which measures in nats. One bit is the surprise of a fair coin: use base 2.",
        "sign": "the minus sign is missing. The logarithm of a number below 1 is negative, and a surprise is not.",
        "base 10": "the logarithm to base 10, which counts decimal digits. Bits are base 2.",
        "other event": "the surprise of the event that did not happen, 1 - p. Surprise is about what did happen.",
        "inverse": "1/p says how rare the event is, but not in bits: a surprise that is twice as rare adds one bit.",
        "expected": "p times the surprise is what the event adds to an average (the entropy). Here it has "
        "happened: no p.",
        "whole bits": "a rounded result. Surprise comes in fractions of bits, and a model gets better by fractions.",
    },
)

CHAPTER = Chapter(0, "Welcome", (SURPRISE,))
