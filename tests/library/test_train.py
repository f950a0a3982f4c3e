"""The training loop: what a run does, and that stopping, resuming and failing lose nothing."""

import math
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

import minilm.train
from minilm.checkpoint import latest_checkpoint, load_checkpoint
from minilm.data import Windows
from minilm.errors import UserError
from minilm.folder import load_model, save_model
from minilm.lora import add_lora
from minilm.loss import lm_loss
from minilm.optim import Muon
from minilm.recipe import Recipe
from minilm.train import make_optimizer, train


def recipe(**changes):
    """Six steps of two windows of eight tokens."""
    return Recipe(**{"steps": 6, "batch": 2, "context": 8, "lr": 3e-3, "save_seconds": 0, "evaluate": 3, **changes})


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def same(these, those):
    return these.keys() == those.keys() and all(torch.equal(these[name], those[name]) for name in these)


def near(these, those, tolerance):
    return all(torch.allclose(these[name], those[name], atol=tolerance, rtol=0) for name in these)


def timeless(history):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in history]


def stop_after(step, error=RuntimeError):
    def progress(run):
        if run.step == step:
            raise error("stopped")

    return progress


def data_loss(model, tokenizer, texts):
    windows = Windows([tokenizer.eot, *tokenizer.encode(texts.train)], 8, 20)
    with torch.no_grad():
        return lm_loss(model, *windows[0]).item()


def test_training_lowers_the_loss_and_ends_in_evaluation_mode(tiny_model, tokenizer, texts):
    before = data_loss(tiny_model, tokenizer, texts)
    run = train(tiny_model, tokenizer, texts, recipe(steps=40))
    assert data_loss(tiny_model, tokenizer, texts) < before - 1
    assert run.step == 40 and run.progress == 1 and run.tokens == 40 * 2 * 8
    assert not tiny_model.training


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_can_be_repeated_to_the_bit(make_model, tokenizer, texts, optimizer):
    def trained(**changes):
        model = make_model()
        run = train(model, tokenizer, texts, recipe(optimizer=optimizer, **changes))
        return weights(model), timeless(run.history)

    first, history = trained()
    torch.manual_seed(99)  # what the program drew before must not matter
    again, history_again = trained()
    other, _ = trained(seed=1)
    assert same(first, again) and history == history_again
    assert not near(first, other, 1e-4), "another seed is another run"


def test_training_leaves_the_random_numbers_of_the_program_alone(tiny_model, tokenizer, texts):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    train(tiny_model, tokenizer, texts, recipe())
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_is_the_uninterrupted_run_to_the_bit(make_model, tokenizer, texts, tmp_path, optimizer, dtype):
    plan = recipe(optimizer=optimizer, weight_decay=0.1)

    def go(out, progress=None):
        model = make_model().to(dtype)
        run = train(model, tokenizer, texts, plan, out, progress=progress)
        return weights(model), load_checkpoint(latest_checkpoint(run.out))[1], run

    expected, optimizer_state, whole = go(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="stopped"):
        go(tmp_path / "cut", stop_after(3))
    steps_done = []
    resumed, resumed_state, run = go(tmp_path / "cut", lambda run: steps_done.append(run.step))
    assert steps_done == [4, 5, 6], "it must go on, not start again"
    assert same(resumed, expected)
    assert same(resumed_state, optimizer_state)
    assert timeless(run.history) == timeless(whole.history) and run.recent == whole.recent


def test_a_run_that_forgets_its_optimizer_is_another_run(make_model, tokenizer, texts, tmp_path, monkeypatch):
    expected = make_model()
    train(expected, tokenizer, texts, recipe())
    with pytest.raises(RuntimeError, match="stopped"):
        train(make_model(), tokenizer, texts, recipe(), tmp_path, progress=stop_after(3))
    monkeypatch.setattr("minilm.optim.AdamW.load_state", lambda self, state, steps: None)
    forgetful = make_model()
    train(forgetful, tokenizer, texts, recipe(), tmp_path)
    assert not near(weights(forgetful), weights(expected), 1e-4)


def test_an_adapter_with_dropout_resumes_to_the_bit(make_model, tokenizer, texts, tmp_path):
    def adapted():
        return add_lora(make_model(), rank=2, alpha=8, dropout=0.3)

    expected = adapted()
    train(expected, tokenizer, texts, recipe())
    with pytest.raises(RuntimeError, match="stopped"):
        train(adapted(), tokenizer, texts, recipe(), tmp_path, progress=stop_after(2))
    torch.manual_seed(5)
    resumed = adapted()
    train(resumed, tokenizer, texts, recipe(), tmp_path)
    assert same(weights(resumed), weights(expected))
    saved = load_checkpoint(latest_checkpoint(tmp_path / "checkpoints"))[0]
    assert all(".lora_" in name for name in saved), "the base does not belong into an adapter's checkpoint"


def test_a_finished_run_is_not_trained_again(make_model, tokenizer, texts, tmp_path):
    first, second = make_model(), make_model()
    train(first, tokenizer, texts, recipe(), tmp_path)
    run = train(second, tokenizer, texts, recipe(), tmp_path, progress=lambda run: pytest.fail("it trained"))
    assert same(weights(first), weights(second)) and run.step == 6


def test_frozen_weights_do_not_move(tiny_model, tokenizer, texts):
    tiny_model.model.embed_tokens.requires_grad_(False)
    before = weights(tiny_model)
    train(tiny_model, tokenizer, texts, recipe(weight_decay=0.1))
    after = weights(tiny_model)
    assert torch.equal(after["model.embed_tokens.weight"], before["model.embed_tokens.weight"])
    moved = [name for name in after if not torch.equal(after[name], before[name])]
    assert len(moved) == len(after) - 1


def test_micro_batches_make_the_step_of_the_whole_batch(make_model, tokenizer, texts):
    def trained(**changes):
        model = make_model()
        train(model, tokenizer, texts, recipe(steps=3, batch=4, **changes))
        return weights(model)

    whole = trained()
    assert near(trained(accumulate=4), whole, 1e-5)
    assert near(trained(accumulate=2), whole, 1e-5)
    assert not near(trained(seed=1), whole, 1e-4)


def test_clipping_is_done_before_the_step(make_model, tokenizer, texts, monkeypatch):
    limits = []
    monkeypatch.setattr(minilm.train, "clip_gradients", lambda parameters, limit: limits.append(limit))
    train(make_model(), tokenizer, texts, recipe(clip=0.25))
    train(make_model(), tokenizer, texts, recipe(clip=None))
    assert limits == [0.25] * 6


def test_the_schedule_is_read_at_the_middle_of_each_step(make_model, tokenizer, texts, monkeypatch):
    moments = []
    monkeypatch.setitem(minilm.train.SCHEDULES, "linear", lambda progress, warmup: moments.append(progress) or 1.0)
    train(make_model(), tokenizer, texts, recipe(steps=4))
    assert moments == pytest.approx([1 / 8, 3 / 8, 5 / 8, 7 / 8])


def test_history_is_written_evenly_and_at_the_end(make_model, tokenizer, texts):
    history = train(make_model(), tokenizer, texts, recipe(evaluate=3)).history
    assert [line["step"] for line in history] == [2, 4, 6]
    assert [line["tokens"] for line in history] == [32, 64, 96]
    assert history[-1]["bits_per_byte"] < history[0]["bits_per_byte"]
    without = train(make_model(), tokenizer, texts, recipe(evaluate=0)).history
    assert [line["step"] for line in without] == [6] and "bits_per_byte" not in without[0]


def test_without_validation_text_only_the_loss_is_recorded(tiny_model, tokenizer, texts):
    texts.validation = ""
    history = train(tiny_model, tokenizer, texts, recipe()).history
    assert len(history) == 3 and "bits_per_byte" not in history[-1]


def test_a_run_by_the_clock_ends_on_time(tiny_model, tokenizer, texts, monkeypatch):
    clock = iter(range(10_000))  # every look at the clock is a second later, so that a step takes one
    monkeypatch.setattr(minilm.train.time, "perf_counter", lambda: next(clock))
    run = train(tiny_model, tokenizer, texts, recipe(steps=None, minutes=0.1))
    assert run.step == 6 and run.seconds == 6 and run.progress == 1


def test_matrices_inside_the_blocks_go_to_muon_and_the_rest_to_adamw(tiny_model):
    muon, adamw = make_optimizer(tiny_model, recipe(optimizer="muon", lr=0.1, muon_lr=0.2, weight_decay=0.3)).optimizers
    assert isinstance(muon, Muon) and muon.lr == 0.2 and muon.weight_decay == 0.3
    assert len(muon.parameters) == 3 * 7 and all(p.ndim == 2 for p in muon.parameters)
    assert {id(p) for p in muon.parameters + adamw.parameters} == {id(p) for p in tiny_model.parameters()}
    assert len(adamw.parameters) == 1 + 3 * 2 + 1 and adamw.weight_decay == 0


def test_norm_weights_do_not_decay(tiny_model):
    matrices, vectors = make_optimizer(tiny_model, recipe(weight_decay=0.3)).optimizers
    assert matrices.weight_decay == 0.3 and all(p.ndim == 2 for p in matrices.parameters)
    assert vectors.weight_decay == 0 and all(p.ndim == 1 for p in vectors.parameters)


def test_a_model_with_nothing_to_train_is_refused(tiny_model, tokenizer, texts):
    with pytest.raises(UserError, match="nothing in this model is trainable"):
        train(tiny_model.requires_grad_(False), tokenizer, texts, recipe())


# --- stopping ---


def test_ctrl_c_saves_the_step_under_way_and_the_run_goes_on_later(make_model, tokenizer, texts, tmp_path):
    expected, plan = make_model(), recipe(save_seconds=1e9)
    train(expected, tokenizer, texts, plan)
    handler = signal.getsignal(signal.SIGINT)

    def press_ctrl_c(run):
        if run.step == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(make_model(), tokenizer, texts, plan, tmp_path, progress=press_ctrl_c)
    assert latest_checkpoint(tmp_path / "checkpoints").name == "step-000002"
    assert signal.getsignal(signal.SIGINT) is handler, "afterwards Ctrl-C means what it meant before"
    resumed = make_model()
    train(resumed, tokenizer, texts, plan, tmp_path)
    assert same(weights(resumed), weights(expected))


def test_a_second_ctrl_c_stops_at_once(tiny_model, tokenizer, texts, tmp_path):
    def press_twice(run):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one must not wait")

    with pytest.raises(KeyboardInterrupt):
        train(tiny_model, tokenizer, texts, recipe(save_seconds=1e9), tmp_path, progress=press_twice)
    assert latest_checkpoint(tmp_path / "checkpoints") is None


CHILD = """
import sys
from types import SimpleNamespace
import torch
from minilm.folder import load_model
from minilm.recipe import Recipe
from minilm.train import train

def wait_at_three(run):
    if run.step == 3:
        print("three steps done", flush=True)
        sys.stdin.readline()

torch.set_num_threads(1)
folder, out, text, steps = sys.argv[1:]
model, tokenizer = load_model(folder)
recipe = Recipe(steps=int(steps), batch=2, context=8)
train(model, tokenizer, SimpleNamespace(train=text, validation=""), recipe, out, progress=wait_at_three)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
def test_a_program_stopped_by_ctrl_c_resumes_to_the_bit(tiny_model, tokenizer, texts, tmp_path):
    save_model(tmp_path / "base", tiny_model, tokenizer)
    command = [sys.executable, "-c", CHILD, str(tmp_path / "base"), str(tmp_path / "cut"), texts.train, "6"]
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    with subprocess.Popen(command, text=True, **pipes) as child:
        assert child.stdout.readline() == "three steps done\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate("\n", timeout=60)
    assert child.returncode != 0 and "KeyboardInterrupt" in errors
    assert latest_checkpoint(tmp_path / "cut" / "checkpoints").name == "step-000003"
    whole, resumed = load_model(tmp_path / "base")[0], load_model(tmp_path / "base")[0]
    texts.validation = ""
    train(whole, tokenizer, texts, Recipe(steps=6, batch=2, context=8))
    train(resumed, tokenizer, texts, Recipe(steps=6, batch=2, context=8), tmp_path / "cut")
    assert same(weights(resumed), weights(whole))
    assert not near(weights(resumed), weights(load_model(tmp_path / "base")[0]), 1e-4)


# --- bad input and bad luck ---


def test_an_out_folder_of_another_run_is_refused_and_left_alone(make_model, tokenizer, texts, tmp_path):
    texts.train += "XYZ"  # three letters that the tokenizer never joins: three tokens
    train(make_model(), tokenizer, texts, recipe(), tmp_path)
    kept = load_checkpoint(latest_checkpoint(tmp_path / "checkpoints"))[0]
    with pytest.raises(UserError, match=r"another run \(recipe lr 0.003 there, 0.004 here\); choose another --out"):
        train(make_model(), tokenizer, texts, recipe(lr=4e-3), tmp_path)
    with pytest.raises(UserError, match="another run .*base"):
        train(make_model(), tokenizer, texts, recipe(), tmp_path, signature={"base": "abc"})
    with pytest.raises(UserError, match="another run .*tokens"):
        train(make_model(), tokenizer, SimpleNamespace(train=texts.train * 2, validation=""), recipe(), tmp_path)
    for other in ({"train": texts.train[:-3] + "QRS"}, {"validation": texts.validation + "."}):
        with pytest.raises(UserError, match="another run .text"):  # as many tokens as before, and yet another text
            train(make_model(), tokenizer, SimpleNamespace(**{**vars(texts), **other}), recipe(), tmp_path)
    assert same(load_checkpoint(latest_checkpoint(tmp_path / "checkpoints"))[0], kept)


def test_a_checkpoint_of_another_model_is_refused_before_anything_is_copied(make_model, tokenizer, texts, tmp_path):
    train(make_model(), tokenizer, texts, recipe(), tmp_path)
    for other in (make_model(seed=1, intermediate_size=48), make_model(seed=1).to(torch.bfloat16)):
        before = weights(other)
        with pytest.raises(UserError, match="choose another --out|start a clean run with another --out"):
            train(other, tokenizer, texts, recipe(), tmp_path)
        assert same(weights(other), before)


def test_a_checkpoint_of_an_adapter_on_other_layers_is_refused(make_model, tokenizer, texts, tmp_path):
    def adapted(target):
        return add_lora(make_model(), rank=2, targets=[target])

    train(adapted("q_proj"), tokenizer, texts, recipe(), tmp_path)
    train(adapted("q_proj"), tokenizer, texts, recipe(), tmp_path)
    with pytest.raises(UserError, match="holds another model"):
        train(adapted("o_proj"), tokenizer, texts, recipe(), tmp_path)  # the same shapes in another place


def test_facts_survive_the_trip_through_json(make_model, tokenizer, texts, tmp_path):
    facts = {"targets": ("q_proj", "v_proj"), "ranks": {1: 4}}
    train(make_model(), tokenizer, texts, recipe(), tmp_path, signature=facts)
    train(make_model(), tokenizer, texts, recipe(), tmp_path, signature=facts)
    with pytest.raises(UserError, match="targets"):
        train(make_model(), tokenizer, texts, recipe(), tmp_path, signature={**facts, "targets": ("q_proj",)})


def truncate(path):
    path.write_bytes(path.read_bytes()[:1000])


def test_a_damaged_checkpoint_is_named_with_what_to_do(make_model, tokenizer, texts, tmp_path):
    train(make_model(), tokenizer, texts, recipe(save_seconds=1e9), tmp_path)
    truncate(tmp_path / "checkpoints" / "step-000006" / "weights.safetensors")
    with pytest.raises(UserError, match="step-000006 is damaged .*weights.safetensors is.* delete that folder"):
        train(make_model(), tokenizer, texts, recipe(save_seconds=1e9), tmp_path)


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before_it(make_model, tokenizer, texts, tmp_path, capsys):
    expected, again, done = make_model(), make_model(), []
    train(expected, tokenizer, texts, recipe(), tmp_path)
    newest = tmp_path / "checkpoints" / "step-000006"
    truncate(newest / "optimizer.safetensors")
    train(again, tokenizer, texts, recipe(), tmp_path, progress=lambda run: done.append(run.step))
    assert done == [6], "it should go on from step 5"
    assert same(weights(again), weights(expected))
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "damaged-step-000006" in told and "going on from" in told
    assert load_checkpoint(newest)[2]["step"] == 6, "the damaged one should have been replaced"


def test_a_damaged_checkpoint_of_another_run_is_left_where_it_is(make_model, tokenizer, texts, tmp_path):
    train(make_model(), tokenizer, texts, recipe(), tmp_path)
    newest = tmp_path / "checkpoints" / "step-000006"
    truncate(newest / "weights.safetensors")
    with pytest.raises(UserError, match="another run"):
        train(make_model(), tokenizer, texts, recipe(lr=4e-3), tmp_path)
    assert newest.is_dir()


def spoil_loss(monkeypatch, from_step, spoil):
    """Every lm_loss of a run from `from_step` on goes through `spoil`."""
    calls, real = [], minilm.train.lm_loss

    def spoiled(*args):
        calls.append(1)
        return spoil(real(*args)) if len(calls) > from_step else real(*args)

    monkeypatch.setattr(minilm.train, "lm_loss", spoiled)


@pytest.mark.parametrize("spoil", [lambda loss: loss * math.nan, lambda loss: loss * math.inf], ids=["nan", "inf"])
def test_a_loss_that_is_no_number_stops_the_run_at_once_and_keeps_the_last_good_checkpoint(
    make_model, tokenizer, texts, tmp_path, monkeypatch, spoil
):
    spoil_loss(monkeypatch, 3, spoil)
    with pytest.raises(UserError, match="diverged at step 3 .*last good checkpoint: .*step-000003"):
        train(make_model(), tokenizer, texts, recipe(), tmp_path)
    saved = load_checkpoint(latest_checkpoint(tmp_path / "checkpoints"))[0]
    good = make_model()
    with pytest.raises(RuntimeError, match="stopped"):
        monkeypatch.undo()
        train(good, tokenizer, texts, recipe(), progress=stop_after(3))
    assert same(saved, weights(good))


def test_losses_that_stay_bad_stop_the_run(make_model, tokenizer, texts, tmp_path, monkeypatch):
    spoil_loss(monkeypatch, 3, lambda loss: loss + 50)
    with pytest.raises(UserError, match="diverged at step 22 .*last good checkpoint: .*step-000022"):
        train(make_model(), tokenizer, texts, recipe(steps=60), tmp_path)  # losses 3 to 22 are twenty


def test_a_spike_that_heals_does_not_stop_the_run(make_model, tokenizer, texts, monkeypatch):
    plan, calm, shaken, calls = recipe(steps=50, warmup=0.2), make_model(), make_model(), []
    train(calm, tokenizer, texts, plan)
    real = minilm.train.lm_loss

    def spiking(*args):
        calls.append(1)
        return real(*args) + (80 if 2 <= len(calls) <= 10 or len(calls) in (30, 40) else 0)

    monkeypatch.setattr(minilm.train, "lm_loss", spiking)
    run = train(shaken, tokenizer, texts, plan)
    assert run.step == 50 and same(weights(calm), weights(shaken))


def test_a_rate_far_too_high_is_noticed(tiny_model, tokenizer, texts):
    with pytest.raises(UserError, match="training diverged at step .*lower the learning rate .nothing was saved"):
        train(tiny_model, tokenizer, texts, recipe(lr=30.0, warmup=0, steps=40))


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("adapted", [False, True], ids=["full", "lora"])
def test_the_last_step_is_judged_too(make_model, tokenizer, texts, tmp_path, steps, adapted):
    for out in (None, tmp_path):
        model = make_model()
        train(model, tokenizer, texts, recipe(steps=40))  # only what it knows can be lost
        model = add_lora(model, rank=2) if adapted else model
        with pytest.raises(UserError, match="diverged at step .*nothing was saved"):
            train(model, tokenizer, texts, recipe(lr=1e6, warmup=0, steps=steps, save_seconds=1e9), out)
    assert latest_checkpoint(tmp_path / "checkpoints") is None


def test_a_model_that_gives_all_tokens_the_same_odds_is_lost_even_if_its_loss_fell(
    tiny_model, tokenizer, texts, tmp_path, monkeypatch
):
    monkeypatch.setattr(minilm.train.Run, "record", lambda run: run.model.model.norm.weight.data.zero_())
    tiny_model.model.embed_tokens.weight.data *= 30  # sure of itself, and wrong
    with pytest.raises(UserError, match="same odds now, loss 5.67, it began at [1-9][0-9].*nothing was saved"):
        train(tiny_model, tokenizer, texts, recipe(steps=1, save_seconds=1e9), tmp_path)
    assert latest_checkpoint(tmp_path / "checkpoints") is None


def test_a_validation_result_that_is_no_number_stops_the_run(tiny_model, tokenizer, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(minilm.train, "bits_per_byte", lambda *_: math.nan)
    with pytest.raises(UserError, match="diverged at step 2 .*step-000001"):
        train(tiny_model, tokenizer, texts, recipe(evaluate=3), tmp_path)


def test_weights_in_a_bad_moment_are_not_saved_and_the_run_goes_on(tiny_model, tokenizer, texts, tmp_path, monkeypatch):
    real, seen = minilm.train.losses_now, {}
    monkeypatch.setattr(minilm.train, "losses_now", lambda *args: real(*args) + (99 if len(seen) == 3 else 0))

    def look(run):
        seen[run.step] = latest_checkpoint(tmp_path / "checkpoints").name

    train(tiny_model, tokenizer, texts, recipe(), tmp_path, progress=look)
    assert [int(name[5:]) for name in seen.values()] == [1, 2, 3, 3, 5, 6]


def test_spoiled_weights_are_never_saved(make_model, tokenizer, texts, tmp_path):
    model = make_model()

    def spoil(run):
        if run.step == 3:
            with torch.no_grad():
                model.model.norm.weight[0] = math.nan
            run.step = 4  # the checkpoint of step 3 is there already; this would be the next
            run.save()

    with pytest.raises(UserError, match="diverged at step 4 .loss nan"):
        train(model, tokenizer, texts, recipe(), tmp_path, progress=spoil)
    assert latest_checkpoint(tmp_path / "checkpoints").name == "step-000003"


def test_a_text_shorter_than_the_context_is_refused(tiny_model, tokenizer, texts):
    with pytest.raises(UserError, match="too few for a context of 32; use a longer text or --context"):
        train(tiny_model, tokenizer, SimpleNamespace(train="to be", validation=""), recipe(context=32))


def test_a_context_longer_than_the_models_is_refused(tiny_model, tokenizer, texts):
    with pytest.raises(UserError, match="40 tokens do not fit into the context of 32"):
        train(tiny_model, tokenizer, texts, recipe(context=40))


def test_an_out_folder_that_cannot_be_written_shows_before_the_first_step(tiny_model, tokenizer, texts, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write .*choose another --out"):
        train(tiny_model, tokenizer, texts, recipe(), tmp_path / "file", progress=lambda run: pytest.fail("it trained"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": None},
        {"minutes": 1.0},
        {"steps": 0},
        {"steps": None, "minutes": -1.0},
        {"steps": None, "minutes": math.nan},
        {"steps": None, "minutes": math.inf},
        {"batch": 0},
        {"context": 0},
        {"accumulate": 0},
        {"accumulate": -1},
        {"batch": 4, "accumulate": 3},
        {"schedule": "zigzag"},
        {"optimizer": "sgd"},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"clip": -1.0},
        {"seed": -1},
        {"seed": 2**40},
    ],
    ids=str,
)
def test_an_impossible_recipe_is_refused_in_one_sentence(wrong):
    with pytest.raises(UserError, match="choose|give either"):
        recipe(**wrong)
