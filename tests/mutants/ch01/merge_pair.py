"""Answers to 1.2, merge a pair."""

from bank import body, right, swap, wrong

EXERCISE = "1.2"
LOOP = """
    merged, i = [], 0
    while i < len(tokens):
        if {test}:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged
"""
ANSWERS = [
    wrong("jumps one token, not two", "overlap", swap("i += 2", "i += 1")),
    wrong(
        "every pair of neighbours, whatever was used",
        "overlap",
        body(
            "merge_pair",
            """
        merged = []
        for i, token in enumerate(tokens):
            if i + 1 < len(tokens) and (token, tokens[i + 1]) == pair:
                merged.append(token + tokens[i + 1])
            elif i == 0 or (tokens[i - 1], token) != pair:
                merged.append(token)
        return merged
    """,
        ),
    ),
    wrong(
        "from right to left",
        "right to left",
        body(
            "merge_pair",
            """
        merged, i = [], len(tokens) - 1
        while i >= 0:
            if i > 0 and (tokens[i - 1], tokens[i]) == pair:
                merged.insert(0, tokens[i - 1] + tokens[i])
                i -= 2
            else:
                merged.insert(0, tokens[i])
                i -= 1
        return merged
    """,
        ),
    ),
    wrong(
        "only the first",
        "first only",
        body(
            "merge_pair",
            """
        for i in range(len(tokens) - 1):
            if (tokens[i], tokens[i + 1]) == pair:
                return tokens[:i] + [tokens[i] + tokens[i + 1]] + tokens[i + 2:]
        return tokens
    """,
        ),
    ),
    wrong("the loop ends one early", "last lost", swap("while i < len(tokens)", "while i < len(tokens) - 1")),
    wrong(
        "zip drops the last token",
        "last lost",
        body(
            "merge_pair",
            """
        merged, skip = [], False
        for left, right in zip(tokens, tokens[1:]):
            if skip:
                skip = False
            elif (left, right) == pair:
                merged.append(left + right)
                skip = True
            else:
                merged.append(left)
        return merged
    """,
        ),
    ),
    wrong(
        "compares joined bytes",
        "joined text",
        swap(
            "tuple(tokens[i : i + 2]) == pair",
            "b''.join(tokens[i : i + 2]) == pair[0] + pair[1] and i + 1 < len(tokens)",
        ),
    ),
    wrong(
        "searches in the text",
        "joined text",
        body(
            "merge_pair",
            """
        pieces = b"|".join(tokens).replace(b"|".join(pair), pair[0] + pair[1]).split(b"|") if tokens else []
        return pieces
    """,
        ),
    ),
    wrong(
        "only the left token must match",
        "one of two",
        body("merge_pair", LOOP.format(test="i + 1 < len(tokens) and tokens[i] == pair[0]")),
    ),
    wrong(
        "either token may match",
        "one of two",
        body(
            "merge_pair", LOOP.format(test="i + 1 < len(tokens) and (tokens[i] == pair[0] or tokens[i + 1] == pair[1])")
        ),
    ),
    wrong(
        "in either order",
        "swapped",
        body("merge_pair", LOOP.format(test="i + 1 < len(tokens) and {tokens[i], tokens[i + 1]} == set(pair)")),
    ),
    wrong(
        "merges until one is left",
        "again",
        body(
            "merge_pair",
            """
        out = []
        for token in tokens:
            if out and token == pair[1] and out[-1].endswith(pair[0]):
                out[-1] += token
            else:
                out.append(token)
        return out
    """,
        ),
    ),
    wrong(
        "a tuple in place of the token",
        "not joined",
        swap("merged.append(tokens[i] + tokens[i + 1])", "merged.append(pair)"),
    ),
    wrong(
        "looks right of the last token",
        "raised",
        body("merge_pair", LOOP.format(test="(tokens[i], tokens[i + 1]) == pair")),
    ),
    wrong(
        "works in the list it was given",
        "mutated",
        body(
            "merge_pair",
            """
        i = 0
        while i + 1 < len(tokens):
            if (tokens[i], tokens[i + 1]) == pair:
                tokens[i : i + 2] = [pair[0] + pair[1]]
            i += 1
        return tokens
    """,
        ),
    ),
    wrong("never gets on", "slow", swap("i += 1", "i += 0"), endless=True),
    wrong("forgets to return", "type", swap("return merged", "merged")),
    right(
        "in a copy, from the front",
        body(
            "merge_pair",
            """
        tokens, i = list(tokens), 0
        while i + 1 < len(tokens):
            if (tokens[i], tokens[i + 1]) == pair:
                tokens[i : i + 2] = [pair[0] + pair[1]]
            i += 1
        return tokens
    """,
        ),
    ),
    right(
        "by what was written last",
        body(
            "merge_pair",
            """
        merged, free = [], False
        for token in tokens:
            if free and (merged[-1], token) == pair:
                merged[-1], free = merged[-1] + token, False
            else:
                merged.append(token)
                free = True
        return merged
    """,
        ),
    ),
    right(
        "recursive",
        body(
            "merge_pair",
            """
        if len(tokens) < 2:
            return list(tokens)
        if (tokens[0], tokens[1]) == tuple(pair):
            return [tokens[0] + tokens[1], *merge_pair(tokens[2:], pair)]
        return [tokens[0], *merge_pair(tokens[1:], pair)]
    """,
        ),
    ),
    right("a tuple of tokens", swap("return merged", "return tuple(merged)")),
]
