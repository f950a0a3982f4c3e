"""The graded tests of chapter 1. Each expected value is small enough to be found by hand; only the last test of an
exercise draws its inputs at random, and takes what to expect from minilm's own tokenizer."""

import math
import re

from minilm import bpe
from minilm.grading.expect import close, equal, graded, is_object, require

A, B, C, D = b"a", b"b", b"c", b"d"
BYTES = {bytes([byte]): byte for byte in range(256)}


def some(random, things, most, least=1):
    """`least` to `most` of the things, each as often as it falls."""
    return [things[place] for place in random.integers(len(things), size=random.integers(least, most + 1))]


def some_words(random, letters="abc"):
    """Random words, and how often each occurs: few letters, so that there are runs, pairs seen often, and ties."""
    return {"".join(some(random, letters, 7)).encode(): int(random.integers(1, 6)) for _ in range(8)}


# ---- 1.1 count the pairs -------------------------------------------------------------------------


@graded("1.1")
def test_the_pairs_of_one_word_are_counted(answers):
    seen = answers.count_pairs([([B, A, C], 1)])
    equal(
        seen,
        {(B, A): 1, (A, C): 1},
        known={
            "last pair": {(B, A): 1},
            "unordered": {(A, B): 1, (A, C): 1},
            "wraps round": {(B, A): 1, (A, C): 1, (C, B): 1},
            "joined": {b"ba": 1, b"ac": 1},
        },
    )


@graded("1.1", "across words")
def test_words_are_separate(answers):
    seen = answers.count_pairs([([A, B], 1), ([C], 4), ([D, A], 1)])
    equal(seen, {(A, B): 1, (D, A): 1})


@graded("1.1")
def test_a_pair_that_is_there_twice_counts_twice(answers):
    seen = answers.count_pairs([([A, B, A, B], 1)])
    equal(seen, {(A, B): 2, (B, A): 1}, known={"overwritten": {(A, B): 1, (B, A): 1}, "unordered": {(A, B): 3}})


@graded("1.1")
def test_a_word_counts_as_often_as_it_occurs(answers):
    seen = answers.count_pairs([([A, B], 3), ([A, B, C], 2)])
    known = {"times ignored": {(A, B): 2, (B, C): 1}, "overwritten": {(A, B): 2, (B, C): 2}}
    equal(seen, {(A, B): 5, (B, C): 2}, known=known)


@graded("1.1", "runs")
def test_in_a_run_every_neighbour_counts(answers):
    equal(answers.count_pairs([([A, A, A], 1)]), {(A, A): 2})


@graded("1.1", "joined")
def test_tokens_of_several_bytes_stay_apart(answers):
    seen = answers.count_pairs([([b"ab", C], 1), ([A, b"bc"], 1)])
    equal(seen, {(b"ab", C): 1, (A, b"bc"): 1})


@graded("1.1")
def test_random_words_are_counted_right(answers):
    for _ in range(5):
        splits = [some(answers.random, (A, B, b"ab", b"ba"), 8) for _ in range(4)]
        times = answers.random.integers(1, 9, 4).tolist()
        counts, _ = bpe._count_pairs(splits, times)
        equal(answers.count_pairs(list(zip(splits, times, strict=True))), dict(counts))


# ---- 1.2 merge a pair ----------------------------------------------------------------------------


@graded("1.2")
def test_a_pair_becomes_one_token(answers):
    seen = answers.merge_pair([C, A, B, D], (A, B))
    known = {"not joined": [C, (A, B), D], "last lost": [C, b"ab"], "overlap": [C, b"ab", B, D]}
    equal(seen, [C, b"ab", D], known=known)


@graded("1.2", "first only")
def test_every_occurrence_is_merged(answers):
    seen = answers.merge_pair([A, B, C, A, B], (A, B))
    equal(seen, [b"ab", C, b"ab"], known={"overlap": [b"ab", B, C, b"ab", B], "last lost": [b"ab", C]})


@graded("1.2", "overlap")
def test_a_run_of_four_becomes_two_tokens(answers):
    seen = answers.merge_pair([A, A, A, A], (A, A))
    equal(seen, [b"aa", b"aa"], known={"again": [b"aaaa"], "first only": [b"aa", A, A]})


@graded("1.2", "overlap")
def test_a_run_of_five_keeps_its_odd_token_at_the_end(answers):
    seen = answers.merge_pair([A] * 5, (A, A))
    equal(seen, [b"aa", b"aa", A], known={"right to left": [A, b"aa", b"aa"], "last lost": [b"aa", b"aa"]})


@graded("1.2", "one of two")
def test_half_a_pair_is_no_pair(answers):
    tokens = [A, C, B, C]
    equal(answers.merge_pair(tokens, (A, B)), tokens, known={"last lost": [A, C, B]})


@graded("1.2", "swapped")
def test_the_order_of_the_pair_matters(answers):
    equal(answers.merge_pair([B, A, C], (A, B)), [B, A, C])


@graded("1.2", "joined text")
def test_only_whole_tokens_match(answers):
    seen = answers.merge_pair([b"ab", C, A, b"bc"], (A, b"bc"))
    equal(seen, [b"ab", C, b"abc"])
    equal(answers.merge_pair([b"ca", B, A, b"bc"], (A, B)), [b"ca", B, A, b"bc"])


@graded("1.2")
def test_one_token_or_none_is_left_alone(answers):
    equal(answers.merge_pair([A], (A, A)), [A], known={"last lost": []})
    equal(answers.merge_pair([], (A, A)), [])


@graded("1.2")
def test_random_pairs_are_merged_right(answers):
    for _ in range(10):
        tokens, pair = (some(answers.random, (A, B, b"ab"), *sizes) for sizes in ((14, 4), (2, 2)))
        equal(answers.merge_pair(tokens, tuple(pair)), bpe.merge_pair(tokens, pair))


# ---- 1.3 train a BPE -----------------------------------------------------------------------------

OUT_OF_PAIRS = dict.fromkeys(
    ("ValueError", "IndexError", "KeyError", "StopIteration", "TypeError", "TooSlow"), "runs out"
)


@graded("1.3")
def test_the_most_frequent_pair_is_learned_first(answers):
    seen = answers.train_bpe({b"xy": 5, b"ab": 2, b"abc": 2}, 1)  # (x, y) 5 times, (a, b) 4 times, (b, c) 2 times
    known = {
        "times ignored": [(A, B)],
        "one too many": [(b"x", b"y"), (A, B)],
        "tokens, not pairs": [b"xy"],
        "letters": [("x", "y")],
        "numbers": [(120, 121)],
    }
    equal(seen, [(b"x", b"y")], known=known)


@graded("1.3", "across words")
def test_a_merge_never_crosses_into_the_next_word(answers):
    equal(answers.train_bpe({b"ab": 9, b"cd": 8}, 2), [(A, B), (C, D)])


@graded("1.3", "stale counts")
def test_a_new_token_makes_new_pairs(answers):
    seen = answers.train_bpe({b"low": 3, b"lo": 1}, 2)
    equal(seen, [(b"l", b"o"), (b"lo", b"w")], known={"stale counts": [(b"l", b"o"), (b"o", b"w")]})


@graded("1.3", "tie")
def test_a_tie_goes_to_the_pair_that_sorts_first(answers):
    seen = answers.train_bpe({b"zy": 3, b"zx": 3, b"az": 3}, 3)
    equal(seen, [(A, b"z"), (b"z", b"x"), (b"z", b"y")])


@graded("1.3", "tie")
def test_a_tie_is_decided_by_the_left_token_before_the_right_one(answers):
    seen = answers.train_bpe({b"abc": 2, b"ab": 1, b"az": 2}, 2)  # then (a, z) and (ab, c): b"a" < b"ab"
    equal(seen, [(A, B), (A, b"z")])


@graded("1.3", "stale counts")
def test_a_pair_that_was_merged_away_no_longer_counts(answers):
    seen = answers.train_bpe({b"abc": 2, b"bcd": 3}, 3)  # (b, c) takes the c of (c, d) and the b of (a, b)
    equal(seen, [(B, C), (b"bc", D), (A, b"bc")])


@graded("1.3", "runs out", raises=OUT_OF_PAIRS)
def test_learning_stops_when_no_pair_is_left(answers):
    equal(answers.train_bpe({b"ab": 2}, 9), [(A, B)])
    equal(answers.train_bpe({}, 9), [])


@graded("1.3", "once is enough")
def test_a_pair_seen_only_once_is_not_worth_a_token(answers):
    equal(answers.train_bpe({b"abc": 1}, 2), [])


@graded("1.3")
def test_a_run_of_four_is_learned_in_two_steps(answers):
    equal(answers.train_bpe({b"aaaa": 2}, 5), [(A, A), (b"aa", b"aa")])


@graded("1.3", "letters", raises={"UnicodeDecodeError": "letters"})
def test_a_letter_of_two_bytes_is_a_pair_as_well(answers):
    equal(answers.train_bpe({"é".encode(): 2}, 1), [(b"\xc3", b"\xa9")])


@graded("1.3")
def test_random_words_are_learned_right(answers):
    for _ in range(30):  # a wrong `merge_pair` shows in one of three or four
        words, n_merges = some_words(answers.random), int(answers.random.integers(2, 12))
        equal(answers.train_bpe(words, n_merges), bpe.train_bpe(words, n_merges))


# ---- 1.4 encode by rank --------------------------------------------------------------------------


def ranks(*tokens):
    """The single bytes, and `tokens` with the ids 256, 257, ..."""
    return BYTES | {token: 256 + number for number, token in enumerate(tokens)}


@graded("1.4", raises={"KeyError": "unknown pair", "TypeError": "unknown pair"})
def test_a_known_pair_becomes_one_id(answers):
    seen = answers.encode(b"cab", ranks(b"ab"))
    equal(seen, [99, 256], known={"bytes only": [99, 97, 98], "tokens": [C, b"ab"]})


@graded("1.4", "highest rank")
def test_what_was_learned_first_is_merged_first(answers):
    equal(answers.encode(b"abc", ranks(b"ab", b"bc")), [256, 99], known={"highest rank": [97, 257]})


@graded("1.4")
def test_a_long_token_is_only_reached_through_its_parts(answers):
    seen = answers.encode(b"abcd", ranks(b"ab", b"bc", b"bcd", b"abcd"))  # ab comes first and takes the b from bc
    equal(seen, [256, 99, 100], known={"longest match": [259]})


@graded("1.4")
def test_an_earlier_merge_further_right_goes_first(answers):
    equal(answers.encode(b"abc", ranks(b"bc", b"ab")), [97, 256], known={"left to right": [257, 99]})


@graded("1.4", "one merge")
def test_merges_build_on_merges(answers):
    seen = answers.encode(b"lowlow", ranks(b"lo", b"low"))
    equal(seen, [257, 257], known={"bytes only": list(b"lowlow")})


@graded("1.4", "right end")
def test_a_run_is_merged_from_its_left_end(answers):
    equal(answers.encode(b"aaa", ranks(b"aa")), [256, 97])


@graded("1.4", "empty", raises={"ValueError": "empty", "IndexError": "empty"})
def test_an_empty_word_has_no_ids(answers):
    equal(answers.encode(b"", ranks()), [])


def learned(random):
    """Merges that are learned from random words, each with a product of its own."""
    merges = bpe.train_bpe(some_words(random), 12)
    return merges if len({left + right for left, right in merges}) == len(merges) > 3 else learned(random)


def merged(word, merges):
    """The word as it stood at the end of the training."""
    tokens = [bytes([byte]) for byte in word]
    for pair in merges:
        tokens = bpe.merge_pair(tokens, pair)
    return tokens


@graded("1.4")
def test_random_words_are_encoded_right(answers):
    for _ in range(30):
        merges = learned(answers.random)
        known = ranks(*(left + right for left, right in merges))
        for word in ("".join(some(answers.random, "abc", 12, least=3)).encode() for _ in range(3)):
            equal(answers.encode(word, known), [known[token] for token in merged(word, merges)])


# ---- 1.5 decode ----------------------------------------------------------------------------------

TOKENS = {byte: bytes([byte]) for byte in range(256)} | {256: b"ey", 257: b"\xf0\x9f", 258: b"\x8e\xad!"}


@graded("1.5")
def test_ids_become_text(answers):
    known = {"printed bytes": "b'hey!'", "blanks": "h ey !", "bytes": b"hey!"}
    equal(answers.decode([104, 256, 33], TOKENS), "hey!", known=known)


@graded("1.5", raises={"UnicodeDecodeError": "token by token"})
def test_a_letter_whose_bytes_are_in_two_tokens_comes_back_whole(answers):
    known = {"token by token": "\ufffd\ufffd", "dropped": "", "latin-1": "Ã©", "printed bytes": "b'\\xc3\\xa9'"}
    equal(answers.decode([0xC3, 0xA9], TOKENS), "é", known=known)


@graded("1.5", "token by token", raises={"UnicodeDecodeError": "token by token"})
def test_a_letter_of_four_bytes_comes_back_whole(answers):
    equal(answers.decode([257, 258], TOKENS), "🎭!")


@graded("1.5", raises={"UnicodeDecodeError": "strict"})
def test_half_a_letter_shows_as_a_replacement_sign(answers):
    seen = answers.decode([65, 0xFF, 66], TOKENS)
    equal(seen, "A\ufffdB", known={"dropped": "AB", "latin-1": "AÿB", "strict": ""})


@graded("1.5")
def test_no_ids_are_no_text(answers):
    equal(answers.decode([], TOKENS), "")


@graded("1.5")
def test_random_text_cut_at_random_places_comes_back(answers):
    for _ in range(5):
        text = "".join(some(answers.random, "abc éß—€🎭\ufffd", 24, least=6))
        data = text.encode().replace("\ufffd".encode(), b"\xff")  # a byte that no letter has
        cuts = [0, *sorted({*answers.random.integers(1, len(data), 8).tolist()}), len(data)]
        pieces = [data[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
        ids = (256 + answers.random.permutation(500)[: len(pieces)]).tolist()
        equal(answers.decode(ids, dict(zip(ids, pieces, strict=True)) | {0: b"?"}), text)


# ---- 1.6 hand your merges to tiktoken ------------------------------------------------------------

MERGES = [(b"l", b"o"), (b"lo", b"w"), (b"a", b"b")]
REFUSED = dict.fromkeys(("PanicException", "KeyError", "ValueError", "AssertionError"), "refused")


@graded("1.6", "ids of merges", raises=REFUSED)
def test_bytes_and_merges_have_the_agreed_ids(answers):
    encoding = is_object(answers.make_encoding(MERGES, "[a-z]+|."), "a tiktoken.Encoding")
    equal(encoding.encode_ordinary("lowab!"), [257, 258, 33], known={"sorted": [258, 256, 33]})


@graded("1.6", "sorted", raises=REFUSED)
def test_the_merges_keep_the_order_in_which_they_were_learned(answers):
    encoding = is_object(answers.make_encoding(MERGES, "[a-z]+|."), "a tiktoken.Encoding")
    equal(encoding.encode_ordinary("ablo"), [258, 256])


@graded("1.6", "pattern")
def test_the_pattern_decides_what_a_word_is(answers):
    encoding = is_object(answers.make_encoding(MERGES, "[a-z]"), "a tiktoken.Encoding")
    equal(encoding.encode_ordinary("low"), [108, 111, 119])


@graded("1.6", raises={"KeyError": "no special"})
def test_the_end_of_text_has_the_first_free_id(answers):
    encoding = is_object(answers.make_encoding(MERGES, "[a-z]+|."), "a tiktoken.Encoding")
    seen = encoding.encode("ab<|endoftext|>", allowed_special="all")
    require(len(seen) == 2, f'the ids of "ab<|endoftext|>" are {seen}: the mark is not one token', "no special")
    require(seen == [258, 259], f"gave {seen}, expected [258, 259]", "special id")


@graded("1.6", "special id")
def test_the_vocabulary_has_no_gap_and_no_overlap(answers):
    encoding = is_object(answers.make_encoding(MERGES[:1], "[a-z]+|."), "a tiktoken.Encoding")
    equal(encoding.get("n_vocab"), 256 + 1 + 1)


@graded("1.6", "refused", raises=REFUSED)
def test_every_byte_comes_back(answers):
    encoding = is_object(answers.make_encoding(MERGES, "(?s)[a-z]+|."), "a tiktoken.Encoding")
    equal(encoding.decode_bytes(list(range(256))), bytes(range(256)))
    equal(encoding.decode(encoding.encode_ordinary("low é 🎭\n")), "low é 🎭\n")


@graded("1.6")
def test_random_merges_encode_random_text(answers):
    for pattern in ("[a-c]+|.", "[ab]+|."):
        merges = learned(answers.random)
        ids = ranks(*(left + right for left, right in merges))
        encoding = is_object(answers.make_encoding(merges, pattern), "a tiktoken.Encoding")
        for text in ("".join(some(answers.random, "aabbcc é", 40, least=20)) for _ in range(3)):
            expected = [ids[token] for word in re.findall(pattern, text) for token in merged(word.encode(), merges)]
            equal(encoding.encode(f"{text}<|endoftext|>", allowed_special="all"), [*expected, 256 + len(merges)])


# ---- 1.7 nats per token to bits per byte ---------------------------------------------------------


@graded("1.7")
def test_three_bits_per_token_of_four_bytes(answers):
    seen = answers.bits_per_byte(3 * math.log(2), 50, 200)
    known = {
        "still nats": 0.75 * math.log(2),
        "times ln 2": 0.75 * math.log(2) ** 2,
        "upside down": 12.0,
        "per token": 3.0,
        "log of the loss": math.log2(3 * math.log(2)) / 4,
        "base 10": 0.75 * math.log(2) / math.log10(2),
    }
    close(seen, 0.75, known=known)


@graded("1.7")
def test_bytes_drawn_at_random_cost_eight_bits_each(answers):
    close(answers.bits_per_byte(math.log(256), 31, 31), 8.0)


@graded("1.7", "per token")
def test_how_the_text_is_cut_into_tokens_does_not_matter(answers):
    few, many = answers.bits_per_byte(6.0, 40, 160), answers.bits_per_byte(2.0, 120, 160)
    close(few, many)
    close(few, 2.164042561333445)  # 240 nats are 346.2 bits, over 160 bytes


@graded("1.7")
def test_random_losses_are_turned_into_bits_per_byte(answers):
    for _ in range(6):
        n_bytes = int(answers.random.integers(300, 5000))
        n_tokens = int(n_bytes / answers.random.uniform(1.0, 5.0))
        expected = float(answers.random.uniform(0.1, 2.5))
        nats = expected * math.log(2) * n_bytes  # of the whole text
        close(answers.bits_per_byte(nats / n_tokens, n_tokens, n_bytes), expected)
