"""The side of a graded test: `answers.merge_pair(...)` calls the learner's function, wherever it runs.

Whatever is passed is copied on the way, so a learner's code never holds what the test holds; and when a call changed
its copies, that is noticed here for every function and every argument.

What this file does not do: load or run a learner's code (worker.py does, in this process or in another).
"""

import time
from itertools import groupby

import numpy as np

from .plain import describe, plain, same, show
from .problem import Problem
from .worker import Reference

MOST_STEPS = 5  # earlier steps of an object that a message names
RESERVED = ("make", "gradients", "random")  # no exercise may ask for a function of this name


class Answers:
    """The functions of one learner's file.

    Arguments: worker: has `request`, as in worker.Worker. limit: seconds for all calls of one test together.

        answers.count_pairs(words)                    a function of the learner; a plain result, or a Handle
        answers.make("torch.nn.Linear", 5, 7)         a Handle on a new torch object, made beside the learner's code
        answers.make({"up": ("torch.nn.Linear", 5, 7)})   a Handle on a torch.nn.Sequential whose parts have names
        answers.make("minilm.pretrained.load_base")   the same with what a function of minilm returns: two Handles
        answers.gradients("forward", x, A, B)         of a function or a Handle; a dict: output, inputs, parameters
        answers.random                                a numpy generator for inputs that nobody can know beforehand

    seed: what `random` starts from. A learner at work always meets the same inputs; isolated grading draws others for
    each file (isolated/seeds.py), so that answers learned by heart are worth nothing.
    """

    def __init__(self, worker, limit=5.0, seed=0):
        self._worker, self._limit = worker, limit
        self.random = np.random.default_rng(seed)
        self._deadline = None
        self.last = ""  # the latest call as text, for the message when its result is wrong
        self._called = ""  # the latest call of a function of the learner
        self._steps = {}  # number of an object -> the call it came from or went into, and its methods called since
        self.loaded = False  # whether the file itself is known to load

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask("call", name, args, kwargs, name)

    def make(self, name, *args, **kwargs):
        return self._ask("make", _lower(name), args, kwargs, name if isinstance(name, str) else "a model")

    def gradients(self, function, *args, upstream=None, **kwargs):
        """d sum(output * upstream) / d each float tensor in args, and / d each parameter (None: no gradient)."""
        target, label = (function, function) if isinstance(function, str) else (_lower(function), "module")
        if upstream is not None:
            kwargs = {**kwargs, "upstream": upstream}
        return self._ask("gradients", target, args, kwargs, f"gradients of {label}", may_change=True)

    def _ask(self, operation, target, args, kwargs, label, may_change=False):
        sent, named = _lower(list(args)), _lower(kwargs)
        if not self.loaded:  # on its own, since what goes wrong there is no fault of this call
            self._worker.request("load", None, seconds=self._left())
            self.loaded = True
        text = label if operation == "get" else f"{label}({_arguments(args, kwargs)})"
        self._note(operation, target, text)
        value, after = self._worker.request(operation, target, sent, named, seconds=self._left())
        if not may_change:
            self._check_unchanged(sent, after)
        self._remember(operation, target, label, text, [sent, named], value)
        return self._raise_up(value)

    def _left(self):
        """Seconds until the time of this test is up."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limit
        return max(self._deadline - time.monotonic(), 0.05)

    def _note(self, operation, target, text):
        """What a message shows: the latest call of a function, or what an object went through until now."""
        if operation == "make":
            return  # not the learner's doing
        if isinstance(target, str):
            self._called = self.last = text
        else:
            before = self._steps.get(_number(target)) or [self._called]
            self.last = ", then ".join(filter(None, [before[0], ", ".join([*_short(before[1:]), text])]))

    def _remember(self, operation, target, label, text, sent, value):
        """Keep the steps of each object: the learner's call that it came from or, for an object made by the test, went
        into; after that the methods called on it, and the learner's functions it was passed to."""
        brief = text if operation == "get" or text.endswith("()") else f"{label}(...)"
        came = [text]
        if operation == "make":
            return
        if isinstance(target, str):
            for number in set(_numbers(sent)):
                self._steps[number] = [*self._steps[number], brief] if number in self._steps else [text]
        else:
            before = self._steps.get(_number(target))
            if before is None:
                return
            came = [*before, brief]
            if operation == "method":
                before.append(brief)
        for number in _numbers(value):
            self._steps.setdefault(number, list(came))

    def _check_unchanged(self, before, after):
        for position, (old, new) in enumerate(zip(before, after, strict=True), start=1):
            if not same(old, new):
                which = f"argument {position}" if len(before) > 1 else "its argument"
                raise Problem("mutated", _changed(which, old, new))

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


def _changed(which, old, new):
    """What a call did to one of its arguments, in words."""
    if same(old, plain(new, _refuse)):  # a copy without gradients is as before
        return f"The call changed {which}: a tensor in it asks for gradients now (requires_grad is True)."
    was, became = (show(value).replace("\n", "\n    ") for value in (old, new))
    return f"The call changed {which} from\n    {was}\nto\n    {became}"


def _number(target):
    """Which object an operation is about: the target is its reference, or that and a name."""
    return (target if isinstance(target, Reference) else target[0]).number


def _numbers(value):
    """The numbers of all objects in a value."""
    if isinstance(value, Reference):
        return [value.number]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [number for item in inside for number in _numbers(item)]


def _short(steps):
    """Steps in order, a repeated one once ("3 times"), and of many only the latest."""
    rows = [(step, len(list(group))) for step, group in groupby(steps)]
    shown = [step if times == 1 else f"{step} {times} times" for step, times in rows]
    return shown if len(shown) <= MOST_STEPS else ["...", *shown[-MOST_STEPS:]]


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
