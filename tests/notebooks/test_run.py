"""The notebooks run from top to bottom without a network: as a learner finds them, and with every exercise solved.

As a learner finds them means: in a folder that was unpacked from `minilm bundle`.
"""

import os
import shutil

import pytest
from lessons import ROOT, checks, number, tool

from minilm import bundle
from minilm.grading.registry import chapters
from minilm.wheel import wheel

each = pytest.mark.parametrize("name", bundle.NOTEBOOKS)
LIMIT = 180 * float(os.environ.get("MINILM_PATIENCE", "1"))  # seconds of one notebook, on two cores


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """The course as a learner unpacks it."""
    folder = tmp_path_factory.mktemp("untouched")
    for name, data in bundle.contents(ROOT).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def solved(untouched, tmp_path_factory):
    """The same, with every exercise solved."""
    folder = tmp_path_factory.mktemp("solved") / "course"
    shutil.copytree(untouched, folder)
    shutil.copytree(ROOT / "solutions", folder / "exercises", dirs_exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def plays(monkeypatch):
    """Where the plays are: a learner's copy has them from `minilm fetch`."""
    monkeypatch.setenv("MINILM_CORPUS", str(wheel()))


def run(folder, name):
    """The executed notebook, which must have neither errors nor anything on stderr."""
    notebook, seconds = tool.execute(folder / "notebooks" / f"{name}.ipynb", root=folder)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert list(tool.code_problems(cell)) == [], f"{name}, cell {cell['id']}"
    assert seconds <= LIMIT, f"{name} took {seconds:.0f} s; MINILM_PATIENCE=2 allows twice the time"
    return notebook


@each
def test_a_notebook_runs_before_any_exercise_is_solved(untouched, name):
    found = checks(run(untouched, name))
    singles = sorted(id for id in found if "." in id)  # besides these, a notebook may check its chapter as a whole
    assert singles == [one.id for one in chapters()[number(name)].exercises]
    assert all("not started" in shown for shown in found.values()), found


@pytest.mark.slow
@each
def test_a_notebook_runs_with_every_exercise_solved_and_all_points_won(solved, name):
    found = checks(run(solved, name))
    for one in chapters()[number(name)].exercises:
        assert f"passed, {one.points} of {one.points} point" in found[one.id], found[one.id]
