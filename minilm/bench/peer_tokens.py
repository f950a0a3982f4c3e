"""Our tokenizer against the Rust library `tokenizers`: learning the merges, and encoding with them."""

import json
from collections import Counter
from itertools import pairwise

import regex

from .. import corpus
from ..corpus import SPLITS
from ..hub_tokenizer import as_tokenizer_json, merges_in
from ..plays import play
from ..pretrained import load_base
from ..tokenizer import EOT, PATTERN, Tokenizer, byte_letters
from .peer_libraries import libraries
from .rows import alternate, ratio, row

VOCABULARY = 2048


def learning():
    """The training plays to 2,048 tokens; the merges agree until two pairs are equally frequent."""
    data = corpus.load("shakespeare")
    ours, rust = [], []
    turns = {
        "ours": lambda: ours.append(Tokenizer.train(data.train, VOCABULARY)),
        "rust": lambda: rust.append(rust_trained(data.train)),
    }
    slower, slower_fastest = ratio(alternate(turns, rounds=3, warmup=0), "ours", "rust")
    mine, theirs = ours[-1], Tokenizer(merges_in(json.loads(rust[-1].to_str())))
    apart, where = first_difference(mine.merges, theirs.merges, data.train)
    common = len(set(mine.merges) & set(theirs.merges))
    needed = len(mine.encode(data.validation)) / len(theirs.encode(data.validation))
    return [
        row("lost: seconds to learn 2,048 tokens / the Rust trainer's", slower, "x", of_fastest=slower_fastest),
        row("merges that both have / all", common / len(mine.merges), first_difference=where),
        row("where they part, counts of the two pairs differ by (0: a tie)", apart, at_most=0),
        row("tokens of the validation plays / with the Rust trainer's merges", needed),
    ]


def rust_trained(text):
    """The Rust library's tokenizer of the same size, from the same words, with the same smallest count."""
    _, _, tokenizers = libraries()
    rust = tokenizers.Tokenizer.from_str(json.dumps(as_tokenizer_json(Tokenizer([]))))  # the same split into words
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        initial_alphabet=byte_letters(),
        special_tokens=[EOT],
        show_progress=False,
    )
    rust.train_from_iterator([text], trainer)
    return rust


def first_difference(mine, theirs, text):
    """(how far the counts of the two pairs are apart, what happened) at the first merge that is not the same."""
    place = next((i for i, (one, other) in enumerate(zip(mine, theirs, strict=False)) if one != other), None)
    if place is None:
        return abs(len(mine) - len(theirs)), None
    counts = pair_counts(Tokenizer(mine[:place]), text)
    return abs(counts[mine[place]] - counts[theirs[place]]), {
        "merge": place,
        "ours": repr(mine[place]),
        "theirs": repr(theirs[place]),
        "counts": [counts[mine[place]], counts[theirs[place]]],
    }


def pair_counts(tokenizer, text):
    """(left, right) bytes -> how often they stand side by side inside the words of `text`, cut by `tokenizer`."""
    counts = Counter()
    for word, times in Counter(regex.findall(PATTERN, text)).items():
        tokens = [tokenizer.token_bytes(index) for index in tokenizer.encode(word)]
        for pair in pairwise(tokens):
            counts[pair] += times
    return counts


def encoding():
    """All plays to ids with the shipped tokenizer: as 38 texts, line by line, and theirs on all cores."""
    tokenizer = load_base()[1]
    rust = libraries()[2].Tokenizer.from_str(json.dumps(as_tokenizer_json(tokenizer)))
    plays = [play(slug).text for slugs in SPLITS.values() for slug in slugs]
    lines = [line for text in plays for line in text.splitlines(keepends=True)]
    rows = []
    for name, texts in (("38 plays", plays), ("each line", lines)):
        turns = {
            "ours": lambda texts=texts: [tokenizer.encode(text) for text in texts],
            "rust": lambda texts=texts: [rust.encode(text, add_special_tokens=False).ids for text in texts],
            "batch": lambda texts=texts: [
                found.ids for found in rust.encode_batch_fast(texts, add_special_tokens=False)
            ],
        }
        differing = sum(one != other for one, other in zip(turns["ours"](), turns["rust"](), strict=True))
        times = alternate(turns, rounds=3, warmup=1)
        speed, speed_fastest = ratio(times, "rust", "ours")
        rows += [
            row(f"encoding speed / the Rust library's, {name}", speed, "x", at_least=1, of_fastest=speed_fastest),
            row(f"the same / its encode_batch_fast on all cores, {name}", ratio(times, "batch", "ours")[0], "x"),
            row(f"texts with other ids, {name}", differing, at_most=0),
        ]
    return rows
