"""A notebook as one text of Python: its code cells, one after the other, each below a line "# cell 1".

Behind a # comes what only IPython understands: %magic, !command, name?, and cells in another language.

What this file does not do: parse the code, or choose what of it counts (isolated/book.py). It may be made to break a
parser; Python will say so in the place where the answer runs.
"""

import json
import re

from .shelves import Refused

PYTHON = ("capture", "prun", "python", "python3", "time", "timeit")  # %%cells whose other lines are Python
# A line inside brackets may begin with %, too (a remainder): further in, only these names are taken for magics.
INSIDE = "cd|conda|config|debug|env|load_ext|ls|matplotlib|pip|prun|pwd|reload_ext|reset|run|time|timeit|who|whos"
SHELL = re.compile(rf"(?:[%!]|[ \t]+(?:!|%(?:{INSIDE})\b))")
HELP = re.compile(r"\s*(?:\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")


def python(data):
    """The code of a notebook (bytes) as text; Refused when it is no notebook."""
    try:
        cells = json.loads(data.decode("utf-8-sig"))["cells"]
        codes = [_text(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("is not a notebook that can be read; save it again in Jupyter, or hand in the .py file") from None
    whole = "\n".join(f"# cell {number}\n{cell(code)}\n" for number, code in enumerate(codes, 1))
    if "\0" in whole or any("\ud800" <= letter <= "\udfff" for letter in whole):
        raise Refused("holds characters that are no text; hand in the .py file")
    return whole


def _text(source):
    """A cell's source: one string, or a list of lines."""
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def cell(code):
    """One cell, line for line, with what is not for grading behind a #.

    >>> print(cell("%matplotlib inline\\nx = 1\\nx?"))
    # %matplotlib inline
    x = 1
    # x?
    """
    lines = code.split("\n")
    head = next((line for line in lines if line.strip()), "")
    if head.startswith("%%") and head[2:].split(" ")[0].strip() not in PYTHON:
        return "\n".join("# " + line for line in lines)
    done, goes_on = [], False
    for line in lines:
        out = goes_on or SHELL.match(line) or HELP.match(line)
        done.append("# " + line if goes_on else _behind(line) if out else line)
        goes_on = bool(out) and line.rstrip().endswith("\\")
    return "\n".join(done)


def _behind(line):
    """A line that does nothing; further in, it may be the only one of its block."""
    inner = line.lstrip()
    indent = line[: len(line) - len(inner)]
    return f"{indent}pass  # {inner}" if indent else f"# {line}"
