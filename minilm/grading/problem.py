"""What can be wrong with an answer: one kind for each thing that a learner would do differently about it.

What this file does not do: say what the mistake usually is (chapters/), or put the message together (explain.py).
"""

import re

NO_RETURN = "Is a `return` missing?"  # what a message asks when it got None
STUB = re.compile(r"Exercise (\d+\.\d+): ")  # how the message of every stub begins; group 1: the exercise

KINDS = {  # kind: (what it is called, what to do when the exercise has nothing more exact to say)
    "todo": ("not started", "Write the function in place of `raise NotImplementedError`, save the file, check again."),
    "begun": ("begun", "Write what still holds `raise NotImplementedError`, save the file, check again."),
    "waits": ("waits for another exercise", "Your code is called, but it uses another exercise. Solve that one first."),
    "missing": ("missing", "Keep the name of every file and function as they were handed out."),
    "syntax": (
        "syntax error",
        "Python cannot read the file, so nothing in it counts yet. Look at the mark, and one line up.",
    ),
    "load": (
        "stops while it is read",
        "Python runs the whole file before it calls anything in it. Mend that line or take it out; what you only try"
        " out belongs in a cell of the notebook.",
    ),
    "type": ("wrong type", 'Compare what is returned with the "Returns" part of the docstring.'),
    "shape": (
        "wrong shape",
        "Write the shape behind each line as a comment; the first that surprises you is the place.",
    ),
    "value": ("wrong value", "Take this small case and follow it through your code by hand, line by line."),
    "nan": ("NaN", "NaN comes from 0/0, inf - inf, inf * 0 or the logarithm of a negative number: find the first one."),
    "mutated": (
        "changed its input",
        "The caller still needs what it passed in. Work on a copy, or build a new result.",
    ),
    "raised": ("raised an error", "The last line names the error, the line above it the place."),
    "slow": ("too slow", "Does a loop end? Does each round get closer to that end?"),
    "crash": ("crashed", "The Python process died, mostly for want of memory: is an array far larger than meant?"),
    "protocol": (
        "answered with nonsense",
        "The grader reads what your function returns from a pipe of its own. Leave files and pipes that you did not"
        " open alone, and return plain numbers, texts, lists, arrays or tensors.",
    ),
    "test": ("could not be tested", "This looks like a mistake of the course, not yours: please report it."),
}


class Problem(AssertionError):
    """One thing that is wrong.

    kind: a key of KINDS. seen: what was seen, one or more lines. means: the key of a misconception of the exercise,
    when this looks like one. error: the name of the exception, when the kind is "raised" or "slow". function: the name
    of what is not written, when the kind is "todo". All of it is plain text, so a problem passes between processes as
    it is.
    """

    def __init__(self, kind, seen, means=None, error=None, function=None):
        super().__init__(f"{KINDS[kind][0]}: {seen}")
        self.kind, self.seen, self.means, self.error, self.function = kind, seen, means, error, function


class TooSlow(BaseException):
    """The time is up. Not an Exception, so that `except Exception` in a loop does not swallow it."""
