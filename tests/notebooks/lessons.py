"""The notebooks as the tests read them: tools/notebooks.py, loaded, and small questions about cells."""

import importlib.util
import re
from functools import cache
from pathlib import Path

from minilm.bundle import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("notebook_tool", ROOT / "tools" / "notebooks.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

CHECK = re.compile(r"""^check\(["']([\d.]+)["']\)""", re.MULTILINE)


@cache
def lesson(name):
    return tool.read(ROOT / "notebooks" / f"{name}.ipynb")


def number(name):
    return NOTEBOOKS.index(name)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def said(cell):
    """What a code cell shows, as text."""
    texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


def pictures(notebook):
    """Every picture among the outputs, as (cell, output)."""
    return [(cell, out) for cell in code(notebook) for out in cell.outputs if "image/png" in out.get("data", {})]


def checks(notebook):
    """Exercise -> what its check showed."""
    return {CHECK.search(cell.source)[1]: said(cell) for cell in code(notebook) if CHECK.search(cell.source)}
