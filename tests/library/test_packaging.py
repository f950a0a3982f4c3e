"""One list of dependencies: pyproject.toml names, constraints.txt pins, environment.yml adds none."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed here")


def named():
    """Every requirement in pyproject.toml, of the project and of its extras."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in found}


def make(folder, *arguments, **environment):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    options = {"env": {**inherited, **environment}, "capture_output": True, "text": True, "check": False}
    return subprocess.run(["make", *arguments], cwd=folder, **options)


@pytest.fixture
def checkout(tmp_path):
    """A folder with the packaging files and, in place of pip, a Python that only says what it was asked."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    fake = tmp_path / "fake-python"
    fake.write_text(FAKE_PYTHON, encoding="utf-8")
    fake.chmod(0o755)
    return tmp_path


FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip") echo "pip $*" >> pip.log; exit "${PIP_RESULT:-0}" ;;
esac
"""


def test_each_dependency_is_named_once_and_pinned_once():
    names = [canonicalize_name(requirement.name) for requirement in named()]
    assert len(names) == len(set(names)), "a package is named twice in pyproject.toml"
    assert set(names) == set(pins()), "constraints.txt and pyproject.toml name different packages"


@pytest.mark.parametrize("requirement", named(), ids=lambda requirement: requirement.name)
def test_each_pin_is_one_version_that_the_range_admits(requirement):
    (pin,) = pins()[canonicalize_name(requirement.name)].specifier
    assert pin.operator == "=="
    assert requirement.specifier.contains(pin.version), f"{requirement} does not admit {pin.version}"
    assert not requirement.specifier.contains("0.0.1"), f"{requirement} has no lower bound"


def test_torch_is_a_range_pinned_to_the_version_that_is_tested():
    assert str(pins()["torch"]) == "torch==2.13.0"
    torch = next(requirement for requirement in named() if requirement.name == "torch")
    assert torch.specifier.contains("2.12.0") and not torch.specifier.contains("3.0.0")


def test_conda_installs_the_project_itself_and_has_no_second_list():
    from_conda = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    (through_pip,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert through_pip == ["-c constraints.txt", "-e .[dev]"]
    assert [Requirement(entry).name for entry in from_conda] == ["python", "pip"]


def test_conda_and_make_install_the_same_extras_with_the_same_pins():
    assert "-c constraints.txt" in MAKEFILE and "-e '.[dev]'" in MAKEFILE
    assert "dev" in PROJECT["optional-dependencies"]


def test_conda_asks_for_the_python_that_pyproject_asks_for():
    python = Requirement(ENVIRONMENT["dependencies"][0])
    assert str(python.specifier) == PROJECT["requires-python"] == ">=3.11"


def test_the_shipped_base_is_part_of_the_package():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = setuptools["package-data"]["minilm"]
    shipped = list((ROOT / "minilm" / "pretrained" / "base").iterdir())
    assert len(shipped) == 4
    for file in shipped:
        name = file.relative_to(ROOT / "minilm")
        assert any(name.match(pattern) for pattern in patterns), f"{name} would not be installed"


def test_no_file_of_the_packaging_names_a_registry_or_a_path_of_one_machine():
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "environment.yml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|index-url|find-links", text), f"{name} names a registry"


def test_ci_runs_the_test_command_of_the_readme():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#!") and "set -euo pipefail" in lines
    assert [line for line in lines if line.startswith("make")] == ["make lint", "make test"]
    if sys.platform != "win32":
        assert os.access(ROOT / ".ci" / "run", os.X_OK)


@needs_make
def test_make_alone_lists_every_command(checkout):
    listed = re.findall(r"^  make (\S+) ", make(checkout).stdout, flags=re.MULTILINE)
    assert listed[:3] == ["help", "demo", "lab"]
    assert {"setup", "test", "test-all", "lint", "grade", "pretrain", "clean"} <= set(listed)


@needs_make
def test_set_up_installs_once_and_again_when_the_dependencies_change(checkout):
    log = checkout / "pip.log"
    assert make(checkout, "setup", "PYTHON=./fake-python").returncode == 0
    assert make(checkout, "setup", "PYTHON=./fake-python").stdout == ""
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1
    later = (checkout / ".venv" / ".installed").stat().st_mtime + 5
    os.utime(checkout / "constraints.txt", (later, later))
    make(checkout, "setup", "PYTHON=./fake-python")
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2


@needs_make
def test_an_installation_that_fails_is_tried_again(checkout):
    assert make(checkout, "setup", "PYTHON=./fake-python", PIP_RESULT="1").returncode != 0
    assert not (checkout / ".venv" / ".installed").exists()
    assert make(checkout, "setup", "PYTHON=./fake-python").returncode == 0
    assert (checkout / ".venv" / ".installed").exists()


@needs_make
def test_pip_gets_the_pins_and_what_the_reader_adds(checkout):
    make(checkout, "setup", "PYTHON=./fake-python", "PIP_ARGS=--proxy there")
    asked = (checkout / "pip.log").read_text(encoding="utf-8")
    assert "--proxy there" in asked and "-c constraints.txt -e .[dev]" in asked


@needs_make
def test_a_missing_python_is_one_clear_sentence(checkout):
    result = make(checkout, "setup", "PYTHON=no-such-python")
    assert result.returncode != 0 and not (checkout / ".venv").exists()
    assert "minilm needs Python 3.11 or newer, but there is no no-such-python here" in result.stderr


@needs_make
def test_an_old_python_is_one_clear_sentence(checkout):
    old = checkout / "old-python"
    script = f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = (3, 9); $2"\n'
    old.write_text(script, encoding="utf-8")
    old.chmod(0o755)
    result = make(checkout, "setup", "PYTHON=./old-python")
    assert result.returncode != 0 and not (checkout / ".venv").exists()
    assert "minilm needs Python 3.11 or newer, but ./old-python is 3.9: " in result.stderr
    assert "Traceback" not in result.stderr


@needs_make
def test_clean_removes_caches_and_keeps_what_a_learner_made(checkout):
    kept = ["runs/demo/report.md", "exercises/ch05_lora.py", "notebooks/.ipynb_checkpoints/x", "data/text"]
    gone = [".venv/x", "exercises/__pycache__/x.pyc", ".ruff_cache/x"]
    mine, theirs = [checkout / name for name in kept], [checkout / name for name in gone]
    for path in (*mine, *theirs):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    assert make(checkout, "clean").returncode == 0
    assert all(path.exists() for path in mine) and not any(path.exists() for path in theirs)
