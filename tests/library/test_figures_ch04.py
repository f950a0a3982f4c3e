"""Chapter 4's figures describe what they draw, and its experiment moves only where it says it does."""

import numpy as np
import torch

from minilm.experiments import subspace
from minilm.experiments.subspace import Everything, Subspace
from minilm.figures import ch04


def layers():
    torch.manual_seed(0)
    return [torch.nn.Linear(5, 3), torch.nn.Linear(3, 4)]


def parameters(modules):
    return [p for module in modules for p in module.parameters()]


def test_the_scene_is_the_same_every_time_and_within_black_and_white():
    scene = ch04.scene()
    assert np.array_equal(scene, ch04.scene()) and scene.min() >= 0 and scene.max() <= 1
    assert np.linalg.matrix_rank(scene) == min(scene.shape)  # the grain uses every direction


def test_figures_say_what_they_show():
    W = np.array([[1.5, 1.0], [-0.5, 1.2]])
    U, s, Vt = np.linalg.svd(W)
    assert "(1.50, -0.50)" in ch04.circle_steps(U, s, Vt, [1, 0]).alt  # W's first column
    assert "rank 1" in ch04.pictures([W], ["rank 1"], "one").alt
    assert "0.5000" in ch04.competitors([[2.0, 0.51]], [3.0], 0.5, "beaten").alt
    assert "2 values up to the edge at 2.0, 1 above it" in ch04.edge([1.0, 1.5, 5.0], 2.0, "three").alt
    assert "gain: 50% at rank 1" in ch04.kept({"a": {"gain": [(1, 0.5), (2, 1.0)]}}, "kept").alt
    line = {"play": [(10, 0.25), (100, 0.9)]}
    assert "play: 25% at d = 10" in ch04.intrinsic(line, 1000, seeds=line).alt


def test_a_mirrored_decomposition_is_drawn_as_two_rotations():
    W = np.array([[1.5, 1.0], [-0.5, 1.2]])
    U, s, Vt = np.linalg.svd(W)
    pictures = [ch04.circle_steps(U * sign, s, Vt * np.array(sign)[:, None], [1, 0]) for sign in ([1, 1], [1, -1])]
    assert pictures[0].png() == pictures[1].png()


def test_the_noise_law_is_a_density_that_ends_at_the_edge():
    x, density = ch04.noise_density(200, 300, 2.0, points=4000)
    assert abs(np.trapezoid(density, x) - 1) < 1e-3
    assert abs(x[-1] - 2 * (200**0.5 + 300**0.5)) < 1e-9


def test_z_of_zero_changes_nothing_and_another_z_does():
    modules = layers()
    before = [p.detach().clone() for p in parameters(modules)]
    space = Subspace(parameters(modules), d=4, seed=0)
    space.move(torch.zeros(4))
    assert all(map(torch.equal, before, parameters(modules)))
    space.move(torch.ones(4))
    assert not any(map(torch.equal, before, parameters(modules)))


def test_the_columns_of_p_are_orthonormal_so_that_distances_stay():
    space = Subspace(parameters(layers()), d=6, seed=1)
    P = torch.stack([space.spread(column) for column in torch.eye(6)], dim=1)  # (N, d)
    assert P.shape == (34, 6) and torch.allclose(P.T @ P, torch.eye(6), atol=1e-6)
    assert (P != 0).sum(1).eq(1).all()  # each weight listens to one number


def test_the_gradient_of_z_is_the_projected_one():
    modules = layers()
    space = Subspace(parameters(modules), d=4, seed=0)
    P = torch.stack([space.spread(column) for column in torch.eye(4)], dim=1)
    modules[1](modules[0](torch.ones(2, 5))).square().sum().backward()
    whole = torch.cat([p.grad.flatten() for p in parameters(modules)])
    assert torch.allclose(space.gradient(), P.T @ whole, atol=1e-5)


def test_everything_is_the_subspace_of_all_directions():
    modules = layers()
    space, z = Everything(parameters(modules)), torch.arange(34.0)
    start = space.start.clone()
    space.move(z)
    assert space.d == 34 and torch.allclose(space.flat(parameters(modules)) - start, z)


def test_every_setting_has_three_strides_and_a_second_seed():
    tried = {}
    for cell in subspace.CELLS:
        if cell["d"] != 0:
            tried.setdefault((cell["text"], cell["d"]), {}).setdefault(cell["seed"], set()).add(cell["stride"])
    assert all(len(seeds[0]) >= 3 and seeds[1] <= seeds[0] for seeds in tried.values())
