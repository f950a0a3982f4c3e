"""A zip with a mode for every file, the same bytes each time; and files that nobody but their owner may read.

What this file does not do: choose what goes in (gradescope.py).
"""

import io
import os
import secrets
import stat
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from ...errors import UserError
from ..isolated.seeds import SHORTEST

DATE = (1980, 1, 1, 0, 0, 0)


def zipped(files):
    """The bytes of a zip; files: name -> (bytes, mode such as 0o755)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # Unix: the next line is read as its modes
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def write_private(path, data):
    """Write bytes that only the owner may read (0600), atomically; at no moment can anybody else."""
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # private from its first moment
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another --out") from error
    finally:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)


def course_secret(path=""):
    """The bytes of the course secret in the file `path`, or of a new one."""
    if not path:
        return secrets.token_hex(32).encode("ascii")
    try:
        data = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the secret {path}: {error.strerror or error}; check the path") from error
    if len(data.strip()) < SHORTEST:
        raise UserError(f"the secret in {path} is shorter than {SHORTEST} letters; leave it out to get a new one")
    return data
