"""What the commands do, for a person at a terminal: choose precision, load, run with a progress bar, save, say where.

Notebooks and the demo call the same functions of the library; nothing is computed here.
"""

import math
import os
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import torch
from rich.console import Console
from tqdm import tqdm

from . import parallel
from .adapter import load_adapter, save_adapter
from .checkpoint import latest_checkpoint
from .corpus import load
from .errors import UserError
from .evaluate import bits_per_byte
from .files import read_json, write_json
from .folder import fingerprint, load_model, model_inside, save_model
from .generate import as_text, check_sampling, stream
from .lora import ALL_SEVEN, adapters, add_lora
from .merge import fold
from .model import LM, PRESETS, count_parameters
from .precision import DTYPES, Precision, choose_device, choose_precision
from .pretrained import BASE
from .recipes import finetune_recipe, kind_of_shift, pretrain_recipe
from .tokenizer import Tokenizer
from .train import train
from .wheel import SHA256

console = Console(highlight=False, emoji=False)  # a model may well write ":dog:" and mean it


def say(text=""):
    """Print for people; only the first of several processes speaks."""
    if parallel.first():
        console.print(text, markup=False, soft_wrap=True)


@contextmanager
def bar(title):
    """A progress callback for train(): one bar from 0 to 100 %, with loss and speed; silent in a file."""
    look = "{desc} {bar:8} {n:3.0f} %{postfix}"  # all of it fits into 80 columns
    title = title if len(title) <= 20 else f"{title[:17]}..."
    lines = []

    def show(run):
        if not lines:  # only now: what is said before the first step has lines of its own
            off = None if parallel.first() else True
            lines.append(tqdm(total=100, desc=title, bar_format=look, miniters=0, disable=off))
        speed, left = run.tokens / run.seconds, run.seconds / run.progress - run.seconds
        clock = f"{left:.0f} s left" if run.progress < 1 else f"{run.seconds:.0f} s"
        lines[0].set_postfix_str(f"loss {run.loss:.2f}  {speed:,.0f} tokens/s  {clock}", refresh=False)
        lines[0].update(100 * run.progress - lines[0].n)

    try:
        yield show
    finally:
        for line in lines:
            line.close()  # so that a sentence about an error gets a line of its own


def pretrain(out, preset, dataset, recipe, vocab, device, precision):
    """A tokenizer and a model trained from nothing on `dataset`, saved below `out`; returns (model, tokenizer, run)."""
    out = Path(out)
    tokenizer = learn_tokenizer(out, dataset, vocab)
    config = replace(PRESETS[preset], vocab_size=tokenizer.n_vocab, max_position_embeddings=recipe.context)
    torch.manual_seed(recipe.seed)
    model = LM(config).to(device=device, dtype=precision.dtype)
    say(f"pretraining {count_parameters(model):,} parameters (preset {preset}) on {dataset.name}")
    say(f"{dataset.note}\n{plan(recipe, device)}")
    signature = {"data": dataset.name, "preset": preset, "vocab": vocab, "precision": precision.name}
    signature["tokenizer"] = tokenizer.fingerprint()
    with bar("pretraining") as progress:
        run = train(model, tokenizer, dataset, recipe, out, signature, progress)
    return model, tokenizer, run


def plan(recipe, device):
    """How long a run will take, and what a step of it is, in one line."""
    length = f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.minutes:g} min, in steps"
    rate = f"learning rate {recipe.lr:g}" + (f" (matrices {recipe.muon_lr:g})" if recipe.optimizer == "muon" else "")
    return f"{length} of {recipe.batch} x {recipe.context} tokens, {rate}, on {device}"


def alone(command):
    """UserError under torchrun, for what is not made for several processes: they would write over each other."""
    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UserError(f"minilm {command} works in one process; start it without torchrun (only pretrain can share)")


def check_preset(preset):
    if preset not in PRESETS:
        raise UserError(f"preset {preset!r} is not known; choose one of {', '.join(PRESETS)}")


def learn_tokenizer(out, dataset, vocab):
    """The tokenizer of the run in `out`, if one got as far as a checkpoint; else a new one, saved there."""
    path = out / "tokenizer.json"
    begun = latest_checkpoint(out / "checkpoints")  # without one, the file may be left from other data
    if begun and path.is_file():
        return Tokenizer.load(path)
    started = time.perf_counter()
    tokenizer = Tokenizer.train(dataset.train, vocab)
    if parallel.first() and not begun:  # what has begun may be another run, to which nothing must be added
        tokenizer.save(path)
    say(f"tokenizer: {tokenizer.n_vocab} tokens learned in {time.perf_counter() - started:.1f} s")
    return tokenizer


def settle_precision(device, wanted, out):
    """The precision to compute in: as asked; else what a run in `out` began with; else what a measurement says.

    A second measurement on a busy machine may say something else, and a run must not change its numbers half-way.
    """
    begun = Path(out) / "checkpoints" / "run.json"
    before = read_json(begun) if wanted == "auto" and begun.is_file() else {}
    if isinstance(before, dict) and before.get("precision") in DTYPES:
        chosen = Precision(DTYPES[before["precision"]], "as this run began")
    else:
        chosen = choose_precision(device.type, wanted)
    if parallel.agree(float(chosen.name == "bfloat16")) != (chosen.name == "bfloat16"):
        chosen = choose_precision(device.type, "float32" if chosen.name == "bfloat16" else "bfloat16")
    say(f"precision: {chosen.name} ({chosen.why})")
    return chosen


def run_pretrain(out, preset, data, steps, minutes, batch, context, vocab, lr, muon_lr, seed, device, precision):
    check_preset(preset)
    recipe = pretrain_recipe(steps=steps, minutes=minutes, batch=batch, context=context, seed=seed)
    rates = {"lr": lr, "muon_lr": muon_lr}
    recipe = replace(recipe, **{name: rate for name, rate in rates.items() if rate is not None})
    device = choose_device(device)
    parallel.start(device)
    dataset = load(data)
    chosen = settle_precision(device, precision, out)
    model, tokenizer, run = pretrain(out, preset, dataset, recipe, vocab, device, chosen)
    if parallel.first():
        about = describe(model, tokenizer, run, dataset, preset)
        save_model(Path(out) / "model", model, tokenizer, about)
        say(f"{about['bits_per_byte']:.4f} bits/byte on {len(dataset.validation.encode()):,} bytes of validation text")
        say(f"saved {Path(out) / 'model'}; hear it: minilm generate --model {Path(out) / 'model'}")
    parallel.stop()


def describe(model, tokenizer, run, dataset, preset):
    """about.json: how a base was made and what it reaches, measured on the weights as they are saved (16 bits)."""
    return {
        "preset": preset,
        "parameters": count_parameters(model),
        "data": dataset.name,
        "data_note": dataset.note,
        "corpus_sha256": SHA256 if dataset.name == "shakespeare" else None,
        "recipe": run.recipe.as_dict(),
        "steps": run.step,
        "tokens": run.tokens,
        "seconds": round(run.seconds, 1),
        "torch": torch.__version__,
        "fingerprint": fingerprint(model.to(torch.bfloat16)),
        "bits_per_byte": bits_per_byte(model.float(), tokenizer, dataset.validation),
        "history": run.history,
    }


def run_finetune(data, out, model, method, rank, alpha, targets, lr, steps, batch, context, seed, device, precision):
    alone("finetune")
    if method not in ("lora", "full"):
        raise UserError(f"method {method!r} is not known; choose lora or full")
    recipe = finetune_recipe(method, kind_of_shift(data), steps, batch, seed, lr, context)
    device = choose_device(device)
    dataset = load(data)
    chosen = settle_precision(device, precision, out)
    lm, tokenizer = load_model(model or BASE, chosen.dtype, device)
    if context is None:
        recipe = replace(recipe, context=lm.config.max_position_embeddings)
    base = fingerprint(lm)
    if method == "lora":  # at first a no-op, so that `before` is still what the base reaches
        add_lora(lm, rank, alpha, [name.strip() for name in targets.split(",")] if targets else ALL_SEVEN, seed=seed)
    say(f"{method} on {data} ({dataset.note})\n{trained_share(lm)}\n{plan(recipe, device)}")
    before = bits_per_byte(lm, tokenizer, dataset.validation)
    signature = {
        "precision": chosen.name,
        "data": data,
        "method": method,
        "rank": rank,
        "alpha": alpha,
        "targets": targets,
        "base": base,
    }
    with bar(f"{method} on {data}") as progress:
        train(lm, tokenizer, dataset, recipe, out, signature, progress)
    after = checked_quality(lm, tokenizer, dataset)
    say(f"bits/byte on the validation part of {data}: {before:.4f} -> {after:.4f}")
    if after > before:
        say("that is worse than before: fewer --steps or a lower --lr may help")
    if method == "lora":
        save_adapter(Path(out) / "adapter", lm, base=str(model or ""))
        use = f"--adapter {Path(out) / 'adapter'}" + (f" --model {model}" if model else "")
    else:
        save_model(Path(out) / "model", lm, tokenizer)
        use = f"--model {Path(out) / 'model'}"
    write_json(Path(out) / "result.json", {"data": data, "before": before, "after": after, "recipe": recipe.as_dict()})
    say(f"saved {Path(out) / ('adapter' if method == 'lora' else 'model')}; hear it: minilm generate {use}")


def trained_share(model):
    """How much of a model is trained, for people: "139,264 of 3,287,296 parameters are trained (4.2 %)"."""
    trained, whole = count_parameters(model, True), count_parameters(model)
    ranks = sorted({layer.rank for layer in adapters(model).values()})
    where = f", rank {ranks[0]} beside {len(adapters(model))} layers" if ranks else ""
    return f"{trained:,} of {whole:,} parameters are trained ({trained / whole:.1%}){where}"


def checked_quality(model, tokenizer, dataset):
    """Bits per byte on the validation text; a number that is none is a UserError, for it is no result."""
    quality = bits_per_byte(model, tokenizer, dataset.validation)
    if not math.isfinite(quality):
        raise UserError(f"the model has {quality} bits/byte on {dataset.name}; train it with a lower learning rate")
    return quality


def open_model(model, adapter=""):
    """(model, tokenizer) of a model folder (default: the shipped base), with an adapter on it if one is named."""
    lm, tokenizer = load_model(model or BASE)
    if adapter:
        load_adapter(adapter, lm)
    return lm.eval(), tokenizer


def run_merge(adapter, out, model):
    alone("merge")
    if model_inside(out):  # it might be the very base, and would be gone or hidden by this one
        raise UserError(f"{out} holds a model already; choose another --out, or delete that folder")
    lm, tokenizer = open_model(model, adapter)
    fold(lm)
    save_model(out, lm, tokenizer, {"merged_from": str(adapter), "base": str(model or "the shipped base")})
    say(f"saved {out}; hear it: minilm generate --model {out}")


def run_generate(prompt, model, adapter, tokens, temperature, top_k, top_p, seed):
    check_sampling(temperature, top_k, top_p)
    if tokens < 1:
        raise UserError(f"{tokens} tokens are no text; choose 1 or more")
    if not 0 <= seed < 2**32:
        raise UserError(f"seed {seed} is out of range; choose a whole number from 0 to {2**32 - 1}")
    lm, tokenizer = open_model(model, adapter)
    ids = [tokenizer.eot, *tokenizer.encode(prompt)]
    new = stream(lm, ids, tokens, temperature, top_k, top_p, seed, stop=tokenizer.eot)
    try:
        for piece in chain([prompt], as_text(tokenizer, new)):
            print(piece, end="", flush=True)  # each as soon as it is made
    finally:
        print(flush=True)  # after Ctrl-C, too: what is said then has a line of its own


def run_eval(data, model, adapter):
    dataset = load(data)
    quality = checked_quality(*open_model(model, adapter), dataset)
    say(f"{quality:.4f} bits/byte on the validation part of {data} ({dataset.note})")
