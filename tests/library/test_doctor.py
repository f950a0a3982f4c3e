"""`minilm doctor`: all facts on one screen, above all where something is missing or broken."""

from importlib.metadata import PackageNotFoundError

import pytest

from minilm import doctor, pretrained, wheel

FACTS = ("python", "system", *doctor.PACKAGES, "threads", "devices", "precision", "corpus", "base")


@pytest.fixture
def facts(monkeypatch):
    """A function: name -> value of the report. Nothing is measured unless a test asks for it."""
    for look in ("_precision", "_corpus", "_base"):
        monkeypatch.setattr(doctor, look, lambda: "not looked at")
    return lambda: dict(doctor.facts())


def test_the_command_prints_every_fact_on_a_line_of_its_own(terminal):
    lines = terminal.works("doctor").splitlines()
    assert tuple(line.split()[0] for line in lines) == FACTS


def test_a_healthy_machine_has_plays_and_a_precision(monkeypatch):
    monkeypatch.setattr(doctor, "_base", lambda: "not looked at")
    found = dict(doctor.facts())
    assert found["corpus"].startswith("38 plays in ")
    assert found["precision"].startswith(("float32 (", "bfloat16 ("))


def test_a_missing_package_is_a_line_with_the_command_to_run(facts, monkeypatch):
    def version(name):
        if name == "tiktoken":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    assert "make setup" in facts()["tiktoken"]
    assert facts()["numpy"] == "1.0"


def test_missing_plays_are_a_line_with_the_command_to_run(facts, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.delenv("MINILM_CORPUS", raising=False)
    monkeypatch.setattr(wheel, "_place", lambda: tmp_path / "nowhere.whl")
    assert "minilm fetch" in doctor._attempt(doctor._corpus)


def test_a_missing_base_is_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "BASE", tmp_path / "nowhere")
    assert doctor._attempt(doctor._base).startswith("not there: ")


@pytest.mark.parametrize("about", ["{}", "[]", "{", '{"bits_per_byte": null}'])
def test_a_base_with_a_broken_record_is_a_line(monkeypatch, tmp_path, tiny_model, tokenizer, about):
    from minilm.folder import save_model

    save_model(tmp_path, tiny_model, tokenizer, {"bits_per_byte": 2.0})
    monkeypatch.setattr(pretrained, "BASE", tmp_path)
    assert "2.000 bits/byte" in doctor._attempt(doctor._base)
    (tmp_path / "about.json").write_text(about, encoding="utf-8")
    assert doctor._attempt(doctor._base).startswith(("not there: ", "broken: "))


def test_a_torch_that_cannot_be_imported_is_a_line(facts, monkeypatch):
    def broken():
        raise ImportError("libtorch.so: cannot open shared object file")

    monkeypatch.setattr(doctor, "_threads", broken)
    assert facts()["threads"].startswith("broken: ImportError: libtorch.so")
    assert facts()["devices"].startswith("cpu")
