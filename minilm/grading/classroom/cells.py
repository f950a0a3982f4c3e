"""A notebook as one file of Python: its code cells, one after the other.

Left out, by a # before the line: IPython's own lines (%magic, !command), cells in another language, and the calls of
check and hint. Where the notebook imports these two, they become functions that do nothing, since there is nothing to
ask while an answer is graded.

What this file does not do: parse the code. It may be broken, or made to break a parser; Python will say so in the place
where the answer runs.
"""

import json
import re

from .shelves import Refused

PYTHON = ("capture", "prun", "python", "python3", "time", "timeit")  # %%cells whose other lines are Python
# A line inside brackets may begin with %, too (a remainder): further in, only these names are taken for magics.
INSIDE = "cd|conda|config|debug|env|load_ext|ls|matplotlib|pip|prun|pwd|reload_ext|reset|run|time|timeit|who|whos"
SHELL = re.compile(rf"(?:[%!]|[ \t]+(?:!|%(?:{INSIDE})\b))")
CALL = re.compile(r"(?:check|hint)\s*\(.*\)\s*;?\s*(?:#.*)?$")
IMPORT = re.compile(r"([ \t]*)from\s+minilm\.grading(?:\.notebook)?\s+import\s+((?:check|hint)[\w ,]*?)\s*(?:#.*)?$")
STANDS_FOR = "lambda *_, **__: None"


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

    >>> print(cell("%matplotlib inline\\nx = 1\\ncheck('5.2')"))
    # %matplotlib inline
    x = 1
    # check('5.2')
    """
    lines = code.split("\n")
    head = next((line for line in lines if line.strip()), "")
    if head.startswith("%%") and head[2:].split(" ")[0].strip() not in PYTHON:
        return "\n".join("# " + line for line in lines)
    done, goes_on = [], False
    for line in lines:
        out = goes_on or SHELL.match(line) or CALL.match(line)
        done.append("# " + line if goes_on else _behind(line) if out else IMPORT.sub(_stand_in, line))
        goes_on = bool(out) and line.rstrip().endswith("\\")
    return "\n".join(done)


def _behind(line):
    """A line that does nothing; further in, it may be the only one of its block."""
    inner = line.lstrip()
    indent = line[: len(line) - len(inner)]
    return f"{indent}pass  # {inner}" if indent else f"# {line}"


def _stand_in(found):
    """`from minilm.grading import check, hint` -> two functions that do nothing."""
    names = [part.split()[-1] for part in found[2].split(",") if part.strip()]
    return f"{found[1]}{' = '.join([*names, STANDS_FOR])}  # in place of minilm.grading's"
