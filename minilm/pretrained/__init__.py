"""The base model that ships with the course, so that a lesson on fine-tuning can start at once.

`make pretrain` makes it again from nothing; about.json beside the weights records how it was made and what it reaches.
"""

from pathlib import Path

from ..files import read_json
from ..folder import load_model

BASE = Path(__file__).parent / "base"


def load_base(dtype=None, device="cpu"):
    """(model, tokenizer): the shipped base, float32 unless another dtype is asked for (the values are the same).

    >>> model, tokenizer = load_base()
    >>> model.config.hidden_size
    256
    """
    import torch

    return load_model(BASE, dtype or torch.float32, device)


def about_base():
    """What is recorded of its making: recipe, seed, corpus hash, seconds, validation bits per byte."""
    return read_json(BASE / "about.json")
