"""The solutions of chapter 1, held equal to minilm's own tokenizer."""

import importlib.util
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import regex
import torch

from minilm import bpe
from minilm.evaluate import bits_per_byte
from minilm.loss import token_losses
from minilm.tokenizer import EOT, PATTERN, Tokenizer

path = Path(__file__).resolve().parents[2] / "solutions" / "ch01_tokenizer.py"
spec = importlib.util.spec_from_file_location("solution_ch01", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)

TEXT = "the rain in Spain stays mainly in the plain; aaaaa bbbb é ééé, naïve naïvety — the end\nthe end\n" * 2
WORDS = Counter(word.encode() for word in regex.findall(PATTERN, TEXT))


@pytest.fixture(scope="module")
def theirs():
    return Tokenizer.train(TEXT, vocab_size=300)


def test_the_merges_are_those_of_minilm():
    assert mine.train_bpe(WORDS, 43) == bpe.train_bpe(WORDS, 43)
    assert len(mine.train_bpe(WORDS, 43)) > 20
    assert mine.train_bpe(WORDS, 43) != bpe.train_bpe(WORDS, 42)


def test_a_merge_is_that_of_minilm():
    for tokens in ([b"a"] * 5, [b"b", b"a", b"a"], [b"a", b"b", b"a", b"b"], [], [b"aa", b"a"]):
        for pair in ((b"a", b"a"), (b"a", b"b"), (b"aa", b"a")):
            assert mine.merge_pair(tokens, pair) == bpe.merge_pair(tokens, pair)


def test_the_counts_are_those_of_minilm():
    splits = [([bytes([byte]) for byte in word], times) for word, times in WORDS.items()]
    counts, holders = bpe._count_pairs([tokens for tokens, _ in splits], [times for _, times in splits])
    assert mine.count_pairs(splits) == dict(counts)
    assert set(holders) == {pair for tokens, _ in splits for pair in pairwise(tokens)}


def test_a_word_is_encoded_as_by_minilm(theirs):
    ranks = {theirs.token_bytes(index): index for index in range(theirs.eot)}
    words = [word for word in WORDS if regex.fullmatch(PATTERN, word.decode())]
    assert [mine.encode(word, ranks) for word in words] == [theirs.encode(word.decode()) for word in words]
    assert any(len(mine.encode(word, ranks)) < len(word) for word in words)


def test_ids_are_decoded_as_by_minilm(theirs):
    tokens = {index: theirs.token_bytes(index) for index in range(theirs.n_vocab)}
    for ids in (theirs.encode(TEXT), [0xC3], [0xE2, 0x80, 65], [0xFF, 0xC3, 0xA9, theirs.eot], []):
        assert mine.decode(ids, tokens) == theirs.decode(ids)


def test_tiktoken_is_built_as_by_minilm(theirs):
    encoding = mine.make_encoding(theirs.merges, theirs.pattern)
    assert encoding.n_vocab == theirs.n_vocab
    assert encoding.encode_ordinary(TEXT) == theirs.encode(TEXT)
    assert encoding.encode(TEXT + EOT, allowed_special="all")[-1] == theirs.eot


def test_bits_per_byte_are_those_of_minilm(tiny_model, tokenizer):
    text = "to be, or not é"
    ids = torch.tensor([[tokenizer.eot, *tokenizer.encode(text)]])
    with torch.no_grad():
        losses = token_losses(tiny_model(ids[:, :-1]), ids[:, 1:])
    seen = mine.bits_per_byte(losses.mean().item(), losses.numel(), len(text.encode()))
    assert seen == pytest.approx(bits_per_byte(tiny_model, tokenizer, text), rel=1e-5)
    assert seen != pytest.approx(losses.mean().item() / math.log(2), rel=0.01), "tokens and bytes must differ here"
