"""The command line: answers at once, and tells every mistake in one sentence."""

import importlib.metadata
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from terminal import ENVIRONMENT

from minilm import cli
from minilm.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("demo", "fetch", "pretrain", "finetune", "merge", "generate", "eval", "bench", "doctor")


def test_help_answers_within_a_second_and_does_not_import_torch():
    code = "import sys; sys.argv[1:] = ['--help']; from minilm.cli import main; main(); print('torch' in sys.modules)"
    took = []
    for _ in range(3):  # the best of three: the machine may be busy
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True)
        took.append(time.perf_counter() - start)
    assert done.stdout.endswith("False\n"), "minilm --help imported torch; import it inside the commands"
    assert min(took) < 1, f"minilm --help took {min(took):.1f} s"


def test_python_m_minilm_is_the_same_command():
    done = subprocess.run([sys.executable, "-m", "minilm", "nonsense"], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2
    assert "nonsense" in done.stderr and "Traceback" not in done.stderr


def test_help_names_every_command(terminal):
    out = terminal.works("--help")
    for command in COMMANDS:
        assert f" {command} " in out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_own_help(terminal, command):
    assert f"minilm {command}" in terminal.works(command, "--help")


def test_minilm_alone_prints_the_help_and_no_error(terminal):
    code, out, err = terminal()
    assert (code, err) == (0, "")
    assert "pretrain" in out


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["nonsense"], "nonsense"),
        (["pretrain", "--nonsense", "3"], "--nonsense"),
        (["pretrain", "--steps", "many"], "--steps"),
        (["generate", "--temperature", "warm"], "--temperature"),
        (["merge"], "--adapter"),
        (["finetune", "--rank"], "--rank"),
    ],
)
def test_a_mistake_in_the_command_is_told_in_one_sentence(terminal, words, phrase):
    sentence = terminal.refuses(*words)
    assert phrase in sentence
    assert "--help" in sentence, "the sentence should say where to look"


def test_a_mistake_in_an_option_points_to_the_help_of_its_command(terminal):
    assert "minilm pretrain --help" in terminal.refuses("pretrain", "--steps", "many")


def broken(error):
    def run(*_):
        raise error

    return run


def test_ctrl_c_ends_with_130_and_a_sentence(terminal, monkeypatch):
    monkeypatch.setattr("minilm.jobs.run_eval", broken(KeyboardInterrupt()))
    code, _, err = terminal("eval")
    assert code == 130
    assert "stopped" in err and "Traceback" not in err


def test_a_folder_that_may_not_be_read_is_told_in_one_sentence(terminal, monkeypatch):
    monkeypatch.setattr("minilm.jobs.run_eval", broken(PermissionError(13, "Permission denied", "/secret/model")))
    assert "/secret/model: Permission denied" in terminal.refuses("eval")


def test_a_bug_keeps_its_traceback(terminal, monkeypatch):
    monkeypatch.setattr("minilm.jobs.run_eval", broken(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError):
        terminal("eval")


def test_a_letter_that_the_terminal_lacks_does_not_stop_the_text():
    code = "import sys, minilm.doctor as d; d.report = lambda: 'snow\\u2603man'; sys.argv[1:] = ['doctor']\n"
    code += "from minilm.cli import main; main()"
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, "snow?man\n"), done.stderr


def pretend(monkeypatch, python=(3, 12, 0), torch="2.13.0+cpu"):
    monkeypatch.setattr(cli.sys, "version_info", python)
    monkeypatch.setattr("importlib.metadata.version", lambda name: torch)


def test_an_old_python_is_refused_with_what_to_do(monkeypatch):
    pretend(monkeypatch, python=(3, 10, 14))
    with pytest.raises(UserError, match="needs Python 3.11 or newer"):
        cli.check_versions()


@pytest.mark.parametrize("torch", ["1.13.1", "2.5.1+cu121"])
def test_an_old_torch_is_refused_with_what_to_do(monkeypatch, torch):
    pretend(monkeypatch, torch=torch)
    with pytest.raises(UserError, match=r"too old; run `make setup`"):
        cli.check_versions()


@pytest.mark.parametrize("torch", ["2.6.0", "2.10.0+cpu", "2.13.0a0+gitabc", "2.14.0.dev20260101"])
def test_a_newer_torch_of_any_spelling_is_accepted(monkeypatch, torch):
    pretend(monkeypatch, python=(3, 11, 0), torch=torch)
    cli.check_versions()


def test_a_missing_torch_is_told_with_the_command_to_run(monkeypatch, terminal):
    monkeypatch.setattr(importlib.metadata, "version", broken(importlib.metadata.PackageNotFoundError("torch")))
    assert "make setup" in terminal.refuses("eval")


def test_a_wrong_version_stops_a_command_but_not_the_doctor(monkeypatch, terminal):
    monkeypatch.setattr(cli, "check_versions", broken(UserError("torch 1.0 is too old; run `make setup`")))
    monkeypatch.setattr("minilm.doctor.report", lambda: "the report")
    assert "too old" in terminal.refuses("eval")
    assert "the report" in terminal.works("doctor")


def test_the_packaging_refuses_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    torch = next(r for r in map(Requirement, project["dependencies"]) if r.name == "torch")
    assert project["requires-python"] == ">=3.11"
    assert "2.6.0" in torch.specifier and "2.5.1" not in torch.specifier
