"""The grade book, JUnit XML and Gradescope's results, made of records."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
from handmade import BARE, entry, record, wrong

from minilm.grading.classroom.grades import Graded, as_csv, as_junit, gradescope, safe
from minilm.grading.registry import chapters, exercise, select

WHEN = datetime(2026, 3, 1, tzinfo=UTC)


def rows(graded, **how):
    """name -> the row of the grade book, as a dict."""
    return {row["name"]: row for row in csv.DictReader(io.StringIO(as_csv(graded, **how)))}


def whole(name="alice", **of):
    """All chapters, passed but for `of`: ch0=record(...)."""
    return {number: of.get(f"ch{number}", record(number, name)) for number in chapters()}


# ---- the grade book ------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [range(8), [1, 5], [5, 1]])
def test_the_columns_are_the_totals_and_every_exercise_that_counts(asked):
    head = as_csv([], asked).splitlines()[0].replace('"', "").split(",")
    totals = ["name", "points", "possible", "late", "final", "status", "isolation"]
    assert head == [*totals, *(one.id for one in select(sorted(asked)))]


def test_a_complete_submission_has_its_points_and_a_final_grade():
    graded = [("alice", whole(ch0=record(0, e0_1=entry("0.1", "fail", wrong("0.1")))), WHEN, 0.9)]
    row = rows(graded)["alice"]
    assert [row[key] for key in ("points", "possible", "late", "final")] == ["98", "100", "0.9", "88.20"]
    assert (row["status"], row["isolation"], row["0.1"], row["5.9"]) == ("complete", "bubblewrap", "0", "2")


def test_who_is_in_time_keeps_everything():
    row = rows([Graded("alice", whole())])["alice"]
    assert (row["late"], row["final"]) == ("1", "100.00")


def test_what_the_grader_could_not_finish_is_empty_and_never_a_zero():
    row = rows([("alice", whole(ch0=record(0, e0_1=entry("0.1", "infra"))), None, 1.0)])["alice"]
    assert (row["0.1"], row["final"], row["status"]) == ("", "", "not finished by the grader: 0.1")
    assert row["1.1"] == "1" and row["points"] == "98"


def test_a_chapter_without_a_record_is_not_graded_and_one_without_a_file_is_zero():
    records = whole(ch0=record(0, e0_1=entry("0.1", "missing")))
    del records[4], records[7]
    found = rows([("alice", records), ("bob", whole())])
    assert (found["alice"]["0.1"], found["alice"]["4.1"], found["alice"]["final"]) == ("0", "", "")
    assert found["alice"]["status"] == "not graded: chapters 4, 7"
    assert (found["bob"]["status"], found["bob"]["possible"]) == ("complete", "100")


def test_a_class_graded_on_one_chapter_is_complete_with_it():
    graded = [("alice", {5: record(5)}), ("bob", {})]
    found = rows(graded)
    assert [found["alice"][key] for key in ("points", "possible", "final", "status")] == [
        "18",
        "18",
        "18.00",
        "complete",
    ]
    assert (found["bob"]["status"], found["bob"]["isolation"]) == ("not graded: chapter 5", "")
    assert rows(graded, chapters=chapters())["alice"]["status"] == "not graded: chapters 0, 1, 2, 3, 4, 6, 7"


def test_the_weakest_isolation_is_the_one_that_counts():
    assert rows([("alice", whole(ch3=record(3, isolation=BARE)))])["alice"]["isolation"] == "bare (weak)"
    lock, weak = ({"level": level, "strong": level == "landlock", "walls": []} for level in ("landlock", "namespaces"))
    both = whole(ch3=record(3, isolation=lock), ch4=record(4, isolation=weak))
    assert rows([("alice", both)])["alice"]["isolation"] == "namespaces (weak)"
    assert rows([("alice", whole(ch3=record(3, isolation=lock)))])["alice"]["isolation"] == "landlock"
    odd = {"level": "of another version", "strong": False, "walls": []}
    mixed = whole(ch3=record(3, isolation=odd), ch4=record(4, isolation=BARE))
    assert rows([("alice", mixed)])["alice"]["isolation"] == "of another version (weak)"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\nx", "\uff1d1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(name):
    assert safe(name) == "'" + name and safe("a" + name) == "a" + name
    assert "'" + name in [row[0] for row in csv.reader(io.StringIO(as_csv([(name, {})]), newline=""))]


def test_a_name_stays_one_cell_whatever_separates_the_cells():
    text = as_csv([('a;=cmd(),"b', {0: record(0)})])
    assert '"a;=cmd(),""b",2,2,1,2.00,' in text


def test_the_same_class_gives_the_same_bytes_in_whatever_order_it_was_graded():
    graded = [("bob", whole()), ("alice", whole())]
    assert as_csv(graded) == as_csv(graded[::-1]) and as_junit(graded) == as_junit(graded[::-1])
    assert as_csv(graded) != as_csv(graded[:1])


# ---- JUnit ---------------------------------------------------------------------------------------


def test_junit_has_a_suite_for_each_submission_and_a_case_for_each_exercise():
    told = entry("1.2", "fail", wrong("1.2", "overlap", seen="gave <&\x01>"))
    ch1 = record(1, e1_2=told, e1_3=entry("1.3", "infra"))
    suites = ET.fromstring(as_junit([("bob", {0: record(0)}), ("a<b", {1: ch1})]).encode())
    assert [suite.get("name") for suite in suites] == ["a<b", "bob"]
    assert [suites[0].get(key) for key in ("tests", "failures", "errors", "skipped")] == ["7", "1", "1", "0"]
    cases = {case.get("name").split()[0]: case for case in suites[0]}
    assert cases["1.2"].get("classname") == "ch01_tokenizer"
    assert cases["1.2"].find("failure").get("type") == "fail"
    assert exercise("1.2").misconceptions["overlap"] in cases["1.2"].find("failure").text
    assert "gave <&\ufffd>" in cases["1.2"].find("failure").text
    assert cases["1.3"].find("error").get("type") == "infra" and cases["1.1"].find("failure") is None
    assert {one.get("name"): one.get("value") for one in cases["1.1"].iter("property")} == {
        "points": "1",
        "possible": "1",
    }


# ---- Gradescope ----------------------------------------------------------------------------------


def test_gradescope_gets_one_test_for_each_exercise():
    told = entry("1.2", "fail", wrong("1.2", "overlap", printed="hi\n"))
    results = gradescope("alice", {1: record(1, e1_2=told)})
    assert (results["score"], results["visibility"], results["stdout_visibility"]) == (10, "visible", "hidden")
    assert results["output"] == "alice: 10 of 12 points" and "execution_time" not in results
    assert [test["number"] for test in results["tests"]] == [one.id for one in chapters()[1].exercises]
    right, bad = results["tests"][:2]
    assert right == {
        "number": "1.1", "name": "Count the pairs", "score": 1, "max_score": 1, "status": "passed", "output": "Passed.",
        "output_format": "text", "visibility": "visible",
    }  # fmt: skip
    assert (bad["score"], bad["max_score"], bad["status"]) == (0, 2, "failed")
    assert bad["output"].startswith("1.2 Merge a pair: wrong value\n    f(1)\n        gave      2\n")
    assert exercise("1.2").misconceptions["overlap"] in bad["output"] and bad["output"].endswith("        hi")
    assert json.loads(json.dumps(results)) == results


def test_gradescope_is_told_of_lateness_and_time():
    results = gradescope("alice", {1: record(1)}, seconds=3.5, late=0.9)
    assert (results["score"], results["execution_time"]) == (10.8, 3.5)
    assert "Handed in late: 90 % of the points count." in results["output"]
    assert "late" not in gradescope("alice", {1: record(1)}, late=1.0)["output"]


def test_gradescope_is_told_when_the_grader_could_not_finish():
    ch1 = record(1, note="Ignored: conftest.py.", e1_2=entry("1.2", "infra"))
    results = gradescope("alice", {1: ch1})
    assert "Not finished by the grader, and no zero: 1.2. Ask your teacher." in results["output"]
    assert results["output"].endswith("Ignored: conftest.py.")
    assert "not the answer's fault" in results["tests"][1]["output"]


# ---- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("timeout", "1.2 Merge a pair: out of time"),
        ("memory", "out of memory"),
        ("crash", "The Python process died"),
        ("protocol", "does not count"),
        ("missing", "There is no ch01_tokenizer.py."),
        ("not_run", "not run"),
    ],
)
def test_an_outcome_without_a_test_that_tells_more_has_words_of_its_own(outcome, said):
    ch1 = record(1, note="There is no ch01_tokenizer.py.", e1_2=entry("1.2", outcome))
    assert said in gradescope("alice", {1: ch1})["tests"][1]["output"]


def test_a_test_of_a_kind_that_nobody_knows_does_not_stop_the_class():
    ch1 = record(1, e1_2=entry("1.2", "crash", wrong("1.2", kind="new")))
    assert "The Python process died" in gradescope("alice", {1: ch1})["tests"][1]["output"]


def test_a_file_that_is_not_there_gets_its_sentence_and_no_advice_about_answers():
    absent = wrong("1.2", kind="missing", test="", seen="05_lora.ipynb is larger than 5 MB.", call="")
    output = gradescope("alice", {1: record(1, e1_2=entry("1.2", "missing", absent))})["tests"][1]["output"]
    assert output == "1.2 Merge a pair: missing\n    05_lora.ipynb is larger than 5 MB."
    renamed = wrong("1.2", kind="missing", seen="ch01_tokenizer.py has no function merge_pair.")
    output = gradescope("alice", {1: record(1, e1_2=entry("1.2", "missing", renamed))})["tests"][1]["output"]
    assert "Usually: Keep the name of every file and function" in output


def test_a_failure_before_the_grader_had_to_stop_is_not_told_as_the_result():
    ch1 = record(1, e1_2=entry("1.2", "infra", wrong("1.2")))
    output = gradescope("alice", {1: ch1})["tests"][1]["output"]
    assert "1.2 Merge a pair: not graded yet" in output and "wrong value" not in output


def test_no_message_is_endless():
    loud = entry("1.2", "fail", wrong("1.2", seen="x" * 9000, printed="hi\n" * 9000))
    output = gradescope("alice", {1: record(1, e1_2=loud)})["tests"][1]["output"]
    assert len(output) == 4000 and output.endswith(" …")
    quiet = entry("1.2", "fail", wrong("1.2", printed="hi\n" * 23))
    assert "… and 3 lines more" in gradescope("alice", {1: record(1, e1_2=quiet)})["tests"][1]["output"]
