"""Benchmarks: rows of one shape, bounds that mean what they say, JSON that any reader takes. All is small here."""

import json
import math

import pytest

from minilm import bench
from minilm.bench import isolation, memory, nanogpt, quality, rows, speed
from minilm.corpus import load
from minilm.errors import UserError
from minilm.model import LM, PRESETS
from minilm.tokenizer import Tokenizer

KEYS = {"what", "value", "unit", "must", "met"}


@pytest.fixture
def little(monkeypatch, my_text):
    """Every benchmark on the nano preset and little text, in one round."""
    data = load(f"file:{my_text}")

    def base(*_):
        return LM(PRESETS["nano"]), Tokenizer.train(data.train, 300)

    for module in (memory, quality, speed):
        monkeypatch.setattr(module, "PRESETS", {"base": PRESETS["nano"]})
    for name, value in {"BATCH": 2, "CONTEXT": 32}.items():
        monkeypatch.setattr(memory, name, value)
    monkeypatch.setattr(speed, "alternate", lambda actions, **_: rows.alternate(actions, rounds=1, warmup=0))
    monkeypatch.setattr(speed, "matmul_speed", lambda *_, **__: 1e11)
    monkeypatch.setattr(speed, "import_seconds", lambda _: 0.1)
    monkeypatch.setattr(speed.corpus, "load", lambda _: data)
    monkeypatch.setattr(speed, "play", lambda _: type("Play", (), {"text": data.validation}))
    monkeypatch.setattr(isolation, "NUMBERS", (0,))
    monkeypatch.setattr(isolation, "ROUNDS", 1)
    monkeypatch.setattr(quality, "MUST", {0.002: 2.1})
    monkeypatch.setattr(quality.at_minutes, "__defaults__", ((0.002,), 0))
    monkeypatch.setattr(quality, "SWEEP", {"full": (1e-3, 1e6), "lora": (1e-2,)})
    monkeypatch.setattr(quality, "TEXTS", {"large": (f"file:{my_text}", 2)})
    monkeypatch.setattr(quality, "load", lambda _: data)
    monkeypatch.setattr(quality, "load_base", base)
    monkeypatch.setattr(speed, "load_base", base)


@pytest.mark.parametrize("name", [*bench.QUICK, *bench.SLOW])
def test_every_row_has_the_same_keys_and_a_finite_value(little, name):
    found = {**bench.QUICK, **bench.SLOW}[name]()
    assert found
    for row in found:
        assert row.keys() >= KEYS
        assert isinstance(row["what"], str) and row["what"]
        assert row["met"] in (True, False, None) and (row["met"] is None) == (row["must"] == "")
        json.dumps(row, allow_nan=False)


def test_predicted_memory_is_the_measured_one(little):
    for row in memory.predicted_and_measured():
        assert row["met"], row


@pytest.mark.parametrize(
    ("value", "bound", "met"),
    [
        (0.8, {"at_most": 0.85}, True),
        (0.9, {"at_most": 0.85}, False),
        (3.0, {"at_least": 3}, True),
        (2.9, {"at_least": 3}, False),
        (2.9, {}, None),
        (math.nan, {"at_most": 1}, False),
        (math.inf, {"at_most": 1}, False),
    ],
)
def test_a_bound_is_met_or_not(value, bound, met):
    assert rows.row("x", value, **bound)["met"] is met


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_becomes_null_and_is_shown_as_never(value, capsys):
    row = rows.row("x", value, at_most=1)
    assert json.loads(json.dumps(row))["value"] is None
    bench.show([{"bench": "b", **row}])
    out = capsys.readouterr().out
    assert "never" in out and "NO" in out


def test_a_rate_at_which_training_diverges_loses_the_sweep_and_does_not_end_it(monkeypatch, my_text, little):
    def train(model, tokenizer, data, recipe, **_):
        if recipe.lr == 1e6:
            raise UserError("training diverged")

    monkeypatch.setattr(quality, "train", train)
    best = next(row for row in quality.learning_rates() if row["what"].startswith("best rate of full"))
    assert best["value"] == 1e-3 and best["scores"][1e6] is None and best["scores"][1e-3] > 0


def test_actions_are_measured_in_turn():
    calls = []
    times = rows.alternate({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=2, warmup=1)
    assert calls == list("ababab")
    assert {name: len(found) for name, found in times.items()} == {"a": 2, "b": 2}


@pytest.fixture
def made_up(monkeypatch):
    """Two benchmarks that only answer."""
    monkeypatch.setattr(bench, "QUICK", {"one": lambda: [rows.row("x", 1.0, "s", at_most=2)]})
    monkeypatch.setattr(bench, "SLOW", {"two": lambda: [rows.row("y", math.nan)]})


def test_json_goes_to_a_file_beside_the_table(terminal, made_up, tmp_path):
    out = terminal.works("bench", "one", "two", "--json", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert [row["bench"] for row in found["rows"]] == ["one", "two"]
    assert found["machine"].keys() == {"system", "python", "torch", "threads"}
    assert "yes" in out and "never" in out


def test_json_goes_to_the_terminal_and_nothing_else_does(terminal, made_up):
    found = json.loads(terminal.works("bench", "all", "--json", "-"), parse_constant=pytest.fail)
    assert [row["bench"] for row in found["rows"]] == ["one", "two"]


def test_without_a_name_the_quick_ones_run(terminal, made_up):
    out = terminal.works("bench")
    assert "one" in out and "two" not in out


def test_an_unknown_name_is_refused_before_anything_is_measured(terminal, made_up, monkeypatch):
    monkeypatch.setitem(bench.QUICK, "one", lambda: pytest.fail("measured"))
    sentence = terminal.refuses("bench", "one", "beauty")
    assert "'beauty'" in sentence and "one, two" in sentence


def test_a_json_file_that_cannot_be_written_is_told(terminal, made_up, my_text):
    assert "cannot write" in terminal.refuses("bench", "one", "--json", my_text / "out.json")


def test_what_was_measured_before_a_failure_is_kept(terminal, made_up, tmp_path, monkeypatch):
    def fails():
        raise UserError("no such luck")

    monkeypatch.setitem(bench.SLOW, "two", fails)
    assert "no such luck" in terminal.refuses("bench", "one", "two", "--json", tmp_path / "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["rows"]) == 1


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_the_comparison_with_nanogpt_needs_a_checkout_of_it(terminal, folder):
    assert "no checkout of nanoGPT" in terminal.refuses("bench", "nanogpt", "--nanogpt", folder)


def test_nanogpts_tokenizer_is_one_token_for_each_character():
    characters = nanogpt.Characters("to be\n")
    assert characters.encode("bet!") == [characters.ids[letter] for letter in "bet"]
    assert characters.n_vocab == 6
