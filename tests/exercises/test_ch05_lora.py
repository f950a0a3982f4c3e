"""The graded tests of chapter 5. No two sizes are alike, B is not zero, and α is not r, unless that is the point."""

import math
from itertools import cycle

import numpy as np
import torch
import torch.nn.functional as F

from minilm.corpus import load
from minilm.errors import UserError
from minilm.grading.expect import close, equal, graded, is_object, like, parts, require, shaped
from minilm.grading.plain import show
from minilm.grading.problem import Problem
from minilm.lora import ALL_SEVEN, add_lora
from minilm.pretrained import load_base

SUPPORT = "minilm.grading.support"


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawn(answers, *shape):
    """Float32 numbers that nobody can know beforehand."""
    return torch.from_numpy(answers.random.standard_normal(shape)).float()


def renewed(answers, module):
    """The module, with numbers of that kind in it."""
    module.load_state_dict({name: drawn(answers, *value.shape) for name, value in module.state_dict().items()})
    return module


def sizes(answers, count, largest=12):
    """Sizes of that kind."""
    return [int(size) for size in answers.random.integers(2, largest + 1, size=count)]


def strength(answers):
    """α, clearly above 0."""
    return float(answers.random.uniform(0.5, 30))


def whole(*shape, seed=0):
    """Small whole numbers as floats: sums of their products are exact, in whatever order they are added."""
    return torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(seed)).float()


def refused(call, means):
    """The message of the ValueError that `call` must end with."""
    try:
        seen = call()
    except Problem as problem:
        if problem.error != "ValueError":
            raise
        return problem.seen.rpartition("ValueError: ")[2]
    raise Problem("value", f"gave      {show(seen)}\nexpected  a ValueError", means)


def some(names):
    """A few names, for a message."""
    names = sorted(names)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more if names else "nothing"


def same_numbers(before, after):
    """The names under which both have the same tensor, bit by bit."""
    return {name for name in before if name in after and torch.equal(before[name], after[name])}


# ---- 5.1 A and B before the first step -----------------------------------------------------------


@graded("5.1", "transposed")
def test_the_factors_have_their_shapes(answers):
    A, B = parts(answers.init_factors(7, 5, 3, 0), 2)
    shaped(like(A, torch.zeros(3, 5)), (3, 5), "A", "B first" if tuple(A.shape) == (7, 3) else "transposed")
    shaped(like(B, torch.zeros(7, 3)), (7, 3), "B", "transposed")


@graded("5.1", "dtype")
def test_both_factors_are_in_single_precision(answers):
    A, B = parts(answers.init_factors(7, 5, 3, 0), 2)
    dtypes = [str(shaped(one, one.shape, "a factor").dtype).removeprefix("torch.") for one in (A, B)]
    require(dtypes == ["float32"] * 2, f"A is {dtypes[0]} and B is {dtypes[1]}, expected float32 twice", "dtype")


@graded("5.1")
def test_one_of_the_two_starts_at_zero_and_it_is_b(answers):
    A, B = parts(answers.init_factors(7, 5, 3, 0), 2)
    a, b = int((A != 0).sum()), int((B != 0).sum())
    seen = f"A has {a} numbers other than 0, B has {b}"
    require(a or b, seen, "both zero")
    require(not (a and b), seen, "both random")
    require(a, seen, "A is zero")


@graded("5.1", "other bound")
def test_the_spread_of_a_depends_on_in_and_on_nothing_else(answers):
    for rank in (4, 30):
        A, _ = parts(answers.init_factors(3, 400, rank, 0), 2)
        spread, largest = float(A.std()), float(A.abs().max())
        seen = f"in = 400, rank = {rank}: A has standard deviation {spread:.4f}, its entries reach {largest:.4f}"
        near = [value for value in (1, (3 * rank) ** -0.5, 1200**-0.5) if abs(spread / value - 1) < 0.06]
        require(A.min() < 0 < A.max(), f"{seen}, and all have one sign", "one sign")
        require(near != [1], seen, "unit normal")
        require(near != [(3 * rank) ** -0.5], seen, "from the rank")
        require(largest < 2 * spread, f"{seen}, {largest / spread:.1f} times as far", "bell")  # evenly drawn: √3 times
        require(near == [1200**-0.5], seen, "other bound")
        require(largest <= 0.05 * 1.00001, seen, "bell")
        inner = float((A.abs() < 0.025).float().mean())
        require(0.4 < inner < 0.6, f"{seen}; {inner:.0%} of them are below half the bound", "bell")


@graded("5.1", "not repeatable")
def test_a_seed_stands_for_one_a(answers):
    first, again, other = (parts(answers.init_factors(7, 5, 3, seed), 2)[0] for seed in (1, 1, 2))
    require(torch.equal(first, again), "Two calls with seed 1 gave two different A", "not repeatable")
    require(not torch.equal(first, other), "Seeds 1 and 2 gave the same A", "one seed")


@graded("5.1")
def test_factors_of_random_sizes_and_seeds(answers):
    for _ in range(4):
        outputs, rank = sizes(answers, 2)
        inputs, seed = (int(value) for value in answers.random.integers((300, 1), (2000, 10**6)))
        A, B = parts(answers.init_factors(outputs, inputs, rank, seed), 2)
        shaped(like(A, torch.zeros(1)), (rank, inputs), "A")
        shaped(like(B, torch.zeros(1)), (outputs, rank), "B")
        largest, spread = 1 / math.sqrt(inputs), 1 / math.sqrt(3 * inputs)  # of numbers that are drawn evenly
        seen = f"A has standard deviation {A.std():.4g}, its entries reach {A.abs().max():.4g}"
        require(A.abs().max() <= 1.00001 * largest and 0.85 < A.std() / spread < 1.15, seen)
        require(not B.any(), "B is not 0")
        again, other = (parts(answers.init_factors(outputs, inputs, rank, one), 2)[0] for one in (seed, seed + 1))
        require(torch.equal(A, again), f"Two calls with seed {seed} gave two different A")
        require(not torch.equal(A, other), f"Seeds {seed} and {seed + 1} gave the same A")


# ---- 5.2 the output with its correction ----------------------------------------------------------


def corrected(x, W, A, B, gamma):
    return x @ W.T + gamma * (x @ A.T) @ B.T


X, W, UP = random(4, 5), random(7, 5, seed=1), random(4, 7, seed=8)
A, B, BIAS = random(3, 5, seed=2), random(7, 3, seed=3), random(7, seed=4)


@graded("5.2", raises={"RuntimeError": "not transposed"})
def test_a_case_that_can_be_computed_by_hand(answers):
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]])
    seen = answers.lora_forward(torch.tensor([[10.0, 1.0]]), torch.eye(2), a, b, 3.0)
    known = {  # x A^T = 12, so B gives [36, 48], three times
        "no gamma": torch.tensor([[46.0, 49.0]]),
        "upside down": torch.tensor([[22.0, 17.0]]),
        "over in": torch.tensor([[64.0, 73.0]]),
        "B first": torch.tensor([[112.0, 205.0]]),
        "no base": torch.tensor([[108.0, 144.0]]),
        "no update": torch.tensor([[10.0, 1.0]]),
        "blended": torch.tensor([[88.0, 142.0]]),
    }
    close(seen, torch.tensor([[118.0, 145.0]]), known=known)


@graded("5.2", raises={"RuntimeError": "not transposed"})
def test_gamma_is_alpha_over_r(answers):
    wrong = {"no gamma": 1.0, "gamma is alpha": 6.0, "upside down": 0.5, "root": 6 / math.sqrt(3), "over in": 6 / 5}
    known = {name: corrected(X, W, A, B, gamma) for name, gamma in wrong.items()}
    known |= {"blended": -(X @ W.T) + 2 * X @ A.T @ B.T, "no base": 2 * X @ A.T @ B.T}
    close(answers.lora_forward(X, W, A, B, 6.0), corrected(X, W, A, B, 2.0), known=known)


@graded("5.2", "leading", raises=dict.fromkeys(("RuntimeError", "IndexError", "ValueError"), "leading"))
def test_x_may_have_any_number_of_leading_dimensions(answers):
    for shape in ((2, 4, 5), (5,), (1, 2, 3, 5)):
        x = random(*shape, seed=5)
        close(answers.lora_forward(x, W, A, B, 6.0), corrected(x, W, A, B, 2.0))


@graded("5.2", "bias")
def test_the_bias_is_added_once(answers):
    y = corrected(X, W, A, B, 2.0)
    known = {"no bias": y, "bias": y + 2 * BIAS}
    close(answers.lora_forward(X, W, A, B, 6.0, BIAS), y + BIAS, known=known)


@graded("5.2", "no-op", raises={"RuntimeError": "no-op"})
def test_with_b_at_zero_it_is_the_base_bit_by_bit(answers):
    x, weight, bias = whole(4, 5), whole(7, 5, seed=1), whole(7, seed=2)
    seen = answers.lora_forward(x, weight, A, torch.zeros(7, 3), 6.0, bias)
    close(seen, x @ weight.T + bias, tolerance=0.0)


@graded("5.2", "detached")
def test_gradients_flow_back_to_x_a_and_b(answers):
    mine = [one.clone().requires_grad_() for one in (X, A, B)]
    (corrected(mine[0], W, *mine[1:], 2.0) * UP).sum().backward()
    seen = answers.gradients("lora_forward", X, W, A, B, 6.0, upstream=UP)["inputs"]
    for name, gradient, right in zip("xAB", (seen[0], seen[2], seen[3]), mine, strict=True):
        require(gradient is not None, f"no gradient reaches {name}", "detached")
        close(gradient, right.grad, case=f"the gradient of {name}")


@graded("5.2")
def test_random_layers_of_random_sizes(answers):
    for lead in ((), (1,), (4,), (2, 3), (3, 1, 2)):
        (inputs, outputs, rank), alpha = sizes(answers, 3), strength(answers)
        x = 10 ** float(answers.random.uniform(-2, 2)) * drawn(answers, *lead, inputs)
        shapes = (outputs, inputs), (rank, inputs), (outputs, rank), (outputs,)
        weight, a, b, bias = (drawn(answers, *shape) for shape in shapes)
        y = corrected(x, weight, a, b, alpha / rank)
        close(answers.lora_forward(x, weight, a, b, alpha), y)
        close(answers.lora_forward(x, weight, a, b, alpha, bias), y + bias)


# ---- 5.3 the gradients of A and B ----------------------------------------------------------------

ROWS, PULL = random(6, 5, seed=6).numpy(), random(6, 7, seed=7).numpy()


def by_autograd(x, dy, a, b, gamma):
    """(dA, dB), found without a formula."""
    x, dy, a, b = (torch.tensor(value) for value in (x, dy, a, b))
    y = gamma * (x @ a.requires_grad_().T) @ b.requires_grad_().T
    return [gradient.numpy() for gradient in torch.autograd.grad((y * dy).sum(), (a, b))]


@graded("5.3", "transposed", raises={"ValueError": "transposed"})
def test_a_gradient_has_the_shape_of_its_matrix(answers):
    dA, dB = parts(answers.lora_gradients(ROWS, PULL, A.numpy(), B.numpy(), 6.0), 2)
    shaped(dA, (3, 5), "dA", "swapped" if np.shape(dA) == (7, 3) else "transposed")
    shaped(dB, (7, 3), "dB", "transposed")


@graded("5.3", "step 0")
def test_at_step_0_b_learns_and_a_does_not(answers):
    dA, dB = parts(answers.lora_gradients(ROWS, PULL, A.numpy(), np.zeros((7, 3), np.float32), 6.0), 2)
    seen = f"With B = 0, the largest entry of dA is {np.abs(dA).max():.4g}, and of dB {np.abs(dB).max():.4g}"
    require(not dA.any() and dB.any(), seen, "step 0")


@graded("5.3", "step 0")
def test_two_zeros_stay_zero_for_ever(answers):
    zero_A, zero_B = np.zeros((3, 5), np.float32), np.zeros((7, 3), np.float32)
    dA, dB = parts(answers.lora_gradients(ROWS, PULL, zero_A, zero_B, 6.0), 2)
    require(not dA.any() and not dB.any(), "With A = 0 and B = 0 a gradient is not 0", "step 0")
    dA, dB = parts(answers.lora_gradients(ROWS, PULL, zero_A, B.numpy(), 6.0), 2)
    require(dA.any() and not dB.any(), "With A = 0 alone, dA should be other than 0, and dB 0", "step 0")


@graded("5.3")
def test_gradients_that_can_be_found_by_hand(answers):
    x, dy, a, b = np.array([[10.0, 1.0]]), np.array([[1.0, -1.0]]), np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    dA, dB = parts(answers.lora_gradients(x, dy, a, b, 3.0), 2)
    factors = {"no gamma": 1 / 3, "gamma twice": 3.0, "upside down": 1 / 9}
    right_B, right_A = np.array([[36.0], [-36.0]]), np.array([[-30.0, -3.0]])
    for seen, wanted, case in ((dB, right_B, "this is dB"), (dA, right_A, "this is dA")):
        close(seen, wanted, known={name: factor * wanted for name, factor in factors.items()}, case=case)


@graded("5.3")
def test_the_gradients_are_those_of_the_formula(answers):
    dA, dB = parts(answers.lora_gradients(ROWS, PULL, A.numpy(), B.numpy(), 6.0), 2)
    want_A, want_B = by_autograd(ROWS, PULL, A.numpy(), B.numpy(), 2.0)
    factors = {"no gamma": 1 / 2, "gamma is alpha": 3.0, "gamma twice": 2.0, "mean": 1 / 6, "root": math.sqrt(3)}
    factors |= {"upside down": 1 / 4}
    for seen, wanted, case in ((dB, want_B, "this is dB"), (dA, want_A, "this is dA")):
        known = {name: factor * wanted for name, factor in factors.items()}
        close(seen, wanted, known=known, tolerance=2e-5, case=case)


@graded("5.3")
def test_random_gradients_are_those_that_autograd_finds(answers):
    for _ in range(5):
        (rows, inputs, outputs, rank), alpha = sizes(answers, 4), strength(answers)
        shapes = (rows, inputs), (rows, outputs), (rank, inputs), (outputs, rank)
        x, dy, a, b = (answers.random.standard_normal(shape) for shape in shapes)
        x, dy = (10 ** answers.random.uniform(-2, 2) * value for value in (x, dy))
        dA, dB = parts(answers.lora_gradients(x, dy, a, b, alpha), 2)
        want_A, want_B = by_autograd(x, dy, a, b, alpha / rank)
        close(dA, want_A, case="this is dA")
        close(dB, want_B, case="this is dB")


# ---- 5.4 what the first step does ----------------------------------------------------------------

ONE, PUSH = np.array([[1.0, 1.0]]), np.array([[2.0, -1.0]])
THIN = np.array([[1.0, 2.0], [3.0, -1.0]])  # ONE THIN^T = [3, 2]


@graded("5.4")
def test_the_first_step_of_sgd(answers):
    seen = answers.first_change(ONE, PUSH, THIN, 0.5, 0.1, "sgd")  # dB = [[3, 2], [-1.5, -1]], -0.1 of it is B
    known = {
        "uphill": np.array([[0.65, -0.325]]),
        "gamma once": np.array([[-1.3, 0.65]]),
        "no gamma": np.array([[-2.6, 1.3]]),
        "no lr": np.array([[-6.5, 3.25]]),
        "B itself": np.array([[-0.3, -0.2], [0.15, 0.1]]),
    }
    close(seen, np.array([[-0.65, 0.325]]), known=known)


@graded("5.4")
def test_the_first_step_of_adam(answers):
    seen = answers.first_change(ONE, PUSH, THIN, 0.5, 0.1, "adam")  # B is -0.1 [[1, 1], [-1, -1]]
    known = {
        "no sign": np.array([[-0.65, 0.325]]),
        "uphill": np.array([[0.25, -0.25]]),
        "no gamma": np.array([[-0.5, 0.5]]),
        "gamma twice": np.array([[-0.125, 0.125]]),
        "no lr": np.array([[-2.5, 2.5]]),
        "unit length": -0.1 * 0.5 * np.array([[13.0, -6.5]]) / math.sqrt(16.25),
        "B itself": np.array([[-0.1, -0.1], [0.1, 0.1]]),
    }
    close(seen, np.array([[-0.25, 0.25]]), known=known)


def changed_at_first(x, dy, a, gamma, lr, rule):
    low = x @ a.T
    step = gamma * dy.T @ low if rule == "sgd" else np.sign(dy.T @ low)
    return -gamma * lr * low @ step.T


@graded("5.4", "row by row")
def test_one_step_is_made_for_all_rows_together(answers):
    x, dy, a = ROWS.astype(float), PULL.astype(float), A.numpy().astype(float)
    for rule in ("sgd", "adam"):
        wanted = changed_at_first(x, dy, a, 0.3, 0.2, rule)
        close(answers.first_change(x, dy, a, 0.3, 0.2, rule), wanted, known={"mean": wanted / 6}, tolerance=1e-5)


@graded("5.4")
def test_adam_takes_its_gamma_once(answers):
    wanted = {"alpha": (16.0, {"no sum": 1.0, "root": 4.0, "upside down": 1 / 16, "squared": 256.0})}
    wanted["alpha/sqrt(r)"] = (4.0, {"gamma twice": 1.0, "no sum": 1 / 4, "upside down": 1 / 4})
    wanted["alpha/r"] = (1.0, {"gamma twice": 1 / 16, "root": 1 / 4})
    for scaling, (expected, known) in wanted.items():
        close(answers.growth(16, "adam", scaling), expected, known=known)


@graded("5.4")
def test_sgd_meets_gamma_in_the_gradient_too(answers):
    wanted = {"alpha": (16.0, {"no sum": 1.0, "root": 4.0, "upside down": 1 / 16, "squared": 256.0})}
    wanted["alpha/sqrt(r)"] = (1.0, {"gamma once": 4.0, "no sum": 1 / 16})
    wanted["alpha/r"] = (1 / 16, {"gamma once": 1.0, "no sum": 1 / 256})
    for scaling, (expected, known) in wanted.items():
        close(answers.growth(16, "sgd", scaling), expected, known=known)


@graded("5.4")
def test_the_table_is_what_the_first_step_does(answers):
    a = A.numpy().astype(float)
    rows = np.tile(a, (5, 1))  # five times as many rows, which look alike
    gammas = {"alpha": 6.0, "alpha/sqrt(r)": 6 / math.sqrt(15), "alpha/r": 6 / 15}
    before = {"alpha": 6.0, "alpha/sqrt(r)": 6 / math.sqrt(3), "alpha/r": 6 / 3}
    for rule in ("sgd", "adam"):
        for scaling, gamma in gammas.items():
            small = answers.first_change(ROWS[:1].astype(float), PULL[:1].astype(float), a, before[scaling], 0.1, rule)
            large = answers.first_change(ROWS[:1].astype(float), PULL[:1].astype(float), rows, gamma, 0.1, rule)
            factor = float(like(answers.growth(5, rule, scaling), 1.0))
            close(large, small * factor, tolerance=1e-5, case=f"{rule}, γ = {scaling}, five times the rank")


@graded("5.4")
def test_random_first_steps_and_what_more_rank_makes_of_them(answers):
    for rule in ("sgd", "adam"):
        rows, inputs, outputs, rank, more = sizes(answers, 5)
        gamma, lr = (float(value) for value in answers.random.uniform((0.1, 0.01), (4, 0.5)))
        shapes = (rows, inputs), (rows, outputs), (rank, inputs)
        x, dy, a = (answers.random.standard_normal(shape) for shape in shapes)
        dy *= 10 ** answers.random.uniform(2, 4)  # Adam's own small constant must not show
        wanted = changed_at_first(x, dy, a, gamma, lr, rule)
        close(answers.first_change(x, dy, a, gamma, lr, rule), wanted, tolerance=1e-4)
        for scaling, lower in (("alpha", 1), ("alpha/sqrt(r)", math.sqrt(more)), ("alpha/r", more)):
            before, after = (
                np.linalg.norm(changed_at_first(x[:1], dy[:1], factor, scale, lr, rule))
                for factor, scale in ((a, gamma), (np.tile(a, (more, 1)), gamma / lower))
            )
            close(answers.growth(more, rule, scaling), float(after / before))


# ---- 5.5 a linear layer with its correction ------------------------------------------------------


def linear(answers, inputs, outputs, bias=True, seed=0, numbers=random):
    """A torch.nn.Linear beside the learner's code, with known numbers."""
    made = answers.make("torch.nn.Linear", inputs, outputs, bias)
    made.load_state_dict(filled(made.state_dict(), seed, numbers))
    return made


def filled(state, seed=0, numbers=random):
    """Tensors of the same names and shapes, with other numbers in them."""
    return {name: numbers(*value.shape, seed=seed + 10 * i) for i, (name, value) in enumerate(state.items())}


def adapted(answers, base, rank=3, alpha=6.0, **more):
    return is_object(answers.LoRALinear(base, rank, alpha, **more), "a LoRALinear")


@graded("5.5")
def test_the_parameters_have_their_names_and_shapes(answers):
    state = adapted(answers, linear(answers, 5, 7)).state_dict()
    seen = f"its state_dict has {some(state)}"
    require({"base_layer.weight", "base_layer.bias"} <= state.keys(), seen, "names")
    require({"lora_A", "lora_B"} <= state.keys(), seen, "names" if len(state) >= 4 else "not parameters")
    require(len(state) == 4, seen, "names")
    shaped(state["lora_A"], (3, 5), "lora_A")
    shaped(state["lora_B"], (7, 3), "lora_B")


@graded("5.5", "no-op")
def test_a_new_layer_is_its_base_bit_by_bit(answers):
    base, x = linear(answers, 5, 7, numbers=whole), whole(2, 4, 5, seed=9)
    wanted, bias = base(x), base.state_dict()["bias"]
    known = {"no base": torch.zeros(2, 4, 7), "bias lost": wanted - bias}
    close(adapted(answers, base)(x), wanted, known=known, tolerance=0.0)


@graded("5.5")
def test_the_layer_adds_gamma_times_the_update(answers):
    layer, x = adapted(answers, linear(answers, 5, 7)), random(2, 4, 5, seed=9)
    state = filled(layer.state_dict(), 30)
    layer.load_state_dict(state)
    plain = F.linear(x, state["base_layer.weight"], state["base_layer.bias"])
    update = x @ state["lora_A"].T @ state["lora_B"].T
    wrong = {"no gamma": 1, "gamma is alpha": 6, "upside down": 0.5, "root": 6 / math.sqrt(3), "no update": 0}
    known = {name: plain + gamma * update for name, gamma in wrong.items()} | {"no base": 2 * update}
    known |= {"bias lost": plain + 2 * update - state["base_layer.bias"]}
    close(layer(x), plain + 2 * update, known=known)


@graded("5.5", "no bias", raises={"AttributeError": "no bias", "TypeError": "no bias"})
def test_a_base_without_bias_stays_one(answers):
    layer, x = adapted(answers, linear(answers, 5, 7, bias=False)), random(4, 5, seed=9)
    state = filled(layer.state_dict(), 30)
    equal(sorted(state), ["base_layer.weight", "lora_A", "lora_B"])
    layer.load_state_dict(state)
    close(layer(x), corrected(x, state["base_layer.weight"], state["lora_A"], state["lora_B"], 2.0))


@graded("5.5", "detached")
def test_a_and_b_learn_and_the_base_does_not(answers):
    layer, x = adapted(answers, linear(answers, 5, 7)), random(4, 5, seed=9)
    layer.load_state_dict(filled(layer.state_dict(), 30))
    seen = answers.gradients(layer, x)["parameters"]
    learns = sorted(name for name, gradient in seen.items() if gradient is not None and gradient.any())
    text = f"after one backward pass there is a gradient for {some(learns)}"
    require(not any(name.startswith("base_layer") for name in learns), text, "base learns")
    require({"lora_A", "lora_B"} <= seen.keys(), text, "not parameters")
    require(learns == ["lora_A", "lora_B"], text, "detached")


@graded("5.5", "copy")
def test_the_base_is_kept_and_not_copied(answers):
    base, x = linear(answers, 5, 7, numbers=whole), whole(4, 5, seed=9)
    layer = adapted(answers, base)
    base.load_state_dict(filled(base.state_dict(), 50, whole))
    wanted = base(x)
    close(layer(x), wanted, tolerance=0.0)


@graded("5.5", "seed ignored")
def test_the_seed_decides_about_a(answers):
    choices = ({}, {"seed": 0}, {"seed": 1})
    default, zero, one = (
        adapted(answers, linear(answers, 5, 7), **choice).state_dict()["lora_A"] for choice in choices
    )
    require(torch.equal(default, zero), "A layer without a seed and one with seed 0 have different A", "seed ignored")
    require(not torch.equal(zero, one), "Layers with seeds 0 and 1 have the same A", "seed ignored")


@graded("5.5")
def test_random_layers_with_random_corrections(answers):
    for bias in (True, False, True):
        (inputs, outputs, rank), alpha = sizes(answers, 3), strength(answers)
        base = renewed(answers, answers.make("torch.nn.Linear", inputs, outputs, bias))
        layer = renewed(answers, adapted(answers, base, rank, alpha))
        state = layer.state_dict()
        x = 10 ** float(answers.random.uniform(-2, 2)) * drawn(answers, 2, 3, inputs)
        weight, a, b = (state.get(name) for name in ("base_layer.weight", "lora_A", "lora_B"))
        require(all(one is not None for one in (weight, a, b)), f"its state_dict has {some(state)}", "names")
        close(layer(x), corrected(x, weight, a, b, alpha / rank) + state.get("base_layer.bias", 0.0))
        close(base(x), F.linear(x, weight, state.get("base_layer.bias")), case="this is the base alone")


# ---- 5.6 adapters by name ------------------------------------------------------------------------


def toy(answers, rank=None, seed=0):
    """ids (B, T) -> (B, T, 11), in modules inside modules; with `rank`, q_proj and up_proj are adapted (support.py)."""

    def one(inputs, outputs, bias=True, adapter=False):
        made = ("torch.nn.Linear", inputs, outputs, bias)
        return (f"{SUPPORT}.LoRALinear", made, rank, 6.0) if adapter and rank else made

    block = {
        "self_attn": {"q_proj": one(6, 6, False, adapter=True), "o_proj": one(6, 6)},
        "input_layernorm": ("torch.nn.LayerNorm", 6),
        "mlp": {"up_proj": one(6, 9, adapter=True), "down_proj": one(9, 6)},
    }
    model = {
        "embed_tokens": ("torch.nn.Embedding", 11, 6),
        "flora": one(6, 6),  # two names to stumble over
        "eq_proj": one(6, 6, False),
        "layers": {"0": block, "1": block},
        "lm_head": one(6, 11, False),
    }
    model = answers.make(model)
    model.load_state_dict(filled(model.state_dict(), seed))
    return model


IDS = torch.randint(11, (3, 4), generator=torch.Generator().manual_seed(8))
Q = ["layers.0.self_attn.q_proj", "layers.1.self_attn.q_proj"]
UPS = ["layers.0.mlp.up_proj", "layers.1.mlp.up_proj"]
BOTH = [Q[0], UPS[0], Q[1], UPS[1]]
INSIDE = ("self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj")
LAST = ("flora", "eq_proj", "q_proj", "o_proj", "up_proj", "down_proj", "lm_head")


LOST = dict.fromkeys(("KeyError", "AttributeError", "RecursionError"), "not in place")


def adapted_names(state):
    """Where in a state dict there are adapters."""
    return [name.removesuffix(".lora_A") for name in state if name.endswith(".lora_A")]


@graded("5.6", raises=LOST | {"ValueError": "top level", "RuntimeError": "while it changes"})
def test_every_layer_of_that_name_is_found(answers):
    seen = answers.inject(toy(answers), ["q_proj"], 3, 6.0)
    known = {
        "substring": ["eq_proj", *Q],
        "first only": Q[:1],
        "top level": [],
        "last parts": ["q_proj", "q_proj"],
        "everything": ["flora", "eq_proj", *(f"layers.{i}.{name}" for i in "01" for name in INSIDE), "lm_head"],
    }
    equal(seen, Q, known=known)


@graded("5.6", "not in place", raises=LOST)
def test_the_adapter_stands_where_the_layer_stood(answers):
    model = toy(answers)
    before = model.state_dict()
    equal(answers.inject(model, ["q_proj", "up_proj"], 3, 6.0), BOTH, known={"order": [*Q, *UPS]})
    after = model.state_dict()
    places = adapted_names(after)
    require(sorted(places) == sorted(BOTH), f"there are adapters in {some(places)}", "not in place")
    moved = {name: name for name in before} | {
        f"{place}.{kind}": f"{place}.base_layer.{kind}" for place in BOTH for kind in ("weight", "bias")
    }
    rest = sorted(name for name in after if name not in moved.values() and ".lora_" not in name)
    require(not rest, f"these are still where they were: {some(rest)}", "not in place")
    lost = [name for name in before if not torch.equal(before[name], after.get(moved[name], torch.tensor(math.nan)))]
    require(not lost, f"these numbers of the base are gone: {some(lost)}", "base lost")


@graded("5.6", "settings")
def test_rank_and_alpha_reach_every_layer(answers):
    model = toy(answers)
    answers.inject(model, ["down_proj"], 2, 5.0)
    layer, x = model.get_submodule("layers.1.mlp.down_proj"), random(4, 9, seed=9)
    state = filled(layer.state_dict(), 30)
    shaped(state["lora_A"], (2, 9), "lora_A", "settings")
    layer.load_state_dict(state)
    update = x @ state["lora_A"].T @ state["lora_B"].T
    close(layer(x), F.linear(x, state["base_layer.weight"], state["base_layer.bias"]) + 2.5 * update)


@graded("5.6", "same A")
def test_no_two_layers_start_with_the_same_a(answers):
    model, twin = toy(answers), toy(answers)
    for one in (model, twin):
        answers.inject(one, ["q_proj"], 3, 6.0)
    first, second = (model.state_dict()[f"{name}.lora_A"] for name in Q)
    require(not torch.equal(first, second), f"A of {Q[0]} and A of {Q[1]} are the same", "same A")
    alike = same_numbers(model.state_dict(), twin.state_dict())
    require(f"{Q[1]}.lora_A" in alike, "Two equal models got different A", "seeds")
    wanted = answers.LoRALinear(linear(answers, 6, 6), 3, 6.0, seed=1).state_dict()["lora_A"]
    require(torch.equal(second, wanted), f"A of {Q[1]} is not the one of seed 1", "seeds")


@graded("5.6", "unknown name", raises=dict.fromkeys(("KeyError", "AttributeError", "IndexError"), "unknown name"))
def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(answers):
    model = toy(answers)
    message = refused(lambda: answers.inject(model, ["q_prj"], 3, 6.0), "unknown name")
    missing = [name for name in LAST if name not in message]
    require(not missing, f"the message is: {message}\nnot in it: {', '.join(missing)}", "no list")
    for name in ("self_attn", "proj", "input_layernorm", "embed_tokens"):
        refused(lambda name=name: answers.inject(model, [name], 3, 6.0), "unknown name")


@graded("5.6", "half done")
def test_one_unknown_name_and_nothing_changes(answers):
    model = toy(answers)
    refused(lambda: answers.inject(model, ["q_proj", "nowhere", "up_proj"], 3, 6.0), "one is enough")
    places = adapted_names(model.state_dict())
    require(not places, f"after the ValueError there are adapters in {some(places)}", "half done")


@graded("5.6", "twice")
def test_no_layer_is_adapted_twice(answers):
    model = toy(answers)
    answers.inject(model, ["q_proj"], 3, 6.0)
    message = refused(lambda: answers.inject(model, ["q_proj"], 3, 6.0), "twice")
    require("base_layer" not in message, f"the message offers base_layer: {message}", "twice")
    refused(lambda: answers.inject(model, ["base_layer"], 3, 6.0), "twice")
    equal(answers.inject(model, ["up_proj"], 3, 6.0), UPS)
    equal(sorted(adapted_names(model.state_dict())), sorted(BOTH))


PLACES = ("q_proj", "k_proj", "o_proj", "up_proj", "down_proj", "eq_proj", "head")
GROUPS = ("block", "attention", "mlp", "body", "tower")


def forest(answers, width, rank=None):
    """(a random tree of linear layers, their full names, some of their last parts to be targets).

    With `rank`, the targets have adapters already (support.py). x (..., width) -> (..., width).
    """
    targets = shuffled(answers, PLACES)[: answers.random.integers(1, 4)]
    names, biases = [], cycle((False, True))  # of the targets, so that one without is in every forest

    def leaf(place):
        bias = next(biases) if place in targets else bool(answers.random.integers(2))
        made = ("torch.nn.Linear", width, width, bias)
        return (f"{SUPPORT}.LoRALinear", made, rank) if rank and place in targets else made

    def grow(prefix, places, depth):
        names.extend(prefix + place for place in places)
        children = {place: leaf(place) for place in places}
        for group in shuffled(answers, GROUPS)[: 2 if depth else 0]:
            some_places = shuffled(answers, PLACES)[: answers.random.integers(2, 4)]
            children[group] = grow(f"{prefix}{group}.", some_places, depth - 1)
        return children

    model = answers.make(grow("", shuffled(answers, {*targets, "head", "o_proj"}), 2))
    return renewed(answers, model), names, targets


def shuffled(answers, names):
    return [str(name) for name in answers.random.permutation(sorted(names))]


def chosen(names, targets):
    return [name for name in names if name.split(".")[-1] in targets]


@graded("5.6")
def test_random_models_get_adapters_where_they_are_named(answers):
    (width, rank), alpha = sizes(answers, 2, 6), strength(answers)
    model, names, targets = forest(answers, width)
    before, places = model.state_dict(), chosen(names, targets)
    equal(answers.inject(model, targets, rank, alpha), places)
    after = model.state_dict()
    there = adapted_names(after)
    require(sorted(there) == sorted(places), f"there are adapters in {some(there)}, expected in {some(places)}")
    lost = before.keys() - same_numbers(before, base_of(after))
    require(not lost, f"these numbers of the base are gone: {some(lost)}")
    state = renewed(answers, model).state_dict()
    for place in places:
        weight, a, b = (state[f"{place}.{name}"] for name in ("base_layer.weight", "lora_A", "lora_B"))
        x, bias = drawn(answers, 3, width), state.get(f"{place}.base_layer.bias", 0.0)
        close(model.get_submodule(place)(x), corrected(x, weight, a, b, alpha / rank) + bias, case=f"in {place}")


# ---- 5.7 let the adapters learn ------------------------------------------------------------------


def learning(answers, model, x=IDS):
    """Name -> gradient, for the parameters that get one."""
    found = answers.gradients(model, x)["parameters"]
    return {name: found[name] for name in sorted(found) if found[name] is not None}


FACTORS = sorted(f"{name}.lora_{which}" for name in BOTH for which in "AB")
FLORA = {"flora.weight", "flora.bias"}


def flora(answers):
    """A model whose only parameters are x.flora_A (6 numbers) and x.lora_A (20)."""
    return answers.make({"x": (f"{SUPPORT}.LookAlike",)})


def wrongly_learning(extra):
    """The misconception behind parameters that learn and should not."""
    if set(extra) == FLORA:
        return "lora in a name"
    if all("bias" in name or "norm" in name for name in extra):
        return "bias and norm"
    return "embedding" if {*extra} <= {"embed_tokens.weight", "lm_head.weight"} else "more learns"


def wrongly_saved(extra, missing, seen, state):
    """The misconception behind the names in a saved adapter."""
    if len(seen) >= len(state):
        return "whole model"
    if extra == FLORA:
        return "lora in a name"
    return "names" if extra and missing else "more than A and B" if extra else "only one"


@graded("5.7")
def test_only_adapters_learn(answers):
    model = toy(answers, rank=3)
    model.requires_grad_(True)
    answers.freeze(model)
    seen = learning(answers, model)
    extra = [name for name in seen if name not in FACTORS]
    require(not extra, f"these learn, and should not: {some(extra)}", wrongly_learning(extra))
    rest = [name for name in FACTORS if name not in seen]
    require(not rest, f"these should learn, and do not: {some(rest)}", "frozen too")


@graded("5.7", "frozen too")
def test_adapters_learn_even_if_everything_was_frozen_before(answers):
    model = toy(answers, rank=3)
    model.requires_grad_(False)
    answers.freeze(model)
    seen = learning(answers, model)
    require(list(seen) == FACTORS, f"these learn: {some(seen)}", "frozen too")


@graded("5.7", "lora in a name")
def test_the_last_part_of_a_name_counts_as_a_whole(answers):
    model = flora(answers)
    answers.freeze(model)
    learns = sum(gradient.numel() for gradient in learning(answers, model, torch.ones(2)).values())
    seen = f"of x.flora_A (6 numbers) and x.lora_A (20 numbers), {learns} numbers learn; expected 20"
    require(learns == 20, seen, "lora in a name" if learns > 20 else "frozen too")


@graded("5.7")
def test_what_learns_and_everything_is_counted(answers):
    layer = answers.make(f"{SUPPORT}.LoRALinear", linear(answers, 5, 7), 3, 6.0)  # 35 + 7 frozen, 15 + 21 learn
    known = {
        "learning only": [(36, 36), (36, 42)],
        "tensors": [(2, 4)],
        "share": [(36 / 78, 78)],
        "swapped": [(78, 36)],
    }
    seen = answers.count(layer)
    equal(seen, (36, 78), known=[(name, value) for name, values in known.items() for value in values])
    layer.requires_grad_(False)
    equal(answers.count(layer), (0, 78), known={"by name": (36, 78)})


@graded("5.7", "tied")
def test_a_tied_parameter_counts_once(answers):
    base = linear(answers, 5, 5)
    equal(answers.count(answers.make({"first": base, "second": base})), (30, 30), known={"tied": (60, 60)})


def factors_of(names, targets):
    return {f"{name}.lora_{which}" for name in chosen(names, targets) for which in "AB"}


@graded("5.7")
def test_random_models_learn_and_are_counted_as_they_should(answers):
    for everything in (True, False):
        width, rank = sizes(answers, 2, 6)
        model, names, targets = forest(answers, width, rank)
        factors, state = factors_of(names, targets), model.state_dict()
        model.requires_grad_(everything)
        answers.freeze(model)
        learns = learning(answers, model, drawn(answers, 3, width)).keys()
        seen = f"too many learn: {some(learns - factors)}; these should, and do not: {some(factors - learns)}"
        require(learns == factors, seen)
        held = {name: value.numel() for name, value in state.items()}
        equal(answers.count(model), (sum(held[name] for name in factors), sum(held.values())))


# ---- 5.8 what is worth saving --------------------------------------------------------------------


@graded("5.8")
def test_a_saved_adapter_is_a_and_b_and_nothing_else(answers):
    model = toy(answers, rank=3)
    state = model.state_dict()
    seen = like(answers.adapter_state(model), dict.fromkeys(FACTORS))
    extra, missing = seen.keys() - set(FACTORS), set(FACTORS) - seen.keys()
    means = wrongly_saved(extra, missing, seen, state)
    text = f"too much: {some(extra)}; not in it: {some(missing)}"
    require(not extra and not missing, text, means)
    seen = like(answers.adapter_state(flora(answers)), {})
    require(list(seen) == ["x.lora_A"], f"of x.flora_A and x.lora_A it has: {some(seen)}", "lora in a name")


@graded("5.8")
def test_the_numbers_are_those_of_the_model(answers):
    model = toy(answers, rank=3)
    state, seen = model.state_dict(), answers.adapter_state(model)
    for name in FACTORS:
        close(seen[name], state[name], tolerance=0.0)


@graded("5.8", "not copied")
def test_a_loaded_adapter_is_the_one_that_was_saved(answers):
    source, target = toy(answers, rank=3), toy(answers, rank=3, seed=5)
    saved = {name: value for name, value in source.state_dict().items() if name in FACTORS}
    before = target.state_dict()
    try:
        answers.load_adapter(target, saved)
    except Problem as problem:
        if problem.error == "RuntimeError":
            problem.means = "in place" if "leaf" in problem.seen else "strict"
        raise
    after = target.state_dict()
    require(after.keys() == before.keys(), f"the model has now {some(after.keys() - before.keys())}", "not copied")
    left = sorted(set(FACTORS) - same_numbers(saved, after))
    require(not left, f"these are not the saved ones: {some(left)}", "not copied")
    changed = sorted(before.keys() - set(FACTORS) - same_numbers(before, after))
    require(not changed, f"these are no part of the adapter, and changed: {some(changed)}")


@graded("5.8", "order", raises={"ValueError": "order"})
def test_the_names_may_come_in_another_order(answers):
    source, target = toy(answers, rank=3), toy(answers, rank=3, seed=5)
    saved = {name: value for name, value in source.state_dict().items() if name in FACTORS}
    answers.load_adapter(target, dict(reversed(saved.items())))
    left = sorted(set(FACTORS) - same_numbers(saved, target.state_dict()))
    require(not left, f"these are not the saved ones: {some(left)}", "order")


@graded("5.8", "unfit", raises=dict.fromkeys(("KeyError", "RuntimeError"), "other error"))
def test_an_adapter_with_other_names_is_refused(answers):
    saved = {name: value for name, value in toy(answers, rank=3).state_dict().items() if name in FACTORS}
    short = {name: value for name, value in saved.items() if name != FACTORS[-1]}
    for state in ({**saved, "layers.2.mlp.up_proj.lora_A": random(3, 6)}, short, {}):
        model = toy(answers, rank=3, seed=5)
        before = model.state_dict()
        refused(lambda model=model, state=state: answers.load_adapter(model, state), "unfit")
        changed = before.keys() - same_numbers(before, model.state_dict())
        require(not changed, f"after the ValueError these have changed: {some(changed)}", "half done")


@graded("5.8", "shape", raises={"RuntimeError": "other error"})
def test_an_adapter_of_another_rank_is_refused(answers):
    for rank in (1, 4):  # copy_ would spread rank 1 over all rows without a word
        saved = {name: value for name, value in toy(answers, rank=rank).state_dict().items() if name in FACTORS}
        model = toy(answers, rank=3, seed=5)
        before = model.state_dict()
        refused(lambda model=model, saved=saved: answers.load_adapter(model, saved), "shape")
        changed = before.keys() - same_numbers(before, model.state_dict())
        require(not changed, f"after the ValueError these have changed: {some(changed)}", "half done")


@graded("5.8", "new parameters")
def test_an_optimizer_can_go_on_with_a_loaded_adapter(answers):
    model = toy(answers, rank=3, seed=5)
    held = answers.make("torch.nn.ParameterList", model.parameters())  # as an optimizer holds them
    saved = {name: value for name, value in toy(answers, rank=3).state_dict().items() if name in FACTORS}
    answers.load_adapter(model, saved)
    inside = held.state_dict().values()
    lost = sorted(name for name in saved if not any(torch.equal(saved[name], value) for value in inside))
    require(not lost, f"the parameters that an optimizer holds did not change: {some(lost)}", "new parameters")


@graded("5.8", "dtype")
def test_the_parameters_keep_their_dtype(answers):
    model = toy(answers, rank=3, seed=5)
    saved = {name: value.bfloat16() for name, value in toy(answers, rank=3).state_dict().items() if name in FACTORS}
    answers.load_adapter(model, saved)
    for name, value in model.state_dict().items():
        seen = f"{name} was float32, and is {str(value.dtype).removeprefix('torch.')} after loading a bfloat16 adapter"
        require(value.dtype == torch.float32, seen, "dtype")
        if name in FACTORS:
            require(torch.equal(value, saved[name].float()), f"{name} is not the saved one", "not copied")


@graded("5.8")
def test_random_adapters_are_saved_and_loaded_whole(answers):
    for _ in range(2):
        width, rank = sizes(answers, 2, 6)
        model, names, targets = forest(answers, width, rank)
        factors, before = factors_of(names, targets), model.state_dict()
        seen = like(answers.adapter_state(model), {})
        require(seen.keys() == factors, f"it has {some(seen)}; expected {some(factors)}")
        for name in factors:
            close(seen[name], before[name], tolerance=0.0, case=f"this is {name}")
        new = {name: drawn(answers, *before[name].shape) for name in shuffled(answers, factors)}
        answers.load_adapter(model, new)
        wrong = before.keys() - same_numbers({**before, **new}, model.state_dict())
        require(not wrong, f"after loading, these are not what they should be: {some(wrong)}")


# ---- 5.9 fine-tune a language model --------------------------------------------------------------

TEXTS = torch.randint(11, (5, 2, 5), generator=torch.Generator().manual_seed(20))  # (steps, B, T + 1)


def small(answers, vocabulary=11, width=6, inner=5):
    """ids (B, T) -> (B, T, V): one projection, a norm and a head."""
    model = {
        "embed_tokens": ("torch.nn.Embedding", vocabulary, width),
        "q_proj": ("torch.nn.Linear", width, inner),
        "norm": ("torch.nn.LayerNorm", inner),
        "lm_head": ("torch.nn.Linear", inner, vocabulary, False),
    }
    model = answers.make(model)
    model.load_state_dict(filled(model.state_dict(), 60))
    return model


def trained(state, A, lr=0.1, shift=1, clear=True, after=False, method=torch.optim.AdamW, texts=TEXTS, alpha=6.0):
    """(the losses of `small` with an adapter, step by step; A and B afterwards), in plain torch."""
    embed, weight, bias, scale, offset, head = state.values()
    factors = [A.clone().requires_grad_(), torch.zeros(len(bias), len(A)).requires_grad_()]
    optimizer = method(factors, lr=lr)

    def loss(ids):
        hidden = corrected(embed[ids[:, :-1]], weight, *factors, alpha / len(A)) + bias
        logits = F.layer_norm(hidden, bias.shape, scale, offset) @ head.T
        return F.cross_entropy(logits.flatten(0, 1), ids[:, shift : ids.shape[1] - 1 + shift].flatten())

    losses = []
    for ids in texts:
        if clear:
            optimizer.zero_grad()
        now = loss(ids)
        now.backward()
        optimizer.step()
        losses.append((loss(ids) if after else now).item())
    return np.array(losses), [factor.detach() for factor in factors]


def base_of(state):
    """The tensors of a state dict that belong to the base, under the names they have without adapters."""
    return {name.replace(".base_layer.", "."): value for name, value in state.items() if ".lora_" not in name}


def check_what_changed(before, after):
    """Every bit of the base is as before, and the adapters are not as they began."""
    factors = [name for name in after if name.endswith(".lora_B")]
    require(factors, "There is no lora_B in the model afterwards", "no adapter")
    changed = sorted(before.keys() - same_numbers(before, base_of(after)))
    seen = f"{len(changed)} of {len(before)} tensors of the base have changed: {some(changed)}"
    require(not changed, seen, "base changed")
    still = [name for name in factors if not after[name].any()]
    require(not still, f"still zero after the training: {some(still)}", "nothing learned")


@graded("5.9", "base changed")
def test_training_changes_a_and_b_and_no_bit_of_the_base(answers):
    model = small(answers)
    before = model.state_dict()
    answers.adapt(model, TEXTS, ["q_proj"], 3, 6.0, 0.1)
    check_what_changed(before, model.state_dict())


@graded("5.9")
def test_the_losses_are_those_of_plain_lora_with_adamw(answers):
    model, twin = small(answers), small(answers)
    state = model.state_dict()
    answers.inject(twin, ["q_proj"], 3, 6.0)
    A = twin.state_dict()["q_proj.lora_A"]
    seen = like(answers.adapt(model, TEXTS, ["q_proj"], 3, 6.0, 0.1), [0.0] * len(TEXTS))
    require(len(seen) == len(TEXTS), f"gave {len(seen)} losses for {len(TEXTS)} batches", "one per batch")
    seen = np.array([float(like(loss, 1.0)) for loss in seen])
    wanted, _ = trained(state, A)
    known = {
        "no shift": trained(state, A, shift=0)[0],
        "gradients add up": trained(state, A, clear=False)[0],
        "after the step": trained(state, A, after=True)[0],
        "other optimizer": trained(state, A, method=torch.optim.SGD)[0],
        "sum": 8 * wanted,
        "bits": wanted / math.log(2),
        "fixed lr": trained(state, A, lr=1e-3)[0],
    }
    close(seen, wanted, known=known, tolerance=2e-3)


@graded("5.9", "settings")
def test_the_factors_end_where_adamw_takes_them(answers):
    model, twin = small(answers), small(answers)
    state = model.state_dict()
    answers.inject(twin, ["q_proj"], 3, 6.0)
    A = twin.state_dict()["q_proj.lora_A"]
    answers.adapt(model, TEXTS, ["q_proj"], 3, 6.0, 0.1)
    after, (right_A, right_B) = model.state_dict(), trained(state, A)[1]
    plain_A, plain_B = trained(state, A, method=torch.optim.Adam)[1]
    close(after["q_proj.lora_A"], right_A, known={"settings": plain_A}, tolerance=2e-4, case="this is lora_A")
    close(after["q_proj.lora_B"], right_B, known={"settings": plain_B}, tolerance=2e-4, case="this is lora_B")


ROUNDS, LENGTH = 16, 128
GAIN = 0.05  # bits/byte; 24 draws of the batches gave 0.077 to 0.113


def play():
    """(text to learn, text to measure on): a play that the base has never seen.

    `minilm fetch` and every make target bring the plays; where they are missing all the same, the course's other text,
    which comes with every Python, does as well: there is far more to gain on it.
    """
    try:
        text = load("play:the-tempest")
    except UserError:
        text = load("pydocs")
    return text.train, text.validation


@torch.no_grad()
def bits_per_byte(model, tokenizer, ids):
    """Of ids (B, T + 1), seen in one go."""
    losses = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten(), reduction="sum")
    size = sum(len(tokenizer.decode_bytes(row)) for row in ids[:, 1:].tolist())
    return float(losses) / math.log(2) / size


def check_the_factors_are_there(learned, factors):
    """`learned` has all A and B that are to be, in their shapes. Both: name -> tensor."""
    missing = sorted(factors.keys() - learned.keys())
    require(not missing, f"not in the model afterwards: {some(missing)}", "too little")
    for name, value in factors.items():
        shaped(like(learned[name], value), value.shape, name)


@graded("5.9", "too little")
def test_your_lora_teaches_the_shipped_base_a_new_play(answers):
    """What the learner's model says about itself is not asked for: its factors are put beside a base of our own."""
    own, tokenizer = load_base()
    before = {name: value.clone() for name, value in own.state_dict().items()}
    train, validation = (torch.tensor(tokenizer.encode(text)) for text in play())
    starts = torch.from_numpy(answers.random.integers(len(train) - LENGTH - 1, size=(ROUNDS, 4, 1)))
    batches = train[starts + torch.arange(LENGTH + 1)]  # (steps, 4, T + 1)
    held_out = validation[: 8 * LENGTH + 1].unfold(0, LENGTH + 1, LENGTH)  # (8, T + 1)
    base = bits_per_byte(own, tokenizer, held_out)
    model, _ = parts(answers.make("minilm.pretrained.load_base"), 2)  # from here on the time counts
    answers.adapt(model, batches, list(ALL_SEVEN), 8, 16.0, 3e-3)
    after = model.state_dict()
    check_what_changed(before, after)
    factors = {name: value for name, value in add_lora(own, 8, 16.0).state_dict().items() if ".lora_" in name}
    check_the_factors_are_there(after, factors)
    own.load_state_dict({name: after[name] for name in factors}, strict=False)
    reached = bits_per_byte(own, tokenizer, held_out)
    require(reached < base - GAIN, f"on unseen scenes: {base:.3f} bits/byte before, {reached:.3f} after", "too little")


@graded("5.9")
def test_random_models_learn_random_texts_as_lora_with_adamw_does(answers):
    vocabulary, width, inner = (size + 3 for size in sizes(answers, 3, 10))
    (rank, steps, batch, length), alpha = sizes(answers, 4, 4), strength(answers) / 3
    lr = float(answers.random.uniform(0.02, 0.1))
    texts = torch.from_numpy(answers.random.integers(vocabulary, size=(steps, batch, length + 1)))
    model, twin = (renewed(answers, small(answers, vocabulary, width, inner)) for _ in range(2))
    before = model.state_dict()
    answers.inject(twin, ["q_proj"], rank, alpha)
    losses, factors = trained(before, twin.state_dict()["q_proj.lora_A"], lr, texts=texts, alpha=alpha)
    seen = like(answers.adapt(model, texts, ["q_proj"], rank, alpha, lr), [0.0])
    require(len(seen) == steps, f"gave {len(seen)} losses for {steps} batches")
    close(np.array([float(like(loss, 1.0)) for loss in seen]), losses, tolerance=2e-3)
    after = model.state_dict()
    check_what_changed(before, after)
    for name, factor in zip(("lora_A", "lora_B"), factors, strict=True):
        close(after[f"q_proj.{name}"], factor, tolerance=5e-3, case=f"this is {name}")
