"""Questions to a cell, without a judge: a source is sent, and one of its functions called."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import iniconfig

from minilm.grading.isolated.ends import Cell

HIDDEN = Path(iniconfig.__file__).resolve().parent  # of all that is installed, what nobody needs in a cell
SECRET = "swordfish"  # in the environment of whoever opens the sandbox

LOOK = """
import os, sys

def environment():
    return dict(os.environ)

def read(path):
    with open(path, "rb") as file:
        return file.read(20)

def folder(path):
    return sorted(os.listdir(path))

def leave(name):
    with open(name, "w") as file:
        file.write("here")
    return os.listdir(".")

def around():
    return os.listdir(".")

def descriptors():
    found = []
    for fd in range(5000):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found

def capabilities():
    import ctypes
    return [number for number in range(41) if ctypes.CDLL(None).prctl(23, number, 0, 0, 0) == 1]  # CAPBSET_READ

def number():
    return os.getpid()

def find(name):
    __import__(name)

def chance(of):
    import random
    import numpy
    return random.random() if of == "python" else float(numpy.random.rand())

def mark():
    sys.marked = getattr(sys, "marked", 0) + 1
    return sys.marked

def stop(code):
    os._exit(code)
"""


@dataclass
class Inside:
    """An open cell with a file loaded."""

    cell: Cell

    def ask(self, name, *args):
        """The value of a function, or the text of what went wrong in it."""
        answer = self.cell.channel.ask(["call", name, list(args), {}, 10.0], 15.0)
        return answer[1] if answer[0] == "value" else answer[2]


@contextmanager
def inside(sandbox, source=LOOK):
    cell = sandbox.open()
    try:
        job = {"file": "ch01_tokenizer.py", "source": source.encode(), "code": None, "support": {}, "functions": []}
        cell.channel.ask(job, 10.0)  # the answer is the code
        yield Inside(cell)
    finally:
        cell.end()
