"""The one training loop: pretraining, full fine-tuning and adapters differ only in which parameters are trainable.

    >>> run = train(model, tokenizer, dataset, Recipe(steps=200), out="runs/mine")       # doctest: +SKIP
    >>> run.history[-1]["bits_per_byte"]                                                 # doctest: +SKIP

One step: take batch number `step`, add up the gradients of its micro-batches (and of all processes), clip them, let the
optimizer move the trainable parameters. Everything random in it (batch, dropout) is a function of the seed and the
step, so a run that resumes from a checkpoint does exactly what it would have done.

What this file does not do: the update rule (optim.py), telling a lost run from a bad moment (divergence.py), files
(checkpoint.py), several processes (parallel.py).
"""

import hashlib
import json
import math
import signal
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from . import parallel
from .casting import Casting
from .checkpoint import latest_checkpoint, newest_whole, save_checkpoint, set_aside
from .data import Windows
from .divergence import WINDOW, blind, losses_now, lost, past_warmup
from .errors import UserError
from .evaluate import bits_per_byte
from .files import write_json
from .heap import keep_freed_memory
from .loss import lm_loss
from .model import set_dropout
from .optim import AdamW, Muon, Together, clip_gradients
from .schedule import SCHEDULES

STATE = ("step", "progress", "seconds", "history", "signature", "first_loss")  # what a checkpoint keeps of a Run


def train(model, tokenizer, dataset, recipe, out=None, signature=None, progress=None):
    """Train the trainable parameters of `model` in place.

    Arguments: dataset: a corpus.Dataset, or anything with `train` and `validation` texts (validation may be empty).
    out: folder for checkpoints; if it holds one of the same run, that run goes on. signature: JSON-able facts that
    make it the same run. progress: called after each step with the Run. Returns: the finished Run. Raises UserError
    when `out` holds another run or the loss diverges; the last good checkpoint then still stands.
    """
    keep_freed_memory()
    ids, version = training_ids(tokenizer, dataset.train, recipe)
    windows = Windows(ids, recipe.context, recipe.batch, recipe.seed, version)
    run = Run(model, tokenizer, windows, dataset.validation, recipe, out)
    facts = {"recipe": recipe.as_dict(), "tokens": len(ids), "text": fingerprint_of(ids, dataset.validation)}
    facts |= signature or {}
    run.signature = json.loads(json.dumps(facts))  # as it will be when read back: tuples become lists
    run.resume()
    if run.out and parallel.first():  # a folder that cannot be written to shows now, not after an hour
        write_json(run.out / "run.json", run.signature)
    with torch.random.fork_rng(devices=[]), stop_requests() as stop:
        while run.progress < 1:
            run.step_once()
            if progress:
                progress(run)
            # Ctrl-C waits for the step under way, so that no half-made update is saved; all processes stop together.
            if parallel.total(len(stop)):
                if run.out:
                    run.save()
                raise KeyboardInterrupt
    model.eval()
    return run


def training_ids(tokenizer, text, recipe):
    """The ids of the text, and None or epoch -> the ids of that epoch's version of it."""

    def encode(text):
        return [tokenizer.eot, *tokenizer.encode(text)]

    if not recipe.recast:
        return encode(text), None
    casting = Casting(text, recipe.seed)
    return encode(text), lambda epoch: encode(casting.version(epoch))


class Run:
    """A training run under way: `step`, `seconds`, `loss` (a running mean, nats per token) and `history`."""

    def __init__(self, model, tokenizer, windows, validation, recipe, out=None):
        self.model, self.tokenizer, self.windows, self.validation = model, tokenizer, windows, validation
        self.recipe, self.out = recipe, Path(out) / "checkpoints" if out else None
        self.optimizer = make_optimizer(model, recipe)
        set_dropout(model, recipe.dropout)
        self.step, self.seconds, self.progress = 0, 0.0, 0.0
        self.history, self.signature = [], {}
        self.first_batch = windows[0]  # kept, since cutting an old epoch again may take a while
        self.first_loss, self.recent, self.last_save = None, deque(maxlen=WINDOW), time.monotonic()

    @property
    def loss(self):
        return sum(self.recent) / max(1, len(self.recent))

    @property
    def tokens(self):
        """Tokens trained on so far."""
        return self.step * self.recipe.batch * self.recipe.context

    def step_once(self):
        """One optimizer step, its bookkeeping, and whatever is due after it."""
        started, before = time.perf_counter(), self.progress
        self.model.train()
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)  # dropout of a step depends on the step alone
        loss = self.accumulate_gradients(*self.windows[self.step])
        if self.recipe.clip:
            clip_gradients(self.optimizer.parameters, self.recipe.clip)
        self.check(loss)
        scale = SCHEDULES[self.recipe.schedule](self.ahead(before), warmup=self.recipe.warmup)
        self.optimizer.step(scale)
        self.optimizer.zero_grad()
        self.step += 1
        self.seconds += time.perf_counter() - started
        self.progress = self.measure_progress()
        self.after_step(before)

    def measure_progress(self):
        """The share of the run that is done, 0 to 1: by steps, or by the clock when the recipe says minutes."""
        if self.recipe.steps:
            return min(1.0, self.step / self.recipe.steps)
        return parallel.agree(min(1.0, self.seconds / (60 * self.recipe.minutes)))

    def ahead(self, progress):
        """The schedule's moment of a step is its middle, so that neither the first nor the last one has rate 0."""
        one = progress / self.step if self.step else 1 / (self.recipe.steps or 1000)
        return min(1.0, progress + one / 2)

    def accumulate_gradients(self, inputs, targets):
        """Gradients of the whole batch's mean loss, micro-batch by micro-batch; returns that loss in nats per token."""
        inputs, targets = parallel.own_share(inputs), parallel.own_share(targets)
        denominator = parallel.total(targets.numel())
        loss = 0.0
        for part, goal in zip(inputs.chunk(self.recipe.accumulate), targets.chunk(self.recipe.accumulate), strict=True):
            device = self.model.device
            part_loss = lm_loss(self.model, part.to(device), goal.to(device), denominator)
            part_loss.backward()
            loss += part_loss.item()
        parallel.sum_gradients(self.optimizer.parameters)
        return parallel.total(loss)

    def check(self, loss):
        """Stop before a bad step spoils the weights: at once for NaN, else when none of the recent steps was good."""
        self.first_loss = self.first_loss or loss
        self.recent.append(loss)
        settled = past_warmup(self.step, self.progress, self.recipe.warmup)
        if not math.isfinite(loss) or (settled and self.lost(min(self.recent))):
            self.give_up(loss)

    def lost(self, loss):
        return lost(loss, self.first_loss, self.model.config.vocab_size)

    def give_up(self, loss, why=""):
        kept = latest_checkpoint(self.out) if self.out else None
        raise UserError(
            f"training diverged at step {self.step} ({why}loss {loss:.2f}, it began at {self.first_loss:.2f}); "
            f"lower the learning rate ({'last good checkpoint: ' + str(kept) if kept else 'nothing was saved'})"
        )

    def after_step(self, before):
        every = max(1, self.recipe.evaluate)
        if math.floor(before * every) < math.floor(self.progress * every):
            self.record()
        due = self.out and time.monotonic() - self.last_save > self.recipe.save_seconds
        if due or self.progress == 1:
            self.save()

    def record(self):
        """Add a line to the history; its time counts as measuring, not as training."""
        line = {"step": self.step, "tokens": self.tokens, "seconds": round(self.seconds, 3), "loss": self.loss}
        if self.validation and self.recipe.evaluate and parallel.first():
            line["bits_per_byte"] = bits_per_byte(self.model, self.tokenizer, self.validation)
            if not math.isfinite(line["bits_per_byte"]):
                self.give_up(line["bits_per_byte"])
        self.history.append(line)

    def save(self):
        """Write a checkpoint, but not of weights that have lost what they knew: the one before is worth more then.

        In the middle of a run they may still recover; at its end, with or without a folder, that is a UserError.
        """
        losses = losses_now(self.model, self.first_batch, self.recipe.accumulate)
        loss, why = losses.mean().item(), "all tokens have the same odds now, " if blind(losses) else ""
        bad = why or self.lost(loss)
        if bad and self.progress == 1:
            self.give_up(loss, why)
        if self.out and parallel.first() and not bad:
            state = {**{name: getattr(self, name) for name in STATE}, "recent": list(self.recent)}
            save_checkpoint(self.out, self.step, self.trained_weights(), self.optimizer.state(), state)
        self.last_save = time.monotonic()

    def resume(self):
        """Go on from the newest whole checkpoint, if there is one of this very run."""
        path, content, damaged = newest_whole(self.out, (*STATE, "recent")) if self.out else (None, None, [])
        if path is None:
            return
        weights, optimizer, state = content
        mine, there = self.trained_weights(), state["signature"] or {}
        if there != self.signature:
            raise UserError(
                f"{self.out.parent} holds another run ({difference(there, self.signature)}); "
                "choose another --out, or delete that folder to start clean"
            )
        if shapes(mine) != shapes(weights):
            raise UserError(f"{path} holds another model; choose another --out, or delete that folder to start clean")
        self.optimizer.load_state(optimizer, state["step"])
        for name, parameter in mine.items():
            parameter.copy_(weights[name])
        self.recent.extend(state.pop("recent"))
        vars(self).update(state)
        if damaged and parallel.first():
            aside = ", ".join(str(set_aside(folder)) for folder in damaged)
            print(f"the newest checkpoint is damaged (now {aside}); going on from {path}", file=sys.stderr)

    def trained_weights(self):
        return {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}


def make_optimizer(model, recipe):
    """AdamW for everything, or Muon for the matrices inside the blocks and AdamW for embeddings, head and norms."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise UserError("nothing in this model is trainable; call add_lora(model) or model.requires_grad_(True)")
    inside = [p for name, p in named if p.ndim == 2 and ".layers." in name]
    outside = [p for name, p in named if not (p.ndim == 2 and ".layers." in name)]
    if recipe.optimizer == "muon":
        muon = Muon(inside, recipe.muon_lr, weight_decay=recipe.weight_decay)
        return Together(muon, AdamW(outside, recipe.lr))
    matrices = [p for _, p in named if p.ndim == 2]
    vectors = [p for _, p in named if p.ndim != 2]  # norm weights start at 1 and must not decay towards 0
    decayed = AdamW(matrices, recipe.lr, weight_decay=recipe.weight_decay)
    return Together(decayed, AdamW(vectors, recipe.lr)) if vectors else decayed


def fingerprint_of(ids, validation):
    """12 hex digits that differ when the tokens to train on or the text to measure on do."""
    digest = hashlib.sha256(np.asarray(ids, dtype=np.int64).tobytes())
    digest.update(validation.encode("utf-8"))
    return digest.hexdigest()[:12]


def shapes(tensors):
    return {name: tensor.shape for name, tensor in tensors.items()}


@contextmanager
def stop_requests():
    """A list that fills when the user asks to stop (Ctrl-C, or a polite kill). A second Ctrl-C stops at once."""
    requests = []

    def note(*_):
        if requests:
            raise KeyboardInterrupt
        requests.append(True)

    kinds = [signal.SIGINT, signal.SIGTERM] if threading.current_thread() is threading.main_thread() else []
    before = {kind: signal.signal(kind, note) for kind in kinds}
    try:
        yield requests
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def difference(there, here, path=""):
    """The first place where two nested dicts differ, for a sentence."""
    for name in {**there, **here}:
        a, b = there.get(name), here.get(name)
        if a != b:
            if isinstance(a, dict) and isinstance(b, dict):
                return difference(a, b, f"{path}{name} ")
            return f"{path}{name} {a} there, {b} here"
    return "the same"
