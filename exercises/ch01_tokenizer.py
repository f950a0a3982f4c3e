# Yours to edit: write a function, save the file, and check it, with check("1.1") in the notebook or with
# `minilm grade 1.1` in a shell. hint("1.1") in the notebook opens the next hint.
"""Chapter 1, tokenizer: byte-pair encoding, from the first count to bits per byte.

Tokens are `bytes` all through this file: b"l" is one byte, b"low" a token of three. A word is a list of tokens, and the
words of a text stay separate. The same tiny text goes through the whole chapter: low, low, low, lower, aaa.
"""

import itertools
import math

import tiktoken


def count_pairs(words: list[tuple[list[bytes], int]]) -> dict[tuple[bytes, bytes], int]:
    """Exercise 1.1: how often does each pair of neighbouring tokens occur?

    Arguments: words: (tokens of a word, how often the word occurs in the text).
    Returns: pair (left, right) -> occurrences in the whole text. Pairs that never occur are left out. In a run such as
    a a a the pair (a, a) occurs twice.
    Source: Gage, "A new algorithm for data compression" (1994).

    >>> count_pairs([([b"l", b"o", b"w"], 3), ([b"l", b"o"], 1)])
    {(b'l', b'o'): 4, (b'o', b'w'): 3}
    """
    raise NotImplementedError("Exercise 1.1: count the pairs")


def merge_pair(tokens: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Exercise 1.2: join a pair wherever it stands in a word.

    Arguments: tokens: the tokens of one word; leave this list as it is. pair: (left, right).
    Returns: a new list, in which each `left` followed by `right` is one token, left + right. It goes from left to
    right, and each token is used once.

    >>> merge_pair([b"a", b"a", b"a", b"b"], (b"a", b"a"))
    [b'aa', b'a', b'b']
    """
    raise NotImplementedError("Exercise 1.2: merge a pair")


def train_bpe(words: dict[bytes, int], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Exercise 1.3: learn which pairs deserve a token of their own.

    1. Cut every word into single bytes.
    2. Count the pairs; take the most frequent one. Among equals take the one that sorts first, (left, right) compared
       as Python compares tuples of bytes.
    3. Merge it in every word, and go on at 2.

    Arguments: words: word -> how often it occurs in the text. n_merges: how many pairs to learn, at most.
    Returns: the pairs in the order learned. Fewer than n_merges when no pair is left that occurs at least twice.
    Source: Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units" (2016).

    >>> train_bpe({b"low": 3, b"lower": 1, b"aaa": 1}, 3)
    [(b'l', b'o'), (b'lo', b'w'), (b'a', b'a')]
    """
    raise NotImplementedError("Exercise 1.3: train a BPE")


def encode(word: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Exercise 1.4: one word to token ids, by the order in which the merges were learned.

    Arguments: word: any bytes. ranks: token -> id; all 256 single bytes are in it, and a token that was learned earlier
    has the smaller id.
    Returns: the ids. Start from single bytes; of all neighbouring pairs whose joined token has a rank, merge the one of
    the smallest rank (the leftmost, if it is there more than once); stop when there is none.
    Source: the method of tiktoken and of GPT-2 (Radford et al. 2019).

    >>> encode(b"abc", {b"a": 97, b"b": 98, b"c": 99, b"bc": 256, b"ab": 257})
    [97, 256]
    """
    raise NotImplementedError("Exercise 1.4: encode by rank")


def decode(ids: list[int], tokens: dict[int, bytes]) -> str:
    """Exercise 1.5: token ids back to text.

    Arguments: ids: any ids, as a model may produce them. tokens: id -> bytes.
    Returns: the text. Bytes that are no UTF-8 (a letter cut in half, for one) show as U+FFFD, the replacement sign.

    >>> decode([104, 256, 33], {104: b"h", 33: b"!", 256: b"ey"})
    'hey!'
    """
    raise NotImplementedError("Exercise 1.5: decode")


def make_encoding(merges: list[tuple[bytes, bytes]], pattern: str) -> tiktoken.Encoding:
    """Exercise 1.6: hand what you learned to tiktoken, a fast open-source encoder.

    Ids: byte b is id b (0 to 255); merge number k (from 0) makes id 256 + k; the first id after those is the special
    token "<|endoftext|>".

    Arguments: merges: (left, right) in the order learned. pattern: the regular expression that cuts a text into words.
    Returns: a tiktoken.Encoding, which needs a name (any), pat_str, mergeable_ranks (token -> id) and special_tokens
    (text -> id).

    >>> make_encoding([(b"l", b"o"), (b"lo", b"w")], "[a-z]+|.").encode("low!")
    [257, 33]
    """
    raise NotImplementedError("Exercise 1.6: hand your merges to tiktoken")


def bits_per_byte(nats_per_token: float, n_tokens: int, n_bytes: int) -> float:
    """Exercise 1.7: a loss that can be compared between tokenizers.

    Arguments: nats_per_token: the mean loss (natural logarithm) per token. n_tokens, n_bytes: the length of the text in
    tokens and in bytes.
    Returns: bits per byte of text. 1 bit is ln 2 nats.

    >>> bits_per_byte(math.log(2), n_tokens=100, n_bytes=400)
    0.25
    """
    raise NotImplementedError("Exercise 1.7: nats per token to bits per byte")
