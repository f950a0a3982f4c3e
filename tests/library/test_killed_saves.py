"""A model or an adapter whose save is killed, at any moment of it: the old one whole, or the new one whole."""

import os
import re
import subprocess
import sys

import pytest
from terminal import ENVIRONMENT

from minilm.adapter import save_adapter
from minilm.folder import load_model, save_model
from minilm.lora import add_lora

# A process for every moment: it is killed, as by `kill -9`, when its save asks the system for the n-th time to change
# something on the disk. The letters tell what can be loaded then: o(ld) or n(ew).
SCRIPT = """
import os, signal, sys
import torch
from minilm.adapter import adapter_weights, load_adapter, save_adapter
from minilm.folder import load_model, save_model

torch.set_num_threads(1)
base, folder, kind = sys.argv[1:]

def load():
    model, tokenizer = load_model(folder if kind == "model" else base)
    if kind == "adapter":
        load_adapter(folder, model)
    return model, tokenizer

def weight(model):
    return model.model.norm.weight if kind == "model" else next(iter(adapter_weights(model).values()))

def save(model, tokenizer):
    save_model(folder, model, tokenizer, {"n": 1}) if kind == "model" else save_adapter(folder, model)

def save_and_die(moment, model, tokenizer):
    calls = []
    def deadly(real):
        def call(*args, **options):
            calls.append(real)
            if len(calls) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)
        return call
    for name in ("mkdir", "fsync", "chmod", "replace", "rmdir", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))
    save(model, tokenizer)
    os._exit(0)

model, tokenizer = load()
old, new = weight(model).clone(), weight(model) + 1
told, ended = "", False
while not ended:
    weight(model).data.copy_(old)
    save(model, tokenizer)  # also clears away what the kill before has left
    if left := [name for name in os.listdir(folder) if name.startswith(".")]:
        sys.exit(f"{left} was left")
    weight(model).data.copy_(new)
    if not (child := os.fork()):
        save_and_die(len(told) + 1, model, tokenizer)
    ended = os.waitpid(child, 0)[1] == 0
    found = weight(load()[0])
    told += "o" if torch.equal(found, old) else "n" if torch.equal(found, new) else "?"
print(told)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no kill -9")
@pytest.mark.parametrize(("kind", "files"), [("model", 4), ("adapter", 2)])
def test_a_save_that_is_killed_leaves_the_old_or_the_new(tiny_model, tokenizer, tmp_path, kind, files):
    base, folder = tmp_path / "base", tmp_path / kind
    tiny_model.model.norm.weight.data.fill_(1)
    save_model(base, tiny_model, tokenizer)
    model, _ = load_model(base)
    save_model(folder, model, tokenizer) if kind == "model" else save_adapter(folder, add_lora(model, 2))
    command = [sys.executable, "-c", SCRIPT, str(base), str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch("o+n+", done.stdout.strip()), f"what could be loaded after each kill: {done.stdout}"
    assert done.stdout.count("o") > 2 * files, "every file should have been killed while it was written"
    assert done.stdout.count("n") > files, "and while it took its place"
