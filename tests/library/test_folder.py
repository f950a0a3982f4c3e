"""A model as a folder: the same model comes back, and damage is named."""

import json

import pytest
import torch

from minilm.errors import UserError
from minilm.files import load_tensors, read_json, save_tensors
from minilm.folder import base_weights, fingerprint, load_model, save_model
from minilm.lora import add_lora
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
