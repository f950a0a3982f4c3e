"""Writing files so that a crash loses nothing, and reading them so that damage is noticed.

Every write goes to a temporary file in the same folder, is flushed to the disk, and is then renamed over the
old file. A rename is atomic on every system we support, so a reader (or a resumed run) sees the whole old
file or the whole new one, never half of each, even after `kill -9`.

What this file does not do: decide what goes into a checkpoint (train.py) or an adapter folder (adapter.py).
"""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import safetensors
import safetensors.torch

from .errors import UserError


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
    """Save a dict of tensors as safetensors, atomically.

    Arguments: tensors: name -> tensor (any shape and dtype; shared storage is copied); metadata: str -> str.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(plain, {"format": "pt", **(metadata or {})}))


def load_tensors(path):
    """The dict of tensors in a safetensors file; a truncated or corrupted file is a UserError."""
    data = read_bytes(path)
    try:
        return safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is truncated or damaged ({error}); make or copy it again") from error


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current
