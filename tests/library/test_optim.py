"""The optimizers: AdamW against torch's, Muon against the singular value decomposition, masters against rounding."""

import math

import pytest
import torch
from torch import nn

from minilm.errors import UserError
from minilm.optim import AdamW, Muon, Together, clip_gradients, orthogonalise

BAND = (0.73, 1.27)  # what POLYNOMIALS promise for singular values from 1/100 to 1
SPREAD = torch.logspace(-1.72, 0, 24)  # divided by their joint length they begin just above 1/100


def parameters(dtype=torch.float32, size=0.1):
    generator = torch.Generator().manual_seed(1)
    shapes = [(5, 3), (3, 5), (4,)]
    return [nn.Parameter((size * torch.randn(shape, generator=generator)).to(dtype)) for shape in shapes]


def set_gradients(params, step):
    generator = torch.Generator().manual_seed(100 + step)
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)


def run(optimizer, params, steps=10, first=0):
    for step in range(first, first + steps):
        set_gradients(params, step)
        optimizer.step()
    return [p.detach().clone() for p in params]


def largest_difference(ours, theirs):
    return max((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamw_is_torch_adamw_to_one_part_in_ten_million(decay):
    mine, theirs = parameters(), parameters()
    ours = run(AdamW(mine, lr=1e-2, weight_decay=decay), mine)
    expected = run(torch.optim.AdamW(theirs, lr=1e-2, betas=(0.9, 0.95), weight_decay=decay), theirs)
    assert largest_difference(ours, expected) < 1e-7
    others = parameters()
    other = run(torch.optim.AdamW(others, lr=1e-2, betas=(0.9, 0.95), weight_decay=decay + 0.05), others)
    assert largest_difference(ours, other) > 1e-5


def test_adamw_takes_the_start_at_zero_out_of_its_averages():
    mine = parameters()
    ours = run(AdamW(mine, lr=1e-2), mine, steps=1)
    sign_steps = [p - 1e-2 * g.sign() for p, g in zip(parameters(), gradients_of(step=0), strict=True)]
    assert largest_difference(ours, sign_steps) < 1e-6, "the first step is lr long for every number"
    raw = [  # without the correction m = 0.1 g and v = 0.05 g^2: steps of 0.447 lr
        p - 1e-2 * 0.1 / math.sqrt(0.05) * g.sign() for p, g in zip(parameters(), gradients_of(step=0), strict=True)
    ]
    assert largest_difference(ours, raw) > 1e-3


def gradients_of(step):
    params = parameters()
    set_gradients(params, step)
    return [p.grad for p in params]


def test_decay_shrinks_a_weight_that_has_no_gradient():
    (p,) = params = [nn.Parameter(torch.full((2, 2), 0.5))]
    p.grad = torch.zeros_like(p)
    AdamW(params, lr=0.1, weight_decay=0.2).step()
    torch.testing.assert_close(p.detach(), torch.full((2, 2), 0.5 * (1 - 0.1 * 0.2)))
    AdamW(params, lr=0.1, weight_decay=0.0).step()
    torch.testing.assert_close(p.detach(), torch.full((2, 2), 0.5 * (1 - 0.1 * 0.2)))


def test_the_schedule_scales_the_rate_and_the_decay():
    mine, theirs, others = parameters(), parameters(), parameters()
    set_gradients(mine, 0), set_gradients(theirs, 0), set_gradients(others, 0)
    AdamW(mine, lr=1e-2, weight_decay=0.1).step(scale=0.5)
    AdamW(theirs, lr=5e-3, weight_decay=0.1).step()
    AdamW(others, lr=1e-2, weight_decay=0.1).step()
    assert largest_difference(mine, theirs) == 0
    assert largest_difference(mine, others) > 1e-3


def test_a_master_keeps_updates_that_sixteen_bits_would_lose():
    (p,) = params = [nn.Parameter(torch.ones(1, 1, dtype=torch.bfloat16))]
    optimizer, lost = AdamW(params, lr=1e-3), p.detach().clone()
    for _ in range(10):
        p.grad = torch.ones_like(p)
        optimizer.step()
        lost -= 1e-3  # the same step, taken in bfloat16: 1 - 0.001 is 1 again
    assert optimizer.masters[0].item() == pytest.approx(0.99, abs=1e-5)
    assert p.item() == torch.tensor(0.99).to(torch.bfloat16).item(), "the weight is the master, rounded"
    assert lost.item() == 1.0


def test_only_sixteen_bit_parameters_have_a_master_of_their_own():
    assert AdamW(parameters()).own_masters() == {}
    masters = AdamW(parameters(torch.bfloat16)).own_masters()
    assert [m.dtype for m in masters.values()] == [torch.float32] * 3


def test_frozen_parameters_are_left_out():
    params = parameters()
    params[1].requires_grad_(False)
    optimizer = AdamW(params)
    assert [p.shape for p in optimizer.parameters] == [(5, 3), (4,)]
    optimizer.parameters[0].grad = torch.ones(5, 3)
    optimizer.zero_grad()
    assert params[0].grad is None


@pytest.mark.parametrize("make", [AdamW, lambda p: Muon(p[:2]), lambda p: Together(Muon(p[:2]), AdamW(p[2:]))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_saved_state_goes_on_as_if_never_stopped(make, dtype):
    params = parameters(dtype)
    optimizer = make(params)
    middle = run(optimizer, params, steps=3)
    state, steps = {name: t.clone() for name, t in optimizer.state().items()}, optimizer.steps
    expected = run(optimizer, params, steps=3, first=3)

    def go_on(load):
        again = [nn.Parameter(p.clone()) for p in middle]
        fresh = make(again)
        if load:
            fresh.load_state(state, steps)
        return run(fresh, again, steps=3, first=3)

    assert largest_difference(go_on(load=True), expected) == 0
    assert largest_difference(go_on(load=False), expected) > 1e-4, "a forgotten state must show"


def test_the_state_of_other_parameters_is_refused():
    state = AdamW(parameters()).state()
    with pytest.raises(UserError, match="other parameters"):
        AdamW(parameters()[:2]).load_state(state, 1)
    with pytest.raises(UserError, match="other parameters"):
        AdamW(parameters()[1:] + parameters()[:1]).load_state(state, 1)
    with pytest.raises(UserError, match="other parameters"):
        AdamW(parameters(torch.bfloat16)).load_state(state, 1)  # its masters are missing


def with_singular_values(rows, columns, values, seed=0):
    """(U, S, V^T) and their product, a (1, rows, columns) matrix."""
    generator = torch.Generator().manual_seed(seed)
    short = min(rows, columns)
    u = torch.linalg.qr(torch.randn(rows, short, generator=generator)).Q
    v = torch.linalg.qr(torch.randn(columns, short, generator=generator)).Q
    return u, v, (u * values @ v.T)[None]


@pytest.mark.parametrize("rows, columns", [(24, 24), (24, 60), (60, 24)])
def test_orthogonalised_singular_values_lie_in_the_promised_band(rows, columns):
    assert 0.0101 < SPREAD.min() / SPREAD.norm() < 0.011, "the test must reach down to the edge of the range"
    _, _, matrix = with_singular_values(rows, columns, SPREAD)
    seen = torch.linalg.svdvals(orthogonalise(matrix, dtype=torch.float32)[0])
    assert BAND[0] - 0.005 < seen.min() and seen.max() < BAND[1] + 0.005
    assert torch.linalg.svdvals(matrix[0]).min() < 0.02, "before, they were far from 1"


@pytest.mark.parametrize("rows, columns", [(24, 24), (24, 60), (60, 24)])
def test_orthogonalising_keeps_the_singular_vectors(rows, columns):
    u, v, matrix = with_singular_values(rows, columns, SPREAD)
    inside = u.T @ orthogonalise(matrix, dtype=torch.float32)[0] @ v  # diagonal, if the vectors are the same
    assert (inside - inside.diag().diag()).abs().max() < 1e-3
    assert inside.diag().min() > 0.5, "no direction may turn round"
    other_u, _, _ = with_singular_values(rows, columns, torch.ones(24), seed=9)
    wrong = other_u.T @ orthogonalise(matrix, dtype=torch.float32)[0] @ v
    assert (wrong - wrong.diag().diag()).abs().max() > 0.1


def test_sixteen_bits_are_enough_to_orthogonalise():
    _, _, matrix = with_singular_values(24, 60, torch.logspace(-1.5, 0, 24))
    rough, exact = orthogonalise(matrix), orthogonalise(matrix, dtype=torch.float32)
    assert rough.dtype == torch.float32, "the result has the type of what came in"
    assert 0 < (rough - exact).norm() < 0.05 * exact.norm()


def test_the_length_of_a_gradient_does_not_matter_to_its_directions():
    _, _, matrix = with_singular_values(12, 20, torch.logspace(-1, 0, 12))
    torch.testing.assert_close(
        orthogonalise(1e-4 * matrix, torch.float32), orthogonalise(matrix, torch.float32), atol=2e-2, rtol=0
    )


def test_each_matrix_of_a_stack_is_orthogonalised_alone():
    stack = torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(4))
    together = orthogonalise(stack, torch.float32)
    for i in range(3):
        torch.testing.assert_close(together[i], orthogonalise(stack[i : i + 1], torch.float32)[0])
    assert not torch.allclose(together[0], together[1])


def test_a_gradient_of_zeros_stays_zero():
    assert orthogonalise(torch.zeros(1, 4, 6)).abs().max() == 0


@pytest.mark.parametrize("shape, factor", [((12, 8), 1.5**0.5), ((8, 12), 1.0)])
def test_a_muon_step_is_an_orthogonal_matrix_times_the_rate(shape, factor):
    p = nn.Parameter(torch.zeros(shape))
    p.grad = torch.randn(shape, generator=torch.Generator().manual_seed(5))
    Muon([p], lr=0.1).step()
    expected = -0.1 * factor * orthogonalise(p.grad[None], p.dtype)[0]
    torch.testing.assert_close(p.detach(), expected, atol=2e-3, rtol=0)
    assert not torch.allclose(p.detach(), expected / factor**2 * 1.2, atol=2e-3, rtol=0)


def test_muon_steers_by_an_average_of_gradients_with_a_look_ahead():
    p = nn.Parameter(torch.zeros(6, 6))
    first, second = torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(6))
    optimizer = Muon([p], lr=0.1, momentum=0.9)
    p.grad = first
    optimizer.step()
    before = p.detach().clone()
    p.grad = second
    optimizer.step()
    average = 0.9 * 0.1 * first + 0.1 * second
    expected = -0.1 * orthogonalise((0.1 * second + 0.9 * average)[None])[0]
    torch.testing.assert_close(p.detach() - before, expected, atol=5e-3, rtol=0)
    assert not torch.allclose(p.detach() - before, -0.1 * orthogonalise(second[None])[0], atol=5e-3, rtol=0)


def test_muon_treats_matrices_of_one_shape_together_and_mixes_none_up():
    generator = torch.Generator().manual_seed(8)
    shapes = [(4, 6), (6, 4), (4, 6)]
    gradients = [torch.randn(shape, generator=generator) for shape in shapes]

    def step(chosen):
        params = [nn.Parameter(torch.zeros(shapes[i])) for i in chosen]
        for p, i in zip(params, chosen, strict=True):
            p.grad = gradients[i].clone()
        Muon(params).step()
        return [p.detach() for p in params]

    together, alone = step([0, 1, 2]), [step([i])[0] for i in range(3)]
    assert largest_difference(together, alone) < 1e-3
    assert not torch.allclose(together[0], together[2])


def test_clipping_limits_the_joint_length_and_keeps_the_direction():
    a, b = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1))
    a.grad, b.grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    assert clip_gradients([a, b], 1.0).item() == pytest.approx(5.0)
    torch.testing.assert_close(a.grad, torch.tensor([0.6, 0.0]))
    torch.testing.assert_close(b.grad, torch.tensor([0.8]))


def test_clipping_leaves_short_gradients_alone():
    a = nn.Parameter(torch.zeros(2))
    a.grad = torch.tensor([0.3, 0.4])
    assert clip_gradients([a, nn.Parameter(torch.zeros(1))], 1.0).item() == pytest.approx(0.5)
    assert torch.equal(a.grad, torch.tensor([0.3, 0.4]))
