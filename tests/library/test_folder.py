"""A model as a folder: the same model comes back, and damage is named."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

from minilm.errors import UserError
from minilm.files import load_tensors, read_json, save_tensors
from minilm.folder import SHIPPED, base_weights, fingerprint, load_model, model_inside, save_model
from minilm.lora import add_lora
from minilm.pretrained import BASE
from minilm.tokenizer import Tokenizer


@pytest.fixture
def folder(tmp_path, tiny_model, tokenizer):
    save_model(tmp_path / "model", tiny_model, tokenizer, about={"note": "tiny"})
    return tmp_path / "model"


def edit_config(folder, **changes):
    config = {**read_json(folder / "config.json"), **changes}
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v != "absent"}))


@torch.no_grad()
def test_a_model_comes_back_rounded_to_sixteen_bits(folder, tiny_model, tokenizer, ids):
    exact = tiny_model(ids)
    rounded = tiny_model.to(torch.bfloat16).float()(ids)
    loaded, loaded_tokenizer = load_model(folder)
    assert torch.equal(loaded(ids), rounded)
    assert not torch.equal(loaded(ids), exact)
    assert loaded.config == tiny_model.config
    assert loaded_tokenizer.fingerprint() == tokenizer.fingerprint()
    assert read_json(folder / "about.json") == {"note": "tiny"}


def test_it_can_be_loaded_in_either_type(folder):
    for dtype in (torch.float32, torch.bfloat16):
        model, _ = load_model(folder, dtype)
        assert {p.dtype for p in model.parameters()} == {dtype}


@pytest.mark.parametrize("tied", [True, False])
def test_a_tied_head_is_stored_once_and_an_untied_one_too(tmp_path, make_model, tokenizer, tied, ids):
    model = make_model(tie_word_embeddings=tied).to(torch.bfloat16).float()
    save_model(tmp_path, model, tokenizer)
    assert ("lm_head.weight" in load_tensors(tmp_path / "model.safetensors")) != tied
    with torch.no_grad():
        assert torch.equal(load_model(tmp_path)[0](ids), model(ids))


def test_the_fingerprint_is_the_same_in_either_type(folder):
    full, half = load_model(folder)[0], load_model(folder, torch.bfloat16)[0]
    assert fingerprint(full) == fingerprint(half)
    assert len(fingerprint(full)) == 16


def test_the_fingerprint_changes_with_one_weight(folder):
    model, _ = load_model(folder)
    before = fingerprint(model)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[3, 2] += 0.01
    assert fingerprint(model) != before


def test_the_fingerprint_sees_two_matrices_swapped(folder):
    model, _ = load_model(folder)
    before, mlp = fingerprint(model), model.model.layers[0].mlp
    mlp.gate_proj, mlp.up_proj = mlp.up_proj, mlp.gate_proj
    assert fingerprint(model) != before


def test_an_adapter_does_not_change_the_fingerprint_of_its_base(folder):
    model, _ = load_model(folder)
    before, names = fingerprint(model), list(base_weights(model))
    add_lora(model, rank=2)
    assert fingerprint(model) == before
    assert sorted(base_weights(model)) == sorted(names), "named as if there were no adapter"


def test_the_config_is_written_for_llama_and_leaves_nothing_to_defaults(folder, tokenizer):
    config = read_json(folder / "config.json")
    assert config["architectures"] == ["LlamaForCausalLM"] and config["model_type"] == "llama"
    assert config["bos_token_id"] == config["eos_token_id"] == tokenizer.eot and config["pad_token_id"] is None
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 10_000
    assert config["head_dim"] == 12 and config["tie_word_embeddings"] is True


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match="holds no model .*minilm pretrain"):
        load_model(tmp_path / "nowhere")


def test_the_folder_of_a_run_stands_for_the_model_in_it(folder, tmp_path, tiny_model, tokenizer):
    for name in ("model", "base"):  # as pretrain and as the demo call it
        save_model(tmp_path / name / name, tiny_model, tokenizer)
        assert fingerprint(load_model(tmp_path / name)[0]) == fingerprint(load_model(folder)[0])
    assert model_inside(tmp_path / "base") == tmp_path / "base" / "base"
    assert model_inside(folder) == folder, "a model comes before one that lies in its folder"
    assert model_inside(tmp_path / "nowhere") is None


def test_following_the_advice_for_a_missing_model_makes_it_load(tmp_path, tiny_model, tokenizer):
    with pytest.raises(UserError) as told:
        load_model(tmp_path / "mine")
    out = re.search("minilm pretrain --out (.*)`", str(told.value))[1]
    save_model(Path(out) / "model", tiny_model, tokenizer)  # where pretrain writes
    load_model(tmp_path / "mine")


def test_a_missing_shipped_base_is_made_by_the_command_that_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr("minilm.folder.model_inside", lambda folder: None)
    with pytest.raises(UserError, match="make it again with `make pretrain`") as told:
        load_model(SHIPPED)
    assert "--out" not in str(told.value)
    with pytest.raises(UserError, match="minilm pretrain --out"):
        load_model(tmp_path)


def test_the_shipped_base_is_where_load_base_looks():
    assert SHIPPED == BASE


def test_a_file_of_an_old_model_does_not_stay_beside_a_new_one(folder, tiny_model, tokenizer):
    save_model(folder, tiny_model, tokenizer)
    assert read_json(folder / "about.json") == {}


@pytest.mark.parametrize("spoiled", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_are_neither_saved_nor_loaded(folder, tiny_model, tokenizer, spoiled):
    good = fingerprint(load_model(folder)[0])
    tiny_model.model.norm.weight.data[2] = spoiled
    with pytest.raises(UserError, match="norm.weight holds .*NaN or infinite; nothing was saved"):
        save_model(folder, tiny_model, tokenizer)
    assert fingerprint(load_model(folder)[0]) == good
    path = folder / "model.safetensors"
    weights = load_tensors(path)
    weights["model.norm.weight"][2] = spoiled
    save_tensors(path, weights)
    with pytest.raises(UserError, match="norm.weight holds .*NaN or infinite; .*model.safetensors"):
        load_model(folder)


def test_a_flipped_bit_is_noticed(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-5] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(UserError, match="checksum does not match"):
        load_model(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "bpe.json"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(UserError, match=f"cannot read .*{file}"):
        load_model(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "bpe.json"])
def test_a_truncated_file_is_named(folder, file):
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=f"{file} is .*damaged"):
        load_model(folder)


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"hidden_size": "absent"}, "config.json lacks hidden_size"),
        ({"hidden_size": "wide"}, "config.json is damaged"),
        ({"hidden_size": None}, "config.json is damaged"),
        ({"rope_theta": math.nan}, "config.json: rope_theta nan must be above 0"),
        ({"hidden_size": 24.0}, "config.json is damaged .hidden_size is 24.0"),
        ({"num_hidden_layers": True}, "config.json is damaged"),
        ({"hidden_size": 24 * 10**7}, "describes a larger model than the weights"),
        ({"vocab_size": 10**12}, "describes a larger model than the weights"),
        ({"intermediate_size": 10**12}, "describes a larger model than the weights"),
        ({"num_hidden_layers": 10**9}, "describes a larger model than the weights"),
        ({"num_attention_heads": 0}, "num_attention_heads 0 must be above 0"),
        ({"num_hidden_layers": 4}, r"does not fit its config.json \(about model.layers.3"),
        ({"num_hidden_layers": 2}, r"does not fit its config.json \(about model.layers.2"),
        ({"intermediate_size": 48}, r"mlp.gate_proj.weight is \(40, 24\), expected \(48, 24\)"),
        ({"tie_word_embeddings": False}, "about lm_head.weight"),
        ({"vocab_size": 280}, "bpe.json has 290 tokens, but the model knows 280"),
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_is_refused_in_one_sentence(folder, changes, says):
    edit_config(folder, **changes)
    with pytest.raises(UserError, match=says):
        load_model(folder)


@pytest.mark.parametrize("config", ["[]", "7", "null", '"text"'])
def test_a_config_of_another_kind_is_refused(folder, config):
    (folder / "config.json").write_text(config)
    with pytest.raises(UserError, match="config.json is damaged"):
        load_model(folder)


def test_a_weight_of_another_shape_is_named_and_never_broadcast(folder):
    path = folder / "model.safetensors"
    weights = load_tensors(path)
    weights["model.norm.weight"] = weights["model.norm.weight"][:1]
    save_tensors(path, weights)
    with pytest.raises(UserError, match=r"model.norm.weight is \(1,\), expected \(24,\)"):
        load_model(folder)


def test_the_tokenizer_of_a_larger_vocabulary_is_refused(folder, tokenizer):
    Tokenizer([*tokenizer.merges, (b"q", b"z")]).save(folder / "bpe.json")
    with pytest.raises(UserError, match="bpe.json has 291 tokens, but the model knows 290"):
        load_model(folder)


def test_a_folder_in_hugging_faces_format_is_told_how_to_come_in(folder):
    (folder / "bpe.json").rename(folder / "tokenizer.json")
    with pytest.raises(UserError, match="minilm import .* --from hf"):
        load_model(folder)
