"""Checkpoints: everything a run needs to go on as if it had never stopped.

    runs/demo/base/checkpoints/step-000400/   weights.safetensors  optimizer.safetensors  state.json

A checkpoint is written into a hidden folder and renamed when all of it is on the disk, so a folder called `step-…` is
always whole: `kill -9` at any moment leaves the one before. Older ones are removed only after that, all but one: if
the newest should be damaged later (by a failing disk, or a hand), the run goes on from the one before it.
"""

import os
import shutil
from pathlib import Path

from .errors import UserError
from .files import load_tensors, read_json, save_tensors, write_json

KEEP = 2


def save_checkpoint(folder, step, weights, optimizer, state):
    """Write checkpoint `step` below `folder`, and remove those older than the one before it.

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
    keep = all_checkpoints(folder)[:KEEP]
    for old in folder.iterdir():
        if old not in keep and old.name.startswith(("step-", ".saving-")):
            shutil.rmtree(old, ignore_errors=True)
    return final


def all_checkpoints(folder):
    """The paths of the checkpoints below `folder`, newest first."""
    found = Path(folder).glob("step-*") if Path(folder).is_dir() else []
    return sorted(found, key=lambda path: (len(path.name), path.name), reverse=True)  # step-1000000 before step-999999


def latest_checkpoint(folder):
    """The path of the newest checkpoint below `folder`, or None."""
    return next(iter(all_checkpoints(folder)), None)


def load_checkpoint(path, needs=("step",)):
    """(weights, optimizer, state) as they were saved.

    `needs`: what the state must hold. Damage is a UserError that names the checkpoint and the file.
    """
    path = Path(path)
    try:
        weights, optimizer = (load_tensors(path / f"{name}.safetensors") for name in ("weights", "optimizer"))
        state = read_json(path / "state.json")
        absent = [name for name in needs if name not in state] if isinstance(state, dict) else needs
        if absent or not isinstance(state["step"], int):
            raise UserError(f"state.json is damaged (it has no {[*absent, 'step'][0]})")
    except UserError as error:
        reason = str(error).partition(";")[0].replace(f"{path}{os.sep}", "")
        raise UserError(f"the checkpoint {path} is damaged ({reason}); delete that folder and run again") from error
    return weights, optimizer, state


def newest_whole(folder, needs=("step",)):
    """(path, what load_checkpoint gives, damaged ones): the newest checkpoint that can be read, and those after it.

    Without any checkpoint the path is None. When all are damaged, the UserError of the newest is raised.
    """
    damaged = {}
    for path in all_checkpoints(folder):
        try:
            return path, load_checkpoint(path, needs), list(damaged)
        except UserError as error:
            damaged[path] = error
    if damaged:
        raise next(iter(damaged.values()))
    return None, None, []


def set_aside(path):
    """Rename a damaged checkpoint, so that it is not taken for one; returns its new path."""
    aside = path.with_name(f"damaged-{path.name}")
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(path, aside)
    return aside
