"""Against Hugging Face's libraries, in one run: the same weights, batch, threads and precision on both sides.

    minilm bench peers --json peers.json         needs the extra: pip install -c constraints.txt -e '.[interop]'

A step of LoRA against PEFT on transformers' Llama, greedy writing against `generate`, learning a BPE and encoding with
it against the Rust `tokenizers`. Where transformers has two ways (`sdpa` and `eager` attention), the faster one counts.
Rows without a bound tell what is lost: a faster BPE trainer, many texts written at once, all cores for encoding.
"""

import tempfile
import warnings
from pathlib import Path

import torch

from ..adapter import save_adapter
from ..generate import stream
from ..heap import keep_freed_memory
from ..hub import save_llama
from ..lora import add_lora
from ..loss import lm_loss
from ..memory import storages
from ..optim import AdamW
from ..precision import choose_precision
from ..pretrained import load_base
from .peer_libraries import libraries
from .peer_tokens import encoding, learning
from .rows import alternate, ratio, row, seconds

BATCH, CONTEXT, NEW, AT_ONCE = 8, 256, 200, 8
WAYS = ("sdpa", "eager")
OPTIONS = {"lr": 1e-6, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.0}  # the same work as at any other rate


def compare():
    """All four comparisons, as rows."""
    libraries()
    keep_freed_memory()  # as training does; from here on it serves both sides
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # theirs to each other
        precisions = dict.fromkeys((torch.float32, choose_precision().dtype))
        steps = [found for dtype in precisions for found in lora_step(Path(folder), dtype)]
        return [*steps, *writing(Path(folder)), *learning(), *encoding()]


def read(folder, way, dtype=torch.float32):
    """The model in `folder` as transformers' Llama."""
    llama = libraries()[0].AutoModelForCausalLM
    return llama.from_pretrained(folder, dtype=dtype, attn_implementation=way)


def fastest(times):
    """Of transformers' ways, the one that was the fastest here."""
    return min(WAYS, key=lambda way: min(times[way]))


# ---------------------------------------------------------------- a step of LoRA


def lora_step(folder, dtype, rank=8, alpha=16.0):
    """Time and peak memory of a training step (forward, backward, AdamW), r = 8 on all seven layers."""
    ours, tokenizer = load_base()
    save_llama(folder / "base", ours, tokenizer)
    save_adapter(folder / "adapter", add_lora(ours, rank, alpha), base=str(folder / "base"))
    ids = torch.randint(ours.config.vocab_size, (BATCH, CONTEXT + 1), generator=torch.Generator().manual_seed(0))
    inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    steps = {"ours": our_step(with_lora(load_base(dtype)[0], rank, alpha), inputs, targets)}
    for way in WAYS:
        steps[way] = their_step(folder, way, dtype, inputs, targets)
    losses = [step() for step in steps.values()]
    times = alternate(steps)
    best = fastest(times)
    share, share_fastest = ratio(times, "ours", best)
    bytes_of = {name: peak_bytes(step) for name, step in steps.items()}
    least = min(bytes_of[way] for way in WAYS)
    name = str(dtype).removeprefix("torch.")
    return [
        row(f"LoRA step / PEFT's, {name}", share, at_most=0.8, of_fastest=share_fastest, attention=best),
        row(f"peak memory of the step / PEFT's, {name}", bytes_of["ours"] / least, at_most=1, bytes=bytes_of),
        row(f"losses differ by, {name}", max(losses) - min(losses), at_most=1e-4 if dtype == torch.float32 else 2e-2),
    ]


def with_lora(model, rank, alpha):
    return add_lora(model, rank, alpha).train()  # the seed is fixed: the A that the adapter folder holds


def our_step(model, inputs, targets):
    """A callable that does one step and returns the loss; so does their_step."""
    optimizer = AdamW(model.parameters(), **OPTIONS)

    def step():
        loss = lm_loss(model, inputs, targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    step.holds = lambda: [*model.parameters(), *optimizer.state().values()]
    return step


def their_step(folder, way, dtype, inputs, targets):
    _, peft, _ = libraries()
    model = peft.PeftModel.from_pretrained(read(folder / "base", way, dtype), folder / "adapter", is_trainable=True)
    optimizer = torch.optim.AdamW([p for p in model.train().parameters() if p.requires_grad], **OPTIONS)

    def step():  # `shift_labels`: the targets are the next tokens already
        loss = model(input_ids=inputs, labels=targets, shift_labels=targets).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    states = optimizer.state
    step.holds = lambda: [*model.parameters(), *(t for state in states.values() for t in state.values())]
    return step


def peak_bytes(step):
    """The most bytes of tensors that are alive at one moment of `step`: what it holds anyway, and what comes and goes.

    Counted from torch's own record of every allocation, and not from the process, in which both libraries live.
    """
    activities = [torch.profiler.ProfilerActivity.CPU]
    step()
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        step()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        most = max(most, alive)
    return most + sum(storages(step.holds()).values())


# ---------------------------------------------------------------- writing


def writing(folder):
    """Greedy text from the shipped base with the cache, one text; and theirs for several at once, which ours cannot."""
    ours, tokenizer = load_base()
    save_llama(folder / "base", ours, tokenizer)
    start = [tokenizer.eot, *tokenizer.encode("ROMEO:\n")]
    ways = {"ours": lambda: list(stream(ours, start, NEW, temperature=0))}
    for way in WAYS:
        ways[way] = generated(read(folder / "base", way), start)
    texts = {name: write() for name, write in ways.items()}
    differing = sum(texts[way] != texts["ours"] for way in WAYS)
    times = alternate(ways, rounds=5, warmup=1)
    best = fastest(times)
    gain, gain_fastest = ratio(times, best, "ours")
    many = generated(read(folder / "base", best), start, AT_ONCE)
    at_once = AT_ONCE * min(times["ours"]) / min(seconds(many) for _ in range(3))
    return [
        row("tokens/s / those of `generate`, one text", gain, "x", at_least=2, of_fastest=gain_fastest, attention=best),
        row("texts that differ from those of `generate`", differing, at_most=0),
        row("tokens/s with the cache", NEW / min(times["ours"]), "tokens/s"),
        row(f"lost: tokens/s of `generate` with {AT_ONCE} texts at once / ours with one", at_once, "x"),
    ]


def generated(model, start, texts=1):
    """A callable that writes NEW tokens after `start`, greedily, and returns those of the first text."""
    model.generation_config.eos_token_id = None  # else a text may end early
    ids = torch.tensor([start] * texts)
    options = {"attention_mask": torch.ones_like(ids), "max_new_tokens": NEW, "do_sample": False}
    return lambda: model.generate(ids, **options)[0, len(start) :].tolist()
