"""How fast: tokenizer, pretraining, a LoRA step against a full step, generation, import."""

import statistics
import subprocess
import sys

import torch

from .. import corpus
from ..corpus import SPLITS
from ..data import Windows
from ..flops import training_flops
from ..generate import stream
from ..heap import keep_freed_memory
from ..lora import adapters, add_lora
from ..loss import lm_loss
from ..model import LM, PRESETS, count_parameters
from ..plays import play
from ..precision import choose_precision, matmul_speed
from ..pretrained import load_base
from ..recipes import finetune_recipe, pretrain_recipe
from ..tokenizer import Tokenizer
from ..train import make_optimizer
from .rows import alternate, ratio, row, seconds


def bpe():
    """Learning 2,048 tokens from the training plays, twice: once for the time, again for the sameness."""
    text = corpus.load("shakespeare").train
    found = [Tokenizer.train(text)]
    took = seconds(lambda: found.append(Tokenizer.train(text)))
    same = found[0].merges == found[1].merges
    return [
        row("seconds to learn 2,048 tokens", took, "s", at_most=10),
        row("merges that differ between two runs", 0 if same else 1, at_most=0, fingerprint=found[0].fingerprint()),
    ]


def encode():
    """All 38 plays to ids, and back again without loss."""
    text = "".join(play(slug).text for slugs in SPLITS.values() for slug in slugs)
    tokenizer = Tokenizer.train(corpus.load("shakespeare").train)
    ids = tokenizer.encode(text)
    took = min(seconds(lambda: tokenizer.encode(text)) for _ in range(3))
    return [
        row(f"seconds to encode {len(text.encode()) / 1e6:.2f} MB", took, "s", at_most=1.5),
        row("bytes per token", len(text.encode()) / len(ids)),
        row("texts that came back changed", int(tokenizer.decode(ids) != text), at_most=0),
    ]


def throughput():
    """Whole training steps (data, forward, backward, optimizer) of the base preset, over the matmul peak.

    Machines change speed from one second to the next, so the peak is measured anew before every step: the best of
    several products of 1,024 x 1,024 matrices, each of which keeps all cores busy for some milliseconds.
    """
    chosen = choose_precision()
    recipe = pretrain_recipe(minutes=3)
    model = LM(PRESETS["base"]).to(chosen.dtype)
    peaks = []
    turns = {
        "peak": lambda: peaks.append(matmul_speed(chosen.dtype, seconds=0.03, size=(1024, 1024, 1024))),
        "step": training_step(model, recipe),
    }
    times = alternate(turns, rounds=40)["step"]
    tokens = recipe.batch * recipe.context
    speeds = [6 * count_parameters(model) * tokens / took for took in times]
    share = statistics.median(speed / peak for speed, peak in zip(speeds, peaks[-len(speeds) :], strict=True))
    return [
        row(
            "6 N tokens/s over the matmul peak",
            share,
            at_least=0.40,
            peak_gflops=statistics.median(peaks) / 1e9,
            of_highest_peak=statistics.median(speeds) / max(peaks),
        ),
        row("the same, fastest step over highest peak", max(speeds) / max(peaks)),
        row(f"tokens/s, {chosen.name}", tokens / statistics.median(times), "tokens/s"),
    ]


def training_step(model, recipe):
    """A callable that does one full training step on random tokens."""
    keep_freed_memory()  # as training does
    ids = torch.randint(0, model.config.vocab_size, (200_000,))
    windows = Windows(ids, recipe.context, recipe.batch)
    optimizer, state = make_optimizer(model, recipe), {"step": 0}

    def step():
        inputs, targets = windows[state["step"]]
        state["step"] += 1
        lm_loss(model, inputs, targets).backward()
        optimizer.step(1e-6)  # the same work as any step, without wandering off
        optimizer.zero_grad()

    return step


def lora_step():
    """A step of LoRA (r = 8, all seven) over a step of full fine-tuning, same model, batch and precision."""
    chosen = choose_precision()
    steps = {}
    for name in ("full", "lora", "plain"):
        model = LM(PRESETS["base"]).to(chosen.dtype)
        if name != "full":
            add_lora(model, rank=8)
        for layer in adapters(model).values():
            layer.fast = name == "lora"
        steps[name] = training_step(model, finetune_recipe("full" if name == "full" else "lora", "large"))
    times = alternate(steps, rounds=40)
    flops = {method: training_flops(PRESETS["base"], 256, method, rank=8).total for method in ("full", "lora")}
    fast, fast_best = ratio(times, "lora", "full")
    slow, slow_best = ratio(times, "plain", "full")
    return [
        row(
            "LoRA step / full step, fast form",
            fast,
            at_most=0.85,
            of_fastest=fast_best,
            flops=flops["lora"] / flops["full"],
        ),
        row("LoRA step / full step, plain form", slow, of_fastest=slow_best),
        row("full step", statistics.median(times["full"]) * 1000, "ms"),
    ]


def generation():
    """256 greedy tokens from the shipped base, with the cache and without."""
    model, tokenizer = load_base()
    prompt = tokenizer.encode("ROMEO:\n")[:1] or [tokenizer.eot]
    length = model.config.max_position_embeddings - len(prompt)  # as many as fit into the context
    ways = {
        name: lambda use=use: list(stream(model, prompt, length, temperature=0, use_cache=use))
        for name, use in (("cache", True), ("none", False))
    }
    same = ways["cache"]() == ways["none"]()
    times = alternate(ways, rounds=5, warmup=1)
    gain, _ = ratio(times, "none", "cache")
    return [
        row(f"times faster with the cache, {length} tokens", gain, "x", at_least=3),
        row("tokens/s with the cache", length / min(times["cache"]), "tokens/s"),
        row("texts that differ", int(not same), at_most=0),
    ]


def import_time():
    """What the course's library adds to `import torch`, each time in a fresh process: the name alone, and all of it."""
    bare, whole = "import minilm", "import minilm; [getattr(minilm, name) for name in minilm.__all__]"
    return [
        row("seconds of `import minilm` beyond torch", import_seconds(bare), "s", at_most=0.3),
        row("seconds of every public name beyond torch", import_seconds(whole), "s", at_most=0.3),
    ]


def import_seconds(statement):
    """Median of five fresh processes."""
    code = f"import time, torch; s = time.perf_counter(); {statement}; print(time.perf_counter() - s)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return sorted(float(run.stdout) for run in runs)[2]
