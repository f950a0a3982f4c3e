"""The workflow for GitHub: one step per exercise, 100 points, and a command that says yes or no."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from minilm.grading import exports, supervise
from minilm.grading.exports import NEEDED, classroom, passed
from minilm.grading.registry import chapters

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [one for chapter in chapters().values() for one in chapter.exercises]


@pytest.fixture(scope="module")
def job():
    """The only job of the workflow."""
    (job,) = yaml.safe_load(classroom.workflow())["jobs"].values()
    return job


@pytest.fixture(scope="module")
def graders(job):
    """exercise id -> its step."""
    steps = [step for step in job["steps"] if step.get("uses") == classroom.GRADER]
    return {step["with"]["command"].split()[-1]: step for step in steps}


def test_every_exercise_has_a_step_and_there_are_100_points(graders):
    assert list(graders) == [one.id for one in EXERCISES] and len(graders) == 55
    assert {id: step["with"]["max-score"] for id, step in graders.items()} == {one.id: one.points for one in EXERCISES}
    assert sum(step["with"]["max-score"] for step in graders.values()) == 100


def test_a_step_names_its_exercise_and_asks_whether_it_is_passed(graders):
    for one in EXERCISES:
        options = graders[one.id]["with"]
        assert options["test-name"] == f"{one.id} {one.title}" == graders[one.id]["name"]
        assert options["command"] == f"python -m minilm.grading.exports.passed {one.id}"
        assert options.keys() <= {"test-name", "setup-command", "command", "timeout", "max-score"}, "all it knows"


def test_the_last_step_reports_the_result_of_every_other(job, graders):
    last = job["steps"][-1]
    assert last["uses"] == classroom.REPORTER
    runners = last["with"]["runners"].split(",")
    assert runners == [step["id"] for step in graders.values()] and len(set(runners)) == 55
    assert all(re.fullmatch("[a-zA-Z0-9]+", runner) for runner in runners)
    assert last["env"] == {f"{id.upper()}_RESULTS": f"${{{{ steps.{id}.outputs.result }}}}" for id in runners}


def test_our_own_clock_rings_first(graders):
    for one in EXERCISES:
        at_most = supervise.STARTUP + one.tests * (one.seconds + supervise.GRACE)
        assert at_most < 60 * graders[one.id]["with"]["timeout"] <= 3600


def test_the_workflow_may_do_no_more_than_it_must():
    whole = yaml.safe_load(classroom.workflow())
    assert whole["permissions"] == {"checks": "write", "actions": "read", "contents": "read"}
    assert (whole["name"], list(whole["jobs"])) == ("Autograding Tests", ["run-autograding-tests"])
    assert "Official grades come\n# from the teacher's clone" in classroom.workflow()


def test_python_is_pinned_and_gets_what_grading_needs(job):
    python = next(step["with"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
    assert python["python-version"] == "3.11"
    install = next(step["run"] for step in job["steps"] if "run" in step)
    assert install.endswith(f"-c constraints.txt {' '.join(NEEDED)}")


def test_the_file_is_written_where_github_looks_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    exports.export_classroom(say=said.append)
    written = (tmp_path / ".github" / "workflows" / "classroom.yml").read_text(encoding="utf-8")
    assert written == classroom.workflow()
    assert said == ["wrote .github/workflows/classroom.yml: 55 exercises, 100 points"]


# ---- passed --------------------------------------------------------------------------------------


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """answers(text) makes `text` the learner's answer to chapter 0."""

    def place(text):
        (tmp_path / "ch00_welcome.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(passed.course, "implementation", lambda name: tmp_path)

    return place


def test_a_passed_exercise_ends_with_0(answers):
    answers((ROOT / "solutions" / "ch00_welcome.py").read_text(encoding="utf-8"))
    said = []
    assert passed.main("0.1", say=said.append) == 0
    assert said[0].startswith("✓ 0.1 Bits of surprise: passed, 2 of 2 points")


def test_one_that_is_not_passed_ends_with_1_and_the_message(answers):
    answers("import math\n\n\ndef surprise(p):\n    return -math.log(p)\n")
    said = []
    assert passed.main("0.1", say=said.append) == 1
    assert "wrong value" in said[0] and "the natural logarithm" in said[0]


def test_one_that_does_not_exist_ends_with_2():
    said = []
    assert passed.main("9.9", say=said.append) == 2
    assert said[0].startswith("Error: there is no exercise 9.9")


def test_the_command_works_without_a_locale_as_in_a_workflow(tmp_path):
    for name in ("tests/exercises/conftest.py", "tests/exercises/test_ch00_welcome.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "ch00_welcome.py").write_text("def surprise(p):\n    return p\n", encoding="utf-8")
    command = [sys.executable, "-m", "minilm.grading.exports.passed"]
    done = subprocess.run([*command, "0.1"], cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert done.returncode == 1 and "✗ 0.1 Bits of surprise" in done.stdout.decode("utf-8"), done.stderr
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
