"""run_autograder: a submission in a folder like Gradescope's becomes results.json, or nothing, and never a zero."""

import json
import os
import stat
import sys

import pytest

from minilm.grading.exports import autograde

GRADED = {"score": 40.0, "output": "40 of 100 points", "tests": [{"name": "5.2", "score": 0, "max_score": 3}]}
WHEN = {"created_at": "2026-03-02T10:30:00.5+01:00", "assignment": {"due_date": "2026-03-02T08:00:00Z"}}


@pytest.fixture
def base(tmp_path):
    """Gradescope's folder, with a submission in it."""
    for folder in ("source", "submission", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "source" / "secret").write_bytes(b"a secret")
    (tmp_path / "submission" / "ch05_lora.py").write_text("gamma = 2\n", encoding="utf-8")
    tell(tmp_path, {"id": 123, **WHEN, "users": [{"name": "Alice", "email": "alice@example.com"}]})
    return tmp_path


def tell(base, metadata):
    (base / "submission_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")


def stand_in(tmp_path, *statuses, writes=GRADED):
    """A command in place of `minilm grade-one`: it notes what it was asked, and ends with one status after another."""
    script = tmp_path / "grade_one.py"
    script.write_text(
        "import json, pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'asked')!r})\n"
        "asked = log.read_text().splitlines() if log.exists() else []\n"
        "log.write_text('\\n'.join([*asked, json.dumps(sys.argv[1:])]) + '\\n')\n"
        f"pathlib.Path(sys.argv[sys.argv.index('--gradescope') + 1]).write_text({json.dumps(writes)!r})\n"
        f"sys.exit({list(statuses)!r}[len(asked)])\n",
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


def asked(tmp_path):
    return [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]


def results(base):
    return json.loads((base / "results" / "results.json").read_text(encoding="utf-8"))


# ---- graded --------------------------------------------------------------------------------------


def test_the_results_are_put_in_their_place(base, tmp_path):
    assert autograde.main(base, stand_in(tmp_path, 0)) == 0
    assert results(base)["score"] == 40.0 and results(base)["tests"] == GRADED["tests"]
    assert [path.name for path in (base / "results").iterdir()] == ["results.json"]


def test_the_command_is_asked_for_this_submission_with_the_secret_and_any_isolation(base, tmp_path):
    autograde.main(base, stand_in(tmp_path, 0))
    (words,) = asked(tmp_path)
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert options["--submission"] == str(base / "submission")
    assert (options["--secret"], options["--isolation"]) == (str(base / "source" / "secret"), "any")
    assert options["--name"] == "submission-123", "no name and no address of a learner"
    assert options["--out"].startswith(str(base / "results")) and "--chapters" not in options


def test_the_command_is_asked_for_the_chapters_of_the_assignment(base, tmp_path):
    (base / "source" / "chapters.txt").write_text("1,2", encoding="utf-8")
    autograde.main(base, stand_in(tmp_path, 0))
    (words,) = asked(tmp_path)
    assert words[words.index("--chapters") + 1] == "1,2"


@pytest.mark.skipif(os.name != "posix", reason="modes are those of Unix")
def test_the_learners_code_cannot_read_the_secret_the_results_and_the_names(base, tmp_path):
    (base / "source").chmod(0o755)
    autograde.main(base, stand_in(tmp_path, 0))
    for folder in ("source", "results"):
        assert stat.S_IMODE((base / folder).stat().st_mode) == 0o700
    for file in ("source/secret", "submission_metadata.json"):
        assert stat.S_IMODE((base / file).stat().st_mode) == 0o600


# ---- late ----------------------------------------------------------------------------------------


def test_a_late_submission_is_called_late_and_keeps_its_points_without_a_table(base, tmp_path):
    autograde.main(base, stand_in(tmp_path, 0))
    found = results(base)
    assert found["score"] == 40.0 and found["extra_data"]["seconds_late"] == 5400
    assert found["output"] == "40 of 100 points\n\nHanded in 1 h 30 min after the due date of the assignment."


def test_a_table_takes_its_share(base, tmp_path):
    (base / "source" / "late.txt").write_text("1:0.9\n24:0.5\n", encoding="utf-8")
    autograde.main(base, stand_in(tmp_path, 0))
    found = results(base)
    assert found["score"] == 20.0 and found["extra_data"]["score_without_lateness"] == 40.0
    assert found["output"].endswith("after the due date of the assignment: 20 of the 40 points are left.")


@pytest.mark.parametrize(
    "metadata",
    [
        {"created_at": "2026-03-02T09:00:00+01:00", "assignment": {"due_date": "2026-03-02T08:00:00Z"}},
        {"created_at": "2026-03-02T10:30:00+01:00", "assignment": {"due_date": None}},
        {"created_at": "yesterday", "assignment": None},
        {},
        [],
    ],
    ids=["on the second", "no due date", "no dates", "nothing", "not an object"],
)
def test_what_is_in_time_or_has_no_date_keeps_its_points(base, tmp_path, metadata):
    (base / "source" / "late.txt").write_text("24:0.5\n", encoding="utf-8")
    tell(base, metadata)
    assert autograde.main(base, stand_in(tmp_path, 0)) == 0
    assert (results(base)["score"], results(base)["output"]) == (40.0, "40 of 100 points")


# ---- not graded ----------------------------------------------------------------------------------


def test_a_failure_of_the_machine_gets_a_second_chance(base, tmp_path):
    assert autograde.main(base, stand_in(tmp_path, 3, 0)) == 0
    assert results(base)["score"] == 40.0 and len(asked(tmp_path)) == 2


@pytest.mark.parametrize(("statuses", "tries"), [((3, 3), 2), ((1,), 1), ((2,), 1)])
def test_without_a_grade_there_is_no_results_file_and_the_teacher_reads_why(base, tmp_path, capsys, statuses, tries):
    (base / "results" / "results.json").write_text('{"score": 100}', encoding="utf-8")
    assert autograde.main(base, stand_in(tmp_path, *statuses, writes={"score": 0})) == 1
    assert list((base / "results").iterdir()) == [], "neither the old score nor a zero"
    assert len(asked(tmp_path)) == tries
    assert "No grade was entered" in capsys.readouterr().out


@pytest.mark.parametrize("writes", [{}, {"score": None}, {"score": float("nan")}, {"score": True}, [1], "text"])
def test_results_without_a_score_are_no_results(base, tmp_path, capsys, writes):
    assert autograde.main(base, stand_in(tmp_path, 0, writes=writes)) == 1
    assert list((base / "results").iterdir()) == []
    assert "No grade was entered" in capsys.readouterr().out


def test_a_command_that_does_not_start_is_told(base, capsys):
    assert autograde.main(base, [str(base / "no such program")]) == 1
    assert "No grade was entered" in capsys.readouterr().out and not (base / "results" / "results.json").exists()


@pytest.mark.parametrize(("seconds", "said"), [(5, "less than a minute"), (3600, "1 h"), (180_000, "2 days 2 h")])
def test_a_duration_is_told_in_words(seconds, said):
    assert autograde.spell(seconds) == said
