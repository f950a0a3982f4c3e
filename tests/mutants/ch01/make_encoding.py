"""Answers to 1.6, hand your merges to tiktoken."""

from bank import body, right, swap, wrong

EXERCISE = "1.6"
LOOP = """
    ranks = {bytes([byte]): byte for byte in range(256)}
    for number, (left, right) in enumerate(%s):
        ranks[left + right] = %s
    return tiktoken.Encoding("mine", pat_str=pattern, mergeable_ranks=ranks,
                             special_tokens={"<|endoftext|>": 256 + len(merges)})
"""
ANSWERS = [
    wrong("merges begin at 0", "refused", body("make_encoding", LOOP % ("merges", "number"))),
    wrong("merges begin at 255", "refused", body("make_encoding", LOOP % ("merges", "255 + number"))),
    wrong("merges begin at 257", "ids of merges", body("make_encoding", LOOP % ("merges", "257 + number"))),
    wrong("last merge first", "ids of merges", body("make_encoding", LOOP % ("reversed(merges)", "256 + number"))),
    wrong(
        "the special token takes 256",
        "ids of merges",
        body(
            "make_encoding",
            """
        ranks = {bytes([byte]): byte for byte in range(256)}
        for left, right in merges:
            ranks[left + right] = len(ranks) + 1
        return tiktoken.Encoding("mine", pat_str=pattern, mergeable_ranks=ranks,
                                 special_tokens={"<|endoftext|>": 256})
    """,
        ),
    ),
    wrong("merges sorted by bytes", "sorted", body("make_encoding", LOOP % ("sorted(merges)", "256 + number"))),
    wrong(
        "shortest tokens first",
        "ids of merges",
        body("make_encoding", LOOP % ("sorted(merges, key=lambda pair: len(pair[0] + pair[1]))", "256 + number")),
    ),
    wrong("the special token reuses the last merge", "special id", swap("len(ranks)}", "len(ranks) - 1}")),
    wrong("a gap before the special token", "special id", swap("len(ranks)}", "len(ranks) + 1}")),
    wrong("a round number for the special token", "special id", swap("len(ranks)}", "50256}")),
    wrong("no special token", "no special", swap('special = {"<|endoftext|>": len(ranks)}', "special = {}")),
    wrong("a misspelt special token", "no special", swap('"<|endoftext|>"', '"<|end|>"')),
    wrong("the whole text is one word", "pattern", swap("pat_str=pattern", 'pat_str=r"(?s).+"')),
    wrong("GPT-2's words", "pattern", swap("pat_str=pattern", r"""pat_str=r"'\w+| ?\w+| ?[^\s\w]+|\s+" """)),
    wrong(
        "only the merges, no single bytes",
        "refused",
        body(
            "make_encoding",
            """
        ranks = {left + right: 256 + number for number, (left, right) in enumerate(merges)}
        return tiktoken.Encoding("mine", pat_str=pattern, mergeable_ranks=ranks,
                                 special_tokens={"<|endoftext|>": 256 + len(merges)})
    """,
        ),
    ),
    wrong("only ASCII bytes", "ids of merges", swap("range(256)", "range(128)")),
    wrong("returns the ranks", "type", swap("return tiktoken", "return ranks\n    return tiktoken")),
    wrong("letters as keys", "raised", swap("{bytes([byte]): byte", "{chr(byte): byte")),
    right("enumerate", body("make_encoding", LOOP % ("merges", "256 + number"))),
    right(
        "by position, another name",
        body(
            "make_encoding",
            """
        tokens = [bytes([byte]) for byte in range(256)] + [left + right for left, right in merges]
        ranks = {token: number for number, token in enumerate(tokens)}
        return tiktoken.Encoding(name="x", pat_str=pattern, mergeable_ranks=ranks,
                                 special_tokens={"<|endoftext|>": len(tokens)}, explicit_n_vocab=len(tokens) + 1)
    """,
        ),
    ),
]
