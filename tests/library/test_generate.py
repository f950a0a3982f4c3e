"""Sampling one token, and writing many."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.errors import UserError
from minilm.generate import as_text, generate, keep_top, pick, stream

LOGITS = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()


def draw(count=400, **sampling):
    generator = torch.Generator().manual_seed(0)
    return Counter(pick(LOGITS, generator=generator, **sampling) for _ in range(count))


def kept(logits):
    return logits.isfinite().nonzero().flatten().tolist()


def write(model, tokens=20, prompt=(1, 2, 3), **sampling):
    return list(stream(model, list(prompt), tokens, **sampling))


def test_temperature_zero_takes_the_likeliest():
    assert set(draw(20, temperature=0)) == {1}
    assert set(draw(20, temperature=1e-30)) == {1}, "almost zero must not overflow"
    assert len(draw(temperature=1)) == 4


def test_draws_follow_the_probabilities():
    counts = draw(2000, temperature=1)
    for index, p in enumerate((0.15, 0.5, 0.05, 0.3)):
        assert counts[index] / 2000 == pytest.approx(p, abs=0.04)


def test_a_lower_temperature_is_bolder():
    cold, warm = draw(temperature=0.5)[1] / 400, draw(temperature=2)[1] / 400
    assert cold == pytest.approx(0.25 / (0.15**2 + 0.25 + 0.05**2 + 0.09), abs=0.07)  # p^2, normalised
    assert warm == pytest.approx(0.5**0.5 / sum(p**0.5 for p in (0.15, 0.5, 0.05, 0.3)), abs=0.07)


@pytest.mark.parametrize("k, inside", [(1, [1]), (2, [1, 3]), (3, [0, 1, 3]), (4, [0, 1, 2, 3]), (99, [0, 1, 2, 3])])
def test_top_k_keeps_exactly_k(k, inside):
    assert kept(keep_top(LOGITS, top_k=k)) == inside


def test_top_k_keeps_exactly_k_when_logits_tie():
    assert len(kept(keep_top(torch.zeros(6), top_k=2))) == 2


@pytest.mark.parametrize(
    "p, inside",
    [(0.01, [1]), (0.49, [1]), (0.51, [1, 3]), (0.79, [1, 3]), (0.81, [0, 1, 3]), (1, [0, 1, 2, 3])],
)
def test_top_p_keeps_the_smallest_set_that_holds_the_share(p, inside):
    assert kept(keep_top(LOGITS, top_p=p)) == inside


def test_top_p_measures_what_top_k_left():
    assert kept(keep_top(LOGITS, top_k=2, top_p=0.6)) == [1]  # 0.5 of 0.8 is 0.625
    assert kept(keep_top(LOGITS, top_p=0.6)) == [1, 3]


def test_kept_logits_keep_their_values():
    assert torch.equal(keep_top(LOGITS, top_k=2)[[1, 3]], LOGITS[[1, 3]])
    assert torch.equal(keep_top(LOGITS), LOGITS)


def test_only_kept_tokens_are_drawn():
    assert set(draw(temperature=1, top_k=2)) == {1, 3}
    assert set(draw(temperature=1, top_p=0.81)) == {0, 1, 3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"top_k": -3},
        {"top_p": 0},
        {"top_p": 1.5},
        {"top_p": float("nan")},
    ],
)
def test_an_impossible_setting_is_refused(tiny_model, wrong):
    with pytest.raises(UserError, match="choose"):
        write(tiny_model, **wrong)


def test_the_same_seed_writes_the_same_and_another_does_not(tiny_model):
    assert write(tiny_model, seed=5) == write(tiny_model, seed=5)
    assert write(tiny_model, seed=5) != write(tiny_model, seed=6)


def test_the_rest_of_the_program_draws_what_it_would_have_drawn(tiny_model):
    torch.manual_seed(1)
    first = write(tiny_model)
    after = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3))
    torch.manual_seed(2)
    assert write(tiny_model) == first


@torch.no_grad()
def test_greedy_writing_is_the_likeliest_token_again_and_again(tiny_model):
    ids = [1, 2, 3]
    for _ in range(10):
        ids.append(int(tiny_model(torch.tensor([ids]))[0, -1].argmax()))
    assert write(tiny_model, tokens=10, temperature=0) == ids[3:]
    assert write(tiny_model, tokens=10, temperature=1) != ids[3:]


@pytest.mark.parametrize("prompt", [1, 20, 31, 32, 33, 50])
def test_with_and_without_a_cache_the_same_ids_come_also_past_the_context(tiny_model, prompt):
    prompt = list(range(prompt))
    cached = write(tiny_model, 70, prompt, seed=2)
    assert cached == write(tiny_model, 70, prompt, seed=2, use_cache=False)
    assert len(cached) == 70
    assert cached != write(tiny_model, 70, prompt[:-1] + [200], seed=2), "the prompt must matter"


@torch.no_grad()
def test_when_the_context_is_full_the_newest_half_is_read_again(tiny_model):
    ids = list(range(32))
    first, second = write(tiny_model, 2, ids, temperature=0)
    assert first == tiny_model(torch.tensor([ids]))[0, -1].argmax()
    assert second == tiny_model(torch.tensor([(ids + [first])[-16:]]))[0, -1].argmax()


def test_writing_ends_early_at_the_stop_token(tiny_model):
    free = write(tiny_model, 30, seed=3)
    stop = free[7]
    assert write(tiny_model, 30, seed=3, stop=stop) == free[: free.index(stop)]
    absent = next(i for i in range(290) if i not in free)
    assert write(tiny_model, 30, seed=3, stop=absent) == free


def test_nothing_to_go_on_from_is_refused(tiny_model):
    with pytest.raises(UserError, match="at least one token"):
        write(tiny_model, prompt=[])


def test_generate_gives_the_prompt_and_what_follows(tiny_model, tokenizer):
    text = generate(tiny_model, tokenizer, "to be", tokens=12, seed=1)
    assert text.startswith("to be") and len(text) > len("to be")
    assert generate(tiny_model, tokenizer, "to be", tokens=0) == "to be"
    assert isinstance(generate(tiny_model, tokenizer, tokens=5), str), "an empty prompt starts a new text"


# Text as it comes


def test_a_letter_that_is_cut_in_two_waits_for_its_second_half(tokenizer):
    pieces = list(as_text(tokenizer, [0x61, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0x62]))
    assert pieces == ["a", "", "é", "", "", "€", "b", ""]


def test_bytes_that_are_no_letter_show_as_the_replacement_sign(tokenizer):
    assert "".join(as_text(tokenizer, [0x61, 0xC3, 0x62, 0xE2])) == "a\ufffdb\ufffd"


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(data=st.one_of(st.binary(max_size=12), st.text(max_size=6).map(str.encode)))
def test_the_pieces_are_the_text_whatever_the_bytes(tokenizer, data):
    ids = tokenizer.encode_bytes(data)
    assert "".join(as_text(tokenizer, ids)) == tokenizer.decode(ids)


def test_each_piece_is_there_before_the_next_id_is_asked_for(tokenizer):
    asked = []

    def ids():
        for index in b"abc":
            asked.append(index)
            yield index

    for count, piece in zip((1, 2, 3), as_text(tokenizer, ids()), strict=False):
        assert len(asked) == count and piece == "abc"[count - 1]


def test_a_spoiled_model_is_told_and_not_drawn_from(tiny_model):
    tiny_model.model.norm.weight.data[0] = float("nan")
    for temperature in (0, 1):
        with pytest.raises(UserError, match="output is NaN or infinite"):
            write(tiny_model, temperature=temperature)
