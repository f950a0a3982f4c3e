"""To Hugging Face and back: folders that transformers and PEFT read, and folders of theirs that minilm reads.

    >>> export_hf("runs/hub", model="runs/pretrain", adapter="runs/finetune")           # doctest: +SKIP

    runs/hub/                          AutoModelForCausalLM.from_pretrained("runs/hub"), AutoTokenizer likewise
        config.json, model.safetensors     the model: these two are in every folder of minilm
        tokenizer.json                     our merges in the form of their library (hub_tokenizer.py)
        tokenizer_config.json, generation_config.json
        bpe.json, about.json               what minilm reads besides: the folder is one of ours, too
    runs/hub/adapter/                  PeftModel.from_pretrained(model, "runs/hub/adapter")
        adapter_config.json, adapter_model.safetensors, README.md

There is no conversion of weights, in either direction: our tensors bear Llama's names, and our adapters PEFT's.

What this file does not do: import transformers, peft or tokenizers. The formats are JSON and safetensors;
tests/interop compares what comes out with those libraries.
"""

from pathlib import Path

import torch

from .adapter import CONFIG as ADAPTER
from .adapter import load_adapter, save_adapter
from .errors import UserError
from .files import current, load_tensors, read_json, save_tensors, together, write_json
from .folder import (
    ABOUT,
    CONFIG,
    WEIGHTS,
    as_llama,
    base_weights,
    check_finite,
    check_size,
    find_model,
    load_model,
    load_weights,
    model_inside,
)
from .folder import TOKENIZER as BPE
from .hub_card import write_card
from .hub_config import llama_config
from .hub_tokenizer import SETTINGS, TOKENIZER, as_tokenizer_config, as_tokenizer_json, load_hf_tokenizer
from .lora import adapters
from .model import LM
from .pretrained import BASE

INDEX, GENERATION = "model.safetensors.index.json", "generation_config.json"


def export_hf(folder, model="", adapter=""):
    """Write a model of ours, and an adapter for it if one is named, as folders for transformers and PEFT.

    Arguments: folder: where to; the adapter goes to `folder`/adapter. model: a folder of minilm, default the shipped
    base. adapter: a folder that `minilm finetune` wrote. Returns: the paths written, a list. Raises UserError for a
    folder that holds a model already, and for whatever is wrong with the model or the adapter.
    """
    refuse_to_replace(folder)
    source = find_model(model or BASE)
    lm, tokenizer = load_model(source)
    if adapter:  # before anything is written: it may not fit
        load_adapter(adapter, lm)
    about = current(source, ABOUT)
    save_llama(folder, lm, tokenizer, read_json(about) if about.is_file() else None)
    if not adapter:
        return [Path(folder)]
    save_adapter(Path(folder) / "adapter", lm, base=Path(folder).as_posix())
    write_card(Path(folder) / "adapter", lm, base=Path(folder).as_posix())
    return [Path(folder), Path(folder) / "adapter"]


def import_hf(folder, out, model=""):
    """Read a folder of transformers (a Llama) or of PEFT (a LoRA adapter), and write it as a folder of minilm.

    Arguments: folder: what their `save_pretrained` wrote. out: where to. model: only for an adapter, the folder of
    its base, default the shipped one. Returns: "model" or "adapter". Raises UserError for a folder that has an option
    we do not have; the sentence names it. Nothing is written then.
    """
    refuse_to_replace(out)
    if current(folder, ADAPTER).is_file():
        lm, _ = load_model(model or BASE)
        save_adapter(out, load_adapter(folder, lm), base=str(model))  # PEFT looks there when it saves; "" is nowhere
        return "adapter"
    lm, tokenizer = load_llama(folder)
    save_llama(out, lm, tokenizer, {"imported_from": str(folder)})
    return "model"


def check_format(option, name):
    """UserError unless `name` is the one format we know."""
    if name != "hf":
        raise UserError(f"{option} {name} is not a format that minilm knows; choose hf")


def refuse_to_replace(out):
    if model_inside(out) or current(out, ADAPTER).is_file():  # it might be the only copy
        raise UserError(f"{out} holds a model or an adapter already; choose another folder, or delete that one")


def save_llama(folder, model, tokenizer, about=None):
    """Write `model` (without its adapter, if it has one) and `tokenizer` as a LlamaForCausalLM folder, whole or not.

    Weights are stored in bfloat16 where that changes none of them, else in float32. `about` goes to about.json.
    Raises UserError for a merged adapter, and for weights that are NaN or infinite.
    """
    if any(layer.merged for layer in adapters(model).values()):
        raise UserError("this model has a merged adapter; call fold(model) to keep it, or unmerge(model)")
    weights, dtype = without_loss(base_weights(model))
    check_finite(weights, "nothing was saved; train again with a lower learning rate")
    eot, context = tokenizer.eot, model.config.max_position_embeddings
    with together(folder) as draft:
        save_tensors(draft / WEIGHTS, weights)
        write_json(draft / CONFIG, {**as_llama(model.config, tokenizer), "dtype": dtype})
        write_json(draft / TOKENIZER, as_tokenizer_json(tokenizer))
        write_json(draft / SETTINGS, as_tokenizer_config(context))
        # Without the ids, text would end at 2, an ordinary byte of ours. Nothing is padded when one text is written,
        # but without a name for it transformers says in every call what it will take.
        write_json(draft / GENERATION, {"bos_token_id": eot, "eos_token_id": eot, "pad_token_id": eot})
        tokenizer.save(draft / BPE)
        write_json(draft / ABOUT, about or {})


def without_loss(weights):
    """(weights, name of their type): bfloat16 where all numbers survive that, as those of our own folders do."""
    short = {name: weight.to(torch.bfloat16) for name, weight in weights.items()}
    if all(torch.equal(short[name].to(weight.dtype), weight) for name, weight in weights.items()):
        return short, "bfloat16"
    return {name: weight.float() for name, weight in weights.items()}, "float32"


def load_llama(folder):
    """(model, tokenizer) of a folder that transformers wrote: float32, in evaluation mode.

    Raises UserError for another kind of model, for an option that ours lack, and for missing or damaged files.
    """
    model, tokenizer = load_llama_model(folder), load_hf_tokenizer(folder)
    if tokenizer.n_vocab > model.config.vocab_size:
        raise UserError(
            f"{folder} has a tokenizer of {tokenizer.n_vocab} tokens, but its model knows {model.config.vocab_size}; "
            "copy the folder again"
        )
    return model, tokenizer


def load_llama_model(folder):
    """Only the model: also for a folder whose tokenizer is not ours. Its ids are then that tokenizer's."""
    path = current(folder, CONFIG)
    if not path.is_file():
        raise UserError(f"{folder} holds no model (no {CONFIG}); name a folder that save_pretrained wrote")
    config = llama_config(read_json(path), path)
    weights = {n: w.float() for n, w in llama_weights(folder).items() if not n.endswith("rotary_emb.inv_freq")}
    if config.tie_word_embeddings:
        weights.pop("lm_head.weight", None)  # some write the embedding twice
    check_size(config, weights, path)
    model = LM(config)
    load_weights(model, weights, folder)
    return model.eval()


def llama_weights(folder):
    """Name -> tensor, from one safetensors file or from the several that an index lists."""
    files, index = [current(folder, WEIGHTS)], current(folder, INDEX)
    if not files[0].is_file():
        if not index.is_file():
            raise UserError(f"{folder} holds no {WEIGHTS}; save the model again with safetensors")
        files = [current(folder, name) for name in listed(index)]
    weights = {}
    for file in files:
        weights.update(load_tensors(file))
    for name, weight in weights.items():
        if weight.dtype not in (torch.float32, torch.bfloat16, torch.float16):
            raise UserError(f"{folder} stores {name} as {weight.dtype}; save the model in float32 or bfloat16")
    return weights


def listed(index):
    """The files that an index (tensor name -> file name) speaks of; only names of files beside it."""
    found = read_json(index)
    places = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(places, dict) or not all(isinstance(f, str) and Path(f).name == f for f in places.values()):
        raise UserError(f"{index} is damaged (it does not say which file holds what); copy the folder again")
    return sorted(set(places.values()))
