"""The learners' zip: what is in it works, and no solution is."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minilm import bundle
from minilm.errors import UserError
from minilm.grading.registry import PLAN, chapters, stem

ROOT = Path(__file__).resolve().parents[2]
SKIP = shutil.ignore_patterns(".*", "__pycache__", "runs", "data", "*.egg-info", "interop", "mutants", "course.zip")
SECRET = """\
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A copy of the course, with next to nothing in its notebooks."""
    copy = tmp_path_factory.mktemp("pristine") / "course"
    shutil.copytree(ROOT, copy, ignore=SKIP)
    for name in bundle.NOTEBOOKS:
        (copy / "notebooks" / f"{name}.ipynb").write_text('{"cells": []}', encoding="utf-8")
    return copy


@pytest.fixture
def copy(pristine, tmp_path, monkeypatch):
    """A copy of its own for one test, in which the test stands."""
    shutil.copytree(pristine, tmp_path / "course")
    monkeypatch.chdir(tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture(scope="module")
def whole():
    """The zip of this very course: name -> bytes."""
    return unzipped(bundle.packed(bundle.contents(ROOT)))


@pytest.fixture(scope="module")
def learner(whole, tmp_path_factory):
    """The folder of a learner who has unpacked that zip."""
    folder = tmp_path_factory.mktemp("learner")
    for name, data in whole.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder / bundle.TOP


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def in_folder(folder, *words):
    """Run Python there as a learner does, with the learner's own copy of minilm."""
    environment = {key: value for key, value in os.environ.items() if key not in ("MINILM_IMPL", "PYTHONPATH")}
    options = {"cwd": folder, "capture_output": True, "text": True, "encoding": "utf-8", "env": environment}
    return subprocess.run([sys.executable, *map(str, words)], **options)


# ---- what is in it -------------------------------------------------------------------------------


def test_everything_that_a_learner_needs_is_there(whole):
    names = {name.removeprefix(f"{bundle.TOP}/") for name in whole}
    needed = {f"exercises/{stem(number)}.py" for number in PLAN}
    needed |= {f"tests/exercises/test_{stem(number)}.py" for number in PLAN}
    needed |= {f"notebooks/{name}.ipynb" for name in bundle.NOTEBOOKS}
    needed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "minilm").rglob("*.py")}
    needed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "minilm" / "experiments").rglob("*.json")}
    needed |= {"README.md", "LICENSE", "Makefile", "pyproject.toml", "constraints.txt", "environment.yml"}
    assert needed <= names


def test_nothing_else_is_there(whole):
    folders = {name.removeprefix(f"{bundle.TOP}/").rpartition("/")[0] for name in whole}
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "minilm").rglob("*") if path.is_dir()}
    package = {folder for folder in package if not folder.endswith("__pycache__")}
    assert folders == {"", "exercises", "minilm", "notebooks", "tests", "tests/exercises", *package}
    assert not [name for name in whole if any(word in name for word in ("solution", "mutant", "TEACHING", "/."))]


def test_no_marked_solution_is_anywhere_in_it(whole):
    names = {name.removeprefix(f"{bundle.TOP}/"): data for name, data in whole.items()}
    assert bundle.leaks(names, ROOT) == []


def test_the_solutions_are_all_searched_for():
    held = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "solutions").glob("*.py")}
    found = " ".join(bundle.leaks(held, ROOT))
    for chapter in chapters().values():
        for one in chapter.exercises:
            assert f"holds the solution of {one.id}" in found


def test_no_line_that_marks_a_solution_and_no_binary_file_holds_one(whole):
    for name, data in whole.items():
        if name.endswith((".py", ".ipynb")) and not name.endswith(("minilm/bundle.py", "minilm/grading/__init__.py")):
            assert b"BEGIN SOLUTION" not in data, name
    binary = [name for name, data in whole.items() if b"\0" in data]
    assert binary == [f"{bundle.TOP}/minilm/pretrained/base/model.safetensors"]


def test_the_same_course_gives_the_same_bytes():
    first, again = (bundle.packed(bundle.contents(ROOT)) for _ in range(2))
    assert first == again
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {bundle.DATE}
    assert not [entry for entry in entries if entry.filename.startswith("/") or ".." in entry.filename]


# ---- it works ------------------------------------------------------------------------------------


def test_a_learner_begins_with_no_points_and_every_exercise(learner):
    done = in_folder(learner, "-m", "minilm", "grade", "--json", "points.json")
    assert done.returncode == 0, done.stderr
    points = json.loads((learner / "points.json").read_text(encoding="utf-8"))
    assert (points["points"], points["possible"]) == (0, 100)
    assert [one["id"] for one in points["exercises"]] == [
        one.id for chapter in chapters().values() for one in chapter.exercises
    ]
    problems = {test["kind"] for one in points["exercises"] for test in one["tests"] if not test["passed"]}
    assert problems <= {"todo", "waits"}, "an untouched exercise is not written yet, and nothing else is wrong"


def test_a_learner_earns_points_with_check(learner, tmp_path):
    folder = tmp_path / "course"
    shutil.copytree(learner, folder)
    shutil.copy(ROOT / "solutions" / "ch00_welcome.py", folder / "exercises")
    code = "import minilm; from minilm.grading import check; print(minilm.__file__); check('0.1')"
    done = in_folder(folder, "-c", code)
    assert str(folder) in done.stdout and "2 of 2 points" in done.stdout, done.stdout + done.stderr


def test_plain_pytest_grades_the_exercises_where_there_are_no_solutions(learner):
    done = in_folder(learner, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "ch00")
    assert done.returncode == 1 and "5 failed" in done.stdout and "INTERNALERROR" not in done.stdout
    assert "0.1" in done.stdout and "surprise" in done.stdout


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed here")
def test_make_test_grades_and_installs_nothing_that_only_our_tests_need(learner):
    planned = subprocess.run(["make", "-n", "test"], cwd=learner, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
    assert "minilm grade" in planned.stdout and "interop" not in planned.stdout


def test_a_learners_copy_cannot_be_packed_again(learner, monkeypatch):
    monkeypatch.chdir(learner)
    with pytest.raises(UserError, match="has no solutions/; learners' copies are packed from the full course"):
        bundle.write_bundle("again.zip")


# ---- nothing gets out ----------------------------------------------------------------------------


def test_solved_exercises_stay_with_the_teacher(copy, capsys):
    for path in (copy / "solutions").glob("*.py"):
        shutil.copy(path, copy / "exercises")
    bundle.write_bundle("course.zip")
    files = unzipped((copy / "course.zip").read_bytes())
    for number in PLAN:
        assert b"raise NotImplementedError" in files[f"{bundle.TOP}/exercises/{stem(number)}.py"]
    assert "no solutions in it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "answers.txt", ".env", "solutions.zip", "notebooks/05_lora_solved.ipynb", "notebooks/exam.ipynb",
        "minilm/notes/exam.py", "minilm/hidden_inputs.py", "minilm/pretrained/base/notes.txt", "exercises/ch08_exam.py",
        "tests/exercises/test_ch08_exam.py", "tests/exercises/hidden/inputs.json", "tests/mutants/ch09/exam.py",
        "tests/grading/test_solutions_ch09.py", "runs/grades.csv", "data/other.whl", "minilm/experiments/results/x.csv",
    ],
)  # fmt: skip
def test_a_file_that_nobody_thought_of_stays_out(copy, name):
    before = set(bundle.contents(copy))
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("x = 1\n", encoding="utf-8")
    assert set(bundle.contents(copy)) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_is_not_followed(copy):
    (copy / "minilm" / "more.py").symlink_to(copy / "solutions" / "ch05_lora.py")
    assert "minilm/more.py" not in bundle.contents(copy)


def notebook_with(code):
    cell = {"cell_type": "code", "source": [line + "\n" for line in code.splitlines()], "outputs": []}
    return json.dumps({"cells": [cell]})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("minilm/more.py", f"def softmax(x, axis):\n{SECRET}\n"),
        ("minilm/more.py", f"ANSWER = {SECRET!r}\n"),
        ("tests/exercises/conftest.py", SECRET.replace("    ", "\t").replace("\n", "\n\n    # then\n")),
        ("README.md", f"```python\n{SECRET}\n```\n"),
        ("minilm/experiments/results/x.json", json.dumps({"note": SECRET})),
        ("notebooks/02_transformer.ipynb", notebook_with(SECRET)),
    ],
    ids=["module", "string", "layout", "markdown", "json", "notebook"],
)
def test_a_solution_in_any_file_stops_the_packing(copy, name, text):
    (copy / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"nothing was written, since {name} holds the solution of 2.1; take that out"):
        bundle.write_bundle("course.zip")
    assert not (copy / "course.zip").exists()


def test_three_lines_of_a_longer_solution_stop_the_packing(copy):
    source = (copy / "solutions" / "ch05_lora.py").read_text(encoding="utf-8")
    lines = source.split("BEGIN SOLUTION 5.6")[1].splitlines()
    (copy / "minilm" / "more.py").write_text("\n".join(lines[2:5]), encoding="utf-8")
    with pytest.raises(UserError, match="minilm/more.py holds the solution of 5.6"):
        bundle.write_bundle("course.zip")


def test_what_is_for_teachers_is_cut_from_the_readme(copy):
    (copy / "README.md").write_text("a\n<!-- for teachers -->\nTEACHING.md\n<!-- end -->\nb\n", encoding="utf-8")
    assert bundle.contents(copy)["README.md"] == b"a\nb\n"


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "is a folder; name the file to write, such as course.zip"),
        ("exercises/ch01_tokenizer.py", "does not end in .zip"),
        ("README.md/course.zip", "cannot write README.md/course.zip"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_in_one_sentence(copy, terminal, out, said):
    assert said in terminal.refuses("bundle", "--out", out)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("LICENSE", "is not complete: there is no LICENSE"),
        ("notebooks/03_pretraining.ipynb", "there is no notebooks/03_pretraining.ipynb"),
        ("solutions/ch04_lowrank.py", "there is no solution for exercises/ch04_lowrank.py"),
        ("tools/strip_solutions.py", "has no solutions/; learners' copies are packed from the full course"),
    ],
)
def test_a_course_that_is_not_whole_is_refused(copy, terminal, gone, said):
    (copy / gone).unlink()
    assert said in terminal.refuses("bundle")


def test_a_notebook_that_is_damaged_is_refused(copy, terminal):
    (copy / "notebooks" / "05_lora.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert "notebooks/05_lora.ipynb is damaged" in terminal.refuses("bundle")


def test_the_command_tells_what_it_wrote_and_can_put_the_plays_in(copy, terminal):
    out = terminal.works("bundle", "--out", "with.zip", "--with-text")
    assert "wrote with.zip: " in out and "no solutions in it" in out
    files = unzipped((copy / "with.zip").read_bytes())
    (wheel,) = [name for name in files if name.startswith(f"{bundle.TOP}/data/")]
    assert len(files[wheel]) > 1e6
