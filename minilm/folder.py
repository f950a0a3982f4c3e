"""A model as a folder, in Hugging Face's layout: config.json, model.safetensors, and our tokenizer beside them.

The weights are stored in bfloat16 (2 bytes each). Reading them as float32 is exact, so a base that is loaded in either
format is the same base, and has the same fingerprint.
"""

import hashlib
from dataclasses import fields
from pathlib import Path

import torch

from .errors import UserError
from .files import current, load_tensors, read_json, save_tensors, together, write_json
from .model import LM, Config
from .tokenizer import Tokenizer

WEIGHTS, CONFIG, TOKENIZER, ABOUT = "model.safetensors", "config.json", "bpe.json", "about.json"
SHIPPED = Path(__file__).parent / "pretrained" / "base"


def save_model(folder, model, tokenizer, about=None):
    """Write model and tokenizer to `folder`, all files or none; `about` (a dict) goes to about.json.

    Weights are rounded to bfloat16. Raises UserError for weights that are NaN or infinite: nothing is written then.
    """
    weights = {n: p.to(torch.bfloat16) for n, p in base_weights(model).items()}
    check_finite(weights, "nothing was saved; train again with a lower learning rate")
    with together(folder) as draft:
        save_tensors(draft / WEIGHTS, weights)
        write_json(draft / CONFIG, as_llama(model.config, tokenizer))
        tokenizer.save(draft / TOKENIZER)
        write_json(draft / ABOUT, about or {})  # always: an old one would tell of another model


def load_model(folder, dtype=torch.float32, device="cpu"):
    """(model, tokenizer) of a folder that `save_model` wrote, or of the folder of a run that saved one in it.

    Missing or damaged files are a UserError.
    """
    folder = find_model(folder)
    weights, config, bpe = (current(folder, name) for name in (WEIGHTS, CONFIG, TOKENIZER))
    if not bpe.is_file() and (folder / "tokenizer.json").is_file():
        raise UserError(
            f"{folder} is in Hugging Face's format; make a model of it with `minilm import {folder} --from hf`"
        )
    tokenizer = Tokenizer.load(bpe)
    shape, tensors = from_llama(read_json(config), config), load_tensors(weights)
    if tokenizer.n_vocab > shape.vocab_size:
        raise UserError(
            f"{bpe} has {tokenizer.n_vocab} tokens, but the model knows {shape.vocab_size}; copy the folder again"
        )
    check_size(shape, tensors, config)
    model = LM(shape)
    load_weights(model, tensors, weights)
    return model.to(device=device, dtype=dtype), tokenizer


def find_model(folder):
    """The place of the model in `folder`; without one, a UserError that says how to make it."""
    folder = Path(folder)
    if place := model_inside(folder):
        return place
    if folder == SHIPPED:  # pretraining by hand would leave it in another place, with other steps
        raise UserError(f"the base that ships with minilm is not in {folder}; make it again with `make pretrain`")
    raise UserError(f"{folder} holds no model (no {CONFIG}); train one with `minilm pretrain --out {folder}`")


def model_inside(folder):
    """Where the model is: `folder` itself, or what `minilm pretrain` (model) or `minilm demo` (base) wrote; or None."""
    places = (Path(folder), Path(folder) / "model", Path(folder) / "base")
    return next((place for place in places if current(place, CONFIG).is_file()), None)


def check_finite(tensors, mend):
    """UserError if a number in `tensors` (name -> tensor) is NaN or infinite."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(f"{name} holds numbers that are NaN or infinite; {mend}")


def check_size(shape, tensors, path):
    """UserError if a Config asks for a larger model than there are numbers for, before memory is asked for."""
    least = shape.hidden_size * max(shape.vocab_size, shape.intermediate_size, shape.num_hidden_layers)
    if least > sum(tensor.numel() for tensor in tensors.values()):
        raise UserError(f"{path} describes a larger model than the weights beside it; copy the folder again")


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
    check_finite(weights, f"{path} is damaged or its training went wrong, so copy it again or train it again")
    for name, parameter in mine.items():
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
    kinds = {f.name: f.type for f in fields(Config)}
    if not isinstance(values, dict):
        raise UserError(f"{path} is damaged (it holds no names and values); copy the folder again")
    if absent := [name for name in kinds if name not in values]:
        raise UserError(f"{path} lacks {absent[0]}; copy the folder again")
    for name, kind in kinds.items():
        if type(values[name]) not in ((int, float) if kind is float else (kind,)):
            raise UserError(f"{path} is damaged ({name} is {values[name]!r}); copy the folder again")
    try:
        return Config(**{name: values[name] for name in kinds})
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
