"""Models: what minilm writes, transformers reads as the same function, and the other way round."""

import json

import pytest
import torch
from libraries import hf_logits, read_model, transformers
from shapes import every_shape

from minilm.errors import UserError
from minilm.folder import fingerprint, load_model
from minilm.generate import stream
from minilm.hub import export_hf, import_hf, load_llama, load_llama_model, save_llama
from minilm.hub_config import DEFAULTS
from minilm.pretrained import load_base

EQUAL = {"rtol": 0, "atol": 1e-4}
LLAMA = {
    "vocab_size": 290,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
}


@pytest.fixture
def theirs(tmp_path):
    """theirs(**options): the folder of a Llama that transformers made."""

    def make(max_shard_size="5GB", **options):
        torch.manual_seed(5)
        config = transformers.LlamaConfig(**{**LLAMA, "initializer_range": 0.3, **options})
        model = transformers.LlamaForCausalLM(config).eval()
        model.save_pretrained(tmp_path / "theirs", max_shard_size=max_shard_size)
        return model, tmp_path / "theirs"

    return make


@every_shape
def test_a_base_of_ours_has_the_same_logits_in_transformers(base, folder, ids):
    model = read_model(folder)
    assert type(model) is transformers.LlamaForCausalLM
    torch.testing.assert_close(hf_logits(model, ids), base(ids), **EQUAL)


def test_one_changed_weight_would_show(base, folder, ids):
    with torch.no_grad():
        base.model.layers[1].self_attn.k_proj.weight[3, 2] += 0.5
    assert (hf_logits(read_model(folder), ids) - base(ids)).abs().max() > 1e-3


@every_shape
def test_transformers_finds_every_tensor_and_no_other(folder):
    _, found = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_a_llama_of_theirs_has_the_same_logits_here(theirs, ids, tied, kv_heads):
    model, path = theirs(tie_word_embeddings=tied, num_key_value_heads=kv_heads, rope_parameters=rope(300.0))
    ours = load_llama_model(path)
    assert (ours.config.tie_word_embeddings, ours.config.num_key_value_heads) == (tied, kv_heads)
    torch.testing.assert_close(ours(ids), hf_logits(model, ids), **EQUAL)


def test_a_llama_in_several_files_is_read_whole(theirs, ids):
    model, path = theirs(max_shard_size="20KB")
    assert len(list(path.glob("*.safetensors"))) > 1 and not (path / "model.safetensors").exists()
    torch.testing.assert_close(load_llama_model(path)(ids), hf_logits(model, ids), **EQUAL)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bit_weights_are_read_without_rounding(theirs, tmp_path, dtype):
    model, _ = theirs()
    model.to(dtype).save_pretrained(tmp_path / "short")
    weights = dict(load_llama_model(tmp_path / "short").named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(weights[name], parameter.float()), name


def test_what_a_config_leaves_out_means_here_what_it_means_there():
    config = transformers.LlamaConfig()
    for name, value in DEFAULTS.items():
        there = config.rope_parameters if name == "rope_theta" else vars(config)
        assert there[name] == (value if value is not None else config.num_attention_heads), name


@every_shape
def test_a_base_goes_there_and_back_to_the_bit(base, folder, tmp_path, tokenizer):
    read_model(folder).save_pretrained(tmp_path / "again")
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "again")
    assert import_hf(tmp_path / "again", tmp_path / "home") == "model"
    model, same = load_model(tmp_path / "home")
    assert same.fingerprint() == tokenizer.fingerprint()
    for (name, mine), other in zip(model.named_parameters(), base.parameters(), strict=True):
        assert torch.equal(mine, other), name


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"attention_bias": True}, "attention_bias"),
        ({"mlp_bias": True}, "mlp_bias"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"head_dim": 8}, "head_dim"),
        ({"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}, "rope_parameters"),
    ],
)
def test_an_option_that_ours_lack_is_refused_by_name(theirs, options, named):
    _, path = theirs(**options)
    with pytest.raises(UserError, match=f"{named} = "):
        load_llama_model(path)


def test_another_kind_of_model_is_refused_by_name(tmp_path):
    config = transformers.MistralConfig(**LLAMA, sliding_window=None)
    transformers.MistralForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="'MistralForCausalLM'|'mistral'"):
        load_llama_model(tmp_path)


def test_a_head_that_is_no_language_model_is_refused(tmp_path):
    transformers.LlamaModel(transformers.LlamaConfig(**LLAMA)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="architectures"):
        load_llama_model(tmp_path)


@pytest.mark.parametrize("prompt", ["ROMEO:\n", ""])
def test_200_greedy_tokens_of_the_shipped_base_are_the_same(tmp_path, prompt):
    export_hf(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    given = tokenizer(prompt, return_tensors="pt")
    written = read_model(tmp_path).generate(**given, max_new_tokens=200, do_sample=False)[0]
    model, own = load_base()
    start = [own.eot, *own.encode(prompt)]
    assert given.input_ids[0].tolist() == start
    new = list(stream(model, start, 200, temperature=0, stop=own.eot))
    ended = [own.eot] * (len(new) < 200)  # theirs includes the token that ends a text
    assert written[len(start) :].tolist() == new + ended
    assert tokenizer.decode(written, skip_special_tokens=True) == own.decode(start[1:] + new)


def test_text_generation_ends_at_our_token_and_not_at_a_byte(folder, tokenizer):
    model = read_model(folder)
    for config in (model.config, model.generation_config):
        assert (config.bos_token_id, config.eos_token_id) == (tokenizer.eot, tokenizer.eot)


def test_the_config_holds_nothing_that_transformers_would_not_write(folder):
    mine = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    theirs = read_model(folder).config.to_dict()
    assert mine.keys() - theirs.keys() == {"rope_theta"}, "only older versions read this one"


def rope(theta):
    return {"rope_type": "default", "rope_theta": theta}


def test_a_second_export_of_the_same_model_is_the_same(base, folder, tmp_path, tokenizer):
    model, same = load_llama(folder)
    save_llama(tmp_path / "second", model, same)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (tmp_path / "second" / name).read_bytes() == (folder / name).read_bytes(), name
    assert fingerprint(load_llama_model(tmp_path / "second")) == fingerprint(base)
