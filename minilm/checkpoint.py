"""Checkpoints: everything a run needs to go on as if it had never stopped.

    runs/demo/base/checkpoints/step-000400/   weights.safetensors  optimizer.safetensors  state.json

A checkpoint is written into a hidden folder and renamed when all of it is on the disk, so a folder called `step-…` is
always whole: `kill -9` at any moment leaves the one before. Older ones are removed only after that.
"""

import os
import shutil
from pathlib import Path

from .errors import UserError
from .files import load_tensors, read_json, save_tensors, write_json


def save_checkpoint(folder, step, weights, optimizer, state):
    """Write checkpoint `step` below `folder` and remove older ones.

    Arguments: weights, optimizer: name -> tensor. state: a dict that JSON can hold. Returns: its path.
    A step that is there already is left alone: to replace it, it would have to be missing for a moment.
    """
    folder, final = Path(folder), Path(folder) / f"step-{step:06d}"
    if final.exists():
        return final
    draft = folder / f".saving-{step:06d}-{os.getpid()}"
    try:
        save_tensors(draft / "weights.safetensors", weights)
        save_tensors(draft / "optimizer.safetensors", optimizer)
        write_json(draft / "state.json", {"step": step, **state})
        os.replace(draft, final)
    except OSError as error:
        raise UserError(f"cannot write {final}: {error.strerror or error}; choose another --out folder") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for old in folder.iterdir():
        if old != final and old.name.startswith(("step-", ".saving-")):
            shutil.rmtree(old, ignore_errors=True)
    return final


def latest_checkpoint(folder):
    """The path of the newest checkpoint below `folder`, or None."""
    found = Path(folder).glob("step-*") if Path(folder).is_dir() else []
    return max(found, key=lambda path: (len(path.name), path.name), default=None)  # step-1000000 is after step-999999


def load_checkpoint(path):
    """(weights, optimizer, state) as they were saved. Damage is a UserError that names the file."""
    path = Path(path)
    weights, optimizer = load_tensors(path / "weights.safetensors"), load_tensors(path / "optimizer.safetensors")
    state = read_json(path / "state.json")
    if not isinstance(state, dict) or not isinstance(state.get("step"), int):
        raise UserError(f"{path / 'state.json'} is damaged (it has no step); delete {path} and run again")
    return weights, optimizer, state
