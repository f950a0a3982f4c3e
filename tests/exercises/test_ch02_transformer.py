"""The graded tests of chapter 2. No two sizes are alike, and no layer is without a bias, unless that is the point."""

import math
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from minilm.grading.expect import close, equal, graded, is_object, like, require, shaped
from minilm.model import LM, Config

INF = math.inf


def rows(*shape, seed=0):
    """Random numbers as a numpy array."""
    return np.random.default_rng(seed).standard_normal(shape)


def random(*shape, seed=0):
    """Random numbers as a tensor."""
    return torch.from_numpy(rows(*shape, seed=seed)).float()


def drawn(answers, *shape, scale=1.0):
    """Random numbers as a tensor, which nobody can know beforehand."""
    return torch.from_numpy(scale * answers.random.standard_normal(shape)).float()


def sizes(answers, count, most=6, least=2):
    """That many sizes from `least` to `most`."""
    return answers.random.integers(least, most + 1, count).tolist()


def drawn_layer(answers, inside, outside):
    """As `layer`, with weights that nobody can know beforehand."""
    return linear(answers, drawn(answers, outside, inside) / inside**0.5, drawn(answers, outside))


def layer(answers, inside, outside, seed):
    """A linear layer beside the learner's code, and the same as a function here."""
    return linear(answers, random(outside, inside, seed=seed) / inside**0.5, random(outside, seed=seed + 1000))


def scalar(answers, weight, bias):
    """The layer weight * x + bias for x of one channel, and the same as a function here."""
    return linear(answers, torch.tensor([[weight]]), torch.tensor([bias]))


def linear(answers, weight, offset):
    def function(x, bias=True):
        return F.linear(x, weight, offset if bias else None)

    made = placed(answers, "torch.nn.Linear", weight.shape[::-1], {"weight": weight, "bias": offset})
    return made, function


def placed(answers, name, arguments, state):
    """A torch module beside the learner's code, with these weights."""
    module = answers.make(name, *arguments)
    module.load_state_dict(state)
    return module


def gradient(answers, function, x, *others):
    """The gradient that reaches x, for an upstream gradient of its own."""
    seen = answers.gradients(function, x, *others, upstream=random(*x.shape, seed=99))
    require(seen["inputs"][0] is not None, "no gradient reaches the input", "detached")
    return seen["inputs"][0]


def true_gradient(function, x):
    x = x.clone().requires_grad_()
    (function(x) * random(*x.shape, seed=99)).sum().backward()
    return x.grad


# ---- 2.1 a softmax that never overflows ----------------------------------------------------------


def shares(x, axis):
    return torch.softmax(torch.from_numpy(x), axis).numpy()


@graded("2.1")
def test_three_numbers_become_shares(answers):
    x = np.log(np.array([1.0, 2.0, 5.0]))
    known = [
        ("no exponential", x / x.sum()),
        ("not divided", np.array([1.0, 2.0, 5.0])),
        ("not divided", np.array([0.2, 0.4, 1.0])),
        ("base", shares(x * math.log(2), 0)),
        ("base", shares(x * math.log(10), 0)),
        ("scaled", shares(x / x.max(), 0)),
        ("logarithm", np.log(np.array([1.0, 2.0, 5.0]) / 8)),
    ]
    close(answers.softmax(x, 0), np.array([0.125, 0.25, 0.625]), known=known)


@graded("2.1", "axis", raises={"ValueError": "keepdims"})
def test_each_row_adds_up_to_one(answers):
    x = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 6.0, 1.0]]))
    scaled = np.exp(x) / np.exp(x).max(1, keepdims=True)
    known = [
        ("axis", shares(x, 0)),
        ("whole array", np.exp(x) / np.exp(x).sum()),
        ("whole array", scaled / scaled.sum()),
    ]
    close(answers.softmax(x, 1), np.array([[0.125, 0.25, 0.625], [0.3, 0.6, 0.1]]), known=known)
    close(answers.softmax(x, -1), np.array([[0.125, 0.25, 0.625], [0.3, 0.6, 0.1]]), known=known)


@graded("2.1", "axis", raises={"ValueError": "keepdims", "IndexError": "keepdims"})
def test_the_axis_can_be_any(answers):
    x = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 6.0, 1.0]]))
    close(answers.softmax(x, 0), np.array([[0.25, 0.25, 5 / 6], [0.75, 0.75, 1 / 6]]), known={"axis": shares(x, 1)})
    deep = rows(2, 3, 4)
    known = [("axis", shares(deep, 0)), ("axis", shares(deep, 2))]
    close(answers.softmax(deep, 1), shares(deep, 1), known=known)


@graded("2.1", "overflow")
def test_large_numbers_do_not_overflow(answers):
    x = 1000 + np.log(np.array([1.0, 3.0]))
    close(answers.softmax(x, 0), np.array([0.25, 0.75]), known={"clipped": np.array([0.5, 0.5])})
    close(answers.softmax(-x, 0), np.array([0.75, 0.25]), known={"clipped": np.array([0.5, 0.5])})


@graded("2.1", "one maximum")
def test_rows_of_very_different_size_each_get_their_shares(answers):
    x = np.log(np.array([[1.0, 3.0], [4.0, 1.0], [2.0, 2.0]])) + np.array([[-2000.0], [0.0], [2000.0]])
    close(answers.softmax(x, 1), np.array([[0.25, 0.75], [0.8, 0.2], [0.5, 0.5]]))


@graded("2.1", "minus infinity")
def test_minus_infinity_gets_no_share(answers):
    x = np.array([[0.0, -INF, math.log(3)], [-INF, -7.0, -INF]])
    close(answers.softmax(x, 1), np.array([[0.25, 0.0, 0.75], [0.0, 1.0, 0.0]]))


@graded("2.1", "whole numbers", raises={"UFuncTypeError": "whole numbers"})
def test_whole_numbers_have_shares_as_well(answers):
    close(answers.softmax(np.array([7, 7, 7, 7]), 0), np.full(4, 0.25))


@graded("2.1")
def test_random_arrays_become_shares_along_any_axis(answers):
    for scale in (0.1, 3.0, 500.0):
        for ndim in (1, 2, 3):
            x = scale * answers.random.standard_normal(sizes(answers, ndim))
            axis = int(answers.random.integers(-ndim, ndim))
            close(answers.softmax(x, axis), shares(x, axis))


# ---- 2.2 one head of causal attention ------------------------------------------------------------


def forbidden(n_queries, n_keys, diagonal):
    return np.triu(np.full((n_queries, n_keys), -INF), k=diagonal)


def masked_softmax(scores, diagonal):
    return shares(scores + forbidden(*scores.shape, diagonal), 1)


def check_mask(seen, shape, known):
    shaped(seen, shape, "the mask")
    require(not np.isnan(seen.astype(float)).any(), f"gave      {seen.tolist()}", "0 times inf")
    require(not (seen.astype(float) < -100)[np.isfinite(seen)].any(), f"gave      {seen.tolist()}", "finite")
    close(seen, known.pop("right"), known=[(key, wrong) for key, many in known.items() for wrong in many])


@graded("2.2")
def test_a_query_may_look_at_itself_and_before(answers):
    right = np.array([[0.0, -INF, -INF], [0.0, 0.0, -INF], [0.0, 0.0, 0.0]])
    known = {
        "right": right,
        "itself": [forbidden(3, 3, 0)],
        "one ahead": [forbidden(3, 3, 2)],
        "past": [right.T, forbidden(3, 3, 0).T],
        "ones": [np.tril(np.ones((3, 3))), np.triu(np.ones((3, 3)), 1), np.tri(3) > 0, np.tri(3) < 1],
    }
    check_mask(answers.causal_mask(3, 3), (3, 3), known)


@graded("2.2", "aligned at the start")
def test_fewer_queries_are_the_last_positions(answers):
    right = np.array([[0.0, 0.0, 0.0, -INF], [0.0, 0.0, 0.0, 0.0]])
    known = {
        "right": right,
        "aligned at the start": [forbidden(2, 4, 1)],
        "itself": [forbidden(2, 4, 2)],
        "one ahead": [np.zeros((2, 4))],
    }
    check_mask(answers.causal_mask(2, 4), (2, 4), known)


@graded("2.2", "aligned at the start")
def test_a_single_query_sees_every_key(answers):
    check_mask(answers.causal_mask(1, 5), (1, 5), {"right": np.zeros((1, 5))})
    check_mask(answers.causal_mask(1, 1), (1, 1), {"right": np.zeros((1, 1)), "itself": [np.array([[-INF]])]})


@graded("2.2")
def test_equal_scores_give_the_mean_of_what_came_before(answers):
    seen = answers.causal_attention(np.zeros((3, 2)), np.zeros((3, 2)), np.array([[2.0], [4.0], [9.0]]))
    shaped(seen, (3, 1), "the result")
    require(not np.isnan(seen[0]).any() or np.isnan(seen).all(), f"gave      {seen.tolist()}", "itself")
    known = {
        "not causal": np.array([[5.0], [5.0], [5.0]]),
        "masked afterwards": np.array([[2 / 3], [2.0], [5.0]]),
        "over the queries": np.array([[2 / 3], [8 / 3], [35 / 3]]),
        "one ahead": np.array([[3.0], [5.0], [5.0]]),
        "past": np.array([[5.0], [6.5], [9.0]]),
    }
    close(seen, np.array([[2.0], [3.0], [5.0]]), known=known)


@graded("2.2")
def test_scores_are_divided_by_the_root_of_the_size(answers):
    q, k, v = np.full((2, 4), 2.0), np.array([[0.0] * 4, [math.log(3), 0.0, 0.0, 0.0]]), np.eye(2)
    right = np.array([[1.0, 0.0], [0.25, 0.75]])  # q and k multiply to 2 ln 3; over the root of 4 this is ln 3
    known = {
        "no scale": np.array([[1.0, 0.0], [0.1, 0.9]]),
        "not the root": np.array([[1.0, 0.0], np.array([1.0, 3**0.5]) / (1 + 3**0.5)]),
        "other size": np.array([[1.0, 0.0], np.array([1.0, 3**2**0.5]) / (1 + 3**2**0.5)]),
        "q and k swapped": np.array([[1.0, 0.0], [0.5, 0.5]]),
    }
    close(answers.causal_attention(q, k, v), right, known=known)


@graded("2.2")
def test_a_sequence_of_four_is_attended_to(answers):
    q, k, v = rows(4, 3, seed=1), rows(4, 3, seed=2), rows(4, 5, seed=3)
    scores = q @ k.T
    after = shares(scores / 3**0.5, 1) * np.tri(4)
    known = [
        ("no scale", masked_softmax(scores, 1) @ v),
        ("not the root", masked_softmax(scores / 3, 1) @ v),
        ("other size", masked_softmax(scores / 4**0.5, 1) @ v),
        ("other size", masked_softmax(scores / 5**0.5, 1) @ v),
        ("not causal", shares(scores / 3**0.5, 1) @ v),
        ("masked afterwards", after @ v),
        ("over the queries", shares(scores / 3**0.5 + forbidden(4, 4, 1), 0) @ v),
        ("q and k swapped", masked_softmax(scores.T / 3**0.5, 1) @ v),
        ("one ahead", masked_softmax(scores / 3**0.5, 2) @ v),
    ]
    close(answers.causal_attention(q, k, v), masked_softmax(scores / 3**0.5, 1) @ v, known=known)


@graded("2.2", "not causal")
def test_a_changed_token_changes_nothing_before_it(answers):
    q, k, v = rows(5, 3, seed=1), rows(5, 3, seed=2), rows(5, 4, seed=3)
    before = answers.causal_attention(q, k, v)
    for x in (q, k, v):
        x[3] += 10
    after = answers.causal_attention(q, k, v)
    require(np.allclose(before[:3], after[:3]), "rows 0 to 2 changed when token 3 did", "not causal")
    require(not np.allclose(before[3], after[3]), "row 3 did not change when token 3 did", "itself")


@graded("2.2", "aligned at the start", raises={"ValueError": "aligned at the start"})
def test_the_last_queries_alone_get_what_they_got_among_all(answers):
    q, k, v = rows(5, 3, seed=1), rows(5, 3, seed=2), rows(5, 4, seed=3)
    expected = masked_softmax(q @ k.T / 3**0.5, 1) @ v
    known = {"aligned at the start": masked_softmax(q[3:] @ k.T / 3**0.5, 1) @ v}
    close(answers.causal_attention(q[3:], k, v), expected[3:], known=known)
    close(answers.causal_attention(q[4:], k, v), expected[4:])


@graded("2.2", "overflow")
def test_large_scores_do_not_overflow(answers):
    q, k = np.array([[30.0], [30.0]]), np.array([[-40.0], [40.0]])
    close(answers.causal_attention(q, k, np.array([[1.0], [2.0]])), np.array([[1.0], [2.0]]))


@graded("2.2")
def test_one_token_sees_itself(answers):
    close(answers.causal_attention(rows(1, 3), rows(1, 3), np.array([[6.0, 7.0]])), np.array([[6.0, 7.0]]))


@graded("2.2")
def test_random_sequences_are_attended_to(answers):
    for scale in (0.3, 1.0, 5.0):
        for _ in range(3):
            n_keys, size, width = sizes(answers, 3)
            n_queries = int(answers.random.integers(1, n_keys + 1))
            blocked = forbidden(n_queries, n_keys, n_keys - n_queries + 1)
            check_mask(answers.causal_mask(n_queries, n_keys), blocked.shape, {"right": blocked})
            q, k, v = (
                answers.random.standard_normal(shape) for shape in ((n_queries, size), (n_keys, size), (n_keys, width))
            )
            right = shares(scale * q @ k.T / size**0.5 + blocked, 1) @ v
            close(answers.causal_attention(scale * q, k, v), right)


# ---- 2.3 RMSNorm ---------------------------------------------------------------------------------


def normed(x, weight, eps):
    wide = x.float()
    return (wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype) * weight


@graded("2.3")
def test_a_vector_gets_rms_one_and_then_its_weights(answers):
    x, weight = torch.tensor([1.0, 7.0]), torch.tensor([10.0, 100.0])
    known = [
        ("mean subtracted", torch.tensor([-10.0, 100.0])),
        ("mean subtracted", torch.tensor([-6.0, 60.0])),
        ("sum", x * weight / 50**0.5),
        ("no root", x * weight / 25),
        ("no root", x * weight / 50),
        ("weight first", x * weight / 245050**0.5),
        ("no weight", x / 5),
        ("one plus weight", x * (1 + weight) / 5),
    ]
    close(answers.rms_norm(x, weight, 0.0), torch.tensor([2.0, 140.0]), known=known)


@graded("2.3", "other axis", raises={"RuntimeError": "keepdim"})
def test_every_vector_is_by_itself(answers):
    x, weight = random(2, 3, 5), random(5, seed=1)
    x[0] *= 10
    squares = x.square()
    known = [("other axis", x / squares.mean(axis, keepdim=True).sqrt() * weight) for axis in (0, 1, (1, 2), (0, 1, 2))]
    close(answers.rms_norm(x, weight, 0.0), normed(x, weight, 0.0), known=known)


@graded("2.3")
def test_eps_stands_under_the_root(answers):
    x, weight = torch.tensor([[3.0, -4.0, 12.0, 0.0]]), torch.tensor([2.0, 1.0, 3.0, 5.0])  # mean square 42.25
    known = [
        ("eps outside", x / (6.5 + 21.75) * weight),
        ("eps outside", x / (42.25 + 21.75**2) ** 0.5 * weight),
        ("eps left out", x / 6.5 * weight),
    ]
    close(answers.rms_norm(x, weight, 21.75), x / 8 * weight, known=known)


@graded("2.3", "eps left out")
def test_a_vector_of_zeros_stays_zero(answers):
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, -1.0, 1.0]])
    close(answers.rms_norm(x, torch.ones(3), 1e-6), x)


@graded("2.3", "dtype")
def test_the_dtype_stays(answers):
    for dtype in (torch.bfloat16, torch.float16):
        x, weight = random(3, 8).to(dtype), random(8, seed=1).to(dtype)
        seen = shaped(answers.rms_norm(x, weight, 1e-5), (3, 8), "the result")
        require(seen.dtype == dtype, f"x is {dtype}, the result is {seen.dtype}", "dtype")


@graded("2.3", "half")
def test_half_precision_is_widened_before_squaring(answers):
    x = torch.tensor([[300.0, -400.0, 500.0]], dtype=torch.float16)
    weight = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float16)
    close(answers.rms_norm(x, weight, 1e-5), normed(x, weight, 1e-5))


@graded("2.3")
def test_any_number_of_axes_will_do(answers):
    close(answers.rms_norm(torch.tensor([3.0, 3.0, 3.0]), torch.ones(3), 0.0), torch.ones(3))
    x = random(2, 3, 4, 5)
    close(answers.rms_norm(x, torch.ones(5), 1e-5), normed(x, torch.ones(5), 1e-5))


@graded("2.3", "detached")
def test_gradients_flow_through_the_norm(answers):
    x, weight = random(3, 4), random(4, seed=1)
    seen = gradient(answers, "rms_norm", x, weight, 1e-5)
    close(seen, true_gradient(lambda x: normed(x, weight, 1e-5), x))


@graded("2.3", "weight detached")
def test_the_weight_learns_too(answers):
    x, weight = random(3, 4), random(4, seed=1)
    seen = answers.gradients("rms_norm", x, weight, 1e-5, upstream=random(3, 4, seed=99))["inputs"][1]
    require(seen is not None, "no gradient reaches the weight", "weight detached")
    close(seen, (normed(x, torch.ones(4), 1e-5) * random(3, 4, seed=99)).sum(0), case="the gradient of the weight")


@graded("2.3")
def test_random_vectors_are_normed(answers):
    for dtype in (torch.float32, torch.float32, torch.bfloat16, torch.float16):
        shape, eps = sizes(answers, 3), float(10 ** answers.random.uniform(-6, 0))
        x = drawn(answers, *shape, scale=10 ** answers.random.uniform(-1, 1)).to(dtype)
        weight = drawn(answers, shape[-1]).to(dtype)
        close(answers.rms_norm(x, weight, eps), normed(x, weight, eps))
    x, weight = drawn(answers, *shape), drawn(answers, shape[-1])
    close(gradient(answers, "rms_norm", x, weight, eps), true_gradient(lambda x: normed(x, weight, eps), x))


# ---- 2.4 rotary positions ------------------------------------------------------------------------


def true_angles(positions, size, theta):
    exponents = torch.arange(0, size, 2, dtype=torch.float64) / size
    return torch.as_tensor(positions, dtype=torch.float64)[:, None] * theta**-exponents


def turned(x, angles):
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


@graded("2.4")
def test_a_pair_has_its_own_speed(answers):
    positions, size, theta = torch.tensor([0, 1, 3]), 4, 100.0
    t, i = torch.arange(3, dtype=torch.float64) + torch.tensor([0.0, 0.0, 1.0]), torch.arange(2.0)
    right = true_angles(positions, size, theta)  # speeds 1 and 0.1
    known = [
        ("no 2", t[:, None] * theta ** (-i / 4)),
        ("too fast", t[:, None] * theta ** (-2 * i / 2)),
        ("growing", t[:, None] * theta ** (2 * i / 4)),
        ("from 1", t[:, None] * theta ** (-2 * (i + 1) / 4)),
        ("from 1", true_angles(positions + 1, size, theta)),
        ("no power", t[:, None] * theta * -2 * i / 4),
        ("no power", t[:, None] / (theta * 2 * i / 4)),
        ("no power", t[:, None] * (-2 * i / 4)),
        ("doubled", torch.cat([right, right], 1)),
        ("doubled", right.repeat_interleave(2, 1)),
        ("cosines", right.cos()),
        ("cosines", right.sin()),
        ("restarts", true_angles(range(3), size, theta)),
    ]
    close(answers.rope_angles(positions, size, theta), right, known=known)


@graded("2.4", "restarts")
def test_positions_need_not_start_at_zero(answers):
    positions = torch.tensor([5, 6, 7, 11, 12])
    known = {"restarts": true_angles(range(5), 6, 10_000.0), "from 1": true_angles(positions + 1, 6, 10_000.0)}
    close(answers.rope_angles(positions, 6, 10_000.0), true_angles(positions, 6, 10_000.0), known=known)


@graded("2.4", "dtype")
def test_angles_are_in_single_precision(answers):
    seen = shaped(answers.rope_angles(torch.tensor([5, 6, 9]), 6, 10_000.0), (3, 3), "the result")
    require(seen.dtype == torch.float32, f"the angles are {seen.dtype}, expected torch.float32", "dtype")


@graded("2.4", "too fast")
def test_the_slowest_pair_of_a_long_head_hardly_moves(answers):
    close(answers.rope_angles(torch.tensor([1000]), 64, 10_000.0), true_angles([1000], 64, 10_000.0))


@graded("2.4")
def test_a_quarter_turn_by_hand(answers):
    x, angles = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), torch.tensor([[math.pi / 2, 0.0]])
    known = {
        "neighbours": [[-2.0, 1.0, 3.0, 4.0]],
        "other way": [[3.0, 2.0, -1.0, 4.0]],
        "no minus": [[3.0, 2.0, 1.0, 4.0], [-3.0, 2.0, -1.0, 4.0]],
        "overwritten": [[-3.0, 2.0, -3.0, 4.0]],
        "cosine and sine": [[1.0, -4.0, 3.0, 2.0], [1.0, 4.0, 3.0, 2.0], [1.0, 4.0, 3.0, -2.0]],
        "order": [[1.0, 4.0, -3.0, 2.0], [-3.0, 1.0, 2.0, 4.0]],
    }
    flat = [(key, torch.tensor([[[wrong]]])) for key, many in known.items() for wrong in many]
    close(answers.rope(x, angles), torch.tensor([[[[-3.0, 2.0, 1.0, 4.0]]]]), known=flat)


@graded("2.4", "time axis", raises={"RuntimeError": "time axis"})
def test_every_batch_and_head_turns_with_time(answers):
    x, angles = random(2, 3, 5, 8), random(5, 4, seed=1)
    halves = turned(torch.cat([x[..., ::2], x[..., 1::2]], -1), angles)
    neighbours = torch.stack(halves.chunk(2, -1), -1).flatten(-2)
    close(answers.rope(x, angles), turned(x, angles), known={"neighbours": neighbours})


@graded("2.4", "time axis")
def test_as_many_heads_as_tokens_are_no_reason_to_mix_them_up(answers):
    x, angles = random(1, 3, 3, 4), random(3, 2, seed=1)
    wrong = turned(x, angles[:, None])
    close(answers.rope(x, angles), turned(x, angles), known={"time axis": wrong})


@graded("2.4", "cosine and sine")
def test_an_angle_of_zero_changes_nothing(answers):
    x = random(2, 3, 4, 6)
    close(answers.rope(x, torch.zeros(4, 3)), x)


@graded("2.4")
def test_a_turn_keeps_every_length(answers):
    x, angles = random(2, 3, 4, 6), random(4, 3, seed=1)
    close(answers.rope(x, angles).norm(dim=-1), x.norm(dim=-1))


@graded("2.4")
def test_scores_depend_on_the_distance_alone(answers):
    q, k = random(1, 1, 4, 6), random(1, 1, 4, 6, seed=1)
    scores = []
    for start in (0, 9):
        angles = answers.rope_angles(torch.arange(start, start + 4), 6, 100.0)
        scores.append(answers.rope(q, angles) @ answers.rope(k, angles).mT)
    close(scores[1], scores[0].clone())
    require(not torch.allclose(scores[0].float(), q @ k.mT, atol=0.1), "the scores are those without rotation")


@graded("2.4", "detached")
def test_gradients_flow_through_the_rotation(answers):
    x, angles = random(2, 3, 5, 8), random(5, 4, seed=1)
    close(gradient(answers, "rope", x, angles), true_gradient(lambda x: turned(x, angles), x))


@graded("2.4")
def test_random_positions_and_pairs_are_turned(answers):
    for _ in range(4):
        batch, heads, time, half = sizes(answers, 4)
        positions = torch.from_numpy(answers.random.integers(0, 500, time))
        theta = float(10 ** answers.random.uniform(1, 5))
        close(answers.rope_angles(positions, 2 * half, theta), true_angles(positions, 2 * half, theta))
        x, angles = drawn(answers, batch, heads, time, 2 * half), drawn(answers, time, half, scale=3.0)
        close(answers.rope(x, angles), turned(x, angles))
    close(gradient(answers, "rope", x, angles), true_gradient(lambda x: turned(x, angles), x))


# ---- 2.5 SwiGLU ----------------------------------------------------------------------------------


def wrong_mlps(x, g, u, d):
    return [
        ("silu on up", d(g(x) * F.silu(u(x)))),
        ("silu on both", d(F.silu(g(x)) * F.silu(u(x)))),
        ("silu on both", d(F.silu(g(x) * u(x)))),
        ("silu on both", F.silu(d(g(x) * u(x)))),
        ("no silu", d(g(x) * u(x))),
        ("sigmoid", d(g(x).sigmoid() * u(x))),
        ("other activation", d(F.gelu(g(x)) * u(x))),
        ("other activation", d(F.gelu(g(x), approximate="tanh") * u(x))),
        ("other activation", d(F.relu(g(x)) * u(x))),
        ("added", d(F.silu(g(x)) + u(x))),
        ("no down", F.silu(g(x)) * u(x)),
        ("not called", d(F.silu(g(x, bias=False)) * u(x, bias=False), bias=False)),
        ("inner order", d(F.silu(g(x))) * d(u(x))),
    ]


@graded("2.5")
def test_two_numbers_go_through_the_mlp_by_hand(answers):
    x = torch.tensor([[-1.0], [2.0]])
    (gate, g), (up, u), (down, d) = (scalar(answers, *line) for line in ((1.0, 0.5), (3.0, 1.0), (2.0, 5.0)))
    case = "gate_proj is x + 0.5, up_proj is 3x + 1, down_proj is 2x + 5"
    close(answers.swiglu(x, gate, up, down), d(F.silu(g(x)) * u(x)), known=wrong_mlps(x, g, u, d), case=case)


@graded("2.5")
def test_the_inner_width_is_another_one(answers):
    x = random(2, 3, 4)
    (gate, g), (up, u), (down, d) = (layer(answers, *sizes) for sizes in ((4, 7, 1), (4, 7, 2), (7, 4, 3)))
    close(answers.swiglu(x, gate, up, down), d(F.silu(g(x)) * u(x)), known=wrong_mlps(x, g, u, d))


@graded("2.5", "detached")
def test_gradients_flow_through_the_mlp(answers):
    x = random(2, 3, 4)
    (gate, g), (up, u), (down, d) = (layer(answers, *sizes) for sizes in ((4, 7, 1), (4, 7, 2), (7, 4, 3)))
    seen = gradient(answers, "swiglu", x, gate, up, down)
    close(seen, true_gradient(lambda x: d(F.silu(g(x)) * u(x)), x))


@graded("2.5")
def test_random_layers_make_a_random_mlp(answers):
    for _ in range(3):
        batch, width, inner = sizes(answers, 3)
        x = drawn(answers, batch, width, scale=3.0)
        (gate, g), (up, u), (down, d) = (
            drawn_layer(answers, *pair) for pair in ((width, inner), (width, inner), (inner, width))
        )
        close(answers.swiglu(x, gate, up, down), d(F.silu(g(x)) * u(x)))
    close(gradient(answers, "swiglu", x, gate, up, down), true_gradient(lambda x: d(F.silu(g(x)) * u(x)), x))


# ---- 2.6 multi-head attention --------------------------------------------------------------------


def numbered(batch, time, heads, size):
    """(B, T, H, K) numbers that tell where they stand: 1000 b + 100 t + 10 h + k."""
    b, t, h, k = torch.meshgrid(*map(torch.arange, (batch, time, heads, size)), indexing="ij")
    return (1000 * b + 100 * t + 10 * h + k).float()


@graded("2.6")
def test_channels_side_by_side_become_a_head(answers):
    parts = numbered(1, 4, 2, 3)  # (B, T, H, K)
    x = parts.reshape(1, 4, 6)
    known = [
        ("no transpose", x.reshape(1, 2, 4, 3)),
        ("time before heads", parts),
        ("every Hth channel", x.reshape(1, 4, 3, 2).permute(0, 3, 1, 2)),
    ]
    close(answers.split_heads(x, 2), parts.transpose(1, 2), known=known)


@graded("2.6", "no transpose")
def test_a_batch_is_split_sequence_by_sequence(answers):
    parts = numbered(2, 5, 3, 4)
    seen = answers.split_heads(parts.reshape(2, 5, 12), 3)
    close(seen, parts.transpose(1, 2), known={"no transpose": parts.reshape(2, 3, 5, 4), "time before heads": parts})


@graded("2.6", "merged without transpose", raises={"RuntimeError": "view"})
def test_heads_are_put_side_by_side_again(answers):
    parts = numbered(2, 5, 3, 4)
    x = parts.transpose(1, 2)
    known = [
        ("merged without transpose", x.reshape(2, 5, 12)),
        ("every Hth channel", x.permute(0, 2, 3, 1).reshape(2, 5, 12)),
        ("time before heads", parts),
    ]
    close(answers.merge_heads(x), parts.reshape(2, 5, 12), known=known)


@graded("2.6", "merged without transpose")
def test_merging_undoes_splitting(answers):
    x = random(2, 5, 12)
    close(answers.merge_heads(answers.split_heads(x, 4)), x)


def softmax_of(scores, diagonal=1, axis=-1):
    blocked = torch.ones(scores.shape[-2:]).triu(diagonal).bool()
    return scores.masked_fill(blocked, -INF).softmax(axis)


def same(x):
    return x


class Layers:
    """q, k, v and o, as handles and as functions; without `made` for x of shape (2, 5, 7) and 3 heads of size 4."""

    def __init__(self, answers, made=None):
        made = made or [layer(answers, *sizes) for sizes in ((7, 12, 1), (7, 12, 2), (7, 12, 3), (12, 7, 4))]
        self.handles = [handle for handle, _ in made]
        self.q, self.k, self.v, self.o = (function for _, function in made)

    def attend(self, x, heads=3, scale=0.5, weights=softmax_of, bias=True, **turn):
        projected = (project(x, bias) for project in (self.q, self.k, self.v))
        q, k, v = (one.unflatten(-1, (heads, -1)).transpose(1, 2) for one in projected)
        q, k, v = (turn.get(name, same)(one) for name, one in (("q", q), ("k", k), ("v", v)))
        return self.o((weights(q @ k.mT * scale) @ v).transpose(1, 2).flatten(2), bias)


def looked_somewhere(seen):
    """A first token that is NaN had nowhere to look, and a last one that is NaN neither."""
    if torch.is_tensor(seen) and seen.ndim == 3:
        first, last = seen[:, 0].isnan().any().item(), seen[:, -1].isnan().any().item()
        require(not first or last, "the first token is NaN, the last is not", "itself")
        require(not last or first, "the last token is NaN, the first is not", "past")
    return seen


@graded("2.6")
def test_three_heads_attend(answers):
    x, layers = random(2, 5, 7), Layers(answers)
    q, k, v = layers.q(x), layers.k(x), layers.v(x)

    def cut(x):  # without a transpose
        return x.reshape(2, 3, 5, 4)

    def split(x):
        return x.reshape(2, 5, 3, 4).transpose(1, 2)

    mixed = softmax_of(split(q) @ split(k).mT / 2) @ split(v)
    mixed_up = softmax_of(cut(q) @ cut(k).mT / 2) @ cut(v)
    known = [
        ("not called", layers.attend(x, bias=False)),
        ("no scale", layers.attend(x, scale=1.0)),
        ("root of D", layers.attend(x, scale=12**-0.5)),
        ("root of D", layers.attend(x, scale=7**-0.5)),
        ("not the root", layers.attend(x, scale=0.25)),
        ("not causal", layers.attend(x, weights=lambda s: s.softmax(-1))),
        ("not causal", layers.attend(x, weights=lambda s: s.softmax(-1).tril())),
        ("not causal", layers.attend(x, weights=lambda s: s.tril().softmax(-1))),
        ("one ahead", layers.attend(x, weights=lambda s: softmax_of(s, 2))),
        ("over the queries", layers.attend(x, weights=lambda s: softmax_of(s, axis=-2))),
        ("over the queries", layers.attend(x, weights=lambda s: s.softmax(-2))),
        ("q and k swapped", layers.attend(x, weights=lambda s: softmax_of(s.mT))),
        ("past", layers.attend(x, weights=lambda s: softmax_of(s.flip(-1, -2)).flip(-1, -2))),
        ("one head", layers.attend(x, heads=1, scale=12**-0.5)),
        ("one head", layers.attend(x, heads=1)),
        ("merged without transpose", layers.o(mixed.reshape(2, 5, 12))),
        ("no transpose", layers.o(mixed_up.transpose(1, 2).reshape(2, 5, 12))),
        ("no transpose", layers.o(mixed_up.reshape(2, 5, 12))),
        ("no o_proj", mixed.transpose(1, 2).reshape(2, 5, 12)),
    ]
    seen = looked_somewhere(answers.multi_head_attention(x, *layers.handles, 3, answers.make("torch.nn.Identity")))
    close(seen, layers.attend(x), known=known)


@graded("2.6", "not rotated", raises={"RuntimeError": "rotated too early"})
def test_queries_and_keys_are_rotated_and_values_are_not(answers):
    x, layers = random(2, 5, 7), Layers(answers)
    state = {"weight": random(5, 4, seed=7), "bias": random(5, 4, seed=8)}  # stands for a rotation: knows time
    rotate = placed(answers, "torch.nn.LayerNorm", ((5, 4),), state)

    def turn(x):
        return F.layer_norm(x, (5, 4), **state)

    known = [
        ("not rotated", layers.attend(x)),
        ("one rotated", layers.attend(x, q=turn)),
        ("one rotated", layers.attend(x, k=turn)),
        ("values rotated", layers.attend(x, q=turn, k=turn, v=turn)),
        ("values rotated", layers.attend(x, v=turn)),
        ("values rotated", layers.attend(x, k=turn, v=turn)),
    ]
    seen = answers.multi_head_attention(x, *layers.handles, 3, rotate)
    close(seen, layers.attend(x, q=turn, k=turn), known=known)


@graded("2.6", "not causal")
def test_a_changed_token_changes_nothing_before_it_in_any_head(answers):
    x, layers, rotate = random(2, 5, 7), Layers(answers), answers.make("torch.nn.Identity")
    before = answers.multi_head_attention(x, *layers.handles, 3, rotate)
    x[:, 3] += 3
    after = answers.multi_head_attention(x, *layers.handles, 3, rotate)
    require(torch.allclose(before[:, :3], after[:, :3]), "tokens 0 to 2 changed when token 3 did", "not causal")
    require(not torch.allclose(before[:, 3], after[:, 3]), "token 3 did not change when it did", "itself")


@graded("2.6", "no transpose")
def test_the_sequences_of_a_batch_do_not_see_each_other(answers):
    x, layers, rotate = random(3, 4, 7), Layers(answers), answers.make("torch.nn.Identity")
    together = answers.multi_head_attention(x, *layers.handles, 3, rotate)
    alone = answers.multi_head_attention(x[1:2], *layers.handles, 3, rotate)
    close(together[1:2].clone(), alone)


@graded("2.6", "itself")
def test_a_single_token_attends_to_itself(answers):
    x, layers, rotate = random(2, 1, 7), Layers(answers), answers.make("torch.nn.Identity")
    close(answers.multi_head_attention(x, *layers.handles, 3, rotate), layers.o(layers.v(x)))


@graded("2.6")
def test_the_number_of_heads_makes_a_difference(answers):
    x, layers, rotate = random(2, 5, 7), Layers(answers), answers.make("torch.nn.Identity")
    for heads, size in ((2, 6), (6, 2), (1, 12)):
        seen = answers.multi_head_attention(x, *layers.handles, heads, rotate)
        close(seen, layers.attend(x, heads=heads, scale=size**-0.5))


@graded("2.6", "detached")
def test_gradients_flow_through_attention(answers):
    x, layers = random(2, 5, 7), Layers(answers)
    seen = gradient(answers, "multi_head_attention", x, *layers.handles, 3, answers.make("torch.nn.Identity"))
    close(seen, true_gradient(layers.attend, x))


@graded("2.6")
def test_random_heads_attend(answers):
    for _ in range(3):
        batch, time, width, heads, size = sizes(answers, 5, most=5)
        parts = drawn(answers, batch, time, heads, size)
        close(answers.split_heads(parts.flatten(2), heads), parts.transpose(1, 2))
        close(answers.merge_heads(parts.transpose(1, 2)), parts.flatten(2))
        inner = heads * size
        layers = Layers(answers, [drawn_layer(answers, *pair) for pair in ((width, inner),) * 3 + ((inner, width),)])
        state = {"weight": drawn(answers, time, size), "bias": drawn(answers, time, size)}
        rotate = placed(answers, "torch.nn.LayerNorm", ((time, size),), state)
        turn = partial(F.layer_norm, normalized_shape=(time, size), **state)
        attend = partial(layers.attend, heads=heads, scale=size**-0.5, q=turn, k=turn)
        x = drawn(answers, batch, time, width)
        close(answers.multi_head_attention(x, *layers.handles, heads, rotate), attend(x))
    seen = gradient(answers, "multi_head_attention", x, *layers.handles, heads, rotate)
    close(seen, true_gradient(attend, x))


# ---- 2.7 a block ---------------------------------------------------------------------------------


@graded("2.7")
def test_one_number_goes_through_a_block_by_hand(answers):
    parts = [scalar(answers, *line)[0] for line in ((2.0, 1.0), (5.0, 0.0), (3.0, 2.0), (7.0, 0.0))]
    case = "input_layernorm is 2x + 1, self_attn is 5x, post_attention_layernorm is 3x + 2, mlp is 7x"
    known = [
        ("post-norm", 314.0),
        ("no first residual", 344.0),
        ("no second residual", 350.0),
        ("no residuals", 329.0),
        ("normed residual", 448.0),
        ("parallel", 51.0),
        ("parallel", 37.0),
        ("original added", 351.0),
        ("one norm for both", 247.0),
        ("one norm for both", 586.0),
        ("norms swapped", 397.0),
        ("parts swapped", 362.0),
        ("parts swapped", 401.0),
        ("norm left out", 48.0),
        ("norm left out", 128.0),
        ("norm left out", 146.0),
    ]
    known = [(key, torch.tensor([[[value]]])) for key, value in known]
    close(answers.block(torch.tensor([[[1.0]]]), *parts), torch.tensor([[[366.0]]]), known=known, case=case)


def block_parts(answers):
    first, second = ({"weight": random(4, seed=seed), "bias": random(4, seed=seed + 1)} for seed in (5, 7))
    return block_of(answers, first, second, layer(answers, 4, 4, 1), layer(answers, 4, 4, 2))


def block_of(answers, first, second, attend, think):
    """The parts of a block as handles, and the block as a function; first, second: the weights of its norms."""
    shape = first["weight"].shape
    norms = [placed(answers, "torch.nn.LayerNorm", (tuple(shape),), state) for state in (first, second)]

    def block(x):
        x = x + attend[1](F.layer_norm(x, shape, **first))
        return x + think[1](F.layer_norm(x, shape, **second))

    return (norms[0], attend[0], norms[1], think[0]), block


@graded("2.7")
def test_a_batch_goes_through_a_block(answers):
    parts, block = block_parts(answers)
    x = random(2, 3, 4)
    close(answers.block(x, *parts), block(x))


@graded("2.7", "detached", raises={"RuntimeError": "in place"})
def test_gradients_flow_through_the_block_and_around_it(answers):
    parts, block = block_parts(answers)
    x = random(2, 3, 4)
    close(gradient(answers, "block", x, *parts), true_gradient(block, x))


@graded("2.7")
def test_random_parts_make_a_random_block(answers):
    for _ in range(3):
        batch, time, width = sizes(answers, 3)
        norms = ({"weight": drawn(answers, width), "bias": drawn(answers, width)} for _ in range(2))
        parts, block = block_of(answers, *norms, *(drawn_layer(answers, width, width) for _ in range(2)))
        x = drawn(answers, batch, time, width, scale=3.0)
        close(answers.block(x, *parts), block(x))
    close(gradient(answers, "block", x, *parts), true_gradient(block, x))


# ---- 2.8 count the parameters --------------------------------------------------------------------


@graded("2.8")
def test_weights_and_biases_are_counted(answers):
    model = answers.make("torch.nn.Linear", 3, 5)
    equal(answers.count_parameters(model, False), 20, known={"tensors": 2, "matrices": 15, "bytes": 80, "opposite": 0})


@graded("2.8")
def test_modules_inside_modules_are_counted(answers):
    inner = answers.make("torch.nn.Sequential", answers.make("torch.nn.Linear", 5, 2, bias=False))
    model = answers.make("torch.nn.Sequential", answers.make("torch.nn.Linear", 3, 5), inner)
    known = [("top level", 0), ("top level", 20), ("top level", 10), ("tensors", 3), ("matrices", 25)]
    equal(answers.count_parameters(model, False), 30, known=known)


@graded("2.8", "buffers")
def test_buffers_are_not_parameters(answers):
    model = answers.make("torch.nn.BatchNorm1d", 6)  # a weight and a bias, and three buffers
    equal(answers.count_parameters(model, False), 12, known={"buffers": 25, "matrices": 0})


@graded("2.8")
def test_a_tied_matrix_counts_once(answers):
    model = answers.Transformer(vocab=11, width=6, inner=10, layers=1, heads=3)
    own = 4 * 6 * 6 + 3 * 6 * 10 + 3 * 6  # attention, MLP, norms
    known = {"tied": own + 2 * 66, "matrices": own + 66 - 18}
    equal(answers.count_parameters(model, False), own + 66, known=known)


@graded("2.8")
def test_frozen_parameters_can_be_left_out(answers):
    frozen = answers.make("torch.nn.Linear", 3, 5)
    frozen.requires_grad_(False)
    model = answers.make("torch.nn.Sequential", frozen, answers.make("torch.nn.Linear", 5, 2))
    equal(answers.count_parameters(model, True), 12, known={"ignored": 32, "opposite": 20})
    equal(answers.count_parameters(model, False), 32, known={"always": 12, "opposite": 20})


@graded("2.8")
def test_random_models_are_counted(answers):
    for _ in range(3):
        a, b, c, d = sizes(answers, 4, most=30)
        frozen = answers.make("torch.nn.Linear", a, b, bias=False)
        frozen.requires_grad_(False)
        inner = answers.make("torch.nn.Sequential", frozen, answers.make("torch.nn.LayerNorm", (b, c)))
        model = answers.make("torch.nn.Sequential", answers.make("torch.nn.Linear", c, d), inner)
        learned = c * d + d + 2 * b * c
        equal(answers.count_parameters(model, True), learned)
        equal(answers.count_parameters(model, False), learned + a * b)
    layers, heads = sizes(answers, 2, most=3)
    vocab, width, inner = 2 * a, 2 * heads * b, 3 * c
    model = answers.Transformer(vocab=vocab, width=width, inner=inner, layers=layers, heads=heads)
    in_layer = 4 * width * width + 3 * width * inner + 2 * width
    equal(answers.count_parameters(model, False), layers * in_layer + width + vocab * width)


# ---- 2.9 a model that writes backwards -----------------------------------------------------------

SHAPE = {"vocab": 9, "width": 12, "inner": 10, "layers": 3, "heads": 2}


def weights_of(vocab, width, inner, layers, heads, draw=random):
    """Random weights under their names; no norm is a no-op."""
    sizes = {"embed_tokens": (vocab, width), "norm": (width,)}
    for i in range(layers):
        sizes |= {f"layers.{i}.self_attn.{name}_proj": (width, width) for name in "qkvo"}
        sizes |= {f"layers.{i}.mlp.{name}_proj": (inner, width) for name in ("gate", "up")}
        sizes |= {f"layers.{i}.mlp.down_proj": (width, inner)}
        sizes |= {f"layers.{i}.{name}_layernorm": (width,) for name in ("input", "post_attention")}
    made = {
        f"{name}.weight": draw(*size, seed=seed) / (size[1] ** 0.5 if len(size) == 2 else 1.0)
        for seed, (name, size) in enumerate(sizes.items())
    }
    return made | {"lm_head.weight": made["embed_tokens.weight"]}


def one_block(x, weights, angles, attends):
    def to(name, x):
        return x @ weights[f"{name}.weight"].T

    if attends:
        h = normed(x, weights["input_layernorm.weight"], 1e-5)
        q, k, v = (to(f"self_attn.{name}_proj", h).unflatten(-1, (2, 6)).transpose(1, 2) for name in "qkv")
        mixed = softmax_of(turned(q, angles) @ turned(k, angles).mT / 6**0.5) @ v
        x = x + to("self_attn.o_proj", mixed.transpose(1, 2).flatten(2))
    h = normed(x, weights["post_attention_layernorm.weight"], 1e-5)
    return x + to("mlp.down_proj", F.silu(to("mlp.gate_proj", h)) * to("mlp.up_proj", h))


def logits_of(weights, ids, order=(0, 1, 2), positions=None, scale=1.0, final=True, attends=True, stacked=True):
    positions = torch.arange(ids.shape[1]) if positions is None else positions
    angles = true_angles(positions, 6, 10_000.0).float()
    x = first = weights["embed_tokens.weight"][ids] * scale
    for number in order:
        own = {name.removeprefix(f"layers.{number}."): value for name, value in weights.items()}
        x = one_block(x if stacked else first, own, angles, attends)
    x = normed(x, weights["norm.weight"], 1e-5) if final else x
    return x @ weights["embed_tokens.weight"].T


def a_model(answers):
    weights = weights_of(**SHAPE)
    model = is_object(answers.Transformer(**SHAPE), "a Transformer")
    model.load_state_dict(weights)
    return model, weights


IDS = torch.tensor([[3, 1, 4, 1], [8, 0, 2, 6], [7, 7, 5, 3], [2, 8, 4, 0]])


@graded("2.9")
def test_the_parts_are_put_together(answers):
    model, weights = a_model(answers)
    right = logits_of(weights, IDS)
    known = [
        ("no positions", logits_of(weights, IDS, positions=torch.zeros(4))),
        ("backwards positions", logits_of(weights, IDS, positions=torch.arange(4).flip(0))),
        ("no layers", logits_of(weights, IDS, order=())),
        ("one layer", logits_of(weights, IDS, order=(0,))),
        ("one layer", logits_of(weights, IDS, order=(0, 1))),
        ("one layer", logits_of(weights, IDS, order=(1, 2))),
        ("same layer", logits_of(weights, IDS, order=(0, 0, 0))),
        ("same layer", logits_of(weights, IDS, order=(2, 2, 2))),
        ("not stacked", logits_of(weights, IDS, stacked=False)),
        ("no final norm", logits_of(weights, IDS, final=False)),
        ("probabilities", right.softmax(-1)),
        ("probabilities", right.log_softmax(-1)),
        ("last only", right[:, -1]),
        ("last only", right[:, -1:]),
        ("scaled", logits_of(weights, IDS, scale=12**0.5)),
        ("attention off", logits_of(weights, IDS, attends=False)),
    ]
    seen = model(IDS)
    if torch.is_tensor(seen):
        require(seen.shape != (4, 4, 12), "gave      shape (4, 4, 12)\nexpected  shape (4, 4, 9)", "no head")
    close(seen, right, known=known, tolerance=1e-4)


@graded("2.9", "batch", raises={"RuntimeError": "batch"})
def test_there_may_be_fewer_sequences_than_tokens(answers):
    model, weights = a_model(answers)
    close(model(IDS[:2]), logits_of(weights, IDS[:2]), tolerance=1e-4)


@graded("2.9", "remembered", raises={"RuntimeError": "remembered"})
def test_the_length_may_change_from_call_to_call(answers):
    model, weights = a_model(answers)
    for ids in (IDS[:, :2], IDS, IDS[:1, :3], IDS.repeat(2, 5)):
        close(model(ids), logits_of(weights, ids), tolerance=1e-4)


@graded("2.9")
def test_a_later_token_changes_nothing_before_it(answers):
    model, _ = a_model(answers)
    before, other = model(IDS), IDS.clone()
    other[:, 2] = 1
    after = model(other)
    require(torch.allclose(before[:, :2], after[:, :2]), "the logits of tokens 0 and 1 changed when token 2 did")
    require(not torch.allclose(before[:, 3], after[:, 3]), "token 3 does not notice token 2", "attention off")


@graded("2.9", "detached")
def test_every_weight_gets_a_gradient(answers):
    model, _ = a_model(answers)
    seen = answers.gradients(model, IDS, upstream=random(4, 4, 9))["parameters"]
    missing = sorted(name for name, value in seen.items() if value is None or not value.any())
    require(not missing, f"no gradient for {', '.join(missing[:3])}" + " ..." * (len(missing) > 3), "detached")


def twin(weights, vocab, width, inner, layers, heads):
    """minilm's own model of this shape with these weights, as a function of ids."""
    model = LM(Config(vocab, width, inner, layers, heads, heads))
    names = {name: name if name.startswith("lm_head") else f"model.{name}" for name in weights}
    model.load_state_dict({names[name]: value for name, value in weights.items()})
    return torch.no_grad()(model)


@graded("2.9")
def test_random_models_give_the_logits_of_minilm(answers):
    for _ in range(2):
        vocab, inner, layers, heads = sizes(answers, 4, most=4)
        shape = {"vocab": 5 * vocab, "width": 4 * heads, "inner": 3 * inner, "layers": layers, "heads": heads}
        weights = weights_of(**shape, draw=lambda *size, seed: drawn(answers, *size))
        model = is_object(answers.Transformer(**shape), "a Transformer")
        model.load_state_dict(weights)
        for batch, time in (sizes(answers, 2), sizes(answers, 2, most=20)):
            ids = torch.from_numpy(answers.random.integers(5 * vocab, size=(batch, time)))
            close(model(ids), twin(weights, **shape)(ids), tolerance=1e-4)


TRAINED = {"vocab": 11, "width": 48, "inner": 96, "layers": 2, "heads": 4}


def trained_weights(model):
    """What the model has learned, by the names and in the shapes that were given."""
    expected = weights_of(**TRAINED)
    state = like(model.state_dict(), expected)
    missing, more = sorted(expected.keys() - state.keys()), sorted(map(str, state.keys() - expected.keys()))
    require(not missing, f"the trained model has no weights called {', '.join(missing[:3])}")
    require(not more, f"the trained model has weights of its own: {', '.join(more[:3])}")
    return {name: shaped(like(state[name], one), one.shape, name) for name, one in expected.items()}


def check_writing(model, digits, whose=""):
    """Most of what the model writes, each digit from its own digits before it, must be `digits` backwards."""
    ids = torch.cat([digits, torch.full((300, 1), 10)], dim=1)
    for _ in range(6):
        logits = shaped(model(ids), (300, ids.shape[1], 11), "the logits")
        ids = torch.cat([ids, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    share = (ids[:, 7:] == digits.flip(1)).float().mean().item()
    example = "".join(map(str, ids[0, :6].tolist())), "".join(map(str, ids[0, 7:].tolist()))
    seen = f"{share:.0%} of the digits are right{whose}, for example {example[0]} -> {example[1]}"
    require(share >= 0.8, f"{seen}; expected at least 80%")


@graded("2.9", "does not learn")
def test_a_trained_model_writes_strings_backwards(answers):
    """Without attention this is a guess, one in ten. What was learned is in the weights: with them, minilm's own model
    writes backwards, too."""
    model = is_object(answers.learn_to_reverse(), "a Transformer")
    digits = torch.from_numpy(answers.random.integers(10, size=(300, 6)))
    check_writing(model, digits)
    check_writing(twin(trained_weights(model), **TRAINED), digits, " when minilm's own model has the trained weights")
