"""Adapters: a folder of ours is an adapter in PEFT, and a plain LoRA of PEFT's is one of ours."""

import pytest
import torch
from libraries import hf_logits, peft, read_model, transformers
from shapes import every_shape, trained

from minilm.adapter import load_adapter, save_adapter
from minilm.errors import UserError
from minilm.folder import load_model
from minilm.generate import stream
from minilm.hub import export_hf, import_hf
from minilm.lora import ALL_SEVEN, adapters, add_lora, remove_lora
from minilm.merge import fold, merge, unmerge
from minilm.model import LM
from minilm.pretrained import load_base

EQUAL = {"rtol": 0, "atol": 1e-4}


@pytest.fixture
def saved(tmp_path, adapted, folder):
    save_adapter(tmp_path / "adapter", adapted, base=str(folder))
    return tmp_path / "adapter"


@pytest.fixture
def from_peft(folder, tmp_path):
    """from_peft(**options): a PeftModel on the base, trained, and the folder that it saves."""

    def make(**options):
        choices = {"r": 4, "lora_alpha": 6, "target_modules": list(ALL_SEVEN), "task_type": "CAUSAL_LM", **options}
        model = peft.get_peft_model(read_model(folder), peft.LoraConfig(**choices)).eval()
        generator = torch.Generator().manual_seed(9)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if ".lora_B." in name:
                    parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
        model.save_pretrained(tmp_path / "peft")
        return model, tmp_path / "peft"

    return make


@every_shape
def test_an_adapter_of_ours_has_the_same_logits_in_peft_and_not_those_of_the_base(adapted, folder, saved, ids):
    found = hf_logits(read_model(folder, saved), ids)
    torch.testing.assert_close(found, adapted(ids), **EQUAL)
    assert (found - hf_logits(read_model(folder), ids)).abs().max() > 0.1


def test_every_rank_and_alpha_of_a_layer_is_the_same_in_peft(adapted, folder, saved):
    model = read_model(folder, saved).get_base_model()
    assert {layer.rank for layer in adapters(adapted).values()} == {2, 4, 5}
    for name, layer in adapters(adapted).items():
        theirs = model.get_submodule(name)
        assert (theirs.r["default"], theirs.lora_alpha["default"]) == (layer.rank, layer.alpha), name
        assert theirs.scaling["default"] == pytest.approx(layer.gamma), name


@every_shape
def test_merging_is_the_same_in_peft(adapted, folder, saved, ids):
    theirs = read_model(folder, saved).merge_and_unload()
    with_adapter = adapted(ids)
    ours = fold(merge(adapted))
    merged = dict(theirs.named_parameters())
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(
            weight, merged[name], rtol=0, atol=1e-6, msg=lambda said, name=name: f"{name}: {said}"
        )
    torch.testing.assert_close(hf_logits(theirs, ids), ours(ids), **EQUAL)
    torch.testing.assert_close(ours(ids), with_adapter, **EQUAL)


def test_unmerging_gives_the_base_that_transformers_has(adapted, folder, ids):
    remove_lora(unmerge(merge(adapted)))
    torch.testing.assert_close(adapted(ids), hf_logits(read_model(folder), ids), **EQUAL)


@every_shape
def test_an_adapter_of_peft_has_the_same_logits_here_and_not_those_of_the_base(from_peft, folder, ids):
    theirs, path = from_peft()
    ours, _ = load_model(folder)
    before = ours(ids)
    load_adapter(path, ours)
    torch.testing.assert_close(ours(ids), hf_logits(theirs, ids), **EQUAL)
    assert (ours(ids) - before).abs().max() > 0.1
    torch.testing.assert_close(fold(ours)(ids), hf_logits(theirs.merge_and_unload(), ids), **EQUAL)


@pytest.mark.parametrize(
    "options",
    [
        {"target_modules": ["q_proj", "up_proj"]},
        {"target_modules": "all-linear"},
        {"use_rslora": True},
        {"rank_pattern": {"k_proj": 2}, "alpha_pattern": {"mlp.up_proj": 1, "model.layers.1.mlp.gate_proj": 20}},
        {"init_lora_weights": "gaussian", "lora_dropout": 0.5},
    ],
    ids=lambda options: " ".join(options),
)
def test_the_choices_of_a_plain_lora_are_understood(from_peft, folder, ids, options):
    theirs, path = from_peft(**options)
    ours = load_adapter(path, load_model(folder)[0])
    torch.testing.assert_close(ours(ids), hf_logits(theirs, ids), **EQUAL)
    assert (ours(ids) - load_model(folder)[0](ids)).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"modules_to_save": ["norm"]}, "modules_to_save"),
        ({"layers_to_transform": [0]}, "layers_to_transform"),
        ({"exclude_modules": ["q_proj"]}, "exclude_modules"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_an_option_of_peft_that_ours_lack_is_refused_by_name(from_peft, folder, tmp_path, options, named):
    _, path = from_peft(**options)
    with pytest.raises(UserError, match=f"has {named} = "):
        import_hf(path, tmp_path / "out", model=folder)
    assert not (tmp_path / "out").exists()


def test_another_kind_of_adapter_is_refused_by_name(folder, tmp_path):
    config = peft.LoHaConfig(task_type="CAUSAL_LM", target_modules=["k_proj"])
    peft.get_peft_model(read_model(folder), config).save_pretrained(tmp_path / "loha")
    with pytest.raises(UserError, match="peft_type = 'LOHA'|does not support"):
        import_hf(tmp_path / "loha", tmp_path / "out", model=folder)


def test_an_imported_adapter_is_bound_to_its_base(from_peft, folder, tmp_path, ids, tiny_config):
    theirs, path = from_peft()
    assert import_hf(path, tmp_path / "ours", model=folder) == "adapter"
    ours = load_adapter(tmp_path / "ours", load_model(folder)[0])
    torch.testing.assert_close(ours(ids), hf_logits(theirs, ids), **EQUAL)
    with pytest.raises(UserError, match="another base"):
        load_adapter(tmp_path / "ours", LM(ours.config))


def test_an_exported_pair_loads_by_the_path_of_the_adapter_alone(tmp_path, monkeypatch):
    ours, tokenizer = load_base()
    save_adapter(tmp_path / "run", trained(add_lora(ours, rank=3, alpha=4.0).eval()))
    monkeypatch.chdir(tmp_path)
    export_hf("pair", adapter="run")
    theirs = peft.AutoPeftModelForCausalLM.from_pretrained("pair/adapter", dtype=torch.float32).eval()
    auto = transformers.AutoTokenizer.from_pretrained("pair")
    given = auto("ROMEO:\n", return_tensors="pt")
    written = theirs.generate(**given, max_new_tokens=40, do_sample=False, eos_token_id=None)[0].tolist()
    start = [tokenizer.eot, *tokenizer.encode("ROMEO:\n")]
    assert written == start + list(stream(ours, start, 40, temperature=0))
    assert written != start + list(stream(load_base()[0], start, 40, temperature=0)), "the adapter does nothing"
