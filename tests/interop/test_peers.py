"""The benchmark against the libraries, in one round on little text: its rows are whole and its equalities hold."""

import json

import pytest
import torch
from libraries import tokenizers

from minilm.bench import LIBRARIES, peer_tokens, peers, rows
from minilm.corpus import load
from minilm.model import LM, PRESETS
from minilm.tokenizer import Tokenizer

TEXT = "to be, or not to be: that is the question:\nwhether 'tis nobler in the mind to suffer\n" * 40


@pytest.fixture
def little(monkeypatch, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    data = load(f"file:{tmp_path / 'text.txt'}")
    tokenizer = Tokenizer.train(data.train, 300)
    torch.manual_seed(0)
    model = LM(PRESETS["nano"].with_vocabulary(tokenizer.n_vocab))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)

    def base(dtype=torch.float32):
        again = LM(model.config)
        again.load_state_dict(model.state_dict())
        return again.to(dtype), tokenizer

    for module in (peers, peer_tokens):
        monkeypatch.setattr(module, "load_base", base)
        monkeypatch.setattr(module, "alternate", lambda actions, **_: rows.alternate(actions, rounds=1, warmup=0))
    monkeypatch.setattr(peer_tokens, "VOCABULARY", 300)
    monkeypatch.setattr(peer_tokens.corpus, "load", lambda _: data)
    monkeypatch.setattr(peer_tokens, "play", lambda _: type("Play", (), {"text": data.validation}))
    for name, value in {"BATCH": 2, "CONTEXT": 24, "NEW": 12, "AT_ONCE": 2}.items():
        monkeypatch.setattr(peers, name, value)


def test_every_row_is_whole_and_both_sides_do_the_same(little):
    found = LIBRARIES["peers"]()
    for row in found:
        assert row["value"] is not None and json.dumps(row, allow_nan=False)
    same = [row for row in found if "differ" in row["what"] or "other ids" in row["what"]]
    assert len(same) >= 5 and all(row["met"] for row in same), same
    bounds = {row["what"].split(",")[0]: row["must"] for row in found if row["must"]}
    assert bounds["LoRA step / PEFT's"] == "<= 0.8" and bounds["peak memory of the step / PEFT's"] == "<= 1"
    assert bounds["tokens/s / those of `generate`"] == ">= 2"
    assert bounds["encoding speed / the Rust library's"] == ">= 1"


def test_peak_bytes_counts_what_is_alive_at_once():
    kept = torch.zeros(1000)

    def step():
        a = torch.zeros(10_000) + 1
        b = a + 1
        del a
        return (b * 2).sum()

    step.holds = lambda: [kept, kept[:5]]
    assert 80_000 <= peers.peak_bytes(step) - 4000 < 81_000


def test_merges_that_part_at_a_tie_are_told_from_those_that_do_not():
    text = "ab ab cd cd ef ef ef"
    tied, frequent = [(b"a", b"b")], [(b"e", b"f")]
    assert peer_tokens.first_difference(tied, tied, text) == (0, None)
    assert peer_tokens.first_difference(tied, [(b"c", b"d")], text)[0] == 0
    apart, where = peer_tokens.first_difference(frequent, tied, text)
    assert apart == 1 and where["merge"] == 0 and where["counts"] == [3, 2]
    apart, where = peer_tokens.first_difference([*frequent, *tied], [*frequent, (b" ", b"ef")], text)
    assert apart == 1 and where["merge"] == 1 and where["counts"] == [2, 3], "counts are those after the common merges"


def test_the_rust_trainer_gets_the_same_task():
    rust = peer_tokens.rust_trained(TEXT)
    assert isinstance(rust, tokenizers.Tokenizer)
    learned = Tokenizer(peer_tokens.merges_in(json.loads(rust.to_str())))
    assert learned.merges[0] == Tokenizer.train(TEXT, 258).merges[0]
    assert rust.get_vocab_size() == learned.n_vocab
