"""What is in memory at each moment of a training step: measured while the step runs.

memory.py measures how much the four parts hold in all. But they are not all there at once: activations pile up in the
forward pass and go again, block by block, in the backward pass, while the gradients come. `trace` follows that.

    >>> moments = trace(model, optimizer, lambda: lm_loss(model, ids, targets))              # doctest: +SKIP
    >>> [name for name, memory in moments]                                                   # doctest: +SKIP
    ['start', 'embedding', 'block 0', ..., 'loss', 'head', 'block 3', ..., 'end of backward', 'update', 'cleared']

`kept` looks at a single layer in the same way. What this file does not do: see the short-lived tensors inside one
operation, which come on top.
"""

import weakref

import torch

from .memory import Memory, storages


def kept(module, x):
    """What one call of a module keeps for backward: dtype and shape -> bytes, each storage once, parameters left out.

    The module is called with a copy of x that needs a gradient, as it would inside a model.

    >>> kept(torch.nn.Linear(3, 2), torch.ones(5, 3))
    {'float32 (5, 3)': 60}
    """
    own, found = storages(module.parameters()), {}

    def note(tensor):
        storage = tensor.untyped_storage()
        name = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
        if storage.data_ptr() not in own:
            found.setdefault(storage.data_ptr(), (name, storage.nbytes()))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = module(x.detach().clone().requires_grad_())
    bytes_by_name = {}
    for name, size in found.values():
        bytes_by_name[name] = bytes_by_name.get(name, 0) + size
    del output  # it held the graph, and so the addresses, until here
    return bytes_by_name


class Held:
    """Autograd keeps this in place of a tensor; when autograd lets go of it, so do we."""

    def __init__(self, tensor):
        self.tensor = tensor


class Kept:
    """The activations alive at this moment: address of a storage -> [how many keep it, its bytes]."""

    def __init__(self, weights):
        self.weights, self.alive = weights, {}

    def pack(self, tensor):
        held, storage = Held(tensor), tensor.untyped_storage()
        address = storage.data_ptr()
        if address not in self.weights:
            self.alive.setdefault(address, [0, storage.nbytes()])[0] += 1
            weakref.finalize(held, self.release, address)
        return held

    def release(self, address):
        self.alive[address][0] -= 1
        if self.alive[address][0] == 0:
            del self.alive[address]

    @property
    def bytes(self):
        return sum(size for _, size in self.alive.values())


def trace(model, optimizer, loss):
    """[(name of the moment, Memory), …] of one training step, update included (at learning rate 0).

    Names: "start"; forward "embedding", "block i", "loss"; backward "head", "block i" again, each when it is through,
    "end of backward"; "update", "cleared". A part of the model that needs no gradient has no moment in backward.
    """
    kept, moments = Kept(storages(model.parameters())), []

    def note(name):
        gradients = storages(p.grad for p in model.parameters() if p.grad is not None)
        state = storages(optimizer.state().values())
        found = (sum(part.values()) for part in (kept.weights, gradients, state))
        moments.append((name, Memory(*found, kept.bytes)))

    def watch(module, forward, backward):
        def after(_module, _inputs, output):
            note(forward)
            if output.requires_grad:  # its gradient arrives when all that comes behind it is through
                output.register_hook(lambda gradient: note(backward))

        return module.register_forward_hook(after)

    blocks = list(model.model.layers)
    behind = [f"block {i}" for i in range(len(blocks))] + ["head"]
    hooks = [watch(model.model.embed_tokens, "embedding", behind[0])]
    hooks += [watch(block, behind[i], behind[i + 1]) for i, block in enumerate(blocks)]
    try:
        note("start")
        with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda held: held.tensor):
            value = loss()
        note("loss")
        value.backward()
        note("end of backward")
        optimizer.step(0.0)
        note("update")
        optimizer.zero_grad()
        note("cleared")
    finally:
        for hook in hooks:
            hook.remove()
    return moments
