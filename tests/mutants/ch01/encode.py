"""Answers to 1.4, encode by rank."""

from bank import body, right, swap, wrong

EXERCISE = "1.4"
MIN = "best = min(pairs, key=lambda pair: ranks[pair[0] + pair[1]])"
ANSWERS = [
    wrong(
        "the longest token first",
        "longest match",
        body(
            "encode",
            """
        ids, i = [], 0
        while i < len(word):
            size = max(n for n in range(1, len(word) - i + 1) if word[i : i + n] in ranks)
            ids.append(ranks[word[i : i + size]])
            i += size
        return ids
    """,
        ),
    ),
    wrong("the first pair from the left", "left to right", swap(MIN, "best = pairs[0]")),
    wrong("the highest rank first", "highest rank", swap(MIN, MIN.replace("min", "max"))),
    wrong("the last pair", "highest rank", swap(MIN, "best = pairs[-1]")),
    wrong(
        "one round only",
        "one merge",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        pairs = [pair for pair in zip(tokens, tokens[1:]) if pair[0] + pair[1] in ranks]
        if pairs:
            tokens = merge_pair(tokens, min(pairs, key=lambda pair: ranks[pair[0] + pair[1]]))
        return [ranks[token] for token in tokens]
    """,
        ),
    ),
    wrong("returns the tokens", "tokens", swap("[ranks[token] for token in tokens]", "tokens")),
    wrong("returns the bytes", "bytes only", swap("        if not pairs:", "        if pairs or not pairs:")),
    wrong(
        "runs are merged from the right",
        "right end",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        while True:
            places = [i for i in range(len(tokens) - 1) if tokens[i] + tokens[i + 1] in ranks]
            if not places:
                return [ranks[token] for token in tokens]
            i = min(places, key=lambda i: (ranks[tokens[i] + tokens[i + 1]], -i))
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    """,
        ),
    ),
    wrong(
        "asks for unknown pairs",
        "unknown pair",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        while len(tokens) > 1:
            best = min(zip(tokens, tokens[1:]), key=lambda pair: ranks[pair[0] + pair[1]])
            if best[0] + best[1] not in ranks:
                break
            tokens = merge_pair(tokens, best)
        return [ranks[token] for token in tokens]
    """,
        ),
    ),
    wrong(
        "compares ranks with None",
        "unknown pair",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        while len(tokens) > 1:
            best = min(zip(tokens, tokens[1:]), key=lambda pair: ranks.get(pair[0] + pair[1]))
            if best[0] + best[1] not in ranks:
                break
            tokens = merge_pair(tokens, best)
        return [ranks[token] for token in tokens]
    """,
        ),
    ),
    wrong(
        "min of nothing",
        "empty",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        while True:
            best = min(zip(tokens, tokens[1:]), key=lambda pair: ranks.get(pair[0] + pair[1], 10**9)) if (
                len(tokens) != 0 and len(tokens) > 1) else (tokens[0], b"?")
            if best[0] + best[1] not in ranks:
                return [ranks[token] for token in tokens]
            tokens = merge_pair(tokens, best)
    """,
        ),
    ),
    wrong("a list of one-item lists", "type", swap("[ranks[token] for", "[[ranks[token]] for")),
    wrong(
        "never merges what it found",
        "slow",
        swap("        tokens = merge_pair(tokens, best)", "        continue"),
        endless=True,
    ),
    wrong("spoils the ranks", "mutated", swap("while True:", "ranks.setdefault(b'', -1)\n    while True:")),
    right(
        "one pair at a time, the leftmost",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        while True:
            places = [i for i in range(len(tokens) - 1) if tokens[i] + tokens[i + 1] in ranks]
            if not places:
                return [ranks[token] for token in tokens]
            i = min(places, key=lambda i: ranks[tokens[i] + tokens[i + 1]])
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    """,
        ),
    ),
    right(
        "every merge in the order learned",
        body(
            "encode",
            """
        tokens = [bytes([byte]) for byte in word]
        for wanted in sorted((token for token in ranks if len(token) > 1), key=ranks.get):
            i = 0
            while i < len(tokens) - 1:
                if tokens[i] + tokens[i + 1] == wanted:
                    tokens[i : i + 2] = [wanted]
                i += 1
        return [ranks[token] for token in tokens]
    """,
        ),
    ),
    right(
        "an infinite rank for unknown pairs",
        body(
            "encode",
            """
        tokens = [word[i : i + 1] for i in range(len(word))]
        rank = lambda pair: ranks.get(pair[0] + pair[1], float("inf"))
        while len(tokens) > 1:
            best = min(zip(tokens, tokens[1:]), key=rank)
            if rank(best) == float("inf"):
                break
            tokens = merge_pair(tokens, best)
        return [ranks[token] for token in tokens]
    """,
        ),
    ),
]
