"""Hugging Face's formats, as far as no library of theirs is needed; tests/interop compares with those libraries."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from minilm import hub
from minilm.adapter import load_adapter, save_adapter
from minilm.errors import UserError
from minilm.folder import load_model, save_model
from minilm.hub import export_hf, import_hf, load_llama, load_llama_model, save_llama
from minilm.hub_config import llama_config
from minilm.hub_tokenizer import as_tokenizer_json, load_hf_tokenizer
from minilm.lora import add_lora
from minilm.merge import fold, merge
from minilm.tokenizer import EOT, Tokenizer, byte_letters

FILES = {"about.json", "bpe.json", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}


@pytest.fixture
def base(tmp_path, tiny_model, tokenizer):
    """A model folder of minilm."""
    save_model(tmp_path / "base", tiny_model, tokenizer, {"steps": 3})
    return tmp_path / "base"


@pytest.fixture
def adapter(tmp_path, base):
    model, _ = load_model(base)
    add_lora(model, rank=3, alpha=5.0, targets=["q_proj", "up_proj"])
    save_adapter(tmp_path / "adapter", speaking(model))
    return tmp_path / "adapter"


@torch.no_grad()
def speaking(model):
    """The model with ones in every B, so that its adapter does something."""
    for name, parameter in model.named_parameters():
        if name.endswith("lora_B"):
            parameter.fill_(1.0)
    return model.eval()


@pytest.fixture
def llama(tmp_path, tiny_model, tokenizer):
    """The same model as transformers would have it, and nothing of minilm's own."""
    save_llama(tmp_path / "llama", tiny_model, tokenizer)
    for name in ("bpe.json", "about.json"):
        (tmp_path / "llama" / name).unlink()
    return tmp_path / "llama"


def change(path, **values):
    """Change a JSON file; None takes a name out."""
    found = {**json.loads(path.read_text(encoding="utf-8")), **values}
    kept = {name: value for name, value in found.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_an_export_is_a_folder_for_both_sides(base, tmp_path, ids):
    assert export_hf(tmp_path / "out", model=base) == [tmp_path / "out"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"tokenizer_config.json"}
    model, tokenizer = load_model(base)
    for again, same in (load_model(tmp_path / "out"), load_llama(tmp_path / "out")):
        assert torch.equal(again(ids), model(ids)) and same.fingerprint() == tokenizer.fingerprint()
    assert json.loads((tmp_path / "out" / "about.json").read_text(encoding="utf-8")) == {"steps": 3}


def test_an_adapter_is_exported_beside_its_base_with_a_card(base, adapter, tmp_path, ids):
    written = export_hf(tmp_path / "out", model=base, adapter=adapter)
    assert written == [tmp_path / "out", tmp_path / "out" / "adapter"]
    model = load_adapter(tmp_path / "out", load_model(tmp_path / "out")[0])
    assert torch.equal(model(ids), load_adapter(adapter, load_model(base)[0])(ids))
    assert not torch.equal(model(ids), load_model(base)[0](ids))
    card = (tmp_path / "out" / "adapter" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: peft\n") and "| rank, alpha | 3, 5 |" in card
    assert "6 (q_proj, up_proj)" in card and f"{3 * 3 * (24 + 24 + 24 + 40):,}" in card
    config = json.loads((tmp_path / "out" / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == (tmp_path / "out").as_posix()


def test_a_model_goes_out_and_comes_home(base, tmp_path, ids):
    export_hf(tmp_path / "out", model=base)
    assert import_hf(tmp_path / "out", tmp_path / "home") == "model"
    assert torch.equal(load_model(tmp_path / "home")[0](ids), load_model(base)[0](ids))


def test_an_adapter_is_imported_as_one(base, adapter, tmp_path):
    assert import_hf(adapter, tmp_path / "home", model=base) == "adapter"
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "home" / name).is_file()


def test_weights_are_stored_in_16_bits_only_where_that_changes_none(tmp_path, tiny_model, tokenizer):
    for name in ("float32", "bfloat16"):
        model = tiny_model.to(getattr(torch, name)).float()
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        save_llama(tmp_path / name, model, tokenizer)
        stored = load_file(tmp_path / name / "model.safetensors")
        assert {str(tensor.dtype) for tensor in stored.values()} == {f"torch.{name}"}
        assert all(torch.equal(stored[n].float(), weight) for n, weight in before.items())
        assert json.loads((tmp_path / name / "config.json").read_text(encoding="utf-8"))["dtype"] == name


def test_the_adapter_of_a_model_is_not_in_its_base(tmp_path, tiny_model, tokenizer, ids):
    alone = tiny_model(ids)
    save_llama(tmp_path / "out", speaking(add_lora(tiny_model, rank=2)), tokenizer)
    assert torch.equal(load_llama_model(tmp_path / "out")(ids), alone)


def test_a_merged_adapter_is_refused_and_a_folded_one_is_not(tmp_path, tiny_model, tokenizer, ids):
    merge(speaking(add_lora(tiny_model, rank=2)))
    with pytest.raises(UserError, match="fold"):
        save_llama(tmp_path / "out", tiny_model, tokenizer)
    save_llama(tmp_path / "out", fold(tiny_model), tokenizer)
    assert torch.equal(load_llama_model(tmp_path / "out")(ids), tiny_model(ids))


@pytest.mark.parametrize("command", ["export", "import"])
def test_no_model_is_replaced(base, llama, tmp_path, command):
    before = (base / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="already"):
        export_hf(base, model=base) if command == "export" else import_hf(llama, base)
    assert (base / "model.safetensors").read_bytes() == before


def test_nothing_is_written_when_the_adapter_does_not_fit(tmp_path, adapter, make_model, tokenizer):
    save_model(tmp_path / "other", make_model(seed=1), tokenizer)
    with pytest.raises(UserError, match="another base"):
        export_hf(tmp_path / "out", model=tmp_path / "other", adapter=adapter)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("spoiled", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_not_exported(tmp_path, tiny_model, tokenizer, spoiled):
    with torch.no_grad():
        tiny_model.model.norm.weight[2] = spoiled
    with pytest.raises(UserError, match="model.norm.weight"):
        save_llama(tmp_path / "out", tiny_model, tokenizer)


def test_missing_folders_and_files_are_told(tmp_path, llama):
    with pytest.raises(UserError, match="no config.json"):
        import_hf(tmp_path / "nowhere", tmp_path / "out")
    (llama / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="tokenizer.json"):
        load_llama(llama)
    assert load_llama_model(llama), "the model alone needs no tokenizer"
    (llama / "model.safetensors").unlink()
    with pytest.raises(UserError, match="holds no model.safetensors"):
        load_llama_model(llama)


# ---------------------------------------------------------------- the commands


def test_the_commands_take_a_model_and_its_adapter_out_and_home(terminal, base, adapter, tmp_path):
    out = tmp_path / "out"
    assert str(out) in terminal.works("export", "--to", "hf", out, "--model", base, "--adapter", adapter)
    model, tuned = tmp_path / "model", tmp_path / "tuned"
    said = terminal.works("import", "--from", "hf", out, "--out", model)
    assert said == f"saved {model}; hear it: minilm generate --model {model}\n"
    said = terminal.works("import", "--from", "hf", out / "adapter", "--out", tuned, "--model", model)
    assert said == f"saved {tuned}; hear it: minilm generate --adapter {tuned} --model {model}\n"
    options = ("--tokens", 12, "--temperature", 0)
    before = terminal.works("generate", "to be", "--model", base, "--adapter", adapter, *options)
    assert terminal.works("generate", "to be", "--model", model, "--adapter", tuned, *options) == before
    assert terminal.works("generate", "to be", "--model", model, *options) != before


def test_the_commands_refuse_in_one_sentence(terminal, base, llama, tmp_path):
    assert "choose hf" in terminal.refuses("export", tmp_path / "out", "--to", "gguf", "--model", base)
    assert "choose hf" in terminal.refuses("import", llama, "--from", "gguf", "--out", tmp_path / "out")
    change(llama / "config.json", attention_bias=True)
    assert "attention_bias = True" in terminal.refuses("import", llama, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_comparison_names_the_library_that_is_missing(terminal, monkeypatch):
    for name in ("HF_HUB_OFFLINE", "RAYON_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setitem(sys.modules, "peft", None)
    sentence = terminal.refuses("bench", "peers")
    assert "compares with peft" in sentence and "'.[interop]'" in sentence


# ---------------------------------------------------------------- config.json

SMALL = {"model_type": "llama", "hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1}


def test_what_is_missing_is_what_transformers_takes_for_it():
    config = llama_config({"model_type": "llama"}, "config.json")
    assert (config.hidden_size, config.num_key_value_heads, config.vocab_size) == (4096, 32, 32000)
    assert config.rms_norm_eps == 1e-6 and not config.tie_word_embeddings


@pytest.mark.parametrize(
    "options",
    [
        {"rope_parameters": {"rope_type": "default", "rope_theta": 77.0}},
        {"rope_parameters": {"rope_theta": 77.0}, "rope_theta": 5.0},
        {"rope_theta": 77.0, "rope_scaling": None},
        {"rope_theta": 77.0, "rope_scaling": {"type": "default"}},
    ],
)
def test_the_rotary_base_is_found_where_any_version_writes_it(options):
    assert llama_config({**SMALL, **options}, "config.json").rope_theta == 77.0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model_type", "mistral"),
        ("architectures", ["LlamaForSequenceClassification"]),
        ("hidden_act", "gelu"),
        ("attention_bias", True),
        ("mlp_bias", True),
        ("head_dim", 8),
        ("pretraining_tp", 2),
        ("rope_scaling", {"type": "linear", "factor": 2.0}),
        ("rope_parameters", {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0}),
        ("rope_parameters", {"rope_type": "default", "partial_rotary_factor": 0.5}),
        ("quantization_config", {"bits": 4}),
        ("sliding_window", 4096),
        ("auto_map", {"AutoModel": "code.py"}),
        ("some_option_of_next_year", 3),
    ],
)
def test_an_option_that_would_change_the_numbers_is_refused_by_name(option, value):
    with pytest.raises(UserError, match=f"config.json has {option} = "):
        llama_config({**SMALL, option: value}, "config.json")


@pytest.mark.parametrize(
    "options",
    [
        {"use_cache": False, "attention_dropout": 0.1, "torch_dtype": "float16", "bos_token_id": 1},
        {"some_option_of_next_year": False, "quantization_config": None, "rope_scaling": None},
        {"head_dim": 12, "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "pretraining_tp": 1},
    ],
)
def test_an_option_that_changes_nothing_is_no_obstacle(options):
    assert llama_config({**SMALL, **options}, "config.json") == llama_config(SMALL, "config.json")


@pytest.mark.parametrize(
    "values",
    [
        [],
        "llama",
        {"hidden_size": 24},
        {**SMALL, "hidden_size": "24"},
        {**SMALL, "hidden_size": None},
        {**SMALL, "hidden_size": 25},
        {**SMALL, "num_attention_heads": 0},
        {**SMALL, "vocab_size": -1},
        {**SMALL, "rope_scaling": "none at all"},
        {**SMALL, "rope_parameters": {"rope_theta": "large"}},
        {**SMALL, "tie_word_embeddings": "yes"},
    ],
)
def test_a_config_that_cannot_be_is_one_sentence(values):
    with pytest.raises(UserError):
        llama_config(values, "config.json")


# ---------------------------------------------------------------- weights


def shard(folder):
    """Cut model.safetensors in two, with an index, as transformers does with large models."""
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[:9], "model-2.safetensors": names[9:]}
    for file, inside in parts.items():
        save_file({name: tensors[name] for name in inside}, folder / file)
    places = {name: file for file, inside in parts.items() for name in inside}
    (folder / hub.INDEX).write_text(json.dumps({"weight_map": places}), encoding="utf-8")
    (folder / "model.safetensors").unlink()


def test_weights_in_several_files_are_read_whole(llama, tiny_model, ids):
    shard(llama)
    assert torch.equal(load_llama_model(llama)(ids), tiny_model(ids))
    (llama / "model-2.safetensors").unlink()
    with pytest.raises(UserError, match="model-2.safetensors"):
        load_llama_model(llama)


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../b"}}', "{"])
def test_a_damaged_index_is_told(llama, index):
    shard(llama)
    (llama / hub.INDEX).write_text(index, encoding="utf-8")
    with pytest.raises(UserError, match="index.json is damaged"):
        load_llama_model(llama)


def rewrite(folder, **tensors):
    """Change tensors of model.safetensors; the checksum of minilm goes, as in a file that others wrote."""
    path = folder / "model.safetensors"
    found = {**load_file(path), **{name.replace("__", "."): tensor for name, tensor in tensors.items()}}
    save_file({name: tensor.clone() for name, tensor in found.items() if tensor is not None}, path)


def test_a_second_copy_of_a_tied_head_and_old_rotary_tables_are_no_obstacle(llama, tiny_model, ids):
    tables = {f"model__layers__{i}__self_attn__rotary_emb__inv_freq": torch.ones(6) for i in range(3)}
    rewrite(llama, lm_head__weight=torch.zeros(290, 24), **tables)
    assert torch.equal(load_llama_model(llama)(ids), tiny_model(ids))


def test_a_tensor_too_many_or_of_another_type_is_named(llama):
    rewrite(llama, model__layers__0__self_attn__q_proj__bias=torch.zeros(24))
    with pytest.raises(UserError, match="q_proj.bias"):
        load_llama_model(llama)
    rewrite(llama, model__norm__weight=torch.zeros(24, dtype=torch.int8))
    with pytest.raises(UserError, match="model.norm.weight as torch.int8"):
        load_llama_model(llama)


def test_an_untied_head_must_be_there(llama):
    change(llama / "config.json", tie_word_embeddings=False)
    with pytest.raises(UserError, match="lm_head.weight"):
        load_llama_model(llama)


# ---------------------------------------------------------------- tokenizer.json


def test_the_file_has_all_bytes_all_merges_and_the_special_token(tokenizer):
    found = as_tokenizer_json(tokenizer)
    vocabulary = found["model"]["vocab"]
    assert set(byte_letters()) <= vocabulary.keys() and len(vocabulary) == tokenizer.eot
    for left, right in found["model"]["merges"]:
        assert left in vocabulary and right in vocabulary and left + right in vocabulary
    (special,) = found["added_tokens"]
    assert (special["content"], special["id"]) == (EOT, tokenizer.eot)
    assert found["pre_tokenizer"]["pretokenizers"][0]["pattern"] == {"Regex": tokenizer.pattern}


@pytest.mark.parametrize("pattern", [None, r"\S+|\s+"])
def test_a_tokenizer_comes_back(tmp_path, tokenizer, pattern):
    mine = Tokenizer(tokenizer.merges, pattern) if pattern else tokenizer
    write(tmp_path, as_tokenizer_json(mine))
    assert load_hf_tokenizer(tmp_path).fingerprint() == mine.fingerprint()


def write(folder, contents):
    (folder / "tokenizer.json").write_text(json.dumps(contents), encoding="utf-8")


@pytest.fixture
def spelled(tokenizer):
    return as_tokenizer_json(tokenizer)


def test_older_spellings_are_the_same_tokenizer(tmp_path, spelled, tokenizer):
    model = spelled["model"]
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    model["vocab"][EOT] = tokenizer.eot
    del model["ignore_merges"], spelled["post_processor"]
    spelled["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    spelled["truncation"] = {"max_length": 5}
    write(tmp_path, spelled)
    assert load_hf_tokenizer(tmp_path).fingerprint() == tokenizer.fingerprint()


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["normalizer"], {"type": "NFC"}, "normalizer"),
        (["pre_tokenizer"], {"type": "Metaspace"}, "pre_tokenizer"),
        (["pre_tokenizer", "pretokenizers", 1, "add_prefix_space"], True, "pre_tokenizer.pretokenizers.add_prefix_sp"),
        (["pre_tokenizer", "pretokenizers", 1, "use_regex"], True, "use_regex"),
        (["pre_tokenizer", "pretokenizers", 0, "behavior"], "Removed", "behavior"),
        (["pre_tokenizer", "pretokenizers", 0, "invert"], True, "invert"),
        (["pre_tokenizer", "pretokenizers", 0, "pattern"], {"Regex": "(unclosed"}, "merges or regex"),
        (["decoder"], {"type": "Metaspace"}, "decoder"),
        (["model", "type"], "WordPiece", "model.type"),
        (["model", "dropout"], 0.1, "model.dropout"),
        (["model", "byte_fallback"], True, "model.byte_fallback"),
        (["model", "unk_token"], "<unk>", "model.unk_token"),
        (["model", "some_option_of_next_year"], True, "some_option_of_next_year"),
        (["model", "merges"], [["Ġ", "missing"]], "merges or regex"),
        (["model", "vocab"], {"a": 0}, "another model than minilm .it must be byte-level BPE"),
        (["model", "vocab", "!"], 290, "model.vocab"),
        (["added_tokens"], [], "added_tokens"),
        (["added_tokens", 0, "content"], "</s>", "added_tokens"),
        (["added_tokens", 0, "id"], 5, "added_tokens"),
        (["added_tokens", 0, "lstrip"], True, "added_tokens.lstrip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tokenizer_that_cuts_otherwise_is_refused_by_name(tmp_path, spelled, path, value, named):
    place = spelled
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    write(tmp_path, spelled)
    with pytest.raises(UserError, match=named):
        load_hf_tokenizer(tmp_path)


@pytest.mark.parametrize("contents", [[], {}, {"model": None}, {"model": {"merges": 3}}, "text", None])
def test_a_file_of_another_kind_is_one_sentence(tmp_path, contents):
    write(tmp_path, contents)
    with pytest.raises(UserError, match="tokenizer.json"):
        load_hf_tokenizer(tmp_path)
