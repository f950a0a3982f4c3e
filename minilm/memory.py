"""Where the memory of training goes, to the byte: predicted from the shapes alone, and measured in live buffers.

Four parts. Three belong to parameters: the weights, a gradient for each trained weight, and what the optimizer
keeps for each trained weight. The fourth belongs to tokens: the activations, kept from the forward pass for the
backward pass (activations.py explains which, and why LoRA hardly shrinks them).

    >>> from minilm.model import PRESETS
    >>> full, lora = predict(PRESETS["base"]), predict(PRESETS["base"], "lora", rank=8)
    >>> full.gradients, lora.gradients                  # 4 bytes for each trained number
    (12592128, 557056)
    >>> human(states(trained=7 * 10**9).total)          # a model of 7 billion, every weight trained
    '112 GB (104 GiB)'

Reading order: units, conventions, shapes, predict, measure. What is counted is what stays in memory between forward and
backward; the short-lived tensors inside one operation come on top (`peak_rss` sees them).

Sources: 16 bytes per parameter, and what they are (Rajbhandari et al. 2020, "ZeRO"); 12 without the master copy is
the convention of Dettmers et al. 2023, "QLoRA" (780 GB for 65 billion parameters).
"""

import math
import sys
from dataclasses import dataclass, field

import torch

from .activations import activation_parts
from .errors import UserError
from .lora import ALL_SEVEN, check_choices, choose, lookup


def human(count):
    """Bytes for people, in decimal and in binary units: at the scale of a GPU the two differ by 7 %.

    >>> human(80 * 10**9)
    '80 GB (74.5 GiB)'
    """
    power = min(4, max(0, int(math.log10(max(1, count)) // 3)))
    if power == 0:
        return f"{count} bytes"
    return f"{_three(count / 1000**power)} {' kMGT'[power]}B ({_three(count / 1024**power)} {' KMGT'[power]}iB)"


def _three(number):
    """Three digits, or all of those before the point."""
    return f"{number:.3g}" if number < 999.5 else f"{number:.0f}"


@dataclass(frozen=True)
class Memory:
    """Bytes by part; `kept` lists what the activations consist of (part -> bytes)."""

    weights: int
    gradients: int
    optimizer: int
    activations: int = 0
    kept: dict = field(default_factory=dict)

    @property
    def total(self):
        return self.weights + self.gradients + self.optimizer + self.activations

    def parts(self):
        """Part -> bytes, as plots.memory_bars draws them."""
        return {
            "weights": self.weights,
            "gradients": self.gradients,
            "optimizer state": self.optimizer,
            "activations": self.activations,
        }

    def __str__(self):
        rows = {**self.parts(), "total": self.total}
        return "\n".join(f"{name:<16}{count:>18,} bytes  {human(count)}" for name, count in rows.items())


# Convention -> bytes per parameter: (weight, gradient, master copy, moments). Master and moments are the optimizer's.
# A frozen parameter costs its weight and nothing else.
CONVENTIONS = {
    "fp32": (4, 4, 0, 8),  # 16: everything in 32 bits; the weight is its own master
    "mixed16": (2, 2, 4, 8),  # 16: 16-bit weights and gradients, 32-bit master, two 32-bit Adam moments
    "mixed16_no_master": (2, 2, 0, 8),  # 12: the same, and the updates are rounded into the 16-bit weights
    "fp32_muon": (4, 4, 0, 4),  # 12: one momentum in place of two moments
}


def states(trained, frozen=0, convention="mixed16"):
    """Weights, gradients and optimizer state of a model of any size, by a named convention; no activations.

    Arguments: trained, frozen: numbers of parameters. Full fine-tuning trains all; LoRA trains A and B beside a
    frozen base; inference trains none. Returns: a Memory.

    >>> states(trained=10**12).total                      # 16 TB for a trillion parameters
    16000000000000
    >>> states(trained=10**9, frozen=10**12).total        # LoRA with 0.1 % on it: the base alone is 2 TB
    2016000000000
    """
    if convention not in CONVENTIONS:
        raise UserError(f"convention {convention!r} is not known; choose one of {', '.join(CONVENTIONS)}")
    weight, gradient, master, moments = CONVENTIONS[convention]
    return Memory(weight * (trained + frozen), gradient * trained, (master + moments) * trained)


def shapes(config):
    """Parameter name -> shape, in the model's order. A tied head is the embedding and is not listed twice."""
    width, inner = config.hidden_size, config.intermediate_size
    kv_width = config.num_key_value_heads * config.head_dim
    block = {
        "input_layernorm": (width,),
        "self_attn.q_proj": (width, width),
        "self_attn.k_proj": (kv_width, width),
        "self_attn.v_proj": (kv_width, width),
        "self_attn.o_proj": (width, width),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (inner, width),
        "mlp.up_proj": (inner, width),
        "mlp.down_proj": (width, inner),
    }
    found = {"model.embed_tokens": (config.vocab_size, width)}
    for layer in range(config.num_hidden_layers):
        found.update({f"model.layers.{layer}.{name}": shape for name, shape in block.items()})
    found["model.norm"] = (width,)
    if not config.tie_word_embeddings:
        found["lm_head"] = (config.vocab_size, width)
    return {f"{name}.weight": shape for name, shape in found.items()}


def linear_shapes(config):
    """Name -> (out, in) of every linear layer, the head (tied or not) last."""
    found = {n.removesuffix(".weight"): s for n, s in shapes(config).items() if n.endswith("_proj.weight")}
    return {**found, "lm_head": (config.vocab_size, config.hidden_size)}


def adapter_ranks(config, rank=8, targets=ALL_SEVEN, ranks=None):
    """Name -> rank of every layer that add_lora would adapt, with the same checks."""
    chosen = choose(linear_shapes(config), targets)
    found = {name: lookup(ranks, name, rank) for name in chosen}
    for name, own in found.items():
        check_choices(chosen[name], own, name=name)
    return found


def adapter_size(config, rank=8, targets=ALL_SEVEN, ranks=None):
    """How many numbers A and B of all adapted layers hold: the sum of r (in + out).

    >>> from minilm.model import Config
    >>> one = Config(hidden_size=4096, num_attention_heads=32, num_hidden_layers=1)
    >>> adapter_size(one, rank=8, targets=["q_proj"])     # in place of 4,096 x 4,096 = 16,777,216
    65536
    """
    linears = linear_shapes(config)
    return sum(r * sum(linears[name]) for name, r in adapter_ranks(config, rank, targets, ranks).items())


def predict(config, method="full", batch=8, context=256, rank=8, targets=ALL_SEVEN, ranks=None,
            dtype=torch.float32, optimizer="adamw", dropout=0.0, int8_base=False):  # fmt: skip
    """The memory of one training step of this library, in bytes, from the Config alone.

    Arguments: method: "full" or "lora". batch, context: B and T of one micro-batch. rank, targets, ranks, dropout: as
    in add_lora. dtype: of the model, float32 or bfloat16; A and B are float32 always. optimizer: "adamw", or "muon"
    (for the matrices inside the blocks, with AdamW for the rest). int8_base: the frozen matrices inside the blocks are
    stored in 8 bits (quantize.py); for LoRA only. Returns: a Memory.
    """
    if method not in ("full", "lora") or optimizer not in ("adamw", "muon"):
        raise UserError(f"no prediction for {method!r} with {optimizer!r}; choose full or lora, and adamw or muon")
    if int8_base and method != "lora":
        raise UserError("only a frozen base can be stored in 8 bits; choose the method lora")
    base = {name: math.prod(shape) for name, shape in shapes(config).items()}
    if method == "full":
        adapted, trained, size = None, base, dtype.itemsize
    else:
        adapted = adapter_ranks(config, rank, targets, ranks)
        linears, size = linear_shapes(config), 4
        trained = {name: r * sum(linears[name]) for name, r in adapted.items()}
    weights = sum(base.values()) * dtype.itemsize + (sum(trained.values()) * size if adapted else 0)
    if int8_base:  # a byte per number, and a float32 scale per row
        frozen = {name: shape for name, shape in linear_shapes(config).items() if name != "lm_head"}
        weights -= sum(math.prod(shape) * (dtype.itemsize - 1) - 4 * shape[0] for shape in frozen.values())
    gradients = sum(trained.values()) * size
    state = sum(count * _state_bytes(name, size, optimizer, config) for name, count in trained.items())
    kept = activation_parts(config, batch, context, dtype.itemsize, adapted, dropout, plain=int8_base)
    return Memory(weights, gradients, state, sum(kept.values()), kept)


def _state_bytes(name, size, optimizer, config):
    """Bytes of optimizer state per number: a float32 master for a 16-bit parameter, and float32 moments."""
    matrix_in_block = ".layers." in name and "layernorm" not in name
    moments = 4 if optimizer == "muon" and matrix_in_block else 8
    return moments + (4 if size == 2 else 0)


def kv_cache_bytes(config, batch=1, context=None, dtype=torch.float32):
    """Bytes of the keys and values of `context` tokens (default: the longest): 2 x L x B x H_kv x T x K numbers."""
    tokens = batch * (context or config.max_position_embeddings)
    kv_width = config.num_key_value_heads * config.head_dim  # H_kv, which may be fewer than the query heads
    return 2 * config.num_hidden_layers * tokens * kv_width * dtype.itemsize


def measure(model, optimizer, loss):
    """The same four parts in live buffers. Nothing is updated, and the gradients are cleared afterwards.

    Arguments: optimizer: of optim.py. loss: a function of no arguments that runs the forward pass and returns the
    loss, such as `lambda: lm_loss(model, ids, targets)`. Returns: a Memory whose `kept` is dtype and shape -> bytes.
    """
    weights = storages(model.parameters())
    saved = {}

    def note(tensor):  # autograd calls this for every tensor it keeps for the backward pass
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:  # a weight is kept by the model in any case
            name = f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
            saved[storage.data_ptr()] = (name, storage.nbytes())  # by address: what is kept twice counts once
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        value = loss()
    value.backward()
    gradients = storages(p.grad for p in model.parameters() if p.grad is not None)
    optimizer.zero_grad()
    kept = {}
    for name, count in saved.values():
        kept[name] = kept.get(name, 0) + count
    state = storages(optimizer.state().values())
    return Memory(*(sum(part.values()) for part in (weights, gradients, state, kept)), kept)


def storages(tensors):
    """Address -> bytes of the memory behind `tensors`, so that a tied or shared tensor counts once."""
    found = (tensor.untyped_storage() for tensor in tensors)
    return {storage.data_ptr(): storage.nbytes() for storage in found}


def peak_rss():
    """The most memory this process has held so far, in bytes, with Python and torch in it; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
