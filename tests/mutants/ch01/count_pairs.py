"""Answers to 1.1, count the pairs."""

from bank import body, right, swap, wrong

EXERCISE = "1.1"
ANSWERS = [
    wrong("adds one, not times", "times ignored", swap("+ times", "+ 1")),
    wrong("stops one short", "last pair", swap("pairwise(tokens)", "pairwise(tokens[:-1])")),
    wrong(
        "sorts each pair",
        "unordered",
        swap("pairwise(tokens):", "pairwise(tokens):\n            pair = tuple(sorted(pair))"),
    ),
    wrong(
        "joins each pair",
        "joined",
        swap("pairwise(tokens):", "pairwise(tokens):\n            pair = pair[0] + pair[1]"),
    ),
    wrong(
        "index minus one",
        "wraps round",
        body(
            "count_pairs",
            """
        counts = {}
        for tokens, times in words:
            for i in range(len(tokens)):
                pair = (tokens[i - 1], tokens[i])
                counts[pair] = counts.get(pair, 0) + times
        return counts
    """,
        ),
    ),
    wrong(
        "modulo at the end",
        "wraps round",
        body(
            "count_pairs",
            """
        counts = {}
        for tokens, times in words:
            for i in range(len(tokens)):
                pair = (tokens[i], tokens[(i + 1) % len(tokens)])
                counts[pair] = counts.get(pair, 0) + times
        return counts
    """,
        ),
    ),
    wrong("sets in place of adding", "overwritten", swap("counts.get(pair, 0) + times", "times")),
    wrong(
        "skips what a merge would use up",
        "runs",
        body(
            "count_pairs",
            """
        counts = {}
        for tokens, times in words:
            i = 0
            while i + 1 < len(tokens):
                pair = (tokens[i], tokens[i + 1])
                counts[pair] = counts.get(pair, 0) + times
                i += 2 if i + 2 < len(tokens) and tokens[i] == tokens[i + 1] == tokens[i + 2] else 1
        return counts
    """,
        ),
    ),
    wrong(
        "one long list of tokens",
        "across words",
        body(
            "count_pairs",
            """
        counts, last = {}, None
        for tokens, times in words:
            for token in tokens:
                if last is not None:
                    counts[last, token] = counts.get((last, token), 0) + times
                last = token
        return counts
    """,
        ),
    ),
    wrong(
        "a pair is told by its joined bytes",
        "joined",
        body(
            "count_pairs",
            """
        counts, first = {}, {}
        for tokens, times in words:
            for pair in zip(tokens, tokens[1:]):
                pair = first.setdefault(pair[0] + pair[1], pair)
                counts[pair] = counts.get(pair, 0) + times
        return counts
    """,
        ),
    ),
    wrong(
        "runs past the end",
        "raised",
        body(
            "count_pairs",
            """
        counts = {}
        for tokens, times in words:
            for i in range(len(tokens)):
                pair = (tokens[i], tokens[i + 1])
                counts[pair] = counts.get(pair, 0) + times
        return counts
    """,
        ),
    ),
    wrong("no first count", "raised", swap("counts.get(pair, 0)", "counts[pair]")),
    wrong("a list of items", "type", swap("return counts", "return list(counts.items())")),
    wrong(
        "eats the words",
        "mutated",
        swap(
            "        for pair",
            "        tokens.reverse()\n        tokens.reverse()\n"
            "        tokens.append(b'')\n        tokens = tokens[:-1]\n        for pair",
        ),
    ),
    right(
        "Counter",
        body(
            "count_pairs",
            """
        from collections import Counter
        counts = Counter()
        for tokens, times in words:
            for i in range(len(tokens) - 1):
                counts[tokens[i], tokens[i + 1]] += times
        return counts
    """,
        ),
    ),
    right(
        "defaultdict and pairwise",
        body(
            "count_pairs",
            """
        from collections import defaultdict
        from itertools import pairwise
        counts = defaultdict(int)
        for tokens, times in words:
            for pair in pairwise(tokens):
                counts[pair] += times
        return counts
    """,
        ),
    ),
    right("in another order", swap("return counts", "return dict(sorted(counts.items()))")),
]
