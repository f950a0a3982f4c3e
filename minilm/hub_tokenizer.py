"""Our tokenizer as Hugging Face's tokenizer.json, and such a file as our tokenizer.

The file spells out, option by option, the steps that tokenizer.py takes:

    pre_tokenizer     cut by the same PATTERN, then one letter for each byte (see `byte_letters`)
    model             BPE: the vocabulary, letters -> id, and the merges in the order learned
    added_tokens      <|endoftext|>
    post_processor    <|endoftext|> before every text, as `minilm generate` and training have it
    decoder           letters back to bytes

Two differences remain, and are the habits of that library: the ids of a text begin with <|endoftext|> unless one asks
for `add_special_tokens=False`, and <|endoftext|> written inside a text becomes the special token.

What this file does not do: need that library. Both directions are plain JSON; tests/interop compares the ids.
"""

from .errors import UserError
from .files import current, read_json
from .tokenizer import EOT, Tokenizer, byte_letters

TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"


def as_tokenizer_json(tokenizer):
    """The contents of tokenizer.json, a dict.

    >>> small = as_tokenizer_json(Tokenizer([(b"t", b"o")]))
    >>> small["model"]["vocab"]["to"], small["model"]["merges"], small["added_tokens"][0]["id"]
    (256, [['t', 'o']], 257)
    """
    word = {letters(tokenizer.token_bytes(index)): index for index in range(tokenizer.eot)}
    merges = [[letters(left), letters(right)] for left, right in tokenizer.merges]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    cut = {"type": "Split", "pattern": {"Regex": tokenizer.pattern}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": tokenizer.eot, "content": EOT, **plain}],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [cut, byte_level()]},
        "post_processor": begins_with_eot(tokenizer.eot),
        "decoder": byte_level(),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,  # every byte is a token already
            "ignore_merges": False,
            "vocab": word,
            "merges": merges,
        },
    }


def byte_level():
    """The step from bytes to letters; its own regex and its extra blank, which are GPT-2's, are off."""
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def begins_with_eot(index):
    """A template: <|endoftext|>, then the text (and the same again for the second of two)."""
    first, second = (
        [{"SpecialToken": {"id": EOT, "type_id": number}}, {"Sequence": {"id": text, "type_id": number}}]
        for number, text in enumerate("AB")
    )
    special = {EOT: {"id": EOT, "ids": [index], "tokens": [EOT]}}
    return {"type": "TemplateProcessing", "single": first, "pair": [*first, *second], "special_tokens": special}


def as_tokenizer_config(context):
    """The contents of tokenizer_config.json: which class reads tokenizer.json, and which token is special for what."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",  # reads the file as it is; Llama's own class would rebuild it
        "add_bos_token": True,  # for programs that do not read the post_processor
        "bos_token": EOT,
        "eos_token": EOT,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }


def letters(data):
    """bytes -> the letters that stand for them in the file.

    >>> letters(b" be")
    'Ġbe'
    """
    table = byte_letters()
    return "".join(table[byte] for byte in data)


def load_hf_tokenizer(folder):
    """The Tokenizer in a folder's tokenizer.json.

    Raises UserError for a missing or damaged file, and for one that cuts texts in another way than ours: the sentence
    names the option. Token ids must be ours, too: the bytes, the merges' products in order, <|endoftext|>.
    """
    path = current(folder, TOKENIZER)
    found = read_json(path)
    pattern = read_part(path, "pre_tokenizer", "a Split by one regex, then ByteLevel", lambda: pattern_in(found))
    merges = read_part(path, "model", "byte-level BPE", lambda: merges_in(found))
    tokenizer = read_part(path, "merges or regex", "those of a tokenizer", lambda: Tokenizer(merges, pattern))
    expected = as_tokenizer_json(tokenizer)
    found["model"]["vocab"].pop(EOT, None)  # some list it here as well
    if found["model"]["vocab"] != expected["model"]["vocab"]:
        raise refusal(path, "model.vocab", f"ids must be the 256 bytes, then the merges in order, then {EOT}")
    for part in ("added_tokens", "normalizer", "pre_tokenizer", "model", "decoder"):
        if option := difference(expected[part], found.get(part), part):
            raise refusal(path, option)
    return tokenizer


def read_part(path, part, needed, read):
    """What `read` returns; a UserError that names the part if the file is not made like ours there."""
    try:
        return read()
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, UserError) as error:
        raise refusal(path, part, f"it must be {needed}") from error


def merges_in(found):
    """(left, right) bytes of each merge; older files write "l r" in place of ["l", "r"]."""
    table = {letter: byte for byte, letter in enumerate(byte_letters())}
    if not set(table) <= found["model"]["vocab"].keys():
        raise ValueError("not all bytes are tokens")
    pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in found["model"]["merges"]]
    return [(bytes(table[x] for x in left), bytes(table[x] for x in right)) for left, right in pairs]


def pattern_in(found):
    return found["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]


IGNORED = {"trim_offsets", "merges", "vocab"}  # where a token stood in the text; what has been compared already
DECODING = {"add_prefix_space", "use_regex"}  # which mean nothing where letters become bytes again


def difference(expected, found, where):
    """The name of the first option that is not as expected, or None; one that is missing counts as off."""
    if isinstance(expected, dict) and isinstance(found, dict):
        skipped = IGNORED | (DECODING if where == "decoder" else set())
        for name in {**expected, **found}.keys() - skipped:
            if option := difference(expected.get(name), found.get(name), f"{where}.{name}"):
                return option
        return None
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        found_in = (difference(one, other, where) for one, other in zip(expected, found, strict=True))
        return next(filter(None, found_in), None)
    return None if (expected or None) == (found or None) else where


def refusal(path, option, why="minilm cannot cut texts in that way"):
    return UserError(f"{path} has another {option} than minilm ({why}); use a tokenizer that minilm trained")
