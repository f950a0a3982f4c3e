"""Windows: which tokens a batch holds, and that its number alone decides it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.data import Windows
from minilm.errors import UserError

QUICK = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def epoch_of(windows, epoch):
    """The inputs of all windows of one epoch, (per_epoch, T); `batch` must be 1."""
    numbers = range(epoch * windows.per_epoch, (epoch + 1) * windows.per_epoch)
    return torch.cat([windows[number][0] for number in numbers])


@QUICK
@given(context=st.integers(1, 12), extra=st.integers(0, 100), seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_an_epoch_shows_no_token_twice_and_misses_few(context, extra, seed, epoch):
    tokens = 2 * context + extra
    shown = epoch_of(Windows(np.arange(tokens), context, batch=1, seed=seed), epoch).flatten().tolist()
    assert len(set(shown)) == len(shown)
    assert set(shown) <= set(range(tokens - 1)), "the last token is only ever a target"
    assert len(shown) > tokens - 2 * context


@QUICK
@given(context=st.integers(1, 12), extra=st.integers(0, 100), batch=st.integers(1, 5), number=st.integers(0, 200))
def test_targets_are_the_inputs_one_token_ahead(context, extra, batch, number):
    windows = Windows(np.arange(2 * context + extra), context, batch)
    inputs, targets = windows[number]
    assert inputs.shape == targets.shape == (batch, context)
    assert torch.equal(targets, inputs + 1)
    assert torch.equal(inputs, inputs[:, :1] + torch.arange(context))


def test_a_batch_depends_on_its_number_and_not_on_what_was_asked_before():
    ids = np.arange(500)
    one, other = Windows(ids, 8, 4, seed=3), Windows(ids, 8, 4, seed=3)
    in_order = [one[i][0] for i in range(40)]  # more than two epochs
    for i in reversed(range(40)):
        assert torch.equal(other[i][0], in_order[i])
    assert not torch.equal(in_order[0], in_order[1])


def test_another_seed_is_another_order():
    ids = np.arange(500)
    assert torch.equal(Windows(ids, 8, 4, seed=3)[0][0], Windows(ids, 8, 4, seed=3)[0][0])
    assert not torch.equal(Windows(ids, 8, 4, seed=3)[0][0], Windows(ids, 8, 4, seed=4)[0][0])


def test_another_epoch_is_another_order_and_another_cut():
    windows = Windows(np.arange(500), 16, batch=1)
    first, second = epoch_of(windows, 0), epoch_of(windows, 1)
    assert not torch.equal(first, second)
    cuts = {int(epoch_of(windows, epoch)[0, 0]) % 16 for epoch in range(6)}
    assert len(cuts) > 1, "a token must not always stand at the same place of its window"


def test_a_batch_may_begin_in_one_epoch_and_end_in_the_next():
    single, triple = Windows(np.arange(100), 8, batch=1), Windows(np.arange(100), 8, batch=3)
    assert single.per_epoch % 3, "the test needs a batch that straddles"
    rows = torch.cat([single[i][0] for i in range(30)])
    assert torch.equal(torch.cat([triple[i][0] for i in range(10)]), rows)


def test_a_text_too_short_for_one_window_is_refused_with_a_context_that_fits():
    Windows(np.arange(16), 8, batch=2)[5]
    with pytest.raises(UserError, match="15 tokens, too few for a context of 8; use a longer text or --context 6"):
        Windows(np.arange(15), 8, batch=2)
    Windows(np.arange(15), 6, batch=2)[5]


def test_no_text_at_all_is_refused():
    with pytest.raises(UserError, match="too few"):
        Windows([], 8, batch=2)


def test_each_epoch_reads_its_own_version_of_the_ids():
    windows = Windows(np.arange(100), 8, batch=1, version=lambda epoch: np.arange(100) + 1000 * epoch)
    assert [int(epoch_of(windows, epoch).min()) // 1000 for epoch in range(3)] == [0, 1, 2]


def test_a_batch_across_two_epochs_holds_both_versions_and_makes_each_only_once():
    made = []

    def version(epoch):
        made.append(epoch)
        return np.arange(100) + 1000 * epoch

    windows = Windows(np.arange(100), 8, batch=4, version=version)
    assert windows.per_epoch % 4, "else no batch lies across"
    seen = {tuple((windows[k][0][:, 0] // 1000).tolist()) for k in range(2 * windows.per_epoch // 4)}
    assert any(len(set(epochs)) == 2 for epochs in seen)
    assert made == [0, 1]


@pytest.mark.parametrize("length", [97, 100, 130])
def test_a_version_may_be_shorter_or_longer_than_the_text(length):
    windows = Windows(np.arange(100), 8, batch=1, version=lambda epoch: np.arange(length))
    shown = torch.cat([windows[k][0] for k in range(3 * windows.per_epoch)])
    assert shown.shape[1] == 8 and int(shown.max()) <= length - 2
    assert len(set(shown.flatten().tolist())) >= min(length, 100) - 16
