"""A model as a folder, in Hugging Face's layout: config.json, model.safetensors, and our tokenizer beside them.

The weights are stored in bfloat16 (2 bytes each). Reading them as float32 is exact, so a base that is loaded in either
format is the same base, and has the same fingerprint.
"""

import hashlib
from dataclasses import fields
from pathlib import Path

import torch

from .errors import UserError
from .files import load_tensors, read_json, save_tensors, write_json
from .model import LM, Config
from .tokenizer import Tokenizer

TOKENIZER = "bpe.json"


def save_model(folder, model, tokenizer, about=None):
    """Write model and tokenizer to `folder`; `about` (a dict) goes to about.json. Weights are rounded to bfloat16."""
    folder = Path(folder)
    weights = {n: p.to(torch.bfloat16) for n, p in base_weights(model).items()}
    save_tensors(folder / "model.safetensors", weights)
    write_json(folder / "config.json", as_llama(model.config, tokenizer))
    tokenizer.save(folder / TOKENIZER)
    if about:
        write_json(folder / "about.json", about)


def load_model(folder, dtype=torch.float32, device="cpu"):
    """(model, tokenizer) of a folder that `save_model` wrote. Missing or damaged files are a UserError."""
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} holds no model (no config.json); train one with `minilm pretrain --out {folder}`")
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    config = from_llama(read_json(folder / "config.json"), folder / "config.json")
    if tokenizer.n_vocab > config.vocab_size:
        raise UserError(
            f"{folder / TOKENIZER} has {tokenizer.n_vocab} tokens, but the model knows {config.vocab_size}; "
            "copy the folder again"
        )
    model = LM(config)
    load_weights(model, load_tensors(folder / "model.safetensors"), folder / "model.safetensors")
    return model.to(device=device, dtype=dtype), tokenizer


def base_weights(model):
    """Name -> weight of the model without its adapters, named as if it had none; a tied head is not listed twice."""
    weights = {}
    for name, parameter in model.named_parameters():
        if ".lora_" not in name:
            weights[name.replace(".base_layer.", ".")] = parameter.detach()
    return weights


def load_weights(model, weights, path):
    """Copy `weights` (name -> tensor) into `model`; other names or shapes are a UserError that says which."""
    mine = base_weights(model)
    if missing := mine.keys() ^ weights.keys():
        raise UserError(f"{path} does not fit its config.json (about {sorted(missing)[0]}); copy the folder again")
    for name, parameter in mine.items():
        if parameter.shape != weights[name].shape:
            raise UserError(
                f"{path} does not fit its config.json ({name} is {tuple(weights[name].shape)}, "
                f"expected {tuple(parameter.shape)}); copy the folder again"
            )
        parameter.copy_(weights[name])


def fingerprint(model):
    """16 hex digits of the sha256 over all base weights as float32: equal for equal bases, in whichever format."""
    digest = hashlib.sha256()
    for name, weight in sorted(base_weights(model).items()):
        digest.update(name.encode())
        digest.update(weight.float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def as_llama(config, tokenizer):
    """config.json as transformers reads it. Ids not given would default to 1 and 2, ordinary bytes in our BPE."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **config.as_dict(),
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "bos_token_id": tokenizer.eot,
        "eos_token_id": tokenizer.eot,
        "pad_token_id": None,
        "dtype": "bfloat16",
    }


def from_llama(values, path):
    """The Config in a config.json; a missing or impossible field is a UserError."""
    names = [f.name for f in fields(Config)]
    if not isinstance(values, dict):
        raise UserError(f"{path} is damaged (it holds no names and values); copy the folder again")
    if absent := [name for name in names if name not in values]:
        raise UserError(f"{path} lacks {absent[0]}; copy the folder again")
    try:
        return Config(**{name: values[name] for name in names})
    except TypeError as error:
        raise UserError(f"{path} is damaged ({error}); copy the folder again") from error
