"""The main job, start to finish: pretrain a base, fine-tune it in two ways on two texts, compare, merge, unmerge.

Each stage leaves its results on disk, so the same command goes on where it was stopped. Other settings in the same
folder start clean: results of two different runs never stand side by side.
"""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import torch

from . import jobs, memory
from .adapter import adapter_weights, load_adapter, save_adapter
from .corpus import load
from .errors import UserError
from .evaluate import bits_per_byte
from .files import read_json, write_json
from .folder import fingerprint, load_model, save_model
from .generate import generate
from .jobs import bar, say
from .lora import add_lora
from .loss import lm_loss
from .merge import merge, unmerge
from .model import PRESETS, count_parameters
from .precision import choose_device
from .recipes import finetune_recipe, pretrain_recipe
from .report import write_report
from .train import train

STEPS = {"small": 60, "large": 100}  # of fine-tuning, per kind of shift
METHODS = ("full", "lora")
PROMPTS = {"play:hamlet": "HAMLET:\n", "pydocs": "The for statement"}  # for other texts: their own first line


def run_demo(
    minutes=3.0, data="play:hamlet", seed=0, rank=8, out="runs/demo", preset="base", device="cpu", precision="auto"
):
    """Run what is not yet done of the demo, write `out`/report.md and its figures, and print the table."""
    # Every mistake shows now: not after minutes of pretraining, and before a finished run in `out` makes way.
    jobs.alone("demo")
    jobs.check_preset(preset)
    largest = PRESETS[preset].hidden_size
    if not 1 <= rank <= largest:
        raise UserError(f"rank {rank} does not fit the layers of preset {preset}; choose 1 to {largest}")
    recipe = pretrain_recipe(minutes=minutes, seed=seed)
    device = choose_device(device)
    shakespeare, targets = load("shakespeare"), {"small": load(data), "large": load("pydocs")}
    chosen = jobs.settle_precision(device, precision, Path(out) / "pretraining")
    settings = {
        "minutes": minutes,
        "data": data,
        "seed": seed,
        "rank": rank,
        "preset": preset,
        "precision": chosen.name,
    }
    settings["texts"] = fingerprint_of([shakespeare, *targets.values()])  # a file that was edited is another text
    stages = Stages(Path(out), settings)
    announce(settings, stages)
    context = Context(stages, shakespeare, targets, rank, seed, device, chosen)
    context.pretrain(recipe, preset)
    for kind in targets:
        for method in METHODS:
            context.finetune(kind, method)
    context.merging()
    context.samples()
    jobs.console.print(write_report(stages.folder, settings, stages.results))
    folder = stages.folder
    say(f"report and figures: {folder / 'report.md'}\nadapters: {folder / 'small-lora'} and {folder / 'large-lora'}")
    say(f"hear one: minilm generate --model {folder / 'base'} --adapter {folder / 'small-lora'}")


def announce(settings, stages):
    """Say what will be trained, on what, and for how long."""
    minutes = settings["minutes"]
    say(
        f"The demo: pretrain a model (preset {settings['preset']}) on Shakespeare for {minutes:g} min;\n"
        f"fine-tune it, fully and with LoRA of rank {settings['rank']}, on {settings['data']} and on pydocs;\n"
        "merge, unmerge, compare."
    )
    if stages.results:
        say(f"Done before, and kept: {', '.join(stages.results)}.")
    else:
        say(f"About {minutes + 3:g} minutes on two processors. Ctrl-C stops it, the same command goes on.")


def show(title, text):
    """A sample under its title, set off from what the program says."""
    say(f"\n--- {title} ---\n{text.strip()}\n---")


class Stages:
    """Results by stage name, kept in `folder`/results.json as each one ends."""

    def __init__(self, folder, settings):
        self.folder, self.file = folder, folder / "results.json"
        saved = read_json(self.file) if self.file.is_file() else {"settings": settings, "stages": {}}
        if not isinstance(saved, dict) or saved.get("settings") != settings:
            say(f"{folder} holds a run with other settings: starting clean")
            self.clean()
            saved = {"stages": {}}
        self.settings, self.results = settings, saved["stages"]
        self.save()

    def clean(self):
        """Remove what the demo itself writes, and nothing else that may lie in the folder."""
        write_json(self.file, {"settings": None, "stages": {}})  # if this is interrupted, the next run cleans again
        for name in ("base", "pretraining", "figures", "small-full", "small-lora", "large-full", "large-lora"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "report.md").unlink(missing_ok=True)

    def once(self, name, make):
        """The result of stage `name`: from disk, or made now and saved."""
        if name not in self.results:
            self.results[name] = make()
            self.save()
        return self.results[name]

    def save(self):
        write_json(self.file, {"settings": self.settings, "stages": self.results})


class Context:
    """What all stages share, and the stages themselves, in order."""

    def __init__(self, stages, shakespeare, targets, rank, seed, device, precision):
        self.stages, self.folder, self.shakespeare, self.targets = stages, stages.folder, shakespeare, targets
        self.rank, self.seed, self.device, self.precision = rank, seed, device, precision

    def base(self, dtype=None):
        """A fresh copy of the base this demo pretrained."""
        return load_model(self.folder / "base", dtype or self.precision.dtype, self.device)

    def pretrain(self, recipe, preset):
        """A tokenizer and a base from nothing, and what it writes."""

        def make():
            out = self.folder / "pretraining"
            model, tokenizer, run = jobs.pretrain(
                out, preset, self.shakespeare, recipe, 2048, self.device, self.precision
            )
            about = jobs.describe(model, tokenizer, run, self.shakespeare, preset)
            save_model(self.folder / "base", model, tokenizer, about)
            return about

        about = self.stages.once("pretrain", make)
        say(f"base: {about['parameters']:,} parameters, {about['bits_per_byte']:.3f} bits/byte on unseen plays")

        def speak():
            model, tokenizer = self.base(torch.float32)
            before = {k: bits_per_byte(model, tokenizer, d.validation) for k, d in self.targets.items()}
            text = generate(model, tokenizer, "ROMEO:\n", tokens=80, seed=self.seed)
            return {"text": text, "bits_per_byte": before, "fingerprint": fingerprint(model)}

        show("the base writes, when it is given ROMEO:", self.stages.once("speak", speak)["text"])

    def finetune(self, kind, method):
        """One method on one text, from the same base, with the same batches in the same order."""
        data = self.targets[kind]

        def make():
            model, tokenizer = self.base()
            if method == "lora":
                add_lora(model, self.rank, alpha=16.0, seed=self.seed)
            recipe = finetune_recipe(method, kind, steps=STEPS[kind], seed=self.seed)
            recipe = replace(recipe, context=fitting(data, tokenizer, recipe))
            out = self.folder / f"{kind}-{method}"
            signature = {"data": data.name, "base": fingerprint(model)}
            say(f"\n{method} on {data.name}\n{jobs.trained_share(model)}\n{jobs.plan(recipe, self.device)}")
            with bar(f"{method} on {data.name}") as progress:
                run = train(model, tokenizer, data, recipe, out, signature, progress)
            result = {
                "data": data.name,
                "lr": recipe.lr,
                "steps": run.step,
                "seconds": run.seconds,
                "trained": count_parameters(model, trainable_only=True),
                "bits_per_byte": bits_per_byte(model, tokenizer, data.validation),
                "shakespeare": bits_per_byte(model, tokenizer, self.shakespeare.validation),
                "history": run.history,
                "memory": memory_of(model, run, recipe, method, self.rank),
            }
            if method == "lora":
                save_adapter(out / "adapter", model, base=str(self.folder / "base"))
                result["file_bytes"] = folder_bytes(out / "adapter")
            else:
                save_model(out / "model", model, tokenizer)
                result["file_bytes"] = folder_bytes(out / "model")
            shutil.rmtree(out / "checkpoints", ignore_errors=True)  # finished: the saved model is what is kept
            return result

        self.stages.once(f"{kind}-{method}", make)

    def merging(self):
        """Merged and unmerged must agree, the base must come back to the bit, and all must differ from the base."""

        def make():
            model, tokenizer = self.base(torch.float32)
            ids = torch.tensor([tokenizer.encode(self.targets["small"].validation)[:256]], device=self.device)
            with torch.no_grad():
                plain = model(ids)
                load_adapter(self.folder / "small-lora" / "adapter", model)
                print_before, adapted = fingerprint(model), model(ids)
                merge(model)
                merged = model(ids)
                print_merged = fingerprint(model)
                unmerge(model)
            return {
                "largest_logit": adapted.abs().max().item(),
                "merged_minus_unmerged": (merged - adapted).abs().max().item(),
                "adapted_minus_base": (adapted - plain).abs().max().item(),
                "base_fingerprint": print_before,
                "merged_fingerprint": print_merged,
                "unmerged_fingerprint": fingerprint(model),
                "adapter_numbers": sum(t.numel() for t in adapter_weights(model).values()),
            }

        found = self.stages.once("merge", make)
        same = found["base_fingerprint"] == found["unmerged_fingerprint"]
        say(
            f"\nmerged: logits within {found['merged_minus_unmerged']:.0e} of the adapter's, "
            f"which moves them by up to {found['adapted_minus_base']:.1f}\n"
            f"unmerged: the base is {'back bit for bit' if same else 'CHANGED'}"
        )

    def samples(self):
        """The same prompt and seed before and after each LoRA fine-tuning."""

        def make():
            texts = {}
            for kind, data in self.targets.items():
                prompt = PROMPTS.get(data.name) or first_line(data.validation)
                model, tokenizer = self.base(torch.float32)
                before = generate(model, tokenizer, prompt, tokens=80, seed=self.seed)
                load_adapter(self.folder / f"{kind}-lora" / "adapter", model)
                texts[kind] = {"before": before, "after": generate(model, tokenizer, prompt, tokens=80, seed=self.seed)}
            return texts

        for kind, texts in self.stages.once("samples", make).items():
            show(f"the base on {self.targets[kind].name}, before LoRA", texts["before"])
            show(f"after LoRA on {self.targets[kind].name}", texts["after"])


def fingerprint_of(datasets):
    """12 hex digits of the sha256 over all their texts."""
    texts = "\0".join(part for data in datasets for part in (data.train, data.validation))
    return hashlib.sha256(texts.encode("utf-8")).hexdigest()[:12]


def first_line(text):
    """The first line of `text` with something in it, for a prompt: at most 60 characters of it."""
    return text.strip().partition("\n")[0][:60]


def fitting(data, tokenizer, recipe):
    """The recipe's context, or a smaller one for a text too short to be cut into windows of it."""
    tokens = len(tokenizer.encode(data.train))
    return max(8, min(recipe.context, tokens // 4))


def memory_of(model, run, recipe, method, rank):
    """Bytes of one training step at the recipe's batch, predicted from the shape and measured from live buffers."""
    inputs, targets = (part.to(model.device) for part in run.windows[0])
    measured = memory.measure(model, run.optimizer, lambda: lm_loss(model, inputs, targets))
    predicted = memory.predict(
        model.config, method, recipe.batch, recipe.context, rank, dtype=model.model.embed_tokens.weight.dtype
    )
    return {"predicted": predicted.parts(), "measured": measured.parts()}


def folder_bytes(folder):
    return sum(file.stat().st_size for file in Path(folder).iterdir())
