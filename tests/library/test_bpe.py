"""Training a byte-pair encoding, held against a reference that counts everything anew after each merge."""

import os
import subprocess
import sys
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.bpe import merge_pair, train_bpe

QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)
FEW_LETTERS = st.text("ab ", min_size=1, max_size=30).map(str.encode)  # repeats and runs are the hard cases
WORDS = st.dictionaries(st.one_of(FEW_LETTERS, st.binary(min_size=1, max_size=12)), st.integers(1, 9), max_size=8)


def reference(words, n_merges):
    """The definition, word for word: count every pair, take the best, merge it everywhere, start over."""
    splits = {word: [word[i : i + 1] for i in range(len(word))] for word in words}
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        for word, tokens in splits.items():
            for i in range(len(tokens) - 1):
                counts[tokens[i], tokens[i + 1]] += words[word]
        if not counts or max(counts.values()) < 2:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for tokens in splits.values():
            i = 0
            while i + 1 < len(tokens):
                if (tokens[i], tokens[i + 1]) == best:
                    tokens[i : i + 2] = [best[0] + best[1]]
                i += 1
    return merges


@QUICK
@given(WORDS, st.integers(0, 40))
def test_incremental_counts_give_the_merges_of_a_full_recount(words, n_merges):
    assert train_bpe(words, n_merges) == reference(words, n_merges)


def test_the_reference_tells_different_texts_apart():
    assert reference({b"abab": 1}, 1) != reference({b"baba": 2, b"ba": 1}, 1)


def test_the_most_frequent_pair_is_merged_first():
    assert train_bpe({b"xy": 5, b"ab": 4}, 2) == [(b"x", b"y"), (b"a", b"b")]


def test_a_tie_goes_to_the_pair_whose_bytes_sort_first():
    assert train_bpe({b"zy": 3, b"zx": 3, b"az": 3}, 3) == [(b"a", b"z"), (b"z", b"x"), (b"z", b"y")]


def test_a_tie_is_broken_by_the_bytes_and_not_by_the_age_of_a_token():
    # After (a, b): (ab, c) and (x, y) both occur twice; "ab" is the newest token but sorts first.
    assert train_bpe({b"abc": 2, b"ab": 1, b"xy": 2}, 2) == [(b"a", b"b"), (b"ab", b"c")]


def test_the_order_of_the_words_does_not_matter():
    words = {b"low": 3, b"slow": 2, b"lower": 2, b"new": 4}
    assert train_bpe(words, 9) == train_bpe(dict(reversed(words.items())), 9)


def test_a_run_of_four_becomes_two_pairs_and_then_one_token():
    assert train_bpe({b"aaaa": 2}, 5) == [(b"a", b"a"), (b"aa", b"aa")]


def test_a_run_of_five_keeps_its_odd_letter_at_the_end():
    assert merge_pair([b"a"] * 5, (b"a", b"a")) == [b"aa", b"aa", b"a"]
    assert train_bpe({b"aaaaa": 2}, 5) == [(b"a", b"a"), (b"aa", b"a"), (b"aa", b"aaa")]


def test_a_merge_never_crosses_a_word_boundary():
    assert (b"b", b"c") not in train_bpe({b"ab": 9, b"cd": 9}, 10)
    assert (b"b", b"c") in train_bpe({b"abcd": 9, b"bc": 1}, 10)


def test_a_pair_seen_only_once_is_not_worth_a_token():
    assert train_bpe({b"abc": 1}, 10) == []
    assert train_bpe({b"abc": 2}, 10) == [(b"a", b"b"), (b"ab", b"c")]


def test_no_words_give_no_merges():
    assert train_bpe({}, 10) == []


def test_progress_is_told_after_each_merge():
    seen = []
    train_bpe({b"aaaa": 2}, 2, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_merges_do_not_depend_on_the_hash_seed():
    program = "from minilm.bpe import train_bpe; w = b'mainly plainly rainy brain brainy plain'.split()\n"
    program += "print(len(w), train_bpe({x: 2 for x in set(w)}, 30))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"(") > 10, "the comparison needs some merges to be worth anything"
