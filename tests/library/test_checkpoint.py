"""Checkpoints: whole or absent, whatever happens while one is written."""

import errno
import os
import subprocess
import sys

import pytest
import torch

from minilm import checkpoint
from minilm.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from minilm.errors import UserError


def save(folder, step, **state):
    return save_checkpoint(folder, step, {"w": torch.full((2, 3), float(step))}, {"m": torch.tensor([step])}, state)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_comes_back(tmp_path):
    path = save(tmp_path, 7, history=[{"loss": 0.1 + 0.2}])
    weights, optimizer, state = load_checkpoint(path)
    assert torch.equal(weights["w"], torch.full((2, 3), 7.0)) and torch.equal(optimizer["m"], torch.tensor([7]))
    assert state == {"step": 7, "history": [{"loss": 0.1 + 0.2}]}
    weights, _, state = load_checkpoint(save(tmp_path, 8))
    assert not torch.equal(weights["w"], torch.full((2, 3), 7.0)) and state == {"step": 8}


def test_only_the_newest_is_kept(tmp_path):
    assert latest_checkpoint(tmp_path) is None and latest_checkpoint(tmp_path / "nowhere") is None
    save(tmp_path, 1)
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000001"
    save(tmp_path, 20)
    assert names(tmp_path) == ["step-000020"]


def test_the_newest_is_the_one_with_the_largest_number(tmp_path):
    for step in (999_999, 1_000_000, 20):
        (tmp_path / f"step-{step:06d}").mkdir()
    assert latest_checkpoint(tmp_path).name == "step-1000000"


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    save(tmp_path, 1), save(tmp_path, 2)
    assert names(tmp_path) == ["notes.txt", "step-000002"]


def test_a_step_that_is_there_is_never_missing_for_a_moment(tmp_path, monkeypatch):
    save(tmp_path, 5)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", lambda path, **_: pytest.fail(f"{path} was removed"))
    assert save(tmp_path, 5) == tmp_path / "step-000005"


@pytest.mark.parametrize("broken", ["save_tensors", "write_json", "os.replace"])
def test_a_failed_save_leaves_the_one_before_and_no_litter(tmp_path, monkeypatch, broken):
    save(tmp_path, 1)

    def fail(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(f"minilm.checkpoint.{broken}", fail)
        with pytest.raises(UserError, match="cannot write .*-000002.*: No space left"):
            save(tmp_path, 2)
    assert names(tmp_path) == ["step-000001"]
    assert load_checkpoint(latest_checkpoint(tmp_path))[2]["step"] == 1
    save(tmp_path, 2)
    assert names(tmp_path) == ["step-000002"]


CHILD = """
import sys, time
import torch
import minilm.checkpoint, minilm.files
from minilm.checkpoint import save_checkpoint

def block(*args, **kwargs):
    print("inside the save", flush=True)
    time.sleep(600)

folder, place = sys.argv[1:]
save_checkpoint(folder, 1, {"w": torch.ones(2)}, {"m": torch.ones(2)}, {"history": [1]})
module, name = place.rsplit(" ")
setattr(eval(module), name, block)
save_checkpoint(folder, 2, {"w": torch.zeros(2)}, {"m": torch.zeros(2)}, {"history": [2]})
"""


@pytest.mark.parametrize(
    "place, survivor",
    [
        ("minilm.files.os fsync", 1),  # while the first file is written
        ("minilm.checkpoint write_json", 1),  # when the tensors are on the disk and state.json is not
        ("minilm.checkpoint.shutil rmtree", 2),  # when the new one has its name and the old one is still there
    ],
)
def test_a_kill_during_a_save_leaves_a_whole_checkpoint(tmp_path, place, survivor):
    command = [sys.executable, "-c", CHILD, str(tmp_path), place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "inside the save\n"
        child.kill()  # SIGKILL: no handler, no clean-up
    assert len(names(tmp_path)) == 2, "the kill left something behind"
    weights, optimizer, state = load_checkpoint(latest_checkpoint(tmp_path))
    assert state == {"step": survivor, "history": [survivor]}
    assert torch.equal(weights["w"], torch.full((2,), 2.0 - survivor)) and torch.equal(weights["w"], optimizer["m"])
    save(tmp_path, 3)
    assert names(tmp_path) == ["step-000003"], "the next save clears up"


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors", "state.json"])
def test_a_damaged_or_missing_file_is_named(tmp_path, file):
    path = save(tmp_path, 1)
    (path / file).write_bytes((path / file).read_bytes()[:-3])
    with pytest.raises(UserError, match=f"{file} is .*damaged"):
        load_checkpoint(path)
    (path / file).unlink()
    with pytest.raises(UserError, match=f"cannot read .*{file}"):
        load_checkpoint(path)


@pytest.mark.parametrize("state", ["[]", "{}", "7", '{"step": "7"}'])
def test_a_state_without_a_step_is_damaged(tmp_path, state):
    path = save(tmp_path, 1)
    (path / "state.json").write_text(state)
    with pytest.raises(UserError, match="state.json is damaged"):
        load_checkpoint(path)
