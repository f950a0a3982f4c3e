"""minilm: a small language model, LoRA, and everything between, written to be read.

Reading order: corpus, bpe, tokenizer | model, loss, optim, data, train, generate | lowrank | lora, merge, adapter |
memory. Names are loaded when they are first used, so that `import minilm` itself costs almost nothing. `train`,
`generate` and `merge` are not among them, because their modules have the same names: `from minilm.train import
train`.
"""

from importlib import import_module

_WHERE = {
    "load": "corpus",
    "play": "corpus",
    "Tokenizer": "tokenizer",
    "Config": "model",
    "LM": "model",
    "PRESETS": "model",
    "count_parameters": "model",
    "KVCache": "cache",
    "lm_loss": "loss",
    "AdamW": "optim",
    "Muon": "optim",
    "Windows": "data",
    "Recipe": "recipe",
    "bits_per_byte": "evaluate",
    "LoRALinear": "lora",
    "add_lora": "lora",
    "remove_lora": "lora",
    "unmerge": "merge",
    "save_adapter": "adapter",
    "load_adapter": "adapter",
    "save_model": "folder",
    "load_model": "folder",
    "fingerprint": "folder",
    "load_base": "pretrained",
    "UserError": "errors",
}
__all__ = list(_WHERE)
__version__ = "0.1.0"


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module 'minilm' has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)


def __dir__():
    return [*globals(), *__all__]
