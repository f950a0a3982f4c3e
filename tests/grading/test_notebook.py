"""`check` and `hint`: what they show, and that they never raise."""

import sys
import types

import bank
import pytest

from minilm.grading import check, hint, notebook, records, show, supervise
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


def test_a_half_written_exercise_counts_its_tests_and_names_the_rest(learner, capsys):
    stub = 'raise NotImplementedError("Exercise 4.4: rank")'
    learner(ch04=bank.body("break_even_rank", stub)(bank.solution(4), "4.4"))
    check("4.4")
    printed = capsys.readouterr().out
    assert "◐ 4.4" in printed and "begun, 2 of 6 tests pass, 0 of" in printed and "Hint" not in printed
    assert "To do: write break_even_rank in exercises/ch04_lowrank.py" in printed and "minutes" not in printed


def test_three_functions_are_named_in_a_sentence():
    heads = exercise("2.6")
    named = "write split_heads, merge_heads and multi_head_attention in exercises/"
    assert show.todo(records.Result(heads, (stub("split_heads"), stub("merge_heads")))).startswith(named)
    begun = records.Result(heads, ({"passed": True}, stub("multi_head_attention"), stub("merge_heads")))
    assert show.todo(begun).startswith("write merge_heads and multi_head_attention in exercises/")


def stub(function):
    return {"passed": False, "kind": "todo", "seen": "Exercise 2.6: heads", "means": None, "function": function}


def test_a_missing_return_opens_no_hint(learner, capsys):
    learner(ch00=bank.solution(0).replace("return math.log2", "math.log2"))
    check("0.1")
    printed = capsys.readouterr().out
    assert "Is a `return` missing?" in printed and "Hint" not in printed


def test_a_mistake_that_nobody_recognised_points_to_what_the_exercise_uses(learner, shown):
    learner(ch01=bank.body("train_bpe", "return 1 / 0")(bank.solution(1), "1.3"))
    check("1.3")
    check("1")
    alone, chapter = (bundle["text/plain"] for bundle in shown)
    assert "    It uses 1.1 and 1.2: are they passed?" in alone.splitlines()
    assert "It uses 1.1 and 1.2: are they passed?" in shown[0]["text/html"]
    assert "It uses" not in chapter, "there they are seen to be passed"


def test_a_recognised_mistake_points_nowhere_else(learner, capsys):
    wrong = next(one for one in bank.answers() if one.exercise == "1.3" and one.draws in exercise("1.3").misconceptions)
    learner(ch01=bank.source_of(wrong))
    check("1.3")
    printed = capsys.readouterr().out
    assert exercise("1.3").misconceptions[wrong.draws] in printed and "It uses" not in printed


def test_what_stops_the_file_is_told_once_and_without_a_hint(learner, capsys):
    learner(ch01="import nowhere_at_all\n" + bank.solution(1))
    check("1")
    printed = capsys.readouterr().out
    assert printed.count("stops at line 1 while it is read") == 1 and "Hint" not in printed


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
