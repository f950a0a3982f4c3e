"""Token ids: tokenizer.json cuts every text as our tokenizer does."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import tokenizers, transformers

from minilm.corpus import load
from minilm.errors import UserError
from minilm.hub import export_hf
from minilm.hub_tokenizer import as_tokenizer_json, load_hf_tokenizer
from minilm.pretrained import load_base
from minilm.tokenizer import EOT, Tokenizer

HARD = [
    "", " ", "\0", "a\0b", "\n", "\r\n", " \n \n", "\t\t x", "x" * 3000, " " * 3000, "\n" * 999, "0" * 500, "!?" * 800,
    "ab" * 2000, "naïve café", "e\u0301", "\ufeff", "\u2028\u00a0\u3000", "𝔘𝔫𝔦", "\U0010ffff", "🙂" * 300, "🏳️‍🌈👍🏽",
    "👩‍👩‍👧‍👦", "Ġ Ċ", "日本語のテキスト", "مرحبا بالعالم", "'tis 'TIS don't", "1597 3.14159", "<|endoftext",
    "a" * 255 + " " * 256 + "b",
]  # fmt: skip
WORDS = st.sampled_from(["ROMEO:", "the ", " of", "\n", "'tis", "  ", "👍🏽", "\0", "1597", "é", "\r\n", ",\n"])
RUNS = st.builds(lambda letter, times: letter * times, st.sampled_from("a \n0!é🙂\0"), st.integers(1, 400))
BYTES = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "ignore"))
STRINGS = st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=12).map("".join), RUNS, BYTES)
MANY = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def ours():
    return load_base()[1]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    export_hf(folder)
    return folder


@pytest.fixture(scope="module")
def theirs(exported):
    """ids(text): by the Rust library."""
    rust = tokenizers.Tokenizer.from_file(str(exported / "tokenizer.json"))
    return lambda text: rust.encode(text, add_special_tokens=False).ids


@pytest.fixture(scope="module")
def auto(exported):
    return transformers.AutoTokenizer.from_pretrained(exported, model_max_length=10_000)


def test_every_validation_line_has_the_same_ids(ours, theirs):
    lines = load("shakespeare").validation.splitlines(keepends=True)
    assert len(lines) > 1000
    for line in lines:
        assert theirs(line) == ours.encode(line), line


def test_the_whole_validation_text_has_the_same_ids(ours, theirs):
    text = load("shakespeare").validation
    assert theirs(text) == ours.encode(text)


@MANY
@given(texts=st.lists(STRINGS, min_size=50, max_size=50))
def test_any_10_000_strings_have_the_same_ids(ours, theirs, texts):
    for text in texts:
        assert theirs(text) == ours.encode(text), repr(text)


@pytest.mark.parametrize("text", HARD, ids=range(len(HARD)))
def test_a_hard_string_has_the_same_ids_and_comes_back(ours, theirs, auto, text):
    ids = ours.encode(text)
    assert theirs(text) == ids == auto(text, add_special_tokens=False).input_ids
    assert auto.decode(ids) == text == ours.decode(ids)


def test_another_split_or_another_order_of_merges_would_show(ours):
    text = load("shakespeare").validation[:5000]
    for changed in (Tokenizer(ours.merges, r"\S+|\s+"), Tokenizer(ours.merges[:-300])):
        rust = tokenizers.Tokenizer.from_str(json.dumps(as_tokenizer_json(changed)))
        assert rust.encode(text, add_special_tokens=False).ids == changed.encode(text) != ours.encode(text)


def test_a_text_begins_with_the_special_token_unless_one_asks_for_none(ours, auto):
    assert auto("To be").input_ids == [ours.eot, *ours.encode("To be")]
    assert auto("To be", add_special_tokens=False).input_ids == ours.encode("To be")
    assert (auto.bos_token_id, auto.eos_token_id) == (ours.eot, ours.eot)
    assert len(auto) == ours.n_vocab


def test_the_special_token_inside_a_text_is_read_as_everywhere_in_that_library(ours, auto):
    text = f"one{EOT}two"
    special, plain = ours.encode(text, allow_special=True), ours.encode(text)
    assert auto(text, add_special_tokens=False).input_ids == special != plain
    assert auto(text, add_special_tokens=False, split_special_tokens=True).input_ids == plain


def test_a_tokenizer_that_they_saved_again_is_the_same_one_here(ours, auto, tmp_path):
    auto.save_pretrained(tmp_path)
    assert load_hf_tokenizer(tmp_path).fingerprint() == ours.fingerprint()


def test_a_tokenizer_of_another_kind_is_refused_by_name(tmp_path):
    rust = tokenizers.ByteLevelBPETokenizer()
    rust.train_from_iterator(["to be or not to be"] * 5, vocab_size=270, show_progress=False)
    rust.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UserError, match="pre_tokenizer"):
        load_hf_tokenizer(tmp_path)


def test_added_tokens_are_refused_by_name(auto, tmp_path, exported):
    more = transformers.AutoTokenizer.from_pretrained(exported)
    more.add_special_tokens({"pad_token": "<pad>"})
    more.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="added_tokens"):
        load_hf_tokenizer(tmp_path)
