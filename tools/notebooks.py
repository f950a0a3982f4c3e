"""Write, run and check the notebooks. The .ipynb file is the only source; the text view is thrown away after use.

    python tools/notebooks.py text 05_lora       notebooks/05_lora.ipynb -> runs/edit/05_lora.py, to edit as plain text
    python tools/notebooks.py apply 05_lora      put that text back; outputs of the cells from the first change on go
    python tools/notebooks.py run 05_lora        execute from top to bottom and keep the outputs
    python tools/notebooks.py run --stale        execute those whose code, or whose library, has changed since
    python tools/notebooks.py check              execute nothing; say what is stale, broken, too large or unclear
    python tools/notebooks.py verify             execute, write nothing, and name the cells whose outputs are others now

In the text view a cell begins with `# %%` (code) or `# %% [markdown]`, followed by the cell's id; Markdown cells are
plain Markdown, without comment signs.

Outputs are the same byte for byte when a notebook is run again on the same machine: no clock, no random hashes, no
progress bars. What was executed is remembered as a hash of the notebook's code and of each of minilm's modules that
it had loaded at its end (without comments and docstrings), so a check needs no run to know that outputs are old.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
EDIT = ROOT / "runs" / "edit"
CELL = re.compile(r"^# %%( \[markdown\])?(?: (?P<id>[\w-]+))?$", re.MULTILINE)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LARGEST = 1_500_000  # bytes of a notebook with its outputs
LOADED = """
import json, sys
found = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "minilm"]
print(json.dumps(sorted(module.__file__ for module in found if module.__file__)))
"""
# Sockets reach this machine and nothing else, in the kernel and in every process that it starts.
NO_NETWORK = """
import ipaddress, socket
def _guard(connect):
    def guarded(self, address):
        local = self.family not in (socket.AF_INET, socket.AF_INET6) or address[0] == "localhost"
        if not local and not ipaddress.ip_address(address[0]).is_loopback:
            raise RuntimeError(f"the network was used: {address}")
        return connect(self, address)
    return guarded
for _name in ("connect", "connect_ex"):
    setattr(socket.socket, _name, _guard(getattr(socket.socket, _name)))
"""


def path_of(name):
    return FOLDER / f"{Path(name).stem}.ipynb"


def every():
    return sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))


def read(path):
    return nbformat.read(str(path), as_version=4)


def write(notebook, path):
    text = nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


# ---------------------------------------------------------------- the text view


def to_text(notebook):
    """A notebook as one text."""
    parts = []
    for cell in notebook.cells:
        kind = " [markdown]" if cell.cell_type == "markdown" else ""
        parts.append(f"# %%{kind} {cell['id']}\n{cell.source}\n")
    return "\n".join(parts)


def from_text(text, old=None):
    """The notebook that a text stands for; outputs of `old` stay with code that has not changed."""
    marks = list(CELL.finditer(text))
    notebook = nbformat.v4.new_notebook(metadata=dict(old.metadata) if old else {})
    before = {cell["id"]: cell for cell in old.cells} if old else {}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    taken, stale = set(), False
    for mark, end in zip(marks, ends, strict=True):
        source, make = text[mark.end() : end].strip("\n"), nbformat.v4.new_code_cell
        if mark[1]:
            make = nbformat.v4.new_markdown_cell
        cell = make(source)
        cell["id"] = unused(mark["id"] or slug(source), taken)
        if make is nbformat.v4.new_code_cell:
            was = before.get(cell["id"])
            stale = stale or was is None or was.source != source
            if not stale:
                cell.outputs, cell.execution_count = was.outputs, was.execution_count
        notebook.cells.append(cell)
    if stale:
        notebook.metadata.pop("minilm", None)
    return tidy(notebook)


def slug(source):
    words = re.findall(r"[a-z0-9]+", source.lower())
    return "-".join(words[:4])[:40] or "cell"


def unused(name, taken):
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate)
    return candidate


# ---------------------------------------------------------------- run


def execute(path, root=None):
    """Run a notebook in its folder, as a learner's Restart and Run All does; returns (notebook, seconds).

    The network is off, and IPython's own settings and history are those of a fresh installation.
    """
    from nbclient import NotebookClient

    notebook, started, root = read(path), time.perf_counter(), root or ROOT
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
        paths = [folder, str(root), os.environ.get("PYTHONPATH", "")]
        settings = {"PYTHONHASHSEED": "0", "TQDM_DISABLE": "1", "IPYTHONDIR": folder, "COLUMNS": "100"}
        environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        options = {"timeout": 900, "kernel_name": "python3", "record_timing": False, "coalesce_streams": True}
        client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}, **options)
        with client.setup_kernel(env=environment):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index, execution_count=None)
            client.set_widgets_metadata()
            probe = nbformat.v4.new_code_cell(LOADED)
            notebook.cells.append(probe)
            client.execute_cell(probe, len(notebook.cells) - 1)
            notebook.cells.pop()
    modules = [Path(file) for file in json.loads(probe.outputs[0].text)]
    modules += [root / "minilm" / "experiments" / "results" / f"{name}.json" for name in used_results(notebook)]
    notebook.metadata["minilm"] = {"code": code_hash(notebook), "library": library(modules, root)}
    return tidy(notebook), time.perf_counter() - started


def code_hash(notebook):
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()[:12]


def library(modules, root):
    """Path inside the course -> hash, for the modules and the recorded results that a notebook may have used."""
    names = sorted(module.resolve().relative_to(root.resolve()).as_posix() for module in modules)
    return {name: file_hash(root / name) for name in names}


def file_hash(path):
    """12 hex digits of a file; of a Python file, of what it does: comments, docstrings and layout do not count."""
    if not path.is_file():
        return "missing"
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body[0].value.value = ""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12]


def used_results(notebook):
    """Names of the recorded experiments that a notebook reads."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return sorted(set(re.findall(r"\bresults\(\s*[\"']([\w-]+)[\"']", code)))


def different(notebook, was):
    """Ids of the code cells that show something else in `notebook` than in `was`."""
    before = {cell["id"]: cell.get("outputs") for cell in was.cells}
    return [cell["id"] for cell in notebook.cells if cell.get("outputs") != before[cell["id"]]]


# ---------------------------------------------------------------- tidy and check


def tidy(notebook):
    """The one form in which a notebook is committed."""
    remembered = notebook.metadata.get("minilm")
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    if remembered:
        notebook.metadata["minilm"] = remembered
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")}
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count if cell.execution_count else None
        cell.outputs = [tidy_output(output, count) for output in cell.outputs if not is_widget(output)]
    return notebook


def is_widget(output):
    """A live widget shows nothing without its kernel; the static picture beside it stays."""
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def tidy_output(output, count):
    if output.output_type == "execute_result":
        output.execution_count = count
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return output


def problems(path):
    """What is wrong with a notebook as it is committed: a list of sentences."""
    raw, notebook = path.read_text(encoding="utf-8"), read(path)
    nbformat.validate(notebook)
    found = []
    if raw != nbformat.writes(tidy(read(path)), indent=1).rstrip("\n") + "\n":
        found.append("is not in the committed form; run tools/notebooks.py run")
    if len(raw.encode()) > LARGEST:
        found.append(f"is {len(raw.encode()):,} bytes, more than {LARGEST:,}")
    found += staleness(notebook)
    for cell in notebook.cells:
        inside = code_problems(cell) if cell.cell_type == "code" else text_problems(cell, path)
        found += [f"cell {cell['id']}: {problem}" for problem in inside]
    return found


def staleness(notebook):
    remembered = notebook.metadata.get("minilm", {})
    if remembered.get("code") != code_hash(notebook):
        return ["outputs are older than the code; run tools/notebooks.py run"]
    changed = [name for name, was in remembered["library"].items() if file_hash(ROOT / name) != was]
    return [f"outputs are older than {name}; run tools/notebooks.py run" for name in changed]


def code_problems(cell):
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"a committed error: {output.ename}"
        if output.output_type == "stream" and output.name == "stderr":
            yield f"stderr: {output.text[:80]!r}"
        text = json.dumps(output.get("text", "")) + json.dumps(output.get("data", {}).get("text/plain", ""))
        if re.search(r"(?<![\w.])/(home|root|work|tmp|Users|usr)/|0x[0-9a-f]{8,}", text):
            yield "an output holds a local path or an address in memory"
        if "image/png" in output.get("data", {}):
            alt = output.metadata.get("image/png", {}).get("alt", "")
            if len(alt) < 20:
                yield "a picture without a description"
    if cell.source.strip() and cell.execution_count is None:
        yield "was never run"


def text_problems(cell, path):
    for alt, _ in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", cell.source):
        if len(alt.strip()) < 8:
            yield "a picture without alt text"
    for target in re.findall(r"\]\(([^)\s]+)\)", cell.source):
        if not re.match(r"[a-z]+:|#", target) and not (path.parent / target.split("#")[0]).exists():
            yield f"dead link {target}"


# ---------------------------------------------------------------- the command


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["text", "apply", "run", "check", "verify"])
    parser.add_argument("names", nargs="*", help="such as 05_lora; none: all")
    parser.add_argument("--stale", action="store_true", help="with run: only those that need it")
    chosen = parser.parse_args()
    failed = False
    for name in chosen.names or every():
        path = path_of(name)
        edit = EDIT / f"{path.stem}.py"
        if chosen.what == "text":
            EDIT.mkdir(parents=True, exist_ok=True)
            edit.write_text(to_text(read(path)), encoding="utf-8")
            print(edit)
        if chosen.what == "apply":
            old = read(path) if path.is_file() else None
            write(from_text(edit.read_text(encoding="utf-8"), old), path)
        if chosen.what == "run" and not (chosen.stale and not staleness(read(path))):
            notebook, seconds = execute(path)
            write(notebook, path)
            print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size:,} bytes")
        if chosen.what == "check":
            found = problems(path)
            failed = failed or bool(found)
            print("\n".join(f"{path.name}: {problem}" for problem in found) or f"{path.name}: fine")
        if chosen.what == "verify":
            notebook, seconds = execute(path)
            others = different(notebook, read(path))
            failed = failed or bool(others)
            found = f"other outputs in {', '.join(others)}" if others else "the same outputs"
            print(f"{path.name}: {seconds:.0f} s, {found}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
