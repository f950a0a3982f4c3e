"""transformers, peft and tokenizers, imported once and kept off the network; a clear word where they are missing."""

import importlib.util
import os

import pytest

MISSING = [name for name in ("transformers", "peft", "tokenizers") if importlib.util.find_spec(name) is None]
if MISSING:
    SENTENCE = f"{', '.join(MISSING)} missing: pip install -c constraints.txt -e '.[interop]'"
    if os.environ.get("CI") or os.environ.get("MINILM_INTEROP"):  # where they must be there, nothing is skipped
        raise ModuleNotFoundError(SENTENCE)
    pytest.skip(SENTENCE, allow_module_level=True)

os.environ["HF_HUB_OFFLINE"] = "1"  # read when they are imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import peft  # noqa: E402
import tokenizers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

transformers.utils.logging.disable_progress_bar()

__all__ = ["hf_logits", "peft", "read_model", "tokenizers", "transformers"]


def read_model(folder, adapter=None):
    """The folder in transformers, float32, with the adapter in PEFT on it if one is named."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return (peft.PeftModel.from_pretrained(model, adapter) if adapter else model).eval()


@torch.no_grad()
def hf_logits(model, ids):
    return model(input_ids=ids).logits
