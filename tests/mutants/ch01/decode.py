"""Answers to 1.5, decode."""

from bank import body, right, swap, wrong

EXERCISE = "1.5"
WHOLE = 'b"".join(tokens[index] for index in ids).decode("utf-8", errors="replace")'
ANSWERS = [
    wrong(
        "each token alone",
        "token by token",
        swap(WHOLE, '"".join(tokens[index].decode("utf-8", errors="replace") for index in ids)'),
    ),
    wrong(
        "each token alone, strictly",
        "token by token",
        swap(WHOLE, '"".join(tokens[index].decode("utf-8") for index in ids)'),
    ),
    wrong(
        "runs of single bytes joined, longer tokens alone",
        "token by token",
        body(
            "decode",
            """
        text, run = "", b""
        for index in ids:
            if index < 256:
                run += tokens[index]
            else:
                text, run = text + run.decode("utf-8", "replace") + tokens[index].decode("utf-8", "replace"), b""
        return text + run.decode("utf-8", "replace")
    """,
        ),
    ),
    wrong("broken bytes dropped", "dropped", swap('"replace"', '"ignore"')),
    wrong("no second argument", "strict", swap(', errors="replace"', "")),
    wrong(
        "broken text gives nothing",
        "strict",
        body(
            "decode",
            """
        try:
            return b"".join(tokens[index] for index in ids).decode()
        except UnicodeDecodeError:
            return ""
    """,
        ),
    ),
    wrong("Latin-1", "latin-1", swap('"utf-8"', '"latin-1"')),
    wrong(
        "chr of each byte",
        "latin-1",
        body(
            "decode",
            """
        return "".join(chr(byte) for index in ids for byte in tokens[index])
    """,
        ),
    ),
    wrong("str of bytes", "printed bytes", swap(WHOLE, 'str(b"".join(tokens[index] for index in ids))')),
    wrong("a blank between tokens", "blanks", swap('b"".join', 'b" ".join')),
    wrong("still bytes", "bytes", swap('.decode("utf-8", errors="replace")', "")),
    wrong("escapes in place of the sign", "value", swap('"replace"', '"backslashreplace"')),
    wrong(
        "empties the ids",
        "mutated",
        body(
            "decode",
            """
        joined = b""
        while ids:
            joined += tokens[ids.pop(0)]
        return joined.decode("utf-8", "replace")
    """,
        ),
    ),
    right(
        "a loop",
        body(
            "decode",
            """
        joined = b""
        for index in ids:
            joined += tokens[index]
        return joined.decode(errors="replace")
    """,
        ),
    ),
    right(
        "a bytearray and str()",
        body(
            "decode",
            """
        joined = bytearray()
        for index in ids:
            joined.extend(tokens[index])
        return str(joined, "utf-8", "replace")
    """,
        ),
    ),
    right(
        "an incremental decoder",
        body(
            "decode",
            """
        import codecs
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return "".join(decoder.decode(tokens[index]) for index in ids) + decoder.decode(b"", True)
    """,
        ),
    ),
]
