"""Where hidden inputs come from: what `answers.random` starts from in isolated grading.

HMAC-SHA256 of the exercise, the test and the submitted file under the course's secret: the same file always meets the
same inputs, so its grade never changes; another file meets others, and without the secret nobody can say which.

Source: HMAC (RFC 2104, 1997).
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from ...errors import UserError

OPEN = b"minilm"  # of a learner's own `minilm grade --isolated`, where nothing is at stake
SHORTEST = 16


def seed(secret, exercise, test, digest):
    """A whole number for numpy's default_rng.

    Arguments: secret: bytes. exercise: "5.2". test: name of the graded test. digest: sha256 of the file, as text.
    """
    message = "\0".join((exercise, test, digest)).encode()
    return int.from_bytes(hmac.digest(secret, message, hashlib.sha256)[:16], "big")


def read(path):
    """The secret in a file; a missing file is made, readable by its owner alone.

    Raises UserError for a file that is too short to be one.
    """
    path = Path(path).expanduser()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = _held(path)
        if len(found) < SHORTEST:
            said = f"{path} holds {len(found)} bytes, too few for a secret; delete it, and a new one is made"
            raise UserError(said) from None
        return found
    except OSError as error:
        said = f"the course secret cannot be kept in {path} ({error.strerror}); name another file with --secret"
        raise UserError(said) from None
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path.read_bytes().strip()


def _held(path):
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise UserError(
            f"the course secret in {path} cannot be read ({error.strerror}); name another --secret"
        ) from None
