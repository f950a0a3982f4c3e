"""`check` and `hint`: what they show, and that they never raise."""

import sys
import types

import bank
import pytest

from minilm.grading import check, hint, notebook, supervise
from minilm.grading.registry import exercise


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """A session that has seen nothing yet, and leaves no process behind."""
    monkeypatch.setattr(notebook, "states", {})
    monkeypatch.setattr(notebook, "opened", {})
    yield
    supervise.drop_spare()


@pytest.fixture
def learner(folder, monkeypatch):
    """learner(ch01=source): these are the exercises that check() looks at."""

    def use(**sources):
        monkeypatch.setattr(notebook, "IMPL", str(folder(**sources)))

    return use


@pytest.fixture
def shown(monkeypatch):
    """What an IPython kernel was asked to display: a list of {mime type: text}."""
    bundles = []
    shell = types.SimpleNamespace(has_trait=lambda name: name == "kernel")
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    display = types.ModuleType("IPython.display")
    display.display = lambda bundle, raw: bundles.append(bundle)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return bundles


def test_check_reads_the_file_again_each_time(learner, capsys):
    learner(ch00=bank.solution(0).replace("log2(1 / p)", "log(1 / p)"))
    check("0.1")
    first = capsys.readouterr().out
    assert "✗ 0.1 Bits of surprise: wrong value, 0 of 2 points" in first
    assert "gave      1.3863" in first and exercise("0.1").misconceptions["nats"] in first
    assert f"Hint 1 of 2: {exercise('0.1').hints[0]}" in first
    learner(ch00=bank.solution(0))
    check("0.1")
    second = capsys.readouterr().out
    assert "✓ 0.1 Bits of surprise: passed, 2 of 2 points" in second
    assert "Chapter 0  ■■ 2 of 2 points" in second


def test_an_unsolved_chapter_shows_what_is_left(learner, capsys):
    learner()
    check("1")
    printed = capsys.readouterr().out
    assert printed.count("not started") == 7 and "□□□□□□□□□□□□ 0 of 12 points" in printed
    assert "Next: 1.1 Count the pairs" in printed


def test_the_same_syntax_error_is_told_once(learner, capsys):
    learner(ch01=bank.solution(1).replace("while True:", "while True"))
    check("1")
    assert capsys.readouterr().out.count("expected ':'") == 1


def test_a_notebook_gets_html_and_plain_text_and_nothing_is_run_as_html(learner, shown):
    learner(ch00=bank.solution(0).replace("return math", "print('<b>mine</b>')\n    return '<script>' + math"))
    check("0.1")
    (bundle,) = shown
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<script>" not in bundle["text/html"] and "&lt;b&gt;mine" in bundle["text/html"]
    assert "<details>" in bundle["text/html"] and "✗" in bundle["text/html"]


def test_the_output_is_the_same_on_every_run(learner, shown):
    learner()
    check("0")
    check("0")
    assert shown[0] == shown[1]


def test_the_bar_remembers_what_this_session_has_seen(learner, capsys):
    learner(ch01=bank.solution(1))
    check("1.1")
    check("1.2")
    assert "■■■□□□□□□□□□ 3 of 12 points" in capsys.readouterr().out


def test_hints_open_one_after_the_other(capsys):
    hint("1.2")
    assert "Hint 1 of 3" in (first := capsys.readouterr().out) and "Hint 2" not in first
    hint("1.2")
    assert "Hint 2 of 3" in capsys.readouterr().out
    hint("1.2")
    hint("1.2")
    assert "That was the last one." in capsys.readouterr().out


def test_a_check_that_showed_the_first_hint_makes_hint_open_the_second(learner, capsys):
    learner(ch00=bank.solution(0).replace("log2", "log10"))
    check("0.1")
    capsys.readouterr()
    hint("0.1")
    assert "Hint 2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["9.9", "", "one", None, 5.25, ["1.2"]])
def test_wrong_names_are_a_sentence_and_no_exception(name, capsys):
    check(name)
    hint(name)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("check: ") and lines[-1].startswith("hint: ")


@pytest.mark.parametrize("error", [RuntimeError("a bug of the course"), KeyboardInterrupt()])
def test_check_never_raises(error, monkeypatch, capsys):
    def fail(*args):
        raise error

    monkeypatch.setattr(supervise, "grade", fail)
    check("0.1")
    assert capsys.readouterr().out.strip()
