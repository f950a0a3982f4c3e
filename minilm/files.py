"""Writing files so that a crash loses nothing, and reading them so that damage is noticed.

Every write goes to a temporary file in the same folder, is flushed to the disk, and is then renamed over the
old file. A rename is atomic on every system we support, so a reader (or a resumed run) sees the whole old
file or the whole new one, never half of each, even after `kill -9`. `together` does the same for several files
that belong to each other.

What this file does not do: decide what goes into a checkpoint (train.py) or an adapter folder (adapter.py).
"""

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from .errors import UserError

NEW = ".new"  # where a whole set of new files waits to take the places of the old ones


def write_bytes(path, data):
    """Write `data` (bytes) to `path` atomically, creating the folder.

    Raises UserError when the folder cannot be written to or the disk is full; the old file then still stands.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the rename must not reach the disk before the bytes do
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp is private; a saved file is an ordinary one
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}; choose another --out folder or free some space") from error
    finally:  # after a failure or a Ctrl-C; after a success the temporary name is gone already
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)


def write_text(path, text):
    """Write `text` to `path` atomically, as UTF-8 with `\\n` line ends on every system."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path, value):
    """Write `value` as readable JSON (indented, keys in the order given), atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_bytes(path):
    """The bytes of `path`; a missing or unreadable file is a UserError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the path") from error


def read_json(path):
    """The value in a JSON file; damage is a UserError that names the file and the place."""
    try:
        return json.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:  # bad JSON, bad UTF-8, brackets without end
        raise UserError(f"{path} is damaged ({error}); delete it and make it again") from error


def save_tensors(path, tensors, metadata=None):
    """Save a dict of tensors as safetensors, atomically, with a checksum in its header.

    Arguments: tensors: name -> tensor (any shape and dtype; shared storage is copied); metadata: str -> str.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    header = {"format": "pt", "sha256": checksum(plain), **(metadata or {})}
    write_bytes(path, in_order(safetensors.torch.save(plain, header)))


def in_order(data):
    """The same safetensors bytes with sorted metadata: the library writes it in an order that changes by chance."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def load_tensors(path):
    """The dict of tensors in a safetensors file; a truncated or corrupted file is a UserError."""
    data = read_bytes(path)
    try:
        tensors, expected = safetensors.torch.load(data), header_of(data).get("sha256")
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is truncated or damaged ({error}); make or copy it again") from error
    if expected and checksum(tensors) != expected:  # files that others wrote have none
        raise UserError(f"{path} is damaged (its checksum does not match); make or copy it again")
    return tensors


def header_of(data):
    """The metadata (str -> str) in the bytes of a safetensors file: 8 bytes of length, then a header in JSON."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]).get("__metadata__") or {}


def checksum(tensors):
    """The sha256 over names, types, shapes and numbers: safetensors itself would not notice a flipped bit."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


@contextmanager
def together(folder):
    """A folder to write several files into, which replace those in `folder` as one when the block ends.

    Until all of them are whole, the old ones stand. Then they take their names one after another, and as long as some
    still wait, `current` finds these where they wait: who reads through it sees only old files or only new ones.

    >>> with together("model") as draft:                    # doctest: +SKIP
    ...     write_text(draft / "a.txt", "new")
    ...     write_text(draft / "b.txt", "new")
    """
    folder = Path(folder)
    draft = folder / f".saving-{os.getpid()}"
    try:
        finish_replacing(folder)
        yield draft
        os.replace(draft, folder / NEW)  # from this moment on, the new files are the ones that count
        finish_replacing(folder)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}; choose another --out folder") from error
    finally:
        for left in folder.glob(".saving-*"):  # also what a killed save has left
            shutil.rmtree(left, ignore_errors=True)


def finish_replacing(folder):
    """Let the waiting files of `folder` take their places; a save that was killed may not have come to it."""
    waiting = folder / NEW
    if waiting.is_dir():
        for file in sorted(waiting.iterdir()):
            os.replace(file, folder / file.name)
        waiting.rmdir()


def current(folder, name):
    """The path from which to read the file `name` of a folder that was written with `together`."""
    waiting = Path(folder) / NEW / name
    return waiting if waiting.is_file() else Path(folder) / name


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current
