"""The solutions of chapter 6, held equal to minilm's memory, activations and flops, and to what torch really keeps."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from minilm import flops, memory
from minilm.activations import activation_parts
from minilm.lora import add_lora
from minilm.loss import lm_loss
from minilm.model import LM, Config
from minilm.optim import AdamW

path = Path(__file__).resolve().parents[2] / "solutions" / "ch06_memory.py"
spec = importlib.util.spec_from_file_location("solution_ch06", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)

TINY = Config(vocab_size=31, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
              num_key_value_heads=3, max_position_embeddings=16)  # fmt: skip


def kept_by_torch(function, *parameters):
    """The bytes that autograd keeps of the call, parameters left out, each storage once."""
    own = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    found = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor: its address must not be used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        function()
    return sum(size for size, _ in found.values())


@pytest.mark.parametrize(("master", "convention"), [(True, "mixed16"), (False, "mixed16_no_master")])
def test_the_bytes_of_training_are_those_of_minilms_conventions(master, convention):
    for trained, frozen in ((7, 50), (10**12, 0), (10**9, 10**12), (0, 9)):
        theirs = memory.states(trained, frozen, convention)
        assert mine.training_bytes(trained, frozen, master) == (theirs.weights, theirs.gradients, theirs.optimizer)
    assert sum(mine.training_bytes(100, 0, True)) == 100 * sum(memory.CONVENTIONS["mixed16"]) == 1600
    assert sum(mine.training_bytes(100, 0, False)) == 1200


@pytest.mark.parametrize("size", [2, 4])
def test_linear_layers_keep_what_minilm_counts(size):
    def theirs(ranks):
        found = activation_parts(TINY, batch=2, context=5, size=size, ranks=ranks)
        return found.get("projections: input", 0) + found.get("adapters: x A^T", 0)

    def ours(method, inputs, outputs):
        return mine.linear_kept(method, 2, 5, inputs, outputs, 3, size)

    # In full fine-tuning q, k and v share one input, gate and up another; o and down have one each.
    assert theirs(None) == TINY.num_hidden_layers * (3 * ours("full", 24, 24) + ours("full", 40, 24))
    assert theirs({"model.layers.1.mlp.down_proj": 3}) == ours("lora", 40, 24)
    assert theirs({}) == ours("frozen", 40, 24) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
def test_a_linear_layer_keeps_what_torch_keeps(method, dtype):
    W, A, B = (torch.randn(shape, dtype=dtype) for shape in ((11, 7), (3, 7), (11, 3)))
    for learns in {"full": [W], "lora": [A, B], "frozen": []}[method]:
        learns.requires_grad_()
    x = torch.randn(2, 5, 7, dtype=dtype, requires_grad=True)

    def forward():
        y = x @ W.T
        return y + 2 * ((x @ A.T) @ B.T) if method == "lora" else y

    assert kept_by_torch(forward, W, A, B) == mine.linear_kept(method, 2, 5, 7, 11, 3, dtype.itemsize)


def test_attention_keeps_what_minilm_counts():
    kept = activation_parts(TINY, batch=2, context=5, size=2)
    theirs = kept["attention: q, k, v"], kept["attention: weights"]
    assert theirs == tuple(TINY.num_hidden_layers * one for one in mine.attention_kept(2, 3, 5, 8, 2))
    assert theirs[0] != theirs[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_keeps_what_torch_keeps(dtype):
    q, k, v = (torch.randn(2, 3, 5, 8, dtype=dtype, requires_grad=True) for _ in range(3))

    def forward():
        scores = q @ k.mT / math.sqrt(8)
        future = torch.ones(5, 5, dtype=torch.bool).triu(1)
        return F.softmax(scores + torch.zeros(5, 5, dtype=dtype).masked_fill(future, -math.inf), dim=-1) @ v

    assert kept_by_torch(forward) == sum(mine.attention_kept(2, 3, 5, 8, dtype.itemsize))


def test_the_arithmetic_is_that_of_minilm():
    for inputs, outputs, rank in ((30, 50, 2), (192, 192, 32), (24, 7, 5)):
        full, lora = mine.training_flops(inputs, outputs, None), mine.training_flops(inputs, outputs, rank)
        assert lora / full == pytest.approx(flops.layer_ratio(inputs, outputs, rank))
        counted = flops.Flops()
        counted.product(inputs * outputs, True, True)
        assert full == counted.total
        assert mine.break_even_rank(inputs, outputs) == flops.break_even_rank(inputs, outputs)
    assert mine.training_flops(192, 192, 32) == mine.training_flops(192, 192, None)
    assert mine.training_flops(192, 192, 33) > mine.training_flops(192, 192, None)


@pytest.mark.parametrize("gigabytes", [23.7, 80.0])
def test_the_largest_model_fits_by_minilms_count_and_no_larger_one_does(gigabytes):
    room, hundred = (gigabytes - 2) * 10**9, 10**4  # one step more is far above rounding
    full = mine.largest_model("full", gigabytes, 2.0, 0.01)
    assert memory.states(full).total <= room < memory.states(full + hundred).total
    lora = mine.largest_model("lora", gigabytes, 2.0, 0.01)
    smaller, larger = (memory.states(trained=n // 100, frozen=n).total for n in (lora - hundred, lora + hundred))
    assert smaller <= room < larger
    qlora = mine.largest_model("qlora", gigabytes, 2.0, 0.01)
    assert room == pytest.approx(qlora * mine.quantized_bits(64, 256) / 8 + memory.states(qlora // 100).total, rel=1e-6)
    assert full < lora < qlora


def test_kept_bytes_are_those_that_minilm_measures():
    module = torch.nn.Sequential(torch.nn.Linear(7, 24), torch.nn.ReLU(), torch.nn.Linear(24, 11), torch.nn.Softmax(-1))
    for frozen in (False, True):
        module[0].requires_grad_(not frozen)
        x = torch.randn(5, 7, requires_grad=True)
        theirs = memory.measure(module, AdamW(module.parameters()), lambda x=x: module(x).sum())
        assert mine.kept_bytes(module, x.detach()) == theirs.activations
        first = mine.linear_kept("frozen" if frozen else "full", 1, 5, 7, 24, 0, 4)
        assert theirs.activations == first + 4 * 5 * (24 + 11)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_live_bytes_are_those_that_minilm_predicts_and_measures(method):
    model = LM(TINY)
    if method == "lora":
        add_lora(model, rank=3)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning)
    ids = torch.randint(31, (2, 8))
    lm_loss(model, ids, ids).backward()
    optimizer.step()
    weights, gradients, state = mine.live_bytes(model, optimizer)
    predicted = memory.predict(TINY, method, batch=2, context=8, rank=3)
    assert (weights, gradients) == (predicted.weights, predicted.gradients)
    assert state == predicted.optimizer + 4 * len(learning), "torch counts the steps of each tensor in 4 bytes"
    assert weights == sum(memory.storages(model.parameters()).values())
    optimizer.zero_grad()
    assert mine.live_bytes(model, optimizer) == (weights, 0, state)
