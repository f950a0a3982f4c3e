"""Chapter 1, tokenizer: byte-pair encoding from the first count to bits per byte."""

from ..registry import Chapter, Exercise

COUNT = Exercise(
    id="1.1",
    title="Count the pairs",
    functions=("count_pairs",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=7,
    hints=(
        "Two loops: one over the words, one over the places in a word where a pair can start. A word of n tokens has "
        "n - 1 such places.",
        "A word that occurs 3 times adds 3, not 1, to each of its pairs. `counts.get(pair, 0)` reads a count "
        "that may "
        "not be there yet.",
    ),
    misconceptions={
        "times ignored": "each word was counted once. A word that occurs 3 times brings each of its pairs 3 times.",
        "runs": "in a run such as a a a the middle a belongs to two pairs. Counting only asks what stands side "
        "by side; "
        "that a merge can use each token once comes later.",
        "across words": "a pair was made of the end of one word and the start of the next. Words are separate.",
        "last pair": "the last pair of a word is missing. A word of n tokens has n - 1 pairs: how far does the "
        "loop run?",
        "unordered": "(a, b) and (b, a) are different pairs: each is kept as it was read, left to right.",
        "joined": "the keys are joined tokens. (ab, c) and (a, bc) would then be the same key; keep the two apart.",
        "wraps round": "the last token was paired with the first, as if the word were a ring. Where does index "
        "+ 1 (or "
        "index - 1) lead at the edge?",
        "overwritten": "a pair seen in a second place replaced its count instead of adding to it.",
    },
)

MERGE = Exercise(
    id="1.2",
    title="Merge a pair",
    functions=("merge_pair",),
    points=2,
    difficulty=2,
    minutes=15,
    tests=9,
    hints=(
        "Walk along the tokens with an index and build a new list. At each place there are two cases: the pair "
        "starts "
        "here, or it does not. How far may the index jump in each?",
        'When the pair starts here, both its tokens are used up, so the index jumps by 2. In "a a a" the second a is '
        "then gone, and the third one finds no partner.",
        "Before you look at the token to the right, make sure there is one; and the last token must not get lost.",
    ),
    misconceptions={
        "overlap": "a token was used twice. After a merge both tokens are gone: the next look starts behind them.",
        "right to left": "the run was merged from its end. The rule is left to right, so an odd token stays at "
        "the end.",
        "first only": "only the first occurrence was merged. One call merges every one of them.",
        "last lost": "the last token is missing when no pair ends there. It has no right neighbour, but it stays.",
        "joined text": "the tokens were joined and searched as text. Then (a, bc) is found inside ab|c, too; "
        "only whole "
        "tokens count.",
        "one of two": "a token that fits only half of the pair was merged. Both must match, left and right.",
        "again": "what was just merged was merged again, or the whole list a second time. One pass, left to right.",
        "swapped": "the pair was also merged where it stands the other way round. (a, b) is not (b, a).",
        "not joined": "the merged token should be one bytes object: left + right.",
    },
)

TRAIN = Exercise(
    id="1.3",
    title="Train a BPE",
    functions=("train_bpe",),
    uses=("1.1", "1.2"),
    points=3,
    difficulty=3,
    minutes=30,
    tests=11,
    hints=(
        "You have both halves: `count_pairs` and `merge_pair`. Keep one list of tokens per word, and go round: "
        "count, "
        "choose, merge everywhere.",
        "For the choice, `max` or `min` with a key does it in one line. A key may be a tuple: first what "
        "matters most, "
        'then what breaks a tie. `-count` turns "largest" into "smallest".',
        "Two reasons to stop early: no pairs are left (a max of nothing is an error), or the best one occurs "
        "only once.",
    ),
    misconceptions={
        "tie": "two pairs were equally frequent, and not the one that sorts first as (left, right) was taken. "
        "Without "
        "a rule for ties the result depends on the order of the text.",
        "stale counts": "the counts are from before the first merge. A merge makes new pairs and takes old ones "
        "away: "
        "count again in each round (or mend the counts).",
        "times ignored": "each word was counted once. A word that occurs 5 times makes its pairs 5 times as frequent.",
        "across words": "a merge crossed from one word into the next. The words stay separate lists of tokens.",
        "once is enough": "a pair that occurs only once was merged. That saves nothing: stop when the best count is "
        "below 2.",
        "runs out": "there was no pair left to choose from. Stop when the counts are empty.",
        "one too many": "n_merges is the number of merges, no more and no less, as long as there are pairs.",
        "tokens, not pairs": "return the pairs (left, right) in the order learned, not what they became.",
        "numbers": "going through bytes gives numbers. A token of one byte is `bytes([number])`, or a slice of "
        "the word.",
        "letters": "the words are bytes, and so are all tokens. A letter such as é is two bytes: start from those.",
    },
)

ENCODE = Exercise(
    id="1.4",
    title="Encode by rank",
    functions=("encode",),
    uses=("1.2",),
    points=2,
    difficulty=2,
    minutes=20,
    tests=8,
    hints=(
        "Encoding repeats the training on one word: it makes the merges in the order they were learned. That "
        "order is "
        "the rank.",
        "Start from single bytes. In each round look at all neighbouring pairs, look up left + right in the "
        "ranks, and "
        "merge the pair with the smallest rank, leftmost first. Stop when no pair is in the ranks.",
        "`ranks.get(left + right)` is None for what was never learned. Only at the end turn tokens into ids.",
    ),
    misconceptions={
        "longest match": "the longest known token was taken first. BPE does not ask for length: it makes the "
        "merges in "
        "the order they were learned, and a long token is only reached if its parts are.",
        "left to right": "the first known pair from the left was merged. Of all pairs in the word, the one that was "
        "learned first (the smallest rank) comes first.",
        "highest rank": "the pair with the highest rank was merged first. Merges learned early come first.",
        "one merge": "only one merge was made. Go round until no neighbouring pair is in the ranks.",
        "tokens": "these are the tokens themselves. Look each one up in the ranks at the end.",
        "right end": "of two equal pairs the right one was merged first. In a run the merge goes from left to right.",
        "bytes only": "nothing was merged: these are the single bytes.",
        "unknown pair": "a pair that is not in the ranks was looked up as if it were.",
        "empty": "an empty word has no bytes and no tokens: the result is [].",
    },
)

DECODE = Exercise(
    id="1.5",
    title="Decode, broken letters too",
    functions=("decode",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=6,
    hints=(
        "In UTF-8 a letter such as é is two bytes, and BPE may cut between them. What must come first, joining or "
        "decoding?",
        "`bytes.decode` has a second argument that says what to do with bytes that are no letter. You want "
        "U+FFFD, \ufffd.",
    ),
    misconceptions={
        "token by token": "each token was decoded alone, which breaks a letter whose bytes are in two tokens. "
        "Join all "
        "bytes first, decode once.",
        "dropped": "broken bytes vanished. A reader should see that something is there: U+FFFD, the replacement sign.",
        "strict": "broken bytes raised an error. A model may produce any ids at any time, and decoding must not fail.",
        "latin-1": "each byte was read as one letter (Latin-1). The bytes are UTF-8.",
        "printed bytes": "this is how Python prints bytes, b'...'. Decode them instead.",
        "blanks": "something was put between the tokens. The blanks are inside the tokens already.",
        "bytes": "the result is bytes; a str is asked for.",
    },
)

FAST = Exercise(
    id="1.6",
    title="Hand your merges to tiktoken",
    functions=("make_encoding",),
    points=2,
    difficulty=2,
    minutes=15,
    tests=7,
    hints=(
        "First the ranks: a dict from bytes to id. Ids 0 to 255 are the single bytes, id 256 + k is what merge "
        "k makes.",
        "`tiktoken.Encoding(name, pat_str=..., mergeable_ranks=..., special_tokens=...)`; the name is free. "
        "`<|endoftext|>` gets the first id that is still free.",
    ),
    misconceptions={
        "ids of merges": "the ids are not as agreed: byte b is id b, and merge number k (from 0) makes id 256 + k.",
        "special id": "the special token must have the first free id, 256 + the number of merges: an id of its own, "
        "and no gap before it.",
        "no special": "the encoding does not know `<|endoftext|>`: it belongs into special_tokens.",
        "pattern": "the text was cut into words in another way than `pattern` says.",
        "sorted": "the merges changed their order. The order they were learned in is what the ids stand for.",
        "refused": "tiktoken could not work with the ranks. It needs all 256 single bytes, every merge, and for "
        "each of "
        "them an id of its own.",
    },
)

BITS = Exercise(
    id="1.7",
    title="Nats per token to bits per byte",
    functions=("bits_per_byte",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=4,
    hints=(
        "Go by the units. You have nats / token; you want bits / byte. You know tokens / byte, and one bit is "
        "ln 2 nats.",
        "1 nat is 1 / ln 2 = 1.44 bits. The total surprise of the text is the same, however it is counted: nats per "
        "token times tokens.",
    ),
    misconceptions={
        "still nats": "the result is in nats. One bit is ln 2 = 0.693 nats, so there are more bits than nats.",
        "times ln 2": "multiplied by ln 2. There are more bits than nats, so divide by it.",
        "upside down": "bytes per token and tokens per byte are mixed up. A token covers several bytes, so a "
        "byte costs "
        "less than a token.",
        "per token": "these are bits per token. Tokenizers with longer tokens would look worse; per byte all "
        "are equal.",
        "log of the loss": "the loss is a logarithm already. Only its unit changes: divide by ln 2.",
        "base 10": "log10 instead of the natural logarithm: one bit is ln 2 nats.",
    },
)

CHAPTER = Chapter(1, "Tokenizer", (COUNT, MERGE, TRAIN, ENCODE, DECODE, FAST, BITS), imports=("tiktoken",))
