"""Measurements that take too long for a lesson: made once by a command, kept as small JSON, drawn by the notebooks.

    minilm experiment scaling        make it, cell by cell; the same command goes on where it was stopped

    >>> results("scaling")    # [{"preset": "nano", "seed": 0, "bits_per_byte": 2.5, ...}, ...]    # doctest: +SKIP
    >>> made("scaling")       # one sentence: which command makes it again, how long that takes    # doctest: +SKIP

Each experiment is one file in this folder. It says in ABOUT what is measured, lists in CELLS the settings to try (plain
dicts), and measures one of them in `measure(**cell)`, which returns a plain dict. A cell is written down as soon as it
is measured. When the code of an experiment changes, its old cells are measured again.

What this file does not do: choose among the results. Every cell that was run is in the file.
"""

import ast
import hashlib
import json
import platform
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from ..errors import UserError
from ..files import read_json, write_text

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def names():
    """The experiments there are."""
    return sorted(module.name.replace("_", "-") for module in iter_modules([str(FOLDER)]))


def results(name):
    """All measured cells of an experiment: a list of dicts, each the cell's settings and what was found."""
    return [{**line["cell"], **line["found"]} for line in read(name)["cells"]]


def made(name):
    """How a result came about, in one sentence to stand under its figure."""
    file = read(name)
    seconds = sum(line["seconds"] for line in file["cells"])
    machine = file["machine"]
    return (
        f"Made by `{file['command']}`: {len(file['cells'])} runs, {seconds / 60:.0f} minutes with "
        f"{machine['threads']} threads, torch {machine['torch']}."
    )


def read(name):
    """The whole file of an experiment's results."""
    return read_json(RESULTS / f"{name}.json")


def run(name, say=print):
    """Measure the cells of an experiment that are not yet in its file."""
    import torch

    experiment, path = find(name), RESULTS / f"{name}.json"
    code = fingerprint(experiment)
    old = read_json(path) if path.is_file() else {}
    done = old["cells"] if old.get("code") == code else []
    wanted = json.loads(json.dumps(experiment.CELLS))  # as they will be when read back: tuples become lists
    done = [line for line in done if line["cell"] in wanted]
    machine = {"system": f"{platform.system()} {platform.machine()}", "torch": torch.__version__}
    machine |= {"threads": torch.get_num_threads()}
    file = {"about": experiment.ABOUT, "command": f"minilm experiment {name}", "code": code, "machine": machine}
    for number, cell in enumerate(wanted, 1):
        if any(line["cell"] == cell for line in done):
            continue
        started = time.perf_counter()
        found = experiment.measure(**cell)
        seconds = round(time.perf_counter() - started, 1)
        done.append({"cell": cell, "found": found, "seconds": seconds})
        say(f"{number} of {len(wanted)}: {cell} -> {found} ({seconds:g} s)")
        save(path, file, sorted(done, key=lambda line: wanted.index(line["cell"])))
    if done != old.get("cells"):  # of a complete file, cells that are no longer asked for go as well
        save(path, file, sorted(done, key=lambda line: wanted.index(line["cell"])))
    say(f"{len(done)} cells in {path}")


def save(path, file, cells):
    """Write the file, one line per cell: small, and a changed cell is a changed line."""
    head = json.dumps(file, indent=1, ensure_ascii=False)[:-2]
    lines = ",\n".join("  " + json.dumps(line, ensure_ascii=False) for line in cells)
    write_text(path, f'{head},\n "cells": [\n{lines}\n ]\n}}\n')


def find(name):
    """The module of an experiment; an unknown name is a UserError."""
    if name not in names():
        raise UserError(f"there is no experiment {name!r}; choose one of {', '.join(names())}")
    return import_module(f".{name.replace('-', '_')}", __name__)


def fingerprint(experiment):
    """12 hex digits of an experiment's code; comments, docstrings, ABOUT and the list of cells do not count."""
    tree = ast.parse(Path(experiment.__file__).read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _is_prose(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12]


def _is_prose(node):
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("ABOUT", "CELLS")
