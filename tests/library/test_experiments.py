"""Recorded experiments: they resume, notice changed code, and every file that is committed fits its code."""

import importlib
import json

import pytest

from minilm import experiments
from minilm.errors import UserError

SOURCE = '''\
"""A tiny experiment."""

ABOUT = "squares"
CELLS = [{"x": 1, "pair": (1, 2)}, {"x": 2, "pair": (3, 4)}, {"x": 3, "pair": (5, 6)}]


def measure(x, pair):
    """The square."""
    if x == STOP_AT:
        raise KeyboardInterrupt
    return {"y": x * x}
'''


class Lab:
    """One experiment in a folder of its own: edit its code, run it, and read what it measured."""

    def __init__(self, folder, monkeypatch):
        self.module_file, self.results = folder / "tiny.py", folder / "results"
        self.results.mkdir()
        self.said = []
        monkeypatch.setattr("builtins.STOP_AT", None, raising=False)
        monkeypatch.setattr(experiments, "RESULTS", self.results)
        monkeypatch.setattr(experiments, "names", lambda: ["tiny"])
        monkeypatch.setattr(experiments, "import_module", lambda *_: self.load())
        self.source = SOURCE

    def load(self):
        self.module_file.write_text(self.source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("tiny", self.module_file)
        module = importlib.util.module_from_spec(spec)
        exec(compile(self.source, str(self.module_file), "exec"), vars(module))  # no cache of an older text
        return module

    def run(self):
        """Run it; the numbers of the cells that were measured in this run."""
        self.said.clear()
        experiments.run("tiny", say=self.said.append)
        return [int(line.split(" of ")[0]) for line in self.said[:-1]]

    def file(self):
        return json.loads((self.results / "tiny.json").read_text(encoding="utf-8"))


@pytest.fixture
def lab(tmp_path, monkeypatch):
    return Lab(tmp_path, monkeypatch)


def test_every_cell_is_measured_and_written_down_with_what_was_found(lab):
    assert lab.run() == [1, 2, 3]
    assert experiments.results("tiny") == [
        {"x": 1, "pair": [1, 2], "y": 1}, {"x": 2, "pair": [3, 4], "y": 4}, {"x": 3, "pair": [5, 6], "y": 9}
    ]  # fmt: skip
    file = lab.file()
    assert (file["about"], file["command"]) == ("squares", "minilm experiment tiny")
    assert {"system", "torch", "threads"} == set(file["machine"])
    assert experiments.made("tiny").startswith("Made by `minilm experiment tiny`: 3 runs, 0 minutes with ")


def test_a_run_that_was_stopped_goes_on_where_it_was(lab, monkeypatch):
    monkeypatch.setattr("builtins.STOP_AT", 3)  # the code stays the same, the world does not
    with pytest.raises(KeyboardInterrupt):
        lab.run()
    assert [line["cell"]["x"] for line in lab.file()["cells"]] == [1, 2]
    monkeypatch.setattr("builtins.STOP_AT", None)
    assert lab.run() == [3]
    assert [line["found"]["y"] for line in lab.file()["cells"]] == [1, 4, 9]


def test_a_run_that_is_complete_measures_nothing(lab):
    lab.run()
    before = (lab.results / "tiny.json").read_bytes()
    assert lab.run() == []
    assert (lab.results / "tiny.json").read_bytes() == before


def change(lab, old, new):
    assert old in lab.source
    lab.source = lab.source.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return {", "    # as in school\n    return {"),
        ('"""The square."""', '"""x times x."""'),
        ('"""A tiny experiment."""', '"""A small one."""'),
        ('ABOUT = "squares"', 'ABOUT = "the squares"'),
    ],
    ids=["comment", "docstring", "of the module", "ABOUT"],
)
def test_a_change_of_words_measures_nothing_again(lab, old, new):
    lab.run()
    change(lab, old, new)
    assert lab.run() == []


@pytest.mark.parametrize(
    ("old", "new"), [("x * x", "x**2"), ("(x, pair)", "(x, pair, z=0)")], ids=["body", "signature"]
)
def test_a_change_of_the_code_measures_everything_again(lab, old, new):
    lab.run()
    change(lab, old, new)
    assert lab.run() == [1, 2, 3]


def test_a_new_cell_is_measured_alone_and_put_in_its_place(lab):
    lab.run()
    change(lab, 'CELLS = [{"x": 1,', 'CELLS = [{"x": 9, "pair": ()}, {"x": 1,')
    assert lab.run() == [1]
    assert [line["cell"]["x"] for line in lab.file()["cells"]] == [9, 1, 2, 3]


def test_a_cell_that_is_no_longer_asked_for_goes(lab):
    lab.run()
    change(lab, '{"x": 1, "pair": (1, 2)}, ', "")
    assert lab.run() == []
    assert [line["cell"]["x"] for line in lab.file()["cells"]] == [2, 3]


def test_a_file_has_one_line_for_each_cell(lab):
    lab.run()
    lines = (lab.results / "tiny.json").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith('  {"cell": ') for line in lines) == 3


# ---- the command ---------------------------------------------------------------------------------


def test_an_unknown_experiment_is_refused_with_those_there_are(terminal):
    said = terminal.refuses("experiment", "nonsense")
    assert "there is no experiment 'nonsense'; choose one of" in said
    assert all(name in said for name in experiments.names())


def test_the_command_without_a_name_lists_them(terminal):
    assert terminal.works("experiment").split() == experiments.names()


def test_results_that_were_never_made_are_told_with_their_file():
    with pytest.raises(UserError, match="never-made.json"):
        experiments.results("never-made")


# ---- what is committed ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", experiments.names())
def test_the_committed_results_are_those_of_the_code_and_whole(name):
    experiment, file = experiments.find(name), experiments.read(name)
    assert file["code"] == experiments.fingerprint(experiment), f"the code changed; run `minilm experiment {name}`"
    assert file["command"] == f"minilm experiment {name}"
    wanted = json.loads(json.dumps(experiment.CELLS))
    assert [line["cell"] for line in file["cells"]] == wanted, f"cells are missing; run `minilm experiment {name}`"
    assert len({json.dumps(cell, sort_keys=True) for cell in wanted}) == len(wanted), "a cell is asked for twice"


@pytest.mark.parametrize("name", experiments.names())
def test_an_experiment_says_what_it_is_about_and_finds_plain_finite_numbers(name):
    experiment = experiments.find(name)
    assert experiment.__doc__ and len(experiment.ABOUT) > 20 and "\n" not in experiment.ABOUT
    text = (experiments.RESULTS / f"{name}.json").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text
    assert len(text) < 200_000, "results are small: a few numbers for each cell"


def test_every_file_of_results_belongs_to_an_experiment():
    assert {path.stem for path in experiments.RESULTS.glob("*.json")} == set(experiments.names())
