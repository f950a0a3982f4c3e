"""A run that is stopped goes on, one that is over costs nothing, and only what changed is graded again.

Where only the run is tested, a quick lane stands in for the real one.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from crowd import Crowd, bank, stub

from minilm.errors import UserError
from minilm.grading.classroom import run, store
from minilm.grading.classroom.one import grade_one
from minilm.grading.classroom.run import grade_class
from minilm.grading.isolated.lane import Infra
from minilm.grading.registry import stem

FIRST = "ch00_welcome.py"


@pytest.fixture
def small(tmp_path):
    """Two learners with the first chapter alone: one right, one as it was handed out."""
    for name, text in (("ann", bank.solution(0)), ("bob", stub(0))):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / FIRST).write_text(text)
    return tmp_path


def records_of(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted((out / "records").rglob("*.json"))}


class Quick:
    """A lane that passes what is the solution, word for word, and remembers what it was given."""

    level, graded = "bubblewrap", []

    def __init__(self, isolation, secret, hidden=()):
        self.isolation, self.secret = {"level": self.level, "strong": True, "walls": []}, secret

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def grade(self, handed, exercises, watch=None):
        self.graded.append(handed.file)
        right = handed.source == bank.solution(exercises[0].chapter)
        outcome = (
            {"passed": True} if right else {"passed": False, "kind": "value", "seen": "", "call": "", "means": None}
        )
        secret = self.secret.decode()
        return [
            {"exercise": one.id, "test": f"test_{number}", **outcome, "printed": secret}
            for one in exercises
            for number in range(one.tests)
        ]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(run, "Lane", Quick)
    monkeypatch.setattr(Quick, "graded", [])
    return Quick


def test_a_run_that_is_over_costs_nothing_the_second_time(small, quick):
    first = grade_class(small / "in", small / "out", jobs=1)
    before = records_of(small / "out")
    assert len(before) == 16 and quick.graded == [FIRST, FIRST], "what was not handed in costs nothing at all"
    absent = [entry for number in range(1, 8) for entry in first[0].records[number]["exercises"]]
    assert {(entry["outcome"], entry["points"]) for entry in absent} == {("missing", 0)}
    assert {entry["outcome"] for entry in first[0].records[0]["exercises"]} == {"pass"}
    assert grade_class(small / "in", small / "out", jobs=1) == first
    assert records_of(small / "out") == before and len(quick.graded) == 2


def test_what_was_handed_in_anew_is_graded_again_and_nothing_else(small, quick):
    grade_class(small / "in", small / "out", jobs=1)
    before = records_of(small / "out")
    (small / "in" / "bob" / FIRST).write_text(bank.solution(0))
    graded = grade_class(small / "in", small / "out", jobs=1)
    after = records_of(small / "out")
    assert [name for name in before if before[name] != after[name]] == ["records/bob/ch00.json"]
    assert graded[1].records[0]["points"] == 2 and json.loads(before["records/bob/ch00.json"])["points"] == 0


def test_another_secret_grades_anew_and_gives_the_same_points(small, quick):
    grade_class(small / "in", small / "out", jobs=1)
    (small / "out" / "secret").write_text("another secret of this course")
    before = records_of(small / "out")
    grade_class(small / "in", small / "out", jobs=1)
    after = records_of(small / "out")
    assert before != after
    points = [[json.loads(text)["points"] for text in found.values()] for found in (before, after)]
    assert points[0] == points[1]


def test_a_broken_record_is_made_again(small, quick):
    grade_class(small / "in", small / "out", jobs=1)
    before = records_of(small / "out")
    (small / "out" / "records" / "ann" / "ch00.json").write_text('{"version": 1, "po')
    grade_class(small / "in", small / "out", jobs=1)
    assert records_of(small / "out") == before


def test_weak_walls_are_refused_unless_they_are_asked_for_and_then_marked(small):
    with pytest.raises(UserError, match="choose strong, any"):
        grade_class(small / "in", small / "out", jobs=1, isolation="stronger")
    graded = grade_class(small / "in", small / "out", jobs=1, isolation="bare")
    assert {found["isolation"]["strong"] for one in graded for found in one.records.values()} == {False}
    assert graded[0].records[0]["points"] == 2
    again = grade_class(small / "in", small / "out", jobs=1, isolation="strong")
    assert {found["isolation"]["strong"] for one in again for found in one.records.values()} == {True}


def test_two_runs_do_not_share_a_folder(small):
    with store.alone(small / "out"), pytest.raises(UserError, match="another run"):
        grade_class(small / "in", small / "out")


def test_results_inside_the_folder_of_submissions_would_be_one_and_are_refused(small, quick):
    for out in (small / "in", small / "in" / "out", small / "in" / "a" / ".." / "b"):
        with pytest.raises(UserError, match="lies inside the folder of submissions; choose another --out, beside it"):
            grade_class(small / "in", out)
    assert sorted(path.name for path in (small / "in").iterdir()) == ["ann", "bob"]
    assert grade_class(small / "in", small / "in-graded", chapters="0")


def test_who_left_the_class_leaves_no_results_behind(small, quick):
    grade_class(small / "in", small / "out", jobs=1)
    assert sorted(path.name for path in (small / "out" / "gradescope").iterdir()) == ["ann.json", "bob.json"]
    (small / "in" / "bob").rename(small / "bob")
    grade_class(small / "in", small / "out", jobs=1)
    assert [path.name for path in (small / "out" / "gradescope").iterdir()] == ["ann.json"]


def test_of_whom_nothing_can_be_graded_is_said_and_why(small, quick, capsys):
    (small / "in" / "lea.zip").write_bytes(b"no zip")
    (small / "in" / "times.csv").write_text("Ann,2026-03-01T12:00Z\n")
    late = {"deadline": "2026-03-01T12:00Z", "late": "1:0.5"}
    grade_class(small / "in", small / "out", jobs=1, **late)
    said = capsys.readouterr().out
    assert "Nothing to grade of lea: lea.zip is not a zip that can be read; pack it again.\n" in said
    assert "Nothing to grade of ann" not in said and "times.csv names nobody who handed in with: Ann.\n" in said
    grade_class(small / "in", small / "out", jobs=1, chapters="1")
    said = capsys.readouterr().out
    assert "Nothing to grade of ann: There is no ch01_tokenizer.py.\n" in said and "names nobody" not in said


def test_deadline_and_table_belong_together(small):
    with pytest.raises(UserError, match="belong together"):
        grade_class(small / "in", small / "out", deadline="2026-01-01T00:00Z")


def test_lateness_changes_the_final_points_and_not_the_record(small, quick):
    os.utime(small / "in" / "ann" / FIRST, (1_000_000_000, 1_000_000_000))
    late = {"deadline": "2001-09-09T00:46:40Z", "late": "2:0.5"}  # an hour before
    graded = grade_class(small / "in", small / "out", jobs=1, **late)
    assert graded[0].late == 0.5 and graded[0].records[0]["points"] == 2
    line = (small / "out" / "grades.csv").read_text().splitlines()[1]
    assert line.startswith('"ann",2,100,0.5,1.00')


def test_a_session_is_graded_on_its_chapters_alone(small, quick):
    (small / "in" / "ann" / "ch01_tokenizer.py").write_text(bank.solution(1))
    os.utime(small / "in" / "ann" / FIRST, (1_000_000_000, 1_000_000_000))
    session = {"chapters": "0", "deadline": "2001-09-09T02:00Z", "late": "1:0.5"}  # the other file is years late
    ann, bob = grade_class(small / "in", small / "out", jobs=1, **session)
    assert list(ann.records) == list(bob.records) == [0] and ann.late == 1.0 and bob.late == 0.0
    head, line = (small / "out" / "grades.csv").read_text().splitlines()[:2]
    assert head.endswith('"isolation","0.1"') and line == '"ann",2,2,1,2.00,"complete","bubblewrap",2'
    assert "Points of 2" in (small / "out" / "class.html").read_text()
    results = json.loads((small / "out" / "gradescope" / "ann.json").read_text())
    assert results["score"] == 2.0 and [test["number"] for test in results["tests"]] == ["0.1"]
    assert quick.graded == [FIRST, FIRST]


def test_the_rest_of_the_course_is_graded_later_and_what_is_known_stays(small, quick):
    (small / "in" / "ann" / "ch01_tokenizer.py").write_text(bank.solution(1))
    grade_class(small / "in", small / "out", jobs=1, chapters="0")
    assert set(records_of(small / "out")) == {"records/ann/ch00.json", "records/bob/ch00.json"}
    ann, _ = grade_class(small / "in", small / "out", jobs=1)
    assert quick.graded == [FIRST, FIRST, "ch01_tokenizer.py"] and len(ann.records) == 8
    ann, _ = grade_class(small / "in", small / "out", jobs=1, chapters="1")
    assert len(quick.graded) == 3 and list(ann.records) == [1] and len(records_of(small / "out")) == 16


@pytest.mark.parametrize("text", ["9", "0-9", "3-1", "x", "1;2", "-1", "5.2", "1-", ",", "1,,2"])
def test_chapters_that_are_none_are_refused_before_anything_is_graded(small, quick, text):
    with pytest.raises(UserError, match="--chapters: .* names no chapters of 0 to 7; write them as in 1,2 or 0-3"):
        grade_class(small / "in", small / "out", chapters=text)
    assert not quick.graded and not (small / "out").exists()


def test_one_submission_is_one_command(small):
    records, finished = grade_one(small / "in" / "ann", small / "one.json", to_gradescope=small / "results.json")
    whole = json.loads((small / "one.json").read_text())
    assert finished and whole["points"] == records[0]["points"] == 2 and len(whole["records"]) == 8
    assert json.loads((small / "results.json").read_text())["score"] == 2.0


def test_one_submission_can_be_graded_on_some_chapters(small):
    records, finished = grade_one(small / "in" / "ann", small / "one.json", chapters="0, 6-7")
    whole = json.loads((small / "one.json").read_text())
    assert finished and list(records) == [0, 6, 7] and (whole["points"], whole["possible"]) == (2, 20)


def test_what_went_wrong_with_the_grader_is_no_zero_and_is_tried_again(small, quick, monkeypatch):
    class Broken(Quick):
        def grade(self, handed, exercises, watch=None):
            raise Infra("the machine was out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(run, "Lane", Broken)
        graded = grade_class(small / "in", small / "out", jobs=1)
    assert {entry["outcome"] for entry in graded[0].records[0]["exercises"]} == {"infra"}
    assert '"ann",0,100,1,,' in (small / "out" / "grades.csv").read_text().replace('""', "")
    graded = grade_class(small / "in", small / "out", jobs=1)
    assert graded[0].records[0]["points"] == 2


def command(folder, out):
    words = ["grade-class", str(folder), "--out", str(out), "--jobs", "2"]
    return [sys.executable, "-m", "minilm", *words]


def run_and_kill(folder, out, seconds):
    """Start a run and kill it, and all that is its own, after so many seconds; returns whether it was over before."""
    process = subprocess.Popen(command(folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False


def grades_of(out):
    return {**records_of(out), "grades.csv": (out / "grades.csv").read_bytes()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_killed_twenty_times_a_run_ends_with_the_same_bytes(tmp_path):
    (tmp_path / "in").mkdir()
    Crowd(tmp_path / "in", size=12, seed=2)
    out, chance = tmp_path / "out", random.Random(0)
    out.mkdir()
    (out / "secret").write_text("the same secret for both of the runs")
    kills = 0
    while kills < 20:
        if run_and_kill(tmp_path / "in", out, 4 + 8 * chance.random()):
            for path in list((out / "records").rglob("*.json"))[:: 2 + kills % 3]:
                path.unlink()  # it was faster than the killer: something to do again
        else:
            kills += 1
    subprocess.run(command(tmp_path / "in", out), check=True, stdout=subprocess.DEVNULL)
    straight = tmp_path / "straight"
    straight.mkdir()
    (straight / "secret").write_text("the same secret for both of the runs")
    subprocess.run(command(tmp_path / "in", straight), check=True, stdout=subprocess.DEVNULL)
    assert grades_of(out) == grades_of(straight)
    assert len(grades_of(out)) == 12 * 8 + 1


def test_a_run_that_is_interrupted_ends_its_files_says_so_and_goes_on(small):
    (small / "in" / "zoe").mkdir()  # with seconds of work, so that there is something to interrupt
    for number in (1, 2, 4, 6):
        (small / "in" / "zoe" / f"{stem(number)}.py").write_text(bank.solution(number))
    process = subprocess.Popen(
        command(small / "in", small / "out"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell ignores it for what runs behind &
    )
    while not list((small / "out").rglob("ch0*.json")):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on" in said and "Traceback" not in said
    kept = records_of(small / "out")
    assert 0 < len(kept) < 24 and not list((small / "out").glob("grades.csv"))
    assert len(kept) == len(re.findall(r", chapter \d: ", said)), "what was said is there, and nothing else"
    ann, _, zoe = grade_class(small / "in", small / "out", jobs=1)
    assert ann.records[0]["points"] == 2 and sum(found["points"] for found in zoe.records.values()) == 56
    assert kept.items() <= records_of(small / "out").items()
