"""`minilm grade`: the table, the files it writes, and what it does with names that do not exist."""

import io
import json
import xml.etree.ElementTree as ET

import bank
import pytest
from rich.console import Console

from minilm.errors import UserError
from minilm.grading import course, show
from minilm.grading.command import grade
from minilm.grading.registry import chapters, exercise


@pytest.fixture
def run():
    """run(...) -> (report, what was printed)."""

    def run(*args, **kwargs):
        console = Console(file=io.StringIO(), width=100, soft_wrap=True)
        report = grade(*args, console=console, **kwargs)
        return report, console.file.getvalue()

    return run


def test_the_table_shows_points_messages_and_what_is_next(run, folder):
    wrong = next(answer for answer in bank.answers() if answer.draws == "overlap")
    report, printed = run(["1"], impl=str(folder(ch01=bank.source_of(wrong))))
    assert "1  Tokenizer" in printed and f"{report.points} / 12" in printed
    assert "✓  1.1  Count the pairs" in printed and "✗  1.2  Merge a pair" in printed
    assert "gave      [c" not in printed and "merge_pair([" in printed
    assert exercise("1.2").misconceptions["overlap"] in printed
    assert "First: 1.2, which this one uses" in printed, "1.3 is wrong only because 1.2 is"
    assert printed.rstrip().endswith("Next: 1.2 Merge a pair (2 points, about 15 minutes)")


def test_one_exercise_that_is_not_started_says_what_to_do(run, folder):
    report, printed = run(["0.1"], impl=str(folder()))
    assert report.points == 0
    assert "write surprise in exercises/ch00_welcome.py" in printed


def test_the_whole_course_says_honestly_what_is_not_written(run):
    report, printed = run(impl="solutions")
    assert report.points == report.possible
    missing = [number for number in range(8) if number not in chapters()]
    assert ("Not yet written" in printed) == bool(missing)
    for number in missing:
        assert f"{number} " in show.unwritten()


def test_one_file_is_graded_as_its_own_chapter(run, tmp_path):
    path = tmp_path / "ch00_welcome.py"
    path.write_text(bank.solution(0), encoding="utf-8")
    report, _ = run(impl=str(path))
    assert [result.exercise.id for result in report.results] == ["0.1"] and report.points == 2
    with pytest.raises(UserError, match="has no answers to 1.2"):
        run(["1.2"], impl=str(path))


def test_json_and_junit_hold_every_exercise(run, folder, tmp_path):
    source = bank.solution(0).replace("math.log2(1 / p)", "math.log2(p) if print('<&\\x01') is None else 0")
    report, _ = run(
        ["0", "1.5"], impl=str(folder(ch00=source)), json=str(tmp_path / "a.json"), junit=str(tmp_path / "a.xml")
    )
    saved = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (saved["points"], saved["possible"], saved["course"], saved["next"]) == (0, 3, 100, "0.1")
    assert [(one["id"], one["passed"]) for one in saved["exercises"]] == [("0.1", False), ("1.5", False)]
    assert saved["exercises"][0]["tests"][0]["means"] == "sign"
    suites = ET.parse(tmp_path / "a.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["ch00_welcome", "ch01_tokenizer"]
    (case,) = suites[0].findall("testcase")
    assert case.find("failure").get("type") == "value" and "gave      -2.0" in case.find("failure").text
    assert {one.get("name"): one.get("value") for one in case.iter("property")} == {"points": "0", "possible": "2"}


def test_json_can_go_to_the_terminal(folder, capsys):
    grade(["0"], impl=str(folder()), json="-")
    assert json.loads(capsys.readouterr().out)["possible"] == 2


@pytest.mark.parametrize(
    ("selection", "impl", "said"),
    [
        (["1.9"], "exercises", "there is no exercise 1.9; choose"),
        (["7"], "nowhere", "there are no answers at nowhere"),
        ([], "pyproject.toml", "is no chapter's file"),
    ],
)
def test_a_wrong_name_is_one_sentence(selection, impl, said):
    with pytest.raises(UserError, match=said):
        grade(selection, impl=impl if impl != "pyproject.toml" else str(course.root() / impl))


def test_behind_walls_a_learner_sees_the_same_table(run, folder):
    answers = str(folder(ch00=bank.solution(0).replace("log2", "log"), ch01=None))
    plain, printed = run(["0", "1.1"], impl=answers)
    walled, printed_behind_walls = run(["0", "1.1"], impl=answers, isolated=True)
    assert printed_behind_walls == printed and "natural logarithm" in printed
    assert [result.points for result in walled.results] == [result.points for result in plain.results] == [0, 0]


def test_behind_walls_an_answer_stands_alone(run, folder):
    takes = "import minilm.merge\n" + bank.solution(7)
    plain, _ = run(["7.1"], impl=str(folder(ch07=takes)))
    walled, printed = run(["7.1"], impl=str(folder(ch07=takes)), isolated=True)
    assert plain.points == 2 and walled.points == 0
    assert "no minilm.merge here: while it is graded, an answer stands alone" in printed
