"""The turn's gradient is the turn back."""

import torch

from minilm.rope import apply_rope, rope_tables


def turned(seed=0):
    x = torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()
    return x, rope_tables(torch.arange(5), 8, 100.0, torch.float64)


def test_the_gradient_is_right_by_finite_differences():
    x, (cos, sin) = turned()
    assert torch.autograd.gradcheck(lambda x: apply_rope(x, cos, sin), (x,))


def test_turning_back_restores_and_turning_twice_does_not():
    x, (cos, sin) = turned()
    once = apply_rope(x, cos, sin)
    torch.testing.assert_close(apply_rope(once, cos, -sin), x)
    assert not torch.allclose(apply_rope(once, cos, sin), x)


def test_a_transposed_view_is_turned_like_its_copy():
    x, (cos, sin) = turned()
    view = x.detach().transpose(1, 2).contiguous().transpose(1, 2)
    assert not view.is_contiguous()
    assert torch.equal(apply_rope(view, cos, sin), apply_rope(x, cos, sin))
