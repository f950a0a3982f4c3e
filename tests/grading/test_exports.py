"""Gradescope: what is in autograder.zip, what setup.sh does, and what run_autograder makes of a submission."""

import inspect
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minilm.errors import UserError
from minilm.grading import exports
from minilm.grading.exports import NEEDED, archive, command, gradescope
from minilm.grading.registry import PLAN, stem

ROOT = Path(__file__).resolve().parents[2]
SECRET = b"a secret that this test knows, 32+"
PLAYS = b"the plays"
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed here")


@pytest.fixture
def plays(tmp_path, monkeypatch):
    """A stand-in for the plays: this test packs them, and nobody reads them."""
    wheel = tmp_path / "plays.whl"
    wheel.write_bytes(PLAYS)
    monkeypatch.setattr(gradescope, "wheel", lambda: wheel)


@pytest.fixture
def contents(plays):
    """Name -> (bytes, mode) of the zip."""
    return gradescope.contents(ROOT, SECRET)


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return {entry.filename: (zipped.read(entry), entry.external_attr >> 16) for entry in zipped.infolist()}


# ---- the zip -------------------------------------------------------------------------------------


def test_the_scripts_stand_at_its_root_and_can_be_run(contents):
    packed = entries(archive.zipped(contents))
    for name in ("setup.sh", "run_autograder"):
        data, mode = packed[name]
        assert data.startswith(b"#!/usr/bin/env bash\n") and stat.S_IMODE(mode) == 0o755
    assert b"\r" not in packed["setup.sh"][0] + packed["run_autograder"][0]


def test_the_secret_is_readable_for_its_owner_alone_in_the_zip_and_so_is_the_zip(plays, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    said = []
    exports.export_gradescope(tmp_path / "autograder.zip", say=said.append)
    packed = entries((tmp_path / "autograder.zip").read_bytes())
    assert stat.S_IMODE(packed["secret"][1]) == 0o600
    assert stat.S_IMODE(packed["course/pyproject.toml"][1]) == 0o644
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "autograder.zip").stat().st_mode) == 0o600
    assert "autograder.zip: " in said[0] and "a new course secret: keep it to yourself" in said[0]
    (tmp_path / "mine").write_bytes(SECRET)
    exports.export_gradescope(tmp_path / "a.zip", tmp_path / "mine", chapters="1-2", say=said.append)
    assert "a.zip for chapters 1,2: " in said[1] and f"the course secret of {tmp_path / 'mine'}: " in said[1]


def test_the_judge_has_what_it_needs(contents):
    needed = {f"course/tests/exercises/test_{stem(number)}.py" for number in PLAN}
    needed |= {f"course/minilm/grading/chapters/ch{number:02d}.py" for number in PLAN}
    grading = (path.relative_to(ROOT) for path in (ROOT / "minilm" / "grading").rglob("*.py"))
    needed |= {f"course/{path.as_posix()}" for path in grading}
    needed |= {"course/minilm/pretrained/base/model.safetensors", "course/constraints.txt", "course/pyproject.toml"}
    assert needed <= contents.keys()
    (plays,) = (data for name, (data, _) in contents.items() if name.startswith("course/data/"))
    assert plays == PLAYS


def test_nothing_that_a_learner_should_not_have_is_there(contents):
    words = (
        "solution",
        "mutant",
        "notebook",
        "ipynb",
        "exercises/ch",
        "/library/",
        "/tests/grading",
        "TEACHING",
        ".git",
    )
    allowed = {"course/minilm/grading/notebook.py"}
    assert not [name for name in contents if name not in allowed and any(word in name for word in words)]
    folders = {name.rpartition("/")[0].removeprefix("course/") for name in contents}
    grading = {f"minilm/grading/{part}" for part in ("chapters", "isolated", "classroom", "exports")}
    assert folders <= {"", "course", "data", "minilm", "minilm/grading", "minilm/pretrained", *grading} | {
        "minilm/pretrained/base",
        "tests/exercises",
    }


def test_a_file_that_nobody_thought_of_stays_out(plays, tmp_path):
    copy = tmp_path / "course"
    for name in gradescope.judges_files(ROOT):
        if not name.startswith("data/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for stray in ("tests/exercises/test_ch05_lora_new.py", "minilm/pretrained/base/answers.json", "points.csv"):
        (copy / stray).write_text("stray", encoding="utf-8")
    assert gradescope.contents(copy, SECRET) == gradescope.contents(ROOT, SECRET)
    (copy / "constraints.txt").unlink()
    with pytest.raises(UserError, match="is not complete: there is no constraints.txt"):
        gradescope.contents(copy, SECRET)


def test_a_solution_in_the_library_stops_the_packing(contents, monkeypatch):
    own = gradescope.judges_files(ROOT)
    answer = (ROOT / "solutions" / "ch05_lora.py").read_bytes()
    monkeypatch.setattr(gradescope, "judges_files", lambda root: {**own, "minilm/more.py": answer})
    with pytest.raises(UserError, match="nothing was written, since minilm/more.py holds the solution of 5.1"):
        gradescope.contents(ROOT, SECRET)


def test_the_same_course_and_secret_give_the_same_bytes_and_another_secret_others(contents):
    first, again = archive.zipped(contents), archive.zipped(gradescope.contents(ROOT, SECRET))
    assert first == again
    assert first != archive.zipped(gradescope.contents(ROOT, b"another secret of thirty-two letters"))


def test_a_secret_is_new_each_time_unless_one_is_given(tmp_path):
    assert archive.course_secret() != archive.course_secret()
    (tmp_path / "mine").write_bytes(SECRET)
    assert archive.course_secret(tmp_path / "mine") == SECRET
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(UserError, match="is shorter than 16 letters"):
        archive.course_secret(tmp_path / "short")
    with pytest.raises(UserError, match="cannot read the secret"):
        archive.course_secret(tmp_path / "missing")


def test_an_assignment_of_some_chapters_says_which(contents):
    assert "chapters.txt" not in contents
    assert gradescope.contents(ROOT, SECRET, chapters="2, 0-1")["chapters.txt"] == (b"0,1,2", 0o644)
    with pytest.raises(UserError, match="'8' names no chapters of 0 to 7"):
        gradescope.contents(ROOT, SECRET, chapters="8")


@pytest.mark.parametrize("out", [".", "autograder", "autograder.tar.gz"])
def test_what_is_no_name_for_a_zip_is_refused(out):
    with pytest.raises(UserError, match="name the file to write, such as autograder.zip"):
        exports.export_gradescope(out)


def test_the_libraries_named_are_those_that_grading_imports():
    code = (
        "import sys, importlib, importlib.metadata as metadata, pkgutil, minilm.cli, minilm.grading as house\n"
        "for one in pkgutil.walk_packages(house.__path__, 'minilm.grading.'):\n"
        "    importlib.import_module(one.name)\n"
        "from minilm import corpus, folder, lora, memory, pretrained, tokenizer\n"
        "names = {name.split('.')[0] for name in sys.modules}\n"
        "owners = metadata.packages_distributions()\n"
        "print(*{owner.lower() for name in names for owner in owners.get(name, [])})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(done.stdout.split()) & pinned == set(NEEDED), done.stderr


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_passes_on_what_it_is_given(monkeypatch):
    seen = []
    for name, real in command.TARGETS.items():

        def stand_in(name=name, **given):
            seen.append((name, given))

        stand_in.__signature__ = inspect.signature(real)
        monkeypatch.setitem(command.TARGETS, name, stand_in)
    command.grade_export("gradescope", secret="s", late="24:0.9", pip_args="")
    command.grade_export("cluster", out="there")
    command.grade_export("container")
    assert seen == [("gradescope", {"secret": "s", "late": "24:0.9"}), ("cluster", {"out": "there"}), ("container", {})]


def test_the_command_refuses_what_it_does_not_know():
    with pytest.raises(
        UserError, match="there is no export 'canvas'; choose gradescope, classroom, cluster, container"
    ):
        command.grade_export("canvas")
    with pytest.raises(UserError, match="the export classroom takes no --pip-args; leave it out"):
        command.grade_export("classroom", pip_args="x")


# ---- setup.sh ------------------------------------------------------------------------------------

FAKES = {
    "apt-get": 'echo "apt-get $*" >> "$LOG"; case "$*" in *python3.13*|*python3.12*) exit 100;; esac',
    "python3.11": 'echo "python $*" >> "$LOG"; '
    'case "$1 $2" in "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python";; esac',
}


@pytest.fixture
def image(contents, tmp_path):
    """A folder laid out like Gradescope's, with this zip unpacked in it, and fakes of what setup.sh calls."""
    base, fakes = tmp_path / "autograder", tmp_path / "fakes"
    for name, (data, mode) in contents.items():
        path = base / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    fakes.mkdir()
    for name, body in FAKES.items():
        (fakes / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (fakes / name).chmod(0o755)
    return base


def build(base, **more):
    fakes, log = base.parent / "fakes", base.parent / "log"
    places = {"MINILM_AUTOGRADER": str(base), "MINILM_HOME": str(base.parent / "home"), "LOG": str(log)}
    environment = {**os.environ, "PATH": f"{fakes}{os.pathsep}{os.environ['PATH']}", **places, **more}
    done = subprocess.run(["bash", base / "source" / "setup.sh"], env=environment, capture_output=True, text=True)
    return done, log.read_text(encoding="utf-8")


@needs_bash
@pytest.mark.parametrize("script", ["setup.sh", "run_autograder"])
def test_bash_can_read_the_scripts(contents, script):
    done = subprocess.run(["bash", "-n"], input=contents[script][0], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@needs_bash
def test_setup_installs_the_pinned_libraries_and_tries_the_command(image):
    done, log = build(image, MINILM_PIP_ARGS="--index-url somewhere")
    assert done.returncode == 0, done.stderr
    constraints = image / "source" / "course" / "constraints.txt"
    assert f"-m pip install -q --no-cache-dir --index-url somewhere -c {constraints} {' '.join(NEEDED)}\n" in log
    assert f"import {', '.join(NEEDED)}\n" in log
    assert re.search(r"apt-get install .*bubblewrap", log) and log.rstrip().endswith("-m minilm grade-one --help")
    assert "python3.11 python3.11-venv" in log, "an image without 3.12 and 3.13 gets the oldest that will do"


@needs_bash
def test_setup_closes_the_course_the_secret_and_the_results_to_everybody_else(image):
    build(image)
    open_to_others = [path for path in (image / "source").rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert stat.S_IMODE((image / "source").stat().st_mode) == stat.S_IMODE((image / "results").stat().st_mode) == 0o700
    assert stat.S_IMODE((image / "source" / "secret").stat().st_mode) == 0o600
    assert (image.parent / "home" / "venv").stat().st_mode & 0o005 == 0o005, "the learner's code must read Python"


@needs_bash
def test_an_image_without_a_new_enough_python_does_not_build(image):
    (image.parent / "fakes" / "apt-get").write_text(
        '#!/bin/sh\necho "$*" >> "$LOG"\ncase "$*" in *python3*) exit 100;; esac\n', encoding="utf-8"
    )
    done, _ = build(image)
    assert done.returncode == 1 and "minilm needs Python 3.11 or newer" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Gradescope is Linux")
@needs_bash
def test_a_submission_is_graded_in_that_folder_by_the_course_in_the_zip(image):
    python = image.parent / "home" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (image / "submission").mkdir()
    shutil.copy(ROOT / "solutions" / "ch00_welcome.py", image / "submission")
    (image / "submission" / "ch01_tokenizer.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    places = {"MINILM_AUTOGRADER": str(image), "MINILM_HOME": str(image.parent / "home")}
    with (image / "source" / "course" / "minilm" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("import sys\nprint('from the zip', file=sys.stderr)\n")
    done = subprocess.run(
        [image / "source" / "run_autograder"], env={**os.environ, **places}, capture_output=True, text=True
    )
    assert done.returncode == 0 and "from the zip" in done.stderr, done.stdout + done.stderr
    results = json.loads((image / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == 2.0 and sum(test["max_score"] for test in results["tests"]) == 100
    assert [test["number"] for test in results["tests"] if test["score"]] == ["0.1"]
    assert "submission: 2 of 100 points" in results["output"]


@needs_bash
def test_what_a_teacher_gives_for_pip_is_a_value_and_no_command():
    given = "--index-url 'x'; echo run"
    line = next(line for line in gradescope.setup(given).splitlines() if line.startswith("default_pip_args="))
    done = subprocess.run(["bash", "-c", f'{line}; printf %s "$default_pip_args"'], capture_output=True, text=True)
    assert done.stdout == given
    assert "@PACKAGES@" not in gradescope.setup(given) and "@PIP_ARGS@" not in gradescope.setup(given)
