"""A saved adapter: a folder of a few hundred kB in the layout of Hugging Face's PEFT, and nothing of the base in it.

    adapter_config.json           what to build: rank, alpha, which layers
    adapter_model.safetensors     the matrices A and B; its header also holds the fingerprint of the base

An adapter is a correction to one particular base. On another base it would load without an error, if the shapes
agree, and write nonsense; hence the fingerprint.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from .errors import UserError
from .files import current, load_tensors, read_json, save_tensors, together, write_json
from .folder import check_finite, fingerprint
from .lora import adapters, add_lora, check_bare, matches, remove_lora

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."  # PEFT's name for "inside the adapted model"


def save_adapter(folder, model, base=""):
    """Write the adapter of `model` to `folder`, both files or none. `base`: where PEFT would look for the base.

    Raises UserError when there is none, when it is merged, or when it holds NaN or infinity.
    """
    layers = adapters(model)
    if not layers:
        raise UserError("this model has no adapter to save; add one with add_lora(model)")
    if any(layer.merged for layer in layers.values()):
        raise UserError("this adapter is merged into its base; call unmerge(model) before saving it")
    check_finite(adapter_weights(model), "nothing was saved; train again with a lower learning rate")
    with together(folder) as draft:
        save_tensors(draft / WEIGHTS, adapter_weights(model), {"base": fingerprint(model)})
        write_json(draft / CONFIG, as_peft(model, base))


def load_adapter(folder, model):
    """Put the adapter in `folder` on `model`, in place; returns the model, in evaluation mode.

    Raises UserError when a file is missing or damaged, when the adapter was made for another base, or does not fit.
    """
    folder = find_adapter(folder)
    config, file = current(folder, CONFIG), current(folder, WEIGHTS)
    check_bare(model)  # first: a merged adapter would look like another base
    choices = from_peft(read_json(config), config)
    weights = load_tensors(file)
    made_for = recorded_base(file)
    if made_for and made_for != (here := fingerprint(model)):
        raise UserError(
            f"the adapter in {folder} was made for another base (fingerprint {made_for}, this base is {here}); "
            "load that base, or train the adapter again on this one"
        )
    for patterns in (choices["ranks"], choices["alphas"]):
        check_one_meaning(patterns, model, config)
    add_lora(model, **choices)
    try:
        load_adapter_weights(model, weights, file)
    except UserError:
        remove_lora(model)  # leave the base as it was
        raise
    return model.eval()


def find_adapter(folder):
    """Where the adapter is: `folder` itself, or what `minilm finetune --out folder` wrote in it."""
    folder = Path(folder)
    for place in (folder, folder / "adapter"):
        if current(place, CONFIG).is_file():
            return place
    raise UserError(f"{folder} holds no adapter (no {CONFIG}); train one with `minilm finetune --out {folder}`")


def adapter_weights(model):
    """PEFT's name -> A or B of every adapted layer."""
    return {
        f"{PREFIX}{name}.lora_{which}.weight": getattr(layer, f"lora_{which}").detach()
        for name, layer in adapters(model).items()
        for which in "AB"
    }


@torch.no_grad()
def load_adapter_weights(model, weights, path):
    """Copy saved matrices into the adapters of `model`; other names or shapes are a UserError."""
    mine = adapter_weights(model)
    if differing := mine.keys() ^ weights.keys():
        raise UserError(
            f"{path} does not fit the model's adapters (about {sorted(differing)[0]}); use its own base and config"
        )
    for name, tensor in mine.items():
        if tensor.shape != weights[name].shape:
            raise UserError(
                f"{path} does not fit: {name} is {tuple(weights[name].shape)}, this model needs {tuple(tensor.shape)}; "
                "use the base it was made for"
            )
    check_finite(weights, f"{path} is damaged or its training went wrong, so copy it again or train it again")
    for name, tensor in mine.items():
        tensor.copy_(weights[name])


def recorded_base(path):
    """The fingerprint in the header of an adapter file, or None (an adapter that PEFT wrote has none)."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("base")
    except SafetensorError as error:
        raise UserError(f"{path} is truncated or damaged ({error}); make or copy it again") from error


def as_peft(model, base):
    """adapter_config.json. PEFT reads a missing r or lora_alpha as 8, so everything is written out."""
    layers = adapters(model)
    first = next(iter(layers.values()))
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base or None,
        "r": first.rank,
        "lora_alpha": first.alpha,
        "lora_dropout": first.dropout.p,
        "use_rslora": first.rslora,
        "target_modules": _targets(model, layers),
        "rank_pattern": {n: layer.rank for n, layer in layers.items() if layer.rank != first.rank},
        "alpha_pattern": {n: layer.alpha for n, layer in layers.items() if layer.alpha != first.alpha},
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }


def _targets(model, layers):
    """The short names when these name exactly the adapted layers in the whole model, else the whole names."""
    linears = {n.removesuffix(".base_layer") for n, m in model.named_modules() if isinstance(m, nn.Linear)}
    short = sorted({name.rpartition(".")[2] for name in layers})
    named = {name for name in linears if any(matches(name, target) for target in short)}
    return short if named == layers.keys() else list(layers)


# What PEFT may write, and the values under which an adapter is the plain LoRA of lora.py. Options that only concern
# training or bookkeeping may have any value; one that is not listed, now or in a later PEFT, must be off.
UNDERSTOOD = {"r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "rank_pattern", "alpha_pattern"}
HARMLESS = {"task_type", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping", "peft_version",
            "megatron_core", "qalora_group_size"}  # fmt: skip
PLAIN = {"peft_type": ("LORA",), "bias": ("none",), "init_lora_weights": (True, False, "gaussian", "orthogonal", "eva")}


def from_peft(config, path):
    """The arguments of add_lora in an adapter_config.json; an option we do not have is a UserError that names it."""
    if not isinstance(config, dict):
        raise UserError(f"{path} is not an adapter's configuration; copy the adapter again")
    for option, value in config.items():
        if option in UNDERSTOOD | HARMLESS:
            continue
        plain = PLAIN.get(option)
        if value not in plain if plain else value:
            raise UserError(f"{path} has {option} = {value!r}, which minilm does not support; use a plain LoRA adapter")
    return {
        "rank": _typed(config, "r", 8, int, path),
        "alpha": _typed(config, "lora_alpha", 8, (int, float), path),
        "targets": _typed(config, "target_modules", None, (str, list), path),
        "dropout": _typed(config, "lora_dropout", 0.0, (int, float), path),
        "rslora": _typed(config, "use_rslora", False, bool, path),
        "ranks": _typed(config, "rank_pattern", {}, dict, path),
        "alphas": _typed(config, "alpha_pattern", {}, dict, path),
    }


def check_one_meaning(patterns, model, path):
    """UserError where two names with different values fit one layer: PEFT takes the first, add_lora the longest.

    >>> check_one_meaning({"q_proj": 3, "layers.0.self_attn.q_proj": 12}, model, path)    # doctest: +SKIP
    """
    for layer in (name for name, module in model.named_modules() if isinstance(module, nn.Linear)):
        fitting = [name for name in patterns if matches(layer, name)]
        if len({patterns[name] for name in fitting}) > 1:
            raise UserError(f"{path} gives {layer} two values, as {' and as '.join(fitting)}; keep one of the names")


def _typed(config, option, default, kind, path):
    """config[option], or PEFT's default where it is missing; a value of another type is a UserError."""
    value = config.get(option, default)
    if not isinstance(value, kind):
        raise UserError(f"{path} has {option} = {value!r}, which cannot be; copy the adapter again")
    return value
