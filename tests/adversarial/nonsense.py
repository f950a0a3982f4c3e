"""Answers that are no answers: one value, or an echo of what was asked, in the place of every function of a chapter."""

from minilm.grading.registry import chapters

VALUES = {
    "none": "None",
    "true": "True",
    "nought": "0",
    "one": "1",
    "less than nothing": "-1",
    "a half": "0.5",
    "not a number": "float('nan')",
    "infinity": "float('inf')",
    "a huge number": "10**18",
    "a huge float": "1e300",
    "no text": "''",
    "no bytes": "b''",
    "no list": "[]",
    "no tuple": "()",
    "no dict": "{}",
    "a list of nothing": "[0]",
    "three huge numbers": "(10**15, 10**15, 10**15)",
    "a long list": "[0] * 10**6",
    "numpy": "numpy.zeros((2, 2))",
    "a tensor": "torch.zeros(2, 2)",
    "a large tensor": "torch.zeros(4000, 4000)",
    "a tensor of nan": "torch.full((3, 3), float('nan'))",
    "a tensor of nothing": "torch.zeros(0)",
    "two tensors": "(torch.eye(2), torch.eye(2))",
    "the first argument": "args[0] if args else None",
    "the last argument": "args[-1] if args else None",
    "all arguments": "args",
    "something for everything": "Any()",
}
FILE = """
import numpy, torch

class Any:
    __getattr__ = lambda self, name: self
    __call__ = lambda self, *args, **more: self

{names}
"""
ONE = """
def {name}(*args, **more):
    return {value}
"""


def source(number, value):
    """A file in which every function (and class) of a chapter returns this."""
    names = {name.split(".")[0] for one in chapters()[number].exercises for name in one.functions}
    return FILE.format(names="".join(ONE.format(name=name, value=value) for name in sorted(names)))
