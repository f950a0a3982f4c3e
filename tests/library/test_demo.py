"""The main job from start to finish, on little text: a whole report, resumed or started clean, never mixed."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from terminal import STEPS, Terminal, child, contents, enter_small_world, words

from minilm import demo, report
from minilm.adapter import load_adapter
from minilm.folder import fingerprint, load_model
from minilm.recipes import RATES

STAGES = {"pretrain", "speak", "small-full", "small-lora", "large-full", "large-lora", "merge", "samples"}


def demo_words(my_text, out, *more):
    words = ("demo", "--preset", "nano", "--minutes", 0.004, "--precision", "float32", "--rank", 3)
    return (*words, "--data", f"file:{my_text}", "--out", out, *more)


class Shown:
    """In the place of capsys where a fixture outlives a test."""

    @staticmethod
    def readouterr():
        return "", ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory, my_text):
    """The folder of a finished demo."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    with pytest.MonkeyPatch.context() as patch:
        enter_small_world(patch.setattr)
        Terminal(patch, Shown).works(*demo_words(my_text, folder))
    return folder


def results(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def check_whole(folder):
    """What must hold for the folder of any finished demo."""
    found = results(folder)
    assert found["stages"].keys() == STAGES
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert not re.search(r"\b(nan|inf|None)\b", text), "the report has a number that is none"
    headings = re.findall("^## (.*)", text, re.MULTILINE)
    assert headings[:3] == ["The base", "Full fine-tuning and LoRA", "Merging"]
    assert [h.startswith("Before and after LoRA on ") for h in headings[3:]] == [True, True]
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == 5
    for link in links:
        assert (folder / link).read_bytes().startswith(b"\x89PNG"), f"{link} is no picture"
    for method in ("full", "LoRA"):
        assert len(re.findall(rf"^\| {method} on .*\|$", text, re.MULTILINE)) == 2
    for kind in ("small-lora", "large-lora"):
        load_adapter(folder / kind / "adapter", load_model(folder / "base")[0])
    assert not list(folder.rglob(".*")), "temporary files were left"
    return text


def test_a_finished_demo_has_a_whole_report(finished):
    check_whole(finished)


def test_every_number_of_the_table_is_the_one_that_was_measured(finished):
    text = (finished / "report.md").read_text(encoding="utf-8")
    for kind in ("small", "large"):
        run = results(finished)["stages"][f"{kind}-lora"]
        assert f"| {run['bits_per_byte']:.3f} | {run['shakespeare']:.3f} | {run['trained']:,} |" in text


def test_both_methods_took_the_same_number_of_steps_each_at_its_own_rate(finished):
    for (method, kind), rate in RATES.items():
        run = results(finished)["stages"][f"{kind}-{method}"]
        assert (run["steps"], run["lr"]) == (STEPS, rate), f"{method} on the {kind} shift"


def test_lora_trains_few_parameters_and_its_file_is_small(finished):
    stages = results(finished)["stages"]
    assert stages["small-full"]["trained"] == stages["pretrain"]["parameters"]
    assert stages["small-lora"]["trained"] < stages["pretrain"]["parameters"] / 10
    assert stages["small-lora"]["file_bytes"] < stages["small-full"]["file_bytes"] / 4


@pytest.mark.parametrize("run", ["small-full", "small-lora", "large-full", "large-lora"])
def test_predicted_memory_is_the_measured_one(finished, run):
    memory = results(finished)["stages"][run]["memory"]
    predicted, measured = memory["predicted"], memory["measured"]
    assert predicted.keys() == measured.keys() == {"weights", "gradients", "optimizer state", "activations"}
    for part in ("weights", "gradients", "optimizer state"):
        assert abs(predicted[part] - measured[part]) <= 100, part
    assert predicted["activations"] == pytest.approx(measured["activations"], rel=0.05)


def test_merging_changed_the_base_kept_the_answers_and_unmerging_brought_the_base_back(finished):
    merge = results(finished)["stages"]["merge"]
    base = fingerprint(load_model(finished / "base")[0])
    assert merge["base_fingerprint"] == merge["unmerged_fingerprint"] == base
    assert merge["merged_fingerprint"] != base
    assert merge["merged_minus_unmerged"] < 1e-4 < merge["adapted_minus_base"]
    assert "bit for bit" in (finished / "report.md").read_text(encoding="utf-8")


def test_fine_tuning_starts_from_the_base_and_leaves_it_as_it_was(finished):
    stages = results(finished)["stages"]
    now = fingerprint(load_model(finished / "base")[0])
    assert stages["speak"]["fingerprint"] == stages["pretrain"]["fingerprint"] == now


def test_the_tables_fit_into_a_terminal_of_80_columns(finished, tmp_path):
    console = Console(width=80, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    console.print(report.write_report(tmp_path, {}, results(finished)["stages"]))
    console.file.close()
    shown = console.export_text()
    assert "…" not in shown, "a cell was cut off"
    for row in report.rows(results(finished)["stages"]):
        for cell in row[1:]:
            assert cell in shown, f"{cell} was cut off or broken over two lines"


# Running it again


@pytest.fixture
def copy(finished, tmp_path):
    """A finished demo that a test may change, at a place of its own."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def never(*_, **__):
    pytest.fail("the demo did again what it had done")


def test_the_same_command_shows_the_finished_result_without_training(terminal, small_world, copy, my_text, monkeypatch):
    before = contents(copy)
    for name in ("train", "save_model", "save_adapter", "generate", "bits_per_byte"):
        monkeypatch.setattr(demo, name, never)
    monkeypatch.setattr(demo.jobs, "train", never)
    out = terminal.works(*demo_words(my_text, copy))
    assert str(copy / "report.md") in out.replace("\n", "")
    assert contents(copy) == before


def test_other_settings_start_clean_and_leave_files_of_your_own(terminal, small_world, copy, my_text):
    (copy / "notes.txt").write_text("mine", encoding="utf-8")
    (copy / "figures" / "old.png").write_bytes(b"left over")
    old = results(copy)
    assert "starting clean" in terminal.works(*demo_words(my_text, copy, "--seed", 7))
    new = results(copy)
    assert new["settings"]["seed"] == 7 and "seed 7" in check_whole(copy)
    assert new["stages"]["pretrain"]["fingerprint"] != old["stages"]["pretrain"]["fingerprint"]
    assert (copy / "notes.txt").exists() and not (copy / "figures" / "old.png").exists()


def test_a_file_that_was_edited_is_another_text(terminal, small_world, copy, tmp_path, my_text, monkeypatch):
    class Clean(Exception):
        pass

    def clean(self):
        raise Clean

    edited, original = Path(my_text), Path(my_text).read_text(encoding="utf-8")
    monkeypatch.setattr(demo.Stages, "clean", clean)
    try:
        edited.write_text(original.replace("a", "o"), encoding="utf-8")
        with pytest.raises(Clean):
            terminal(*demo_words(my_text, copy))
    finally:
        edited.write_text(original, encoding="utf-8")
    terminal.works(*demo_words(my_text, copy))  # as it was, it is the same run again


def test_cleaning_that_was_interrupted_is_done_again(tmp_path):
    stages = demo.Stages(tmp_path, {"seed": 1})
    stages.once("pretrain", lambda: {"of": 1})
    (tmp_path / "base").mkdir()

    def killed(*_, **__):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            demo.Stages(tmp_path, {"seed": 2})
    assert demo.Stages(tmp_path, {"seed": 1}).results == {}, "results of a half-removed run were taken for whole"
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize(
    ("more", "phrase"),
    [
        (("--minutes", -1), "cannot last -1"),
        (("--minutes", "nan"), "cannot last nan"),
        (("--rank", 0), "rank 0"),
        (("--rank", 97), "choose 1 to 96"),
        (("--seed", -1), "seed -1"),
        (("--preset", "giant"), "nano, micro"),
        (("--data", "file:nowhere.txt"), "nowhere.txt"),
        (("--data", "play:the-mousetrap"), "the-mousetrap"),
        (("--device", "abacus"), "abacus"),
        (("--precision", "int3"), "int3"),
    ],
)
def test_a_mistake_does_not_cost_a_finished_demo(terminal, small_world, finished, my_text, more, phrase):
    before = contents(finished)
    assert phrase in terminal.refuses(*demo_words(my_text, finished, *more))
    assert contents(finished) == before


def test_a_folder_that_cannot_be_written_to_shows_before_any_training(terminal, small_world, my_text, monkeypatch):
    monkeypatch.setattr(demo.jobs, "train", never)
    assert "cannot write" in terminal.refuses(*demo_words(my_text, f"{my_text}/run"))


def test_the_terminal_hears_the_whole_story(terminal, small_world, copy, my_text):
    out = terminal.works(*demo_words(my_text, copy))
    stages = results(copy)["stages"]
    assert "The demo: pretrain a model (preset nano) on Shakespeare for 0.004 min" in out
    assert f"LoRA of rank 3, on file:{my_text} and on pydocs" in out
    parts = [
        "Done before, and kept: pretrain",
        "--- the base writes, when it is given ROMEO:",
        stages["speak"]["text"].strip(),
        "unmerged: the base is back bit for bit",
        f"--- the base on file:{my_text}, before LoRA",
        stages["samples"]["small"]["before"].strip(),
        f"--- after LoRA on file:{my_text}",
        stages["samples"]["small"]["after"].strip(),
        "--- after LoRA on pydocs",
        stages["samples"]["large"]["after"].strip(),
        report.TITLES[0],
        report.TITLES[1],
        "report and figures:",
    ]
    places = [out.find(part) for part in parts]
    assert -1 not in places, f"{parts[places.index(-1)]!r} was not said"
    assert places == sorted(places)


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_damaged_results_file_is_told_or_replaced(terminal, small_world, tmp_path, my_text, monkeypatch, content):
    (tmp_path / "results.json").write_text(content, encoding="utf-8")
    if content == "{":
        assert "results.json is damaged" in terminal.refuses(*demo_words(my_text, tmp_path))
    else:
        assert demo.Stages(tmp_path, {"seed": 1}).results == {}


def test_a_tiny_text_of_your_own_is_enough(terminal, small_world, tmp_path):
    tiny = tmp_path / "tiny.txt"
    tiny.write_text(words(seed=5)[:1000], encoding="utf-8")
    terminal.works(*demo_words(tiny, tmp_path / "run"))
    assert "full on file:" in check_whole(tmp_path / "run")


def test_other_texts_are_prompted_with_their_own_first_line():
    assert demo.first_line("\n\n  To be, or not\nto be") == "To be, or not"
    assert len(demo.first_line("x" * 500)) == 60


KILLED = [  # Python that chooses the moment of the kill, and what is not done by then
    ('import minilm.train; terminal.die(minilm.train.Run, "step_once", 2)', "pretrain"),
    ('from minilm import demo; terminal.die(demo, "save_model", 1)', "pretrain"),
    ('from minilm import demo; terminal.die(demo, "add_lora", 1)', "small-lora"),
    ('from minilm import demo; terminal.die(demo, "save_adapter", 2)', "large-lora"),
    ('from minilm import report; terminal.die(report, "write_text", 1)', None),
]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_a_demo_that_is_killed_again_and_again_still_ends_with_a_whole_report(terminal, small_world, my_text, tmp_path):
    done = set()
    for moment, missing in KILLED:
        process = child(*demo_words(my_text, tmp_path), before=moment)
        _, err = process.communicate(timeout=100)
        assert process.returncode == -9, f"{moment}: should have been killed, but: {err}"
        found = set(results(tmp_path)["stages"])
        assert done <= found, "a stage that was done was lost"
        assert missing not in found
        done = found
    terminal.works(*demo_words(my_text, tmp_path))
    check_whole(tmp_path)


@pytest.mark.slow
def test_the_demo_runs_on_shakespeare_and_the_python_reference(terminal, tmp_path):
    terminal.works("demo", "--preset", "nano", "--minutes", 0.05, "--out", tmp_path)
    check_whole(tmp_path)
    stages = results(tmp_path)["stages"]
    assert stages["pretrain"]["corpus_sha256"] and stages["pretrain"]["bits_per_byte"] < 3.5
    assert stages["small-full"]["data"] == "play:hamlet" and stages["large-full"]["data"] == "pydocs"
    for kind in ("small", "large"):
        before = stages["speak"]["bits_per_byte"][kind]
        assert max(stages[f"{kind}-{method}"]["bits_per_byte"] for method in ("full", "lora")) < before
