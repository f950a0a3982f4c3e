"""Results that are not what they seem: equal to everything, of another type, of another shape, never the same."""

from hostile import case, honest

YES = """
class Yes({base}):
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = {base}.__hash__
    __bool__ = lambda self: True
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __abs__ = lambda self, *_: self
    __float__ = lambda self: 0.0
    __int__ = __index__ = lambda self: 0
"""


def lying(base, result, more="", name=None, **options):
    """A subclass of a built-in type that says yes to every comparison."""
    code = YES.format(base=base) + more + f"\nreturn {result}"
    tries = f"returns a subclass of {base} with its own comparisons"
    return case(name or f"{base} that equals all", tries, "fail", code, **options)


CASES = [
    lying("object", "Yes()"),
    lying("object", "(Yes(), Yes(), Yes())", name="objects that equal all in a tuple"),
    lying("int", "(Yes(0), Yes(0), Yes(0))"),
    lying("float", "(Yes(0), Yes(0), Yes(0))"),
    lying("str", "Yes('')"),
    lying("tuple", "Yes((0, 0, 0))"),
    lying("dict", "Yes()"),
    lying("list", "Yes([b'x'])", exercise="1.2"),
    lying("bytes", "[Yes(b'x')]", exercise="1.2"),
    case(
        "list that changes",
        "is another list each time it is looked at",
        "fail",
        """
        class Changing(list):
            def __iter__(self):
                yield from [b"x"] * len(seen)
                seen.append(1)
        seen = []
        return Changing()
        """,
        exercise="1.2",
    ),
    case(
        "array that equals all",
        "returns a subclass of numpy's array with its own comparisons",
        "fail",
        """
        class Yes(np.ndarray):
            __eq__ = __le__ = __lt__ = lambda self, other: True
            __array_ufunc__ = lambda self, *_, **__: np.True_
            __array_function__ = lambda self, *_, **__: True
        return np.zeros(2).view(Yes)
        """,
        exercise="4.2",
    ),
    case(
        "made into an array",
        "has __array__, __float__ and __len__ of its own",
        "fail",
        """
        class Made:
            __array__ = lambda self, *_, **__: np.zeros(2)
            __float__ = lambda self: 0.0
            __len__ = lambda self: 2
            __getitem__ = lambda self, place: self
        return Made()
        """,
        exercise="4.2",
    ),
    case(
        "array of objects",
        "hides its own objects in an array",
        "fail",
        "return np.array([object()] * 2)",
        exercise="4.2",
    ),
    case("array of texts", "returns an array of text", "fail", "return np.array(['0.0', '0.0'])", exercise="4.2"),
    case("not a number", "returns NaN", "fail", "return float('nan'), float('nan')", exercise="4.2"),
    case("infinite", "returns infinity", "fail", "return float('inf'), float('inf')", exercise="4.2"),
    case(
        "tensor that says yes",
        "answers every function of torch itself",
        "fail|error|protocol",
        """
        class Yes(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None): return True
        return torch.zeros(()).as_subclass(Yes)
        """,
        exercise="7.2",
    ),
    case(
        "tensor of another shape",
        "claims a shape that it does not have",
        "fail|error|protocol",
        """
        class Claims(torch.Tensor):
            shape = property(lambda self: torch.Size([10**6, 10**6]))
            dtype = property(lambda self: torch.bool)
            detach = clone = cpu = contiguous = lambda self, *_, **__: self
        return torch.zeros(3).as_subclass(Claims)
        """,
        exercise="7.2",
    ),
    case(
        "tensor without values",
        "returns a meta tensor",
        "fail|error|protocol",
        "return torch.zeros(2, device='meta')",
        exercise="7.2",
    ),
    case(
        "sparse tensor",
        "returns a tensor of another layout",
        "fail|error",
        "return torch.eye(2).to_sparse()",
        exercise="7.2",
    ),
    case(
        "complex tensor",
        "returns numbers that cannot be sent",
        "fail|error",
        "return torch.zeros(2, dtype=torch.complex64)",
        exercise="7.2",
    ),
    case(
        "class of its own choice",
        "says that it is an int",
        "fail|error",
        "class Lie: __class__ = property(lambda self: int)\nreturn Lie(), Lie(), Lie()",
    ),
    case("generator", "returns what is still to be computed", "fail", "return (value for value in right())"),
    case("function", "returns a function that would give the answer", "fail", "return right"),
    case("exception as an answer", "returns an exception", "fail", "return AssertionError('passed')"),
    case("right answer as text", "returns the text of the answer", "fail", "return str(right())"),
    case("one thing too many", "returns the answer and more", "fail", "return (*right(), 0)"),
    case(
        "reference that is forged",
        "returns the grader's own stand-in",
        "fail|protocol",
        "from minilm.grading.worker import Reference; return Reference(2**60, 'passed')",
    ),
    honest("numbers of numpy", "returns numpy's whole numbers", "import numpy as np; return tuple(np.array(right()))"),
    honest(
        "named tuple",
        "returns a subclass of tuple, as tidy code does",
        "from collections import namedtuple; return namedtuple('Bytes', 'weights gradients optimizer')(*right())",
    ),
]
