"""RMSNorm: the definition, and the gradient that was worked out on paper."""

import pytest
import torch

from minilm.norm import RMSNorm, rms_norm


def norm_and_input(dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    norm = RMSNorm(6, eps=1e-3)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(6, generator=generator))
    return norm.to(dtype), torch.randn(2, 5, 6, generator=generator).requires_grad_()


def gradients(function, norm, x):
    out = function(x)
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(4)).to(out.dtype)
    return [out, *torch.autograd.grad(out, (x, norm.weight), upstream)]


def test_the_gradient_by_hand_is_autograds_own():
    norm, x = norm_and_input()
    by_autograd = gradients(lambda x: rms_norm(x, norm.weight, norm.eps), norm, x)
    for ours, expected in zip(gradients(norm, norm, x), by_autograd, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-5)


def test_another_eps_gives_another_gradient():
    norm, x = norm_and_input()
    _, ours, _ = gradients(norm, norm, x)
    _, other, _ = gradients(lambda x: rms_norm(x, norm.weight, 0.5), norm, x)
    assert not torch.allclose(ours, other, atol=1e-3)


def test_no_gradient_points_along_the_input_when_eps_is_zero():
    norm, x = norm_and_input()
    norm.eps = 0.0
    _, dx, _ = gradients(norm, norm, x)
    assert ((dx * x).sum(-1).abs() < 1e-5 * dx.norm() * x.norm()).all()


def test_a_bfloat16_weight_gives_bfloat16_out_and_a_float32_gradient_in():
    norm, x = norm_and_input(torch.bfloat16)
    out, dx, dw = gradients(norm, norm, x)
    assert (out.dtype, dx.dtype, dw.dtype) == (torch.bfloat16, torch.float32, torch.bfloat16)
    exact, _ = norm_and_input()
    _, expected, _ = gradients(exact, exact, x)
    torch.testing.assert_close(dx, expected, atol=0.03, rtol=0.03)


def test_a_frozen_weight_gets_no_gradient_and_the_input_still_does():
    norm, x = norm_and_input()
    norm.requires_grad_(False)
    norm(x).sum().backward()
    assert norm.weight.grad is None and x.grad.abs().sum() > 0


def test_a_second_derivative_is_refused_and_not_wrong():
    norm, x = norm_and_input()
    (grad,) = torch.autograd.grad(norm(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError):
        grad.sum().backward()
