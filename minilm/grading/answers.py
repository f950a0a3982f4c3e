"""The side of a graded test: `answers.merge_pair(...)` calls the learner's function, wherever it runs.

Whatever is passed is copied on the way, so a learner's code never holds what the test holds; and when a call changed
its copies, that is noticed here for every function and every argument.

What this file does not do: load or run a learner's code (worker.py does, in this process or in another).
"""

import time

from .plain import describe, plain, same, show
from .problem import Problem
from .worker import Reference

RESERVED = ("make", "gradients")  # no exercise may ask for a function of this name


class Answers:
    """The functions of one learner's file.

    Arguments: worker: has `request`, as in worker.Worker. limit: seconds for all calls of one test together.

        answers.count_pairs(words)                    a function of the learner; a plain result, or a Handle
        answers.make("torch.nn.Linear", 5, 7)         a Handle on a new torch object, made beside the learner's code
        answers.make("minilm.pretrained.load_base")   the same with what a function of minilm returns: two Handles
        answers.gradients("forward", x, A, B)         of a function or a Handle; a dict: output, inputs, parameters
    """

    def __init__(self, worker, limit=5.0):
        self._worker, self._limit = worker, limit
        self._deadline = None
        self.last = ""  # the latest call as text, for the message when its result is wrong
        self._called = ""  # the latest call of a function of the learner
        self.loaded = False  # whether a call came back, so that the file itself is known to load

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask("call", name, args, kwargs, name)

    def make(self, name, *args, **kwargs):
        return self._ask("make", name, args, kwargs, name)

    def gradients(self, function, *args, upstream=None, **kwargs):
        """d sum(output * upstream) / d each float tensor in args, and / d each parameter (None: no gradient)."""
        target, label = (function, function) if isinstance(function, str) else (_lower(function), "module")
        if upstream is not None:
            kwargs = {**kwargs, "upstream": upstream}
        return self._ask("gradients", target, args, kwargs, f"gradients of {label}", may_change=True)

    def _ask(self, operation, target, args, kwargs, label, may_change=False):
        self._note(operation, target, f"{label}({_arguments(args, kwargs)})")
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limit
        left = max(self._deadline - time.monotonic(), 0.05)
        sent = _lower(list(args))
        value, after = self._worker.request(operation, target, sent, _lower(kwargs), seconds=left)
        self.loaded = True
        if not may_change:
            self._check_unchanged(sent, after)
        return self._raise_up(value)

    def _note(self, operation, target, text):
        """What a message shows: the latest call of a function, and what was asked of an object after it."""
        if operation == "make":
            return  # not the learner's doing
        if isinstance(target, str):
            self._called = self.last = text
        else:
            self.last = f"{self._called}, then {text}" if self._called else text

    def _check_unchanged(self, before, after):
        for position, (old, new) in enumerate(zip(before, after, strict=True), start=1):
            if not same(old, new):
                which = f"argument {position}" if len(before) > 1 else "its argument"
                raise Problem("mutated", f"The call changed {which} from\n    {show(old)}\nto\n    {show(new)}")

    def _raise_up(self, value):
        """`value` with a Handle in place of each reference."""
        if isinstance(value, Reference):
            return Handle(self, value)
        if isinstance(value, (list, tuple)):
            return type(value)(self._raise_up(item) for item in value)
        if isinstance(value, dict):
            return {key: self._raise_up(item) for key, item in value.items()}
        return value


class Handle:
    """An object that stays with the learner's code.

    handle(x) calls it, handle.method(x) calls a method, handle.get("name") reads an attribute.
    """

    def __init__(self, answers, reference):
        self._answers, self._reference = answers, reference
        self.kind = reference.kind  # "a Linear object": what to call it in a message

    def __call__(self, *args, **kwargs):
        return self._answers._ask("call", self._reference, args, kwargs, "module")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._answers._ask("method", (self._reference, name), args, kwargs, f".{name}")

    def get(self, name):
        return self._answers._ask("get", (self._reference, name), (), {}, f".{name}")


def _lower(value):
    """A copy of `value` with a reference in place of each Handle; nothing else than plain data can be sent."""
    if isinstance(value, Handle):
        return value._reference
    if isinstance(value, (list, tuple)):
        return type(value)(_lower(item) for item in value)
    if isinstance(value, dict):
        return {key: _lower(item) for key, item in value.items()}
    return plain(value, _refuse)


def _refuse(thing):
    if isinstance(thing, Reference):
        return thing
    raise TypeError(f"a test may pass plain data and handles only, not {type(thing).__name__}")


def _arguments(args, kwargs):
    shown = [_brief(arg) for arg in args]
    return ", ".join([*shown, *(f"{key}={_brief(value)}" for key, value in kwargs.items())])


def _brief(value):
    """Small arguments as they are, large ones by their kind."""
    shown = show(value, 100)
    text = shown.replace("\n", "")
    cut = "\n" not in shown and isinstance(value, (str, bytes, list))  # these `show` has shortened already
    return text if cut or len(text) <= 100 else describe(value)
