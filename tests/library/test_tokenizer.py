"""Encoding and decoding, held against rank-order merging in plain Python."""

import json

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.errors import UserError
from minilm.tokenizer import EOT, PATTERN, Tokenizer, byte_letters

QUICK = settings(max_examples=100, deadline=None, derandomize=True, database=None)
TEXT = """ROMEO:
But, soft! what light through yonder window breaks?
It is the east, and Juliet is the sun.
Arise, fair sun, and kill the envious moon,
Who is already sick and pale with grief,
That thou, her maid, art far more fair than she's:

JULIET:
Ay me! aaaaaaaa 1597 and then and there and the other, naïve, naïve café café 2,048
"""
TOKENIZER = Tokenizer.train(TEXT, vocab_size=290)
LIKE_TEXT = st.text("abehinorstuAIR ,.!:'\n 15\r\té", max_size=60)


def plain_encode(tokenizer, text):
    """Cut into words, then apply each merge in the order it was learned, from left to right."""
    ids = {tokenizer.token_bytes(i): i for i in range(tokenizer.n_vocab - 1)}
    encoded = []
    for word in regex.findall(tokenizer.pattern, text):
        tokens = [bytes([byte]) for byte in word.encode()]
        for left, right in tokenizer.merges:
            i = 0
            while i + 1 < len(tokens):
                if tokens[i] == left and tokens[i + 1] == right:
                    tokens[i : i + 2] = [left + right]
                i += 1
        encoded += [ids[token] for token in tokens]
    return encoded


@QUICK
@given(st.one_of(st.text(max_size=40), LIKE_TEXT))
def test_encoding_equals_merging_in_the_order_learned(text):
    assert TOKENIZER.encode(text) == plain_encode(TOKENIZER, text)


@QUICK
@given(st.text("ab", min_size=20, max_size=60), st.text("ab", max_size=25))
def test_encoding_equals_merging_in_order_when_everything_overlaps(train, text):
    tokenizer = Tokenizer.train([train, train], vocab_size=280)
    assert tokenizer.encode(text) == plain_encode(tokenizer, text)


@QUICK
@given(st.one_of(st.text(max_size=60), LIKE_TEXT))
def test_any_text_comes_back_exactly(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@QUICK
@given(st.one_of(st.binary(max_size=60), LIKE_TEXT.map(lambda text: text.encode("utf-16"))))
def test_any_bytes_come_back_exactly(data):
    assert TOKENIZER.decode_bytes(TOKENIZER.encode_bytes(data)) == data


@QUICK
@given(st.text(max_size=40))
def test_text_and_its_bytes_have_the_same_ids(text):
    assert TOKENIZER.encode_bytes(text.encode()) == TOKENIZER.encode(text)


def test_every_character_of_the_first_planes_comes_back():
    text = "".join(chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000)
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text
    assert TOKENIZER.encode(text) == plain_encode(TOKENIZER, text)


def test_merges_shorten_the_text():
    assert len(TOKENIZER.encode(TEXT)) < 0.7 * len(TEXT.encode())


def test_the_array_holds_the_ids_of_the_list():
    array = TOKENIZER.encode_array(TEXT)
    assert array.dtype == np.int32 and array.tolist() == TOKENIZER.encode(TEXT)
    assert TOKENIZER.decode(array) == TEXT


def test_the_vocabulary_counts_bytes_merges_and_the_special_token():
    assert TOKENIZER.n_vocab == 290 == 256 + len(TOKENIZER.merges) + 1
    assert TOKENIZER.eot == 289


def test_the_first_256_ids_are_the_bytes():
    assert [TOKENIZER.token_bytes(i) for i in range(256)] == [bytes([i]) for i in range(256)]


def test_id_256_and_up_are_the_merges_in_order():
    products = [TOKENIZER.token_bytes(256 + k) for k in range(len(TOKENIZER.merges))]
    assert products == [left + right for left, right in TOKENIZER.merges]


def test_the_special_token_in_a_text_is_ordinary_text():
    ids = TOKENIZER.encode(f"a{EOT}b")
    assert TOKENIZER.eot not in ids and TOKENIZER.decode(ids) == f"a{EOT}b"
    assert TOKENIZER.eot not in TOKENIZER.encode_array(f"a{EOT}b")


def test_the_special_token_is_one_id_when_allowed():
    assert TOKENIZER.encode(f"a{EOT}b", allow_special=True) == [ord("a"), TOKENIZER.eot, ord("b")]
    assert TOKENIZER.decode([ord("a"), TOKENIZER.eot]) == f"a{EOT}"


def test_words_are_cut_where_the_pattern_says():
    words = regex.findall(PATTERN, "To be,\nAnd  'tis 12345 pass'd!\n\nROMEO:\n")
    assert words[:8] == ["To", " be", ",\n", "And", " ", " '", "tis", " "]
    assert words[8:] == ["123", "45", " pass", "'d", "!\n\n", "ROMEO", ":\n"]


def test_a_line_end_without_a_stop_leads_the_next_word():
    assert regex.findall(PATTERN, "the world\nAnd") == ["the", " world", "\nAnd"]


def test_no_token_crosses_a_word_boundary():
    words = [word.encode() for word in regex.findall(PATTERN, TEXT)]
    for left, right in TOKENIZER.merges:
        assert any(left + right in word for word in words), f"{left + right!r} is in no word of the text"


@pytest.mark.parametrize("run", [" ", "\n", "a", "!", "1", "\t \n"])
def test_a_very_long_run_is_encoded_and_comes_back(run):
    text = run * 1_000_000 + "x"  # an unbounded pattern overflows the encoder's stack here
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_texts_given_separately_are_not_joined():
    assert Tokenizer.train(["ab"] * 4, 300).merges == [(b"a", b"b")]
    assert Tokenizer.train("ab" * 4, 300).merges == [(b"a", b"b"), (b"ab", b"ab")]


def test_a_small_text_stops_early():
    tokenizer = Tokenizer.train("to be or not to be", vocab_size=2048)
    assert 257 < tokenizer.n_vocab < 2048
    assert Tokenizer.train("", vocab_size=2048).n_vocab == 257


def test_a_vocabulary_of_257_is_bytes_only():
    assert Tokenizer.train(TEXT, 257).encode("é") == [0xC3, 0xA9]


def test_a_vocabulary_below_257_is_refused():
    with pytest.raises(UserError, match="256 is too small"):
        Tokenizer.train(TEXT, 256)


@pytest.mark.parametrize("wrong", [-1, 290])
def test_an_id_outside_the_vocabulary_is_refused(wrong):
    with pytest.raises(UserError, match="0 to 289"):
        TOKENIZER.decode([wrong])


def test_half_a_letter_decodes_to_the_replacement_mark():
    assert TOKENIZER.decode([0xC3]) == "\ufffd"


def test_a_saved_tokenizer_loads_as_the_same(tmp_path):
    TOKENIZER.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.merges == TOKENIZER.merges and loaded.fingerprint() == TOKENIZER.fingerprint()
    assert loaded.encode(TEXT) == TOKENIZER.encode(TEXT)


def test_another_tokenizer_has_another_fingerprint():
    assert Tokenizer.train(TEXT, 289).fingerprint() != TOKENIZER.fingerprint()
    assert Tokenizer(TOKENIZER.merges, r"\S+|\s+").fingerprint() != TOKENIZER.fingerprint()


def test_the_file_reads_as_one_merge_a_line(tmp_path):
    Tokenizer.train("of the, in the, to the", 260).save(tmp_path / "tokenizer.json")
    text = (tmp_path / "tokenizer.json").read_text(encoding="utf-8")
    assert '    "Ġ t",\n    "Ġt h",\n    "Ġth e"\n' in text


def test_the_256_byte_letters_are_printable_and_different():
    letters = byte_letters()
    assert len(set(letters)) == 256 and all(letter.isprintable() and letter != " " for letter in letters)
    assert letters[ord("a")] == "a" and letters[ord(" ")] == "Ġ" and letters[ord("\n")] == "Ċ"


DAMAGE = {
    "a merge missing": lambda saved: saved["merges"].pop(),
    "two merges swapped": lambda saved: saved["merges"].insert(5, saved["merges"].pop(4)),
    "a merge of unknown parts": lambda saved: saved["merges"].insert(0, "qq zz"),
    "a letter that is no byte": lambda saved: saved["merges"].insert(0, "€ a"),
    "a merge of three": lambda saved: saved["merges"].insert(0, "a b c"),
    "merges that are no list": lambda saved: saved.update(merges=7),
    "no merges": lambda saved: saved.pop("merges"),
    "a broken pattern": lambda saved: saved.update(pattern="("),
    "another pattern": lambda saved: saved.update(pattern=r"\S+|\s+"),
    "no pattern": lambda saved: saved.update(pattern=None),
    "another kind of file": lambda saved: saved.update(format="other"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "tokenizer.json"
    TOKENIZER.save(path)
    saved = json.loads(path.read_text(encoding="utf-8"))
    damage(saved)
    path.write_text(json.dumps(saved), encoding="utf-8")
    with pytest.raises(UserError, match="tokenizer.json is"):
        Tokenizer.load(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    TOKENIZER.save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="tokenizer.json is damaged"):
        Tokenizer.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere.json"):
        Tokenizer.load(tmp_path / "nowhere.json")
