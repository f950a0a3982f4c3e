"""Learning a byte-pair encoding: which pieces of text deserve a token of their own.

Start from single bytes. Again and again, find the pair of neighbouring tokens that occurs most often and make
it one new token: the words "low", "low", "lower" give (l, o), then (lo, w), then nothing that occurs twice.

Counting every pair anew after each merge is right but takes minutes. Two ideas make it seconds:

- count words, not text: the same word is always cut the same way, so merge it once, however often it occurs;
- after a merge only the words that hold the pair change: take their pairs out of the counts, merge, put the
  new pairs in.

Sources: Gage, "A new algorithm for data compression" (1994); Sennrich, Haddow and Birch, "Neural machine
translation of rare words with subword units" (2016); bytes in place of letters: Radford et al., GPT-2 (2019).

What this file does not do: cut text with the finished merges (tokenizer.py).
"""

import heapq
from collections import Counter, defaultdict
from itertools import pairwise


def train_bpe(words, n_merges, progress=None):
    """Learn up to `n_merges` merges.

    Arguments: words: bytes -> how often it occurs (merges never cross from one word to the next);
    progress: called as progress(done, n_merges) after each merge, or None.
    Returns: the merges in the order learned, a list of (left, right) bytes. It is shorter than `n_merges`
    when no pair is left that occurs twice: a token for something seen once would save nothing.

    The most frequent pair wins; among equals the one whose bytes sort first, (left, right) compared as bytes.
    So the result depends on nothing but the counts: not on hashing, machine or order. In a run such as "aaa"
    both (a, a) count, and the merge goes from left to right: (aa, a).

    >>> train_bpe({b"low": 3, b"lower": 1, b"aaa": 1}, 3)
    [(b'l', b'o'), (b'lo', b'w'), (b'a', b'a')]
    """
    splits = [[bytes([byte]) for byte in word] for word in words]  # each word as its tokens so far
    weights = list(words.values())
    counts, holders = _count_pairs(splits, weights)
    heap = [(-count, pair) for pair, count in counts.items()]  # the smallest comes first
    heapq.heapify(heap)
    merges = []
    while len(merges) < n_merges and (pair := _pop_best(heap, counts)):
        merges.append(pair)
        for fresh in _merge_everywhere(pair, splits, weights, counts, holders):
            heapq.heappush(heap, (-counts[fresh], fresh))
        if progress:
            progress(len(merges), n_merges)
    return merges


def merge_pair(tokens, pair):
    """`tokens` (a list of bytes) with each `pair` in it joined, from left to right.

    >>> merge_pair([b"a", b"a", b"a", b"b"], (b"a", b"a"))
    [b'aa', b'a', b'b']
    """
    left, right = pair
    merged, i, last = [], 0, len(tokens) - 1
    while i <= last:
        if i < last and tokens[i] == left and tokens[i + 1] == right:
            merged.append(left + right)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def _count_pairs(splits, weights):
    """(pair -> occurrences in the whole text, pair -> numbers of the words that hold it)."""
    counts, holders = Counter(), defaultdict(set)
    for number, (tokens, weight) in enumerate(zip(splits, weights, strict=True)):
        for pair in pairwise(tokens):
            counts[pair] += weight
            holders[pair].add(number)
    return counts, holders


def _pop_best(heap, counts):
    """The most frequent pair that occurs at least twice, or None.

    A count in the heap may be out of date, but only too high (later merges took some of the pair's tokens),
    so a pair that comes up with an old count goes back with the true one.
    """
    while heap:
        count, pair = heapq.heappop(heap)
        if -count == counts[pair]:
            return pair if -count >= 2 else None
        if counts[pair] > 0:
            heapq.heappush(heap, (-counts[pair], pair))
    return None


def _merge_everywhere(pair, splits, weights, counts, holders):
    """Merge `pair` in every word that holds it, keep the counts true, and return the pairs that are new."""
    fresh, new_token = set(), pair[0] + pair[1]
    for number in holders.pop(pair):
        before, weight = splits[number], weights[number]
        after = splits[number] = merge_pair(before, pair)
        for old in pairwise(before):
            counts[old] -= weight
        for new in pairwise(after):
            counts[new] += weight
            if new_token in new:
                holders[new].add(number)
                fresh.add(new)
    return fresh
