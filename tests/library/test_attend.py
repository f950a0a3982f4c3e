"""Attention in blocks is the definition: values and gradients."""

import pytest
import torch

from minilm.attend import BLOCK, attend, causal_attention, causal_mask


def inputs(time, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 3, time, 4, generator=generator).to(dtype).requires_grad_() for _ in range(3)]


def defined(q, k, v, scale):
    return attend(q, k, v, scale, causal_mask(0, q.shape[2], q.dtype))


def with_gradients(function, time):
    q, k, v = inputs(time)
    out = function(q, k, v, 0.3)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    return [out, *torch.autograd.grad(out, (q, k, v), upstream)]


@pytest.mark.parametrize("time", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5])
def test_blocks_agree_with_the_definition_in_values_and_gradients(time):
    for ours, expected in zip(with_gradients(causal_attention, time), with_gradients(defined, time), strict=True):
        torch.testing.assert_close(ours, expected, atol=2e-6, rtol=1e-5)


def test_without_the_mask_the_definition_differs():
    q, k, v = inputs(5)
    assert not torch.allclose(attend(q, k, v, 0.3), causal_attention(q, k, v, 0.3), atol=1e-3)


def test_a_later_token_changes_no_earlier_result_even_across_blocks():
    q, k, v = (x.detach() for x in inputs(BLOCK + 10))
    before = causal_attention(q, k, v, 0.3)
    place = BLOCK + 3
    k[:, :, place] += 1
    v[:, :, place] += 1
    after = causal_attention(q, k, v, 0.3)
    assert torch.equal(before[:, :, :place], after[:, :, :place])
    assert not torch.equal(before[:, :, place], after[:, :, place])


def test_the_gradient_is_right_by_finite_differences():
    q, k, v = inputs(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda *qkv: causal_attention(*qkv, 0.3), (q, k, v))


def test_a_second_derivative_is_refused_and_not_wrong():
    q, k, v = inputs(3)
    (grad,) = torch.autograd.grad(causal_attention(q, k, v, 0.3).sum(), q, create_graph=True)
    with pytest.raises(RuntimeError):
        grad.sum().backward()


@pytest.mark.parametrize(("past", "time"), [(0, 4), (3, 2)])
def test_the_mask_hides_exactly_what_comes_later(past, time):
    mask = causal_mask(past, time, torch.float32)
    for row in range(time):
        assert (mask[row] == 0).tolist() == [key <= past + row for key in range(past + time)]


def test_a_single_query_needs_no_mask():
    assert causal_mask(7, 1, torch.float32) is None
