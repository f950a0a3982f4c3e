"""Against nanoGPT (github.com/karpathy/nanoGPT): its own train.py, unchanged, on our plays.

Two questions. How much sooner does the course reach the bits/byte at which nanoGPT's CPU run of its README ends
(characters, same plays)? And with the same time and the same BPE tokens, whose model is better?

nanoGPT is not part of the course: name a checkout of it with --nanogpt. It is run in processes of its own, in a
temporary folder; only its iterations are counted as its time, not its start, its evaluations or its saving.
"""

import io
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import torch

from ..corpus import load
from ..errors import UserError
from ..evaluate import bits_per_byte
from ..tokenizer import Tokenizer
from .quality import pretrained_for
from .rows import row

# The README's command for a CPU, in options: https://github.com/karpathy/nanoGPT, "I only have a macbook".
README = dict(
    block_size=64, batch_size=12, n_layer=4, n_head=4, n_embd=128, max_iters=2000, lr_decay_iters=2000, dropout=0.0
)
# Ours in the first comparison: a model of that size (0.9M parameters against 0.8M), and short texts for a short run.
# Neither comparison renames anybody (casting.py): both sides are to read the same text.
SHORT = dict(preset="micro", batch=8, context=128, recast=False)
EQUAL_SECONDS = 60
SIZES = {  # nanoGPT as its README runs it on a CPU, and at our base's width, depth and context
    "README size": dict(block_size=64, batch_size=12, n_layer=4, n_head=4, n_embd=128, dropout=0.0),
    "our size": dict(block_size=256, batch_size=8, n_layer=4, n_head=4, n_embd=256, dropout=0.0),
}


def compare(folder):
    """Both comparisons, as rows."""
    if not folder or not (Path(folder) / "train.py").is_file():
        raise UserError(
            f"--nanogpt {folder or '(not given)'} is no checkout of nanoGPT (no train.py); clone it and name its folder"
        )
    data = load("shakespeare")
    tokenizer = Tokenizer.train(data.train)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "nanoGPT"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".git"))
        return [*sooner(copy, data, tokenizer), *better(copy, data, tokenizer)]


def sooner(copy, data, tokenizer):
    """The smallest share of nanoGPT's time in which ours is as good, tried from small to large."""
    seconds, theirs = run(copy, data, Characters(data.train), README)
    for share in (40, 30, 25, 20, 15, 10):
        ours = pretrained_for(seconds / share / 60, tokenizer, data, **SHORT)
        if ours <= theirs:
            break
    return [
        row("nanoGPT's README run on a CPU, seconds", seconds, "s", bits_per_byte=theirs),
        row("bits/byte where it ends", theirs, "bits/byte"),
        row(
            "our time to be as good / its time",
            1 / share if ours <= theirs else float("nan"),
            at_most=1 / 20,
            ours=ours,
        ),
    ]


def better(copy, data, tokenizer):
    """The same tokens and the same seconds for both."""
    rows = []
    ours = pretrained_for(EQUAL_SECONDS / 60, tokenizer, data, recast=False)
    for name, size in SIZES.items():
        trial, _ = run(copy, data, tokenizer, {**size, "max_iters": 30, "lr_decay_iters": 30})
        iterations = max(50, round(30 * EQUAL_SECONDS / trial))
        seconds, theirs = run(copy, data, tokenizer, {**size, "max_iters": iterations, "lr_decay_iters": iterations})
        detail = {"seconds": seconds, "theirs": theirs, "ours": ours, "iterations": iterations}
        rows.append(row(f"bits/byte lower than nanoGPT, {name}", theirs - ours, "bits/byte", at_least=0.15, **detail))
    return rows


class Characters:
    """nanoGPT's tokenizer: one token per character."""

    def __init__(self, text):
        self.letters = sorted(set(text))
        self.ids = {letter: i for i, letter in enumerate(self.letters)}
        self.n_vocab, self.eot = len(self.letters), self.ids["\n"]

    def encode(self, text):
        return [self.ids[letter] for letter in text if letter in self.ids]


def run(copy, data, tokenizer, options):
    """Train nanoGPT with these options; returns (seconds of its iterations, validation bits per byte)."""
    folder = copy / "data" / "minilm"
    folder.mkdir(parents=True, exist_ok=True)
    for split, text in (("train", data.train), ("val", data.validation)):
        np.array(tokenizer.encode(text), dtype=np.uint16).tofile(folder / f"{split}.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": tokenizer.n_vocab}))
    options = {**options, "dataset": "minilm", "out_dir": "out", "device": "cpu", "compile": False, "log_interval": 1}
    options |= {"eval_iters": 1, "eval_interval": options["max_iters"], "always_save_checkpoint": True}
    command = [
        sys.executable,
        "train.py",
        "config/train_shakespeare_char.py",
        *(f"--{k}={v}" for k, v in options.items()),
    ]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"nanoGPT stopped with an error: {done.stderr.strip().splitlines()[-1]}")
    times = [float(ms) / 1000 for ms in re.findall(r"time ([\d.]+)ms", done.stdout)]
    return sum(sorted(times)[:-2]), score(copy, tokenizer, data)  # less the two that include evaluating and saving


def score(copy, tokenizer, data):
    """Bits per byte of the checkpoint nanoGPT wrote, by the same measure as ours."""
    sys.path.insert(0, str(copy))
    try:
        from model import GPT, GPTConfig
    finally:
        sys.path.remove(str(copy))
    saved = torch.load(copy / "out" / "ckpt.pt", map_location="cpu", weights_only=True)
    with redirect_stdout(io.StringIO()):  # it prints its number of parameters
        gpt = GPT(GPTConfig(**saved["model_args"]))
    gpt.load_state_dict(saved["model"])
    return bits_per_byte(Adapted(gpt), tokenizer, data.validation, context=saved["model_args"]["block_size"])


class Adapted(torch.nn.Module):
    """nanoGPT's model with our model's interface: ids (B, T) -> logits (B, T, V)."""

    def __init__(self, gpt):
        super().__init__()
        self.gpt, self.device = gpt, torch.device("cpu")

    def forward(self, ids):
        ids = ids.contiguous()
        return self.gpt(ids, ids)[0]  # it gives all logits only when it is given targets, too
