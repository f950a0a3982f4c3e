"""Two processes with half a batch each make the step of one process with all of it."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from minilm import parallel
from minilm.checkpoint import latest_checkpoint
from minilm.data import Windows
from minilm.files import load_tensors, read_json
from minilm.folder import load_model, save_model
from minilm.recipe import Recipe
from minilm.train import train

RECIPE = {"steps": 4, "batch": 4, "context": 8, "lr": 3e-3, "evaluate": 2}
WORKER = """
import os, signal, sys
from types import SimpleNamespace
import torch
from minilm import parallel
from minilm.errors import UserError
from minilm.files import save_tensors, write_json
from minilm.folder import load_model
from minilm.recipe import Recipe
from minilm.train import train

torch.set_num_threads(1)
folder, text, validation, recipe = sys.argv[1:]
texts, recipe = SimpleNamespace(train=text, validation=validation), eval(recipe)
parallel.start("cpu")
rank = int(os.environ["RANK"])
facts = {"count": parallel.count(), "first": parallel.first(), "total": parallel.total(rank + 1)}
facts["agreed"] = parallel.agree(0.1 + rank)
facts["share"] = parallel.own_share(torch.arange(4)).tolist()
try:
    parallel.own_share(torch.arange(3))
except UserError as error:
    facts["refused"] = str(error)

model, tokenizer = load_model(folder)
run = train(model, tokenizer, texts, Recipe(**recipe), folder + "/run")
facts["history"] = run.history
save_tensors(f"{folder}/weights-{rank}.safetensors", dict(model.named_parameters()))

def ctrl_c_in_the_second(run):
    if rank == 1 and run.step == 2:
        signal.raise_signal(signal.SIGINT)

try:
    train(load_model(folder)[0], tokenizer, texts, Recipe(**recipe), folder + "/cut", progress=ctrl_c_in_the_second)
except KeyboardInterrupt:
    facts["stopped"] = True
write_json(f"{folder}/facts-{rank}.json", facts)
parallel.stop()
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="module")
def together(tmp_path_factory, make_model, tokenizer, sentence):
    """The folder in which two processes trained, their base model beside what they wrote."""
    folder = tmp_path_factory.mktemp("together")
    save_model(folder, make_model(), tokenizer)
    (folder / "worker.py").write_text(WORKER, encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launch += ["--master-addr", "127.0.0.1", "--master-port", str(free_port()), str(folder / "worker.py")]
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": loopback, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, str(folder), sentence * 4, sentence, repr(RECIPE)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder


needs_gloo = pytest.mark.skipif(os.name == "nt", reason="torchrun on Windows needs a build of torch with libuv")


@needs_gloo
def test_two_processes_learn_what_one_learns_from_the_same_batches(together, texts):
    one, tokenizer = load_model(together)
    run = train(one, tokenizer, texts, Recipe(**RECIPE))
    two = load_tensors(together / "weights-0.safetensors")
    before = dict(load_model(together)[0].named_parameters())
    for name, weight in one.named_parameters():
        torch.testing.assert_close(two[name], weight.detach(), atol=1e-5, rtol=0)
    assert any((two[name] - before[name]).abs().max() > 1e-3 for name in two)
    history = read_json(together / "facts-0.json")["history"]
    for theirs, ours in zip(history, run.history, strict=True):
        assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-5)
        assert theirs["bits_per_byte"] == pytest.approx(ours["bits_per_byte"], abs=1e-4)


@needs_gloo
def test_half_a_batch_alone_would_have_taught_something_else(together, texts, monkeypatch):
    two = load_tensors(together / "weights-0.safetensors")
    monkeypatch.setattr(parallel, "own_share", lambda batch: batch[:2])
    half, tokenizer = load_model(together)
    train(half, tokenizer, texts, Recipe(**RECIPE))
    assert any(not torch.allclose(two[name], weight, atol=1e-4) for name, weight in half.named_parameters())


@needs_gloo
def test_the_copies_never_drift_apart(together):
    first, second = (load_tensors(together / f"weights-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)


@needs_gloo
def test_the_processes_share_agree_and_sum(together):
    first, second = (read_json(together / f"facts-{rank}.json") for rank in (0, 1))
    assert first["count"] == second["count"] == 2
    assert first["first"] and not second["first"]
    assert first["total"] == second["total"] == 1 + 2
    assert first["agreed"] == second["agreed"] == 0.1
    assert first["share"] == [0, 1] and second["share"] == [2, 3]
    assert "a batch of 3 cannot be shared by 2 processes" in first["refused"]


@needs_gloo
def test_a_request_to_one_process_stops_all_after_the_same_step(together):
    assert all(read_json(together / f"facts-{rank}.json").get("stopped") for rank in (0, 1))
    assert latest_checkpoint(together / "cut" / "checkpoints").name == "step-000002"
    assert latest_checkpoint(together / "run" / "checkpoints").name == "step-000004"


def test_tests_reach_this_machine_and_nothing_else():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with socket.socket() as sock, pytest.raises(RuntimeError, match="after set-up minilm needs none"):
        sock.connect(("192.0.2.1", 80))  # an address that is reserved for examples
    with socket.socket() as sock, pytest.raises(RuntimeError, match="over the network"):
        sock.connect(("example.org", 80))


def test_one_process_needs_no_group(texts):
    assert parallel.start() == parallel.count() == 1 and parallel.first()
    batch, _ = Windows(range(100), 8, 3)[0]
    assert parallel.own_share(batch) is batch
    assert parallel.total(5) == 5 and parallel.agree(0.3) == 0.3
    parallel.sum_gradients([torch.nn.Parameter(torch.zeros(1))])  # has no gradient, and nobody to add it to
    parallel.stop()
