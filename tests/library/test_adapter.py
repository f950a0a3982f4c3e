"""Saving and loading an adapter: nothing lost, nothing of the base in the file, and every bad file told apart."""

import json
import math

import pytest
import torch
from helpers import fill, logits, snapshot, tiny

from minilm.adapter import load_adapter, recorded_base, save_adapter
from minilm.errors import UserError
from minilm.files import load_tensors, save_tensors
from minilm.folder import fingerprint
from minilm.lora import ALL_SEVEN, adapters, add_lora
from minilm.merge import merge

FILES = {"adapter_config.json", "adapter_model.safetensors"}


def trained(**choices):
    return fill(add_lora(tiny(), **{"rank": 3, "alpha": 5, **choices})).eval()


@pytest.fixture
def folder(tmp_path):
    """A good adapter for tiny(), to be spoiled."""
    save_adapter(tmp_path, trained())
    return tmp_path


def edit_config(folder, **changes):
    path = folder / "adapter_config.json"
    config = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not ...}), encoding="utf-8")


def edit_weights(folder, change, metadata=None):
    path = folder / "adapter_model.safetensors"
    save_tensors(path, change(load_tensors(path)), metadata)


def refuses(folder, message, model=None):
    """Loading fails with this message, and the model is as it was."""
    model = tiny() if model is None else model
    before = logits(model)
    with pytest.raises(UserError, match=message):
        load_adapter(folder, model)
    assert not adapters(model), "a refused adapter was left on the model"
    assert all(p.requires_grad for p in model.parameters()), "a refused adapter left the model frozen"
    assert torch.equal(logits(model), before)


# --- there and back ---


def test_a_loaded_adapter_gives_the_same_logits_and_not_those_of_the_base(folder):
    loaded = load_adapter(folder, tiny())
    assert torch.equal(logits(loaded), logits(trained()))
    assert not torch.equal(logits(loaded), logits(tiny()))
    assert not loaded.training


def test_a_and_b_come_back_to_the_bit(folder):
    mine, loaded = snapshot(trained()), snapshot(load_adapter(folder, tiny()))
    assert mine.keys() == loaded.keys()
    assert all(torch.equal(mine[name], loaded[name]) for name in mine)


def test_the_file_holds_a_and_b_under_the_names_of_peft_and_nothing_else(folder):
    weights = load_tensors(folder / "adapter_model.safetensors")
    layers = adapters(trained())
    assert weights.keys() == {f"base_model.model.{n}.lora_{ab}.weight" for n in layers for ab in "AB"}
    up = "base_model.model.model.layers.0.mlp.up_proj"
    assert weights[f"{up}.lora_A.weight"].shape == (3, 24)
    assert weights[f"{up}.lora_B.weight"].shape == (40, 3)
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_file_is_as_large_as_a_and_b_and_a_header(folder):
    numbers = sum(p.numel() for p in trained().parameters() if p.requires_grad)
    header = (folder / "adapter_model.safetensors").stat().st_size - 4 * numbers
    assert 0 < header < 5000


def test_the_config_says_everything_that_peft_would_otherwise_guess(folder):
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["r"] == 3 and config["lora_alpha"] == 5
    assert config["peft_type"] == "LORA" and config["task_type"] == "CAUSAL_LM"
    assert sorted(config["target_modules"]) == sorted(ALL_SEVEN)
    assert config["bias"] == "none" and config["use_rslora"] is False and config["rank_pattern"] == {}


def test_gamma_survives_with_rslora(tmp_path):
    model = trained(rank=4, rslora=True)
    save_adapter(tmp_path, model)
    loaded = load_adapter(tmp_path, tiny())
    assert {one.gamma for one in adapters(loaded).values()} == {2.5}
    assert torch.equal(logits(loaded), logits(model))
    edit_config(tmp_path, use_rslora=False)
    assert not torch.equal(logits(load_adapter(tmp_path, tiny())), logits(model))


def test_ranks_and_alphas_by_module_survive(tmp_path):
    model = trained(ranks={"q_proj": 2, "layers.1.mlp.up_proj": 7}, alphas={"v_proj": 1.5}, dropout=0.25)
    save_adapter(tmp_path, model)
    loaded = load_adapter(tmp_path, tiny())
    assert torch.equal(logits(loaded), logits(model))
    for name, one in adapters(loaded).items():
        assert one.rank == adapters(model)[name].rank
        assert one.gamma == adapters(model)[name].gamma
        assert one.dropout.p == 0.25


SELECTIONS = {
    "attention": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "one layer": ["model.layers.1.mlp.up_proj"],
    "all of one block": [f"layers.0.self_attn.{part}_proj" for part in "qkvo"]
    + [f"layers.0.mlp.{part}_proj" for part in ("gate", "up", "down")],
    "some of each block": ["layers.0.self_attn.q_proj", "layers.1.self_attn.k_proj"],
    "the head too": ["v_proj", "lm_head"],
    "the head alone": ["lm_head"],
}


@pytest.mark.parametrize("targets", SELECTIONS.values(), ids=SELECTIONS)
def test_any_selection_of_layers_comes_back_as_it_was(tmp_path, targets):
    model = trained(targets=targets)
    save_adapter(tmp_path, model)
    loaded = load_adapter(tmp_path, tiny())
    assert adapters(loaded).keys() == adapters(model).keys()
    assert torch.equal(logits(loaded), logits(model))


def test_short_names_are_written_only_where_they_name_exactly_the_adapted_layers(tmp_path):
    for targets, expected in ((["q_proj"], ["q_proj"]), (SELECTIONS["one layer"], SELECTIONS["one layer"])):
        save_adapter(tmp_path, trained(targets=targets))
        config = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
        assert config["target_modules"] == expected


def test_an_adapter_trained_beside_a_32_bit_base_fits_the_same_base_in_16_bits(tmp_path):
    model = tiny(dtype=torch.bfloat16).float()  # as a base that is read from its 16-bit file
    save_adapter(tmp_path, fill(add_lora(model, rank=3)))
    narrow = load_adapter(tmp_path, tiny(dtype=torch.bfloat16))
    assert {p.dtype for n, p in narrow.named_parameters() if ".lora_" in n} == {torch.float32}
    assert not torch.equal(logits(narrow), logits(tiny(dtype=torch.bfloat16)))


def test_saving_again_replaces_the_adapter(folder):
    save_adapter(folder, trained(rank=5))
    assert {one.rank for one in adapters(load_adapter(folder, tiny())).values()} == {5}
    assert {path.name for path in folder.iterdir()} == FILES


def test_saving_changes_neither_the_base_nor_the_adapter(tmp_path):
    model = trained()
    base, before = fingerprint(model), logits(model)
    save_adapter(tmp_path / "new" / "folder", model)
    assert fingerprint(model) == base and torch.equal(logits(model), before)


def test_an_adapter_written_by_peft_has_no_fingerprint_and_loads(folder):
    edit_weights(folder, lambda weights: weights)  # writes no fingerprint
    edit_config(folder, peft_version="0.21.0", megatron_core="megatron.core", qalora_group_size=16,
                init_lora_weights=True, modules_to_save=None, loftq_config={}, use_dora=False)  # fmt: skip
    assert torch.equal(logits(load_adapter(folder, tiny())), logits(trained()))


def test_a_missing_rank_and_alpha_mean_8_as_in_peft(tmp_path):
    model = trained(rank=8, alpha=8)
    save_adapter(tmp_path, model)
    edit_config(tmp_path, r=..., lora_alpha=...)
    assert torch.equal(logits(load_adapter(tmp_path, tiny())), logits(model))


# --- refusals ---


def test_a_model_without_an_adapter_is_not_saved(tmp_path):
    with pytest.raises(UserError, match="no adapter to save"):
        save_adapter(tmp_path, tiny())
    assert not list(tmp_path.iterdir())


def test_a_merged_adapter_is_not_saved(tmp_path):
    with pytest.raises(UserError, match="unmerge"):
        save_adapter(tmp_path, merge(trained()))
    assert not list(tmp_path.iterdir())


def test_an_adapter_for_another_base_is_refused_although_its_shapes_fit(folder):
    refuses(folder, "made for another base", tiny(seed=5))


def test_a_model_that_has_an_adapter_is_refused_and_keeps_it(folder):
    model = fill(add_lora(tiny(), rank=2))
    before = snapshot(model)
    for state in (lambda m: m, merge):
        with pytest.raises(UserError, match="already has an adapter"):
            load_adapter(folder, state(model))
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters() if ".lora_" in n)


def test_matrices_of_another_shape_are_refused(folder):
    edit_config(folder, r=4)
    refuses(folder, "is .3, 24., this model needs .4, 24.")


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: dict(list(weights.items())[1:]),
        lambda weights: {**weights, "base_model.model.lm_head.lora_A.weight": torch.zeros(3, 24)},
    ],
    ids=["one missing", "one too many"],
)
def test_other_names_than_the_config_promises_are_refused(folder, change):
    edit_weights(folder, change)
    refuses(folder, "does not fit")


def test_a_truncated_file_is_refused_wherever_it_ends(folder):
    path = folder / "adapter_model.safetensors"
    data = path.read_bytes()
    for length in (0, 5, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        refuses(folder, "adapter_model.safetensors is truncated or damaged")


def test_damage_anywhere_in_the_header_never_gives_another_exception(folder):
    path = folder / "adapter_model.safetensors"
    data = path.read_bytes()
    for place in range(0, 400, 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            load_adapter(folder, tiny())
        except UserError as error:
            assert str(folder) in str(error)


@pytest.mark.parametrize("text", ["", "{", '{"r": 3', "[1, 2]", "7", "null", "\x00\x01"])
def test_a_damaged_config_is_refused(folder, text):
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")
    refuses(folder, "adapter_config.json")


def test_a_config_that_is_not_utf_8_is_refused(folder):
    (folder / "adapter_config.json").write_bytes(b"\xff\xfe{}")
    refuses(folder, "adapter_config.json is damaged")


def test_the_folder_of_a_run_stands_for_the_adapter_in_it(tmp_path):
    save_adapter(tmp_path / "adapter", trained())
    assert torch.equal(logits(load_adapter(tmp_path, tiny())), logits(trained()))


@pytest.mark.parametrize("spoiled", [math.nan, math.inf])
def test_numbers_that_are_none_are_neither_saved_nor_loaded(folder, spoiled):
    model = trained()
    next(iter(adapters(model).values())).lora_B.data[0, 0] = spoiled
    with pytest.raises(UserError, match="lora_B.weight holds .*NaN or infinite; nothing was saved"):
        save_adapter(folder, model)
    assert torch.equal(logits(load_adapter(folder, tiny())), logits(trained())), "the good one should still be there"

    def spoil(weights):
        next(iter(weights.values()))[0, 0] = spoiled
        return weights

    edit_weights(folder, spoil, {"base": fingerprint(tiny())})
    refuses(folder, "NaN or infinite; .*adapter_model.safetensors")


def test_a_flipped_bit_is_noticed(folder):
    data = bytearray((folder / "adapter_model.safetensors").read_bytes())
    data[-5] ^= 1
    (folder / "adapter_model.safetensors").write_bytes(data)
    refuses(folder, "checksum does not match")


def test_missing_files_are_told(folder):
    (folder / "adapter_model.safetensors").unlink()
    refuses(folder, "cannot read .*adapter_model.safetensors")
    refuses(folder / "nothing", "holds no adapter")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("use_dora", True),
        ("bias", "all"),
        ("lora_bias", True),
        ("modules_to_save", ["lm_head"]),
        ("layers_to_transform", [0]),
        ("exclude_modules", ["v_proj"]),
        ("fan_in_fan_out", True),
        ("init_lora_weights", "pissa"),
        ("peft_type", "LOHA"),
        ("an_option_of_the_future", {"a": 1}),
    ],
    ids=str,
)
def test_an_option_of_peft_that_we_do_not_have_is_refused_by_name(folder, option, value):
    edit_config(folder, **{option: value})
    refuses(folder, f"{option} = .* does not support")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("r", "8"),
        ("r", None),
        ("r", 0),
        ("r", 500),
        ("lora_alpha", "16"),
        ("lora_alpha", -1),
        ("lora_dropout", 1.5),
        ("use_rslora", "yes"),
        ("target_modules", None),
        ("target_modules", []),
        ("target_modules", 7),
        ("target_modules", ["attn"]),
        ("target_modules", [7]),
        ("target_modules", "all-linear"),
        ("rank_pattern", [1]),
        ("rank_pattern", {"q_proj": "2"}),
        ("rank_pattern", {"nobody": 2}),
        ("alpha_pattern", {"q_proj": None}),
    ],
    ids=str,
)
def test_an_impossible_value_is_refused(folder, option, value):
    edit_config(folder, **{option: value})
    refuses(folder, ".")


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write"):
        save_adapter(tmp_path / "file", trained())


def test_the_fingerprint_of_the_base_is_in_the_file(folder):
    assert recorded_base(folder / "adapter_model.safetensors") == fingerprint(tiny()) != fingerprint(tiny(seed=5))


def test_two_patterns_for_one_layer_are_refused_since_peft_takes_the_first_and_we_the_longest(folder):
    edit_config(folder, alpha_pattern={"q_proj": 3, "layers.0.self_attn.q_proj": 12})
    refuses(folder, "q_proj two values")


def test_two_patterns_that_say_the_same_are_no_contradiction(folder):
    edit_config(folder, alpha_pattern={"q_proj": 3, "layers.0.self_attn.q_proj": 3})
    assert {layer.alpha for name, layer in adapters(load_adapter(folder, tiny())).items() if "q_proj" in name} == {3}


def test_no_base_is_named_unless_one_is_given_so_that_peft_looks_for_none(tmp_path):
    for base, recorded in (("", None), ("mine/base", "mine/base")):
        save_adapter(tmp_path, trained(), base)
        config = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
        assert config["base_model_name_or_path"] == recorded
