"""The side of the learner's code: loads the file, calls what a test asks for, and gives back plain data.

`Worker.request` is the only door. What goes in and what comes out is plain data (plain.py) and references, and what
goes wrong is a Problem made of plain text; so the worker can stand in the same process as the test (a learner at
work) or in another one, and the tests don't notice.

What this file does not do: judge a value, or protect against code that cheats.
"""

import linecache
import sys
import traceback
import types
from collections import OrderedDict
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path

from .limits import time_limit
from .plain import is_tensor, plain
from .problem import STUB, Problem, TooSlow

LATE = "It was still running when its time was up."
MAKES = ("torch.nn.", "torch.optim.", "minilm.")  # where `make` may take a class or a function from


@dataclass(frozen=True)
class Reference:
    """Stands for an object that stays in the worker."""

    number: int
    kind: str  # "a Linear object"


class Worker:
    """One learner's file, loaded afresh.

    Arguments: path: the file. source: its bytes, when they are not the ones on the disk. code: what compile() gave for
    them, when that was done before.
    Loading is part of the first request, so that its time and its errors count as the learner's.
    """

    def __init__(self, path, source=None, code=None):
        self.path, self.source, self.code = Path(path), source, code
        self.module = None
        self.objects = {}
        self.numbers = count(1)

    def request(self, operation, target, args=(), kwargs=None, seconds=5.0):
        """Do one thing and return (value, args afterwards), both plain.

        operation: "load" (the file and nothing more), "call" (target: the name of a function, or a reference), "method"
        (target: (reference, name)), "get" (the same; the value of an attribute), "make" (target: the dotted name of a
        class or function from MAKES, or a model as in `_part`), "gradients" (as "call"; see below). Raises Problem.
        """
        try:
            with time_limit(seconds):
                self.load()
                args, kwargs = self._resolve(list(args)), self._resolve(kwargs or {})
                value = getattr(self, f"_{operation}")(target, *args, **kwargs)
                return plain(value, self._refer), plain(args, self._refer, grad=True)
        except Problem:
            raise
        except TooSlow as error:
            raise Problem("slow", self._where(error, LATE), error="TooSlow") from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit and a Rust panic are no Exceptions, and no passes either
            if self._is_stub(error):
                raise Problem("todo", str(error), function=self._frames(error)[-1].f_code.co_qualname) from None
            raise Problem("raised", self._where(error, _name(error)), error=type(error).__name__) from None

    def load(self):
        """Run the file once, as a module of its own; a second call does nothing."""
        if self.module is not None:
            return
        source = self._read()
        code = self.code or self.compile(source)
        text = source.decode("utf-8", "replace")
        linecache.cache[str(self.path)] = (len(text), None, text.splitlines(keepends=True), str(self.path))
        module = types.ModuleType(self.path.stem)
        module.__file__ = str(self.path)
        sys.modules[self.path.stem] = module  # dataclasses and pickle look there
        try:
            exec(code, module.__dict__)
        except KeyboardInterrupt:
            raise
        except TooSlow as error:
            raise Problem("slow", self._where(error, "The file was still being read when the time was up.")) from None
        except BaseException as error:
            raise Problem("load", self._stopped(error)) from None
        self.module = module

    def compile(self, source):
        """The bytes of a file as code; none of it runs yet."""
        try:
            return compile(self.parse(source), str(self.path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise Problem("syntax", self._syntax(error)) from None

    def parse(self, source):
        """What of a file is run: all of it."""
        return source

    def spot(self, line):
        """Where a line lies, in words."""
        return f"line {line}"

    def _read(self):
        try:
            source = self.path.read_bytes() if self.source is None else self.source
        except OSError as error:
            raise Problem("missing", f"{self.path} cannot be read ({error.strerror}).") from None
        if not source.strip():
            raise Problem("missing", f"{self.path.name} is empty.")
        return source

    def _syntax(self, error):
        """File, line and a caret under the place."""
        if not isinstance(error, SyntaxError):
            return f"{self.path.name}: {error}"
        lines = [f"{self.path.name}, {self.spot(error.lineno or 1)}: {error.msg}"]
        if error.text:
            shown = error.text.rstrip("\n")
            skipped = len(shown) - len(shown.lstrip())
            lines += ["    " + shown.lstrip(), "    " + " " * max((error.offset or 1) - 1 - skipped, 0) + "^"]
        return "\n".join(lines)

    def _stopped(self, error):
        """Where the reading of the file ended, and by what."""
        rows = [row for row in traceback.extract_tb(error.__traceback__) if row.filename == str(self.path)]
        where = f"stops at {self.spot(rows[0].lineno)}" if rows else "stops"
        said = f"{self.path.name} {where} while it is read, so nothing in it counts yet."
        return f"{said}\n{self._where(error, _name(error))}"

    def _frames(self, error):
        """The learner's frames on the way to `error`, the innermost last."""
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        return [frame for frame in frames if frame.f_code.co_filename == str(self.path)]

    def _is_stub(self, error):
        """Whether `error` says that something is not written yet: the words of a stub, or none at all in the very
        function that was asked for. torch raises NotImplementedError for reasons of its own."""
        if not isinstance(error, NotImplementedError):
            return False
        frames = self._frames(error)
        innermost = list(traceback.walk_tb(error.__traceback__))[-1][0]
        if not frames or innermost is not frames[-1]:
            return False
        return bool(STUB.match(str(error))) or (not str(error) and len(frames) == 1)

    def _where(self, error, headline):
        """The learner's lines on the way to `error`, the innermost last, and then the error itself."""
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)]
        shown = frames if len(frames) <= 4 else [*frames[:2], None, *frames[-2:]]
        lines = [f"{self.path.name}, {self._place(frame)}:  {frame.line}" if frame else "..." for frame in shown]
        if not frames and isinstance(error, TypeError):
            lines.append("The function could not be called that way: keep the arguments of the stub.")
        return "\n".join([*lines, headline])

    def _place(self, frame):
        return self.spot(frame.lineno) + ("" if frame.name == "<module>" else f", in {frame.name}")

    # ---- the operations --------------------------------------------------------------------------

    def _load(self, target):
        """Nothing is left to do: every request loads the file first."""

    def _call(self, target, *args, **kwargs):
        return self._callable(target)(*args, **kwargs)

    def _method(self, target, *args, **kwargs):
        reference, name = target
        return getattr(self.objects[reference.number], name)(*args, **kwargs)

    def _get(self, target):
        reference, name = target
        return getattr(self.objects[reference.number], name)

    def _make(self, target, *args, **kwargs):
        if not isinstance(target, str):
            return self._part(target)
        if not target.startswith(MAKES):
            raise ValueError(f"{target} is not one of {MAKES}")
        module, name = target.rsplit(".", 1)
        return getattr(import_module(module), name)(*args, **kwargs)

    def _part(self, recipe):
        """A part of a model, in one request however many there are in it: a dict is a torch.nn.Sequential of parts with
        names, a tuple ("torch.nn.Linear", 3, 4) a name as for `make` with its arguments, which may be parts as well."""
        if isinstance(recipe, dict):
            parts = {name: self._part(part) for name, part in recipe.items()}
            return self._make("torch.nn.Sequential", OrderedDict(parts))
        if isinstance(recipe, tuple):
            name, *args = recipe
            return self._make(name, *map(self._part, args))
        return self._resolve(recipe)

    def _gradients(self, target, *args, upstream=None, **kwargs):
        """The output, and the gradients of sum(output * upstream) for the float tensors in args and all parameters."""
        function = self._callable(target)
        args = [arg.requires_grad_() if is_tensor(arg) and arg.is_floating_point() else arg for arg in args]
        parameters = dict(function.named_parameters()) if hasattr(function, "named_parameters") else {}
        for parameter in parameters.values():
            parameter.grad = None
        output = function(*args, **kwargs)
        if output.requires_grad:
            (output if upstream is None else output * upstream).sum().backward()
        return {
            "output": output,
            "inputs": [arg.grad if is_tensor(arg) else None for arg in args],
            "parameters": {name: parameter.grad for name, parameter in parameters.items()},
        }

    def _callable(self, target):
        if isinstance(target, Reference):
            return self.objects[target.number]
        found = getattr(self.module, target, None)
        if found is None:
            raise Problem("missing", f"{self.path.name} has no function {target}.")
        return found

    # ---- references ------------------------------------------------------------------------------

    def _refer(self, thing):
        for number, known in self.objects.items():
            if known is thing:
                return Reference(number, _kind(thing))
        number = next(self.numbers)
        self.objects[number] = thing
        return Reference(number, _kind(thing))

    def _resolve(self, value):
        """`value` with the objects in place of their references, in a copy that the learner's code may spoil."""
        if isinstance(value, Reference):
            return self.objects[value.number]
        if isinstance(value, (list, tuple)):
            return type(value)(self._resolve(item) for item in value)
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        return plain(value, self._refer)


def _kind(thing):
    name = type(thing).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name} object"


def _name(error):
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
