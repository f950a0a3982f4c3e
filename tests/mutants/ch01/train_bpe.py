"""Answers to 1.3, train a BPE."""

from bank import body, right, swap, wrong

EXERCISE = "1.3"
KEY = "best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)"
ANSWERS = [
    wrong("the first of the most frequent", "tie", swap(KEY, "best = max(counts, key=counts.get, default=None)")),
    wrong(
        "the one that sorts last",
        "tie",
        swap(KEY, "best = max(counts, key=lambda pair: (counts[pair], pair), default=None)"),
    ),
    wrong("ties by the joined token", "tie", swap("(-counts[pair], pair)", "(-counts[pair], pair[0] + pair[1])")),
    wrong("ties by the right token", "tie", swap("(-counts[pair], pair)", "(-counts[pair], pair[::-1])")),
    wrong(
        "the shortest first among equals",
        "tie",
        swap("(-counts[pair], pair)", "(-counts[pair], -len(pair[0] + pair[1]), pair)"),
    ),
    wrong(
        "counts once, before the loop",
        "stale counts",
        body(
            "train_bpe",
            """
        splits = [([bytes([byte]) for byte in word], times) for word, times in words.items()]
        counts = count_pairs(splits)
        best = sorted((pair for pair in counts if counts[pair] > 1), key=lambda pair: (-counts[pair], pair))
        return best[:n_merges]
    """,
        ),
    ),
    wrong(
        "adds the new pairs but keeps the old",
        "stale counts",
        body(
            "train_bpe",
            """
        splits = [([bytes([byte]) for byte in word], times) for word, times in words.items()]
        merges, counts = [], count_pairs(splits)
        while len(merges) < n_merges:
            best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if best is None or counts[best] < 2:
                break
            merges.append(best)
            splits = [(merge_pair(tokens, best), times) for tokens, times in splits]
            counts = {**counts, **count_pairs(splits)}
            del counts[best]
        return merges
    """,
        ),
    ),
    wrong(
        "forgets to merge",
        "stale counts",
        body(
            "train_bpe",
            """
        splits = [([bytes([byte]) for byte in word], times) for word, times in words.items()]
        merges = []
        while len(merges) < n_merges:
            counts = {pair: n for pair, n in count_pairs(splits).items() if pair not in merges}
            best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if best is None or counts[best] < 2:
                break
            merges.append(best)
        return merges
    """,
        ),
    ),
    wrong("each word once", "times ignored", swap("for byte in word], times)", "for byte in word], 1)")),
    wrong(
        "one long text",
        "across words",
        swap(
            "splits = [([bytes([byte]) for byte in word], times) for word, times in words.items()]",
            "splits = [([bytes([byte]) for word, times in words.items() for byte in word * times], 1)]",
        ),
    ),
    wrong("merges what occurs once", "once is enough", swap("counts[best] < 2", "counts[best] < 1")),
    wrong("no look at the end", "runs out", swap(", default=None)", ")")),
    wrong("no limit but n_merges", "once is enough", swap("best is None or counts[best] < 2", "best is None")),
    wrong(
        "skips the round in place of stopping",
        "runs out",
        swap("            break", "            continue"),
        endless=True,
    ),
    wrong("one merge too many", "one too many", swap("< n_merges", "<= n_merges")),
    wrong("returns the new tokens", "tokens, not pairs", swap("return merges", "return [a + b for a, b in merges]")),
    wrong(
        "letters in place of bytes",
        "letters",
        body(
            "train_bpe",
            """
        splits = [(list(word.decode()), times) for word, times in words.items()]
        merges = []
        while len(merges) < n_merges:
            counts = count_pairs(splits)
            best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if best is None or counts[best] < 2:
                break
            merges.append(best)
            splits = [(merge_pair(tokens, best), times) for tokens, times in splits]
        return merges
    """,
        ),
    ),
    wrong(
        "letters, turned into bytes at the end",
        "letters",
        body(
            "train_bpe",
            """
        splits = [([letter.encode() for letter in word.decode()], times) for word, times in words.items()]
        merges = []
        while len(merges) < n_merges:
            counts = count_pairs(splits)
            best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if best is None or counts[best] < 2:
                break
            merges.append(best)
            splits = [(merge_pair(tokens, best), times) for tokens, times in splits]
        return merges
    """,
        ),
    ),
    wrong("numbers in place of bytes", "numbers", swap("[bytes([byte]) for byte in word]", "list(word)")),
    wrong("uses up the words", "mutated", swap("merges = []", "merges = []\n    words.clear()")),
    right(
        "counts mended after each merge",
        body(
            "train_bpe",
            """
        splits = [([bytes([byte]) for byte in word], times) for word, times in words.items()]
        counts, merges = count_pairs(splits), []
        while len(merges) < n_merges:
            best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if best is None or counts[best] < 2:
                break
            merges.append(best)
            for number, (tokens, times) in enumerate(splits):
                fresh = merge_pair(tokens, best)
                for pair in zip(tokens, tokens[1:]):
                    counts[pair] -= times
                for pair in zip(fresh, fresh[1:]):
                    counts[pair] = counts.get(pair, 0) + times
                splits[number] = (fresh, times)
        return merges
    """,
        ),
    ),
    right(
        "sorted twice",
        swap(
            KEY,
            "ranked = sorted(sorted(counts), key=counts.get, reverse=True)\n"
            "        best = ranked[0] if ranked else None",
        ),
    ),
    right(
        "on its own, without the other exercises",
        body(
            "train_bpe",
            """
        splits = {word: [word[i : i + 1] for i in range(len(word))] for word in words}
        merges = []
        for _ in range(n_merges):
            counts = {}
            for word, tokens in splits.items():
                for i in range(len(tokens) - 1):
                    pair = tokens[i], tokens[i + 1]
                    counts[pair] = counts.get(pair, 0) + words[word]
            best = max(counts.values(), default=0)
            if best < 2:
                break
            left, right = min(pair for pair in counts if counts[pair] == best)
            merges.append((left, right))
            for tokens in splits.values():
                i = 0
                while i < len(tokens) - 1:
                    if tokens[i] == left and tokens[i + 1] == right:
                        tokens[i : i + 2] = [left + right]
                    i += 1
        return merges
    """,
        ),
    ),
]
