"""Hugging Face's libraries for the comparisons: imported late, for most who run a benchmark do not have them."""

import os

import torch

from ..errors import UserError


def libraries():
    """(transformers, peft, tokenizers), kept off the network and at torch's number of threads."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # both are read when they are imported
    os.environ.setdefault("RAYON_NUM_THREADS", str(torch.get_num_threads()))
    try:
        import peft
        import tokenizers
        import transformers
    except ImportError as error:
        raise UserError(
            f"this benchmark compares with {error.name}; install it: pip install -c constraints.txt -e '.[interop]'"
        ) from None
    transformers.utils.logging.disable_progress_bar()
    return transformers, peft, tokenizers
