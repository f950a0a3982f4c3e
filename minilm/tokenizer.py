r"""Text to token ids and back, with the merges that bpe.py learned.

The steps of encoding:

    "To be, or\nnot"                               text
    "To" " be" "," " or" "\nnot"                   words, cut by PATTERN
    b"To" b" be" b"," b" or" b"\n" b"not"          their bytes, joined by the merges in the order learned
    [530, 308, 44, 535, 10, 752]                   ids (most depend on what was learned)

An id below 256 is the byte itself, id 256 + k is the product of merge k, and the last id is the one special
token, `<|endoftext|>`. Because all 256 bytes are tokens, every text in every language can be written, and
comes back exactly.

The work is done by tiktoken, a fast open-source encoder that is handed our merges; nothing is downloaded.
tests/library/test_tokenizer.py holds it equal to the slow plain-Python way.

What this file does not do: learn the merges (bpe.py), or write Hugging Face's tokenizer.json (hub.py).
"""

import hashlib
import re
from collections import Counter

import numpy as np
import regex
import tiktoken

from .bpe import train_bpe
from .errors import UserError
from .files import read_json, write_json

# What counts as a word: the first of these that fits. A line end may lead a word or follow punctuation, since
# verse is full of line ends: on the plays that saves 10 % of the tokens against GPT-2's pattern. Only
# constructs that every regex engine knows, because Hugging Face's tokenizer.json carries the same string.
PATTERN = "|".join(
    (
        r"[^\p{L}\p{N}]?\p{L}+",  # letters, and one blank, line end or sign before them: " be" "\nAnd" "'d"
        r"\p{N}{1,3}",  # up to three digits
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",  # signs, a blank before and line ends after: ",\n" ":\n"
        r"[\r\n]+",  # line ends
        # blanks, all but the last, which belongs to the word after it; at most 255, since a regex engine must
        # be able to go back over each of them, and a million would overflow its stack
        r"[^\S\r\n]{1,255}(?!\S)",
        r"\s",
    )
)
EOT = "<|endoftext|>"
FORMAT = "minilm-bpe-1"


class Tokenizer:
    """A byte-level BPE tokenizer.

    >>> tokenizer = Tokenizer.train("to be or not to be, to be", vocab_size=260)
    >>> tokenizer.merges
    [(b' ', b'b'), (b' b', b'e'), (b't', b'o')]
    >>> tokenizer.encode("to be!")
    [258, 257, 33]
    >>> tokenizer.decode([258, 257, 33])
    'to be!'
    """

    def __init__(self, merges, pattern=PATTERN):
        """Arguments: merges: (left, right) bytes in the order learned; pattern: what counts as a word.

        Raises UserError when a merge joins a token that is not there yet or makes one that is there already.
        """
        self.merges = [(bytes(left), bytes(right)) for left, right in merges]
        self.pattern = pattern
        self._ranks = _ranks(self.merges)
        self._tokens = [*self._ranks, EOT.encode()]  # id -> bytes
        self.eot = len(self._ranks)
        self._fast = tiktoken.Encoding(
            "minilm", pat_str=pattern, mergeable_ranks=self._ranks, special_tokens={EOT: self.eot}
        )

    @classmethod
    def train(cls, text, vocab_size=2048, progress=None):
        """Learn a tokenizer.

        Arguments: text: a str or several (no word crosses from one to the next); vocab_size: 256 bytes +
        merges + 1 special token; progress: see train_bpe.
        Returns: a Tokenizer whose `n_vocab` is `vocab_size`, or smaller when the text has no more pairs that
        occur twice. Raises UserError when vocab_size is below 257.
        """
        if vocab_size < 257:
            raise UserError(f"vocabulary size {vocab_size} is too small; choose 257 or more (256 bytes, {EOT})")
        words = Counter()
        for part in [text] if isinstance(text, str) else text:
            words.update(regex.findall(PATTERN, part))
        as_bytes = Counter({word.encode("utf-8", "replace"): count for word, count in words.items()})
        return cls(train_bpe(as_bytes, vocab_size - 257, progress))

    @property
    def n_vocab(self):
        """How many ids there are: 0 to n_vocab - 1."""
        return len(self._tokens)

    def encode(self, text, allow_special=False):
        """The ids of `text`, a list of int.

        `<|endoftext|>` inside a text is ordinary text, so that no text can end a document by itself; with
        allow_special=True it becomes the special token.
        """
        if allow_special:
            return self._fast.encode(text, allowed_special={EOT})
        return self._fast.encode_ordinary(text)

    def encode_array(self, text):
        """The ids of `text` as an int32 array, shape (tokens,)."""
        return np.array(self.encode(text), dtype=np.int32)

    def encode_bytes(self, data):
        """The ids of any bytes at all; each byte that is not UTF-8 becomes its own id (below 256)."""
        text = data.decode("utf-8", "surrogateescape")  # a stray byte 0x80..0xff becomes U+DC80..U+DCFF
        ids = []
        for part in re.split("([\udc80-\udcff]+)", text):
            if "\udc80" <= part[:1] <= "\udcff":
                ids += part.encode("utf-8", "surrogateescape")
            else:
                ids += self.encode(part)
        return ids

    def decode_bytes(self, ids):
        """The bytes that `ids` (a list, array or 1-D tensor of ints) stand for; a wrong id is a UserError."""
        return b"".join(self.token_bytes(index) for index in ids)

    def decode(self, ids):
        """The text of `ids`. A letter cut in half (its bytes are in two tokens) shows as U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def token_bytes(self, index):
        """The bytes of one token."""
        if not 0 <= index < self.n_vocab:
            raise UserError(f"there is no token {int(index)}; the ids go from 0 to {self.n_vocab - 1}")
        return self._tokens[int(index)]

    def fingerprint(self):
        """12 hex digits that differ when the ids could: written into checkpoints, compared on loading."""
        digest = hashlib.sha256(repr((self.pattern, self.merges, EOT)).encode())
        return digest.hexdigest()[:12]

    def save(self, path):
        """Write the tokenizer as readable JSON: one merge a line, its bytes as letters (see byte_letters)."""
        letters = byte_letters()
        merges = [" ".join("".join(letters[byte] for byte in part) for part in pair) for pair in self.merges]
        write_json(
            path,
            {
                "format": FORMAT,
                "n_vocab": self.n_vocab,
                "fingerprint": self.fingerprint(),
                "special": {EOT: self.eot},
                "pattern": self.pattern,
                "merges": merges,
            },
        )

    @classmethod
    def load(cls, path):
        """Read what save() wrote. Raises UserError when the file is missing, damaged, or of another kind."""
        saved = read_json(path)
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise UserError(f"{path} is not a minilm tokenizer; pass a tokenizer.json that `minilm` wrote")
        bytes_of = {letter: byte for byte, letter in enumerate(byte_letters())}
        try:
            pairs = [tuple(line.split(" ")) for line in saved["merges"]]
            merges = [(bytes(map(bytes_of.get, left)), bytes(map(bytes_of.get, right))) for left, right in pairs]
            tokenizer = cls(merges, saved["pattern"])
        except (KeyError, TypeError, ValueError, AttributeError, UserError) as error:
            raise UserError(f"{path} is damaged ({error}); delete it and make it again") from error
        if tokenizer.fingerprint() != saved.get("fingerprint"):
            raise UserError(f"{path} is damaged (its fingerprint does not match); delete it and make it again")
        return tokenizer


def byte_letters():
    """A printable letter for each of the 256 bytes, as in GPT-2's files: " " is "Ġ", "\\n" is "Ċ".

    Printable Latin-1 letters stand for themselves; the other 68 bytes take U+0100, U+0101, ... in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _ranks(merges):
    """bytes -> id; raises UserError for merges that cannot have been learned in this order."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for left, right in merges:
        if left not in ranks or right not in ranks or left + right in ranks:
            raise UserError(f"merge {left!r} + {right!r} does not fit the merges before it")
        ranks[left + right] = len(ranks)
    return ranks
