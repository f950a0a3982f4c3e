"""tools/notebooks.py, on notebooks of a few lines: text and back, running, and what it notices."""

import json
import re
import sys

import nbformat
import pytest
from lessons import tool

TEXT = """\
# %% [markdown] title
# A title

Some *words*.

# %% first
import minilm.part
print(minilm.part.double(3))

# %% [markdown] between
More words.

# %% second
x = 4
x + 1
"""
PART = '"""A module."""\n\n\ndef double(x):\n    """Twice."""\n    return 2 * x  # as said\n'


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one module, one recorded result and one notebook, for the tool to work on."""
    for name in ("minilm/experiments/results", "notebooks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "minilm" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "minilm" / "part.py").write_text(PART, encoding="utf-8")
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(tool, "EDIT", tmp_path / "runs" / "edit")
    return tmp_path


@pytest.fixture
def executed(course):
    """The path of the notebook of TEXT, as if it had been run: for tests that need no kernel."""
    notebook = tool.from_text(TEXT)
    for cell, shown in zip([notebook.cells[1], notebook.cells[3]], ["6\n", "5"], strict=True):
        cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text=shown)], 1
    library = tool.library([course / "minilm" / "part.py"], course)
    notebook.metadata["minilm"] = {"code": tool.code_hash(notebook), "library": library}
    path = course / "notebooks" / "01_tiny.ipynb"
    tool.write(tool.tidy(notebook), path)
    return path


def command(monkeypatch, capsys, *words):
    """tools/notebooks.py with these words: (exit code, what it printed)."""
    monkeypatch.setattr(sys, "argv", ["notebooks.py", *words])
    code = tool.main()
    return code, capsys.readouterr().out


def written(course, source, name="01_tiny"):
    """The path of a notebook with one code cell."""
    path = course / "notebooks" / f"{name}.ipynb"
    tool.write(tool.from_text(f"# %% only\n{source}\n"), path)
    return path


# ---- text and back -------------------------------------------------------------------------------


def test_text_and_notebook_are_two_views_of_the_same():
    notebook = tool.from_text(TEXT)
    assert [cell["id"] for cell in notebook.cells] == ["title", "first", "between", "second"]
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "markdown", "code"]
    assert tool.to_text(notebook) == TEXT


def test_a_cell_without_a_name_gets_one_from_its_words_and_no_name_is_given_twice():
    notebook = tool.from_text("# %%\nx = 1\n\n# %%\nx = 1\n\n# %% [markdown]\n## The Loss, again\n\n# %% x-1\ny\n")
    assert [cell["id"] for cell in notebook.cells] == ["x-1", "x-1-2", "the-loss-again", "x-1-3"]


def shown(notebook):
    return [cell.outputs[0].text if cell.outputs else None for cell in notebook.cells if cell.cell_type == "code"]


def test_outputs_stay_when_only_words_change(executed):
    old = tool.read(executed)
    new = tool.from_text(TEXT.replace("More words", "Other words") + "\n# %% [markdown] end\nBye.\n", old)
    assert shown(new) == ["6\n", "5"]
    assert tool.staleness(new) == []


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (("x = 4", "x = 5"), ["6\n", None]),
        (("double(3)", "double(4)"), [None, None]),
        (("# %% second", "# %% new\ny = 1\n\n# %% second"), ["6\n", None, None]),
        (("# %% first", "# %% other"), [None, None]),
    ],
    ids=["second cell", "first cell", "a new cell between", "another name"],
)
def test_outputs_go_from_the_first_changed_cell_on(executed, change, left):
    new = tool.from_text(TEXT.replace(*change), tool.read(executed))
    assert shown(new) == left
    assert tool.staleness(new) == ["outputs are older than the code; run tools/notebooks.py run"]


# ---- running -------------------------------------------------------------------------------------


def test_a_notebook_is_run_and_then_fine_and_running_it_again_changes_nothing(course, monkeypatch, capsys):
    path = course / "notebooks" / "01_tiny.ipynb"
    (course / "runs" / "edit").mkdir(parents=True)
    (course / "runs" / "edit" / "01_tiny.py").write_text(TEXT, encoding="utf-8")
    assert command(monkeypatch, capsys, "apply", "01_tiny") == (0, "")
    code, printed = command(monkeypatch, capsys, "check", "01_tiny")
    assert code == 1 and "outputs are older than the code" in printed and "cell first: was never run" in printed
    assert "01_tiny.ipynb: " in command(monkeypatch, capsys, "run", "01_tiny")[1]
    assert command(monkeypatch, capsys, "check") == (0, "01_tiny.ipynb: fine\n")
    notebook, bytes_ = tool.read(path), path.read_bytes()
    assert [output.get("text") for output in notebook.cells[1].outputs] == ["6\n"]
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2]
    assert set(notebook.metadata["minilm"]["library"]) == {"minilm/__init__.py", "minilm/part.py"}
    command(monkeypatch, capsys, "run")
    assert path.read_bytes() == bytes_
    assert command(monkeypatch, capsys, "run", "--stale") == (0, ""), "it is fresh, so nothing is to be done"
    code, printed = command(monkeypatch, capsys, "verify")
    assert code == 0 and re.fullmatch(r"01_tiny\.ipynb: \d+ s, the same outputs\n", printed)
    command(monkeypatch, capsys, "text", "01_tiny")
    assert (course / "runs" / "edit" / "01_tiny.py").read_text(encoding="utf-8") == TEXT


def test_verify_names_the_cells_that_show_something_else_and_writes_nothing(executed, monkeypatch, capsys):
    before = executed.read_bytes()
    code, printed = command(monkeypatch, capsys, "verify")
    assert code == 1 and printed.endswith(" s, other outputs in second\n"), "a display, where a print was noted"
    assert executed.read_bytes() == before


def test_running_leaves_the_environment_as_it_was(course, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "mine")
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    before = dict(tool.os.environ)
    tool.execute(written(course, "x = 1"), root=course)
    assert dict(tool.os.environ) == before


def test_a_cell_that_fails_stops_the_run_and_nothing_is_written(course, monkeypatch, capsys):
    from nbclient.exceptions import CellExecutionError

    path = written(course, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        command(monkeypatch, capsys, "run")
    assert path.read_bytes() == before


REACH = "import socket\nwith socket.socket() as s:\n    s.settimeout(2)\n    s.connect(('192.0.2.1', 80))"
CHILD = f"import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', {REACH!r}], capture_output=True).stderr)"
HERE = "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(server.getsockname())"


def test_the_network_is_off(course):
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match=r"the network was used: \('192.0.2.1', 80\)"):
        tool.execute(written(course, REACH), root=course)


def test_the_network_is_off_in_processes_that_a_cell_starts_and_this_machine_can_be_reached(course):
    notebook, _ = tool.execute(written(course, f"{CHILD}\n{HERE}\nprint('reached')"), root=course)
    assert "the network was used" in notebook.cells[0].outputs[0].text
    assert "reached" in notebook.cells[0].outputs[0].text


# ---- what is noticed without running -------------------------------------------------------------


def test_a_fresh_notebook_has_no_problems(executed):
    assert tool.problems(executed) == []


def change(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [("# as said", "# by adding"), ('"""Twice."""', '"""Two times."""'), ("    return", "\n    return"),
     ('"""A module."""', '"""Another text."""')],
    ids=["comment", "docstring", "layout", "of the module"],
)  # fmt: skip
def test_a_change_of_words_in_a_module_leaves_the_outputs_fresh(executed, course, old, new):
    change(course / "minilm" / "part.py", old, new)
    assert tool.problems(executed) == []


@pytest.mark.parametrize(("old", "new"), [("2 * x", "x + x"), ("(x)", "(x, y=0)")], ids=["code", "signature"])
def test_a_change_of_what_a_module_does_makes_them_old(executed, course, old, new):
    change(course / "minilm" / "part.py", old, new)
    assert tool.problems(executed) == ["outputs are older than minilm/part.py; run tools/notebooks.py run"]


def test_a_module_that_is_gone_makes_them_old(executed, course):
    (course / "minilm" / "part.py").unlink()
    assert tool.problems(executed) == ["outputs are older than minilm/part.py; run tools/notebooks.py run"]


def test_a_changed_cell_makes_them_old(executed):
    change(executed, '"x = 4\\n"', '"x = 5\\n"')
    assert "outputs are older than the code; run tools/notebooks.py run" in tool.problems(executed)


def test_other_recorded_results_make_them_old(course):
    code = 'def results(name):\n    return name\n\n\nprint(results("sizes"))\nresults(\n    "never-made")'
    file = course / "minilm" / "experiments" / "results" / "sizes.json"
    file.write_text("[1]", encoding="utf-8")
    path = written(course, code)
    notebook, _ = tool.execute(path, root=course)
    tool.write(notebook, path)
    name = "minilm/experiments/results/{}.json".format
    assert notebook.metadata["minilm"]["library"][name("never-made")] == "missing"
    assert tool.problems(path) == []
    file.write_text("[2]", encoding="utf-8")
    assert tool.problems(path) == [f"outputs are older than {name('sizes')}; run tools/notebooks.py run"]


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def picture(alt):
    data = {"image/png": "AAAA", "text/plain": "a picture"}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}} if alt else {})


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (nbformat.v4.new_output("error", ename="KeyError", evalue="no", traceback=[]), "a committed error: KeyError"),
        (stream("a warning", "stderr"), "stderr: 'a warning'"),
        (stream("in /home/me/x.py"), "an output holds a local path or an address"),
        (stream("<Thing at 0x7f00deadbeef>"), "an output holds a local path or an address"),
        (picture(""), "a picture without a description"),
        (picture("a curve"), "a picture without a description"),
    ],
    ids=["error", "stderr", "path", "address", "no words", "too few words"],
)
def test_an_output_that_must_not_be_committed_is_named(executed, output, said):
    notebook = tool.read(executed)
    notebook.cells[3].outputs = [output]
    tool.write(tool.tidy(notebook), executed)
    (problem,) = tool.problems(executed)
    assert problem.startswith(f"cell second: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[there](02_missing.ipynb)", "dead link 02_missing.ipynb"),
        ("[there](../exercises/ch05_lora.py#top)", "dead link ../exercises/ch05_lora.py#top"),
        ("![](https://example.org/x.png)", "a picture without alt text"),
    ],
)
def test_a_text_that_leads_nowhere_is_named(executed, text, said):
    change(executed, "More words.", text)
    assert tool.problems(executed) == [f"cell between: {said}"]


@pytest.mark.parametrize("text", ["[here](#A-title)", "[out](https://example.org)", "[self](01_tiny.ipynb#A-title)"])
def test_a_link_that_can_be_followed_is_fine(executed, text):
    change(executed, "More words.", text)
    assert tool.problems(executed) == []


def test_another_layout_of_the_file_is_named(executed):
    executed.write_text(json.dumps(json.loads(executed.read_text(encoding="utf-8"))), encoding="utf-8")
    assert tool.problems(executed) == ["is not in the committed form; run tools/notebooks.py run"]


def test_a_notebook_that_is_too_large_is_named(executed, monkeypatch):
    monkeypatch.setattr(tool, "LARGEST", 1000)
    (problem,) = tool.problems(executed)
    assert problem.endswith("bytes, more than 1,000")


def test_a_live_widget_is_not_committed_and_the_picture_beside_it_is():
    notebook = tool.from_text("# %% only\nslider\n")
    live = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "slider"}
    slider, beside = nbformat.v4.new_output("display_data", live), picture("what the slider shows at rank 5")
    notebook.cells[0].outputs = [slider, beside]
    (left,) = tool.tidy(notebook).cells[0].outputs
    assert "image/png" in left.data
