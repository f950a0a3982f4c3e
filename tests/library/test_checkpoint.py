"""Checkpoints: whole or absent, whatever happens while one is written."""

import errno
import os
import subprocess
import sys

import pytest
import torch

from minilm import checkpoint
from minilm.checkpoint import latest_checkpoint, load_checkpoint, newest_whole, save_checkpoint, set_aside
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


def test_the_newest_and_the_one_before_it_are_kept(tmp_path):
    assert latest_checkpoint(tmp_path) is None and latest_checkpoint(tmp_path / "nowhere") is None
    save(tmp_path, 1)
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000001"
    save(tmp_path, 20)
    save(tmp_path, 30)
    assert names(tmp_path) == ["step-000020", "step-000030"]
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000030"


def test_the_newest_is_the_one_with_the_largest_number(tmp_path):
    for step in (999_999, 1_000_000, 20):
        (tmp_path / f"step-{step:06d}").mkdir()
    assert latest_checkpoint(tmp_path).name == "step-1000000"


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for step in (1, 2, 3):
        save(tmp_path, step)
    assert names(tmp_path) == ["notes.txt", "step-000002", "step-000003"]


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
    assert names(tmp_path) == ["step-000001", "step-000002"]


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
    assert names(tmp_path) == [f"step-{survivor:06d}", "step-000003"], "the next save clears up"


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors", "state.json"])
def test_a_damaged_or_missing_file_is_named(tmp_path, file):
    path = save(tmp_path, 1)
    (path / file).write_bytes((path / file).read_bytes()[:-3])
    with pytest.raises(UserError, match=rf"step-000001 is damaged \({file} is .*damaged.*delete that folder"):
        load_checkpoint(path)
    (path / file).unlink()
    with pytest.raises(UserError, match=rf"step-000001 is damaged \(cannot read {file}.*delete that folder"):
        load_checkpoint(path)


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors"])
def test_a_single_flipped_bit_is_noticed(tmp_path, file):
    path = save(tmp_path, 1)
    data = bytearray((path / file).read_bytes())
    data[-1] ^= 1
    (path / file).write_bytes(data)
    with pytest.raises(UserError, match="checksum does not match"):
        load_checkpoint(path)


def test_the_newest_whole_one_is_found_and_the_damaged_ones_are_named(tmp_path):
    assert newest_whole(tmp_path) == (None, None, [])
    first, second = save(tmp_path, 1), save(tmp_path, 2)
    assert newest_whole(tmp_path)[0] == second and newest_whole(tmp_path)[2] == []
    (second / "state.json").write_text("{")
    path, (_, _, state), damaged = newest_whole(tmp_path)
    assert (path, state, damaged) == (first, {"step": 1}, [second])
    (first / "state.json").unlink()
    with pytest.raises(UserError, match="step-000002 is damaged"):  # the newest: that is where the work is
        newest_whole(tmp_path)


def test_one_that_was_set_aside_is_no_checkpoint_any_more_but_still_there(tmp_path):
    first, second = save(tmp_path, 1), save(tmp_path, 2)
    for _ in range(2):  # also when another one of this step had to be set aside before
        assert set_aside(second) == tmp_path / "damaged-step-000002"
        assert latest_checkpoint(tmp_path) == first
        save(tmp_path, 2)
    assert names(tmp_path) == ["damaged-step-000002", "step-000001", "step-000002"]


def test_a_state_must_hold_what_the_reader_needs(tmp_path):
    path = save(tmp_path, 1, history=[])
    assert load_checkpoint(path, needs=("step", "history"))[2] == {"step": 1, "history": []}
    with pytest.raises(UserError, match=r"state.json is damaged \(it has no recent\)"):
        load_checkpoint(path, needs=("step", "recent"))


@pytest.mark.parametrize("state", ["[]", "{}", "7", '{"step": "7"}'])
def test_a_state_without_a_step_is_damaged(tmp_path, state):
    path = save(tmp_path, 1)
    (path / "state.json").write_text(state)
    with pytest.raises(UserError, match="state.json is damaged"):
        load_checkpoint(path)
