"""Answers to 0.1, bits of surprise."""

from bank import body, right, swap, wrong

EXERCISE = "0.1"
ANSWERS = [
    wrong("the natural logarithm", "nats", swap("log2", "log")),
    wrong("no minus", "sign", swap("1 / p", "p")),
    wrong("logarithm to base 10", "base 10", swap("log2", "log10")),
    wrong("the event that did not happen", "other event", swap("1 / p", "1 / (1 - p)")),
    wrong("one over p", "inverse", swap("math.log2(1 / p)", "1 / p")),
    wrong("weighted with p", "expected", swap("math", "p * math")),
    wrong("rounded to whole bits", "whole bits", swap("math.log2(1 / p)", "round(math.log2(1 / p))")),
    wrong("rounded up", "whole bits", swap("math.log2(1 / p)", "math.ceil(math.log2(1 / p))")),
    wrong("prints and returns nothing", "type", swap("return math.log2(1 / p)", "print(math.log2(1 / p))")),
    wrong("a str", "type", swap("return math.log2(1 / p)", "return f'{math.log2(1 / p)} bits'")),
    wrong("a misspelt function", "raised", swap("log2", "log_2")),
    right("minus the logarithm of p", swap("math.log2(1 / p)", "-math.log2(p)")),
    right("the natural logarithm over ln 2", swap("math.log2(1 / p)", "-math.log(p) / math.log(2)")),
    right("numpy", body("surprise", "import numpy as np\nreturn -np.log2(p)")),
    right("a zero-dimensional array", body("surprise", "import numpy as np\nreturn np.asarray(-np.log2(np.array(p)))")),
]
