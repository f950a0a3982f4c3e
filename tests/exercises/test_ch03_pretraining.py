"""The graded tests of chapter 3. No two of B, T and V are alike, and no row of tokens counts up."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from minilm.grading.expect import close, equal, graded, is_object, like, parts, require, shaped
from minilm.grading.plain import is_array
from minilm.model import LM, Config
from minilm.schedule import cosine

INF = math.inf
IGNORE = -100
LN2 = math.log(2)


def gaussian(*shape, seed=0, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawn(answers, *shape, scale=1.0):
    """As `gaussian`, with numbers that nobody can know beforehand."""
    return torch.from_numpy(scale * answers.random.standard_normal(shape)).float()


def drawn_ids(answers, *shape, below):
    return torch.from_numpy(answers.random.integers(below, size=shape))


def sizes(answers, count, most=6, least=2):
    """That many sizes from `least` to `most`."""
    return answers.random.integers(least, most + 1, count).tolist()


def ladder(answers, size):
    """Logits that lie apart, in any order, and their ids, the likeliest first."""
    order = answers.random.permutation(size)
    logits, down = torch.empty(size), answers.random.uniform(0.05, 0.6, size).cumsum()
    logits[order] = torch.from_numpy(answers.random.normal() - down).float()
    return logits, order.tolist()


def ids(*shape, below, seed=0):
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))


def number(seen, name, means=None):
    """`seen` must be a tensor without dimensions; means: the misconception behind one that has some."""
    if not is_array(seen):
        close(seen, torch.tensor(0.0), known=[] if seen is None else [("detached", seen)])  # says which type it is
    return shaped(seen, (), name, means)


def near(seen, expected, **how):
    """As `close`; what goes in is float32, so a result in double precision has its rounding, too."""
    close(seen, expected, tolerance=2e-5, **how)


def finite(seen):
    """The ids whose logits are not -inf."""
    return [place for place, logit in enumerate(seen.tolist()) if logit != -INF]


# ---- 3.1 batches with shifted targets ------------------------------------------------------------

ROW = torch.tensor([31, 4, 15, 92, 65, 35, 89, 7, 93, 23, 84, 62])  # N = 12
SHAPES = {(4, 3): "transposed", (3, 5): "one more", (3, 3): "one fewer", (3,): "last only", (12,): "flat"}


def windows(shift, starts=(5, 0, 3), row=ROW, context=4):
    return torch.stack([row[(start + shift + torch.arange(context)) % len(row)] for start in starts])


def batch(answers):
    """Three windows of four tokens."""
    inputs, targets = parts(answers.make_batch(ROW, torch.tensor([5, 0, 3]), 4), 2)
    for name, seen in (("inputs", inputs), ("targets", targets)):
        shaped(seen, (3, 4), name, SHAPES.get(np.shape(seen)))
    return inputs, targets


@graded("3.1")
def test_the_last_window_leaves_room_for_its_last_target(answers):
    equal(answers.last_start(12, 4), 7, known={"no target": 8, "too early": 6, "whole windows": 2})
    equal(answers.last_start(30, 29), 0, known={"no target": 1, "too early": -1})


@graded("3.1", raises={"IndexError": "whole windows"})
def test_the_inputs_begin_where_they_are_told_to(answers):
    inputs, _ = batch(answers)
    known = {
        "starts": windows(0, (0, 1, 2)),
        "whole windows": windows(0, (0, 4, 8)),
        "sorted": windows(0, (0, 3, 5)),
        "swapped": windows(1),
    }
    equal(inputs, windows(0), known=known, case="these are the inputs")


@graded("3.1")
def test_a_target_is_the_token_after_its_input(answers):
    _, targets = batch(answers)
    filled = [windows(1).index_fill(1, torch.tensor([3]), value) for value in (0, -1, IGNORE)]
    known = [
        ("unshifted", windows(0)),
        ("backwards", windows(-1)),
        ("twice", windows(2)),
        ("wraps round", windows(0).roll(-1, dims=1)),
        ("wraps round", windows(0).roll(-1)),
        ("new numbers", windows(0) + 1),
        *(("filled", one) for one in filled),
    ]
    equal(targets, windows(1), known=known, case="these are the targets")


@graded("3.1", "end", raises={"IndexError": "end"})
def test_the_last_window_reaches_the_last_token(answers):
    inputs, targets = parts(answers.make_batch(ROW, torch.tensor([7, 2]), 4), 2)
    equal(shaped(inputs, (2, 4), "inputs"), windows(0, (7, 2)), case="these are the inputs")
    equal(shaped(targets, (2, 4), "targets"), windows(1, (7, 2)), case="these are the targets")


@graded("3.1")
def test_one_window_of_one_token_keeps_both_dimensions(answers):
    inputs, targets = parts(answers.make_batch(ROW, torch.tensor([10]), 1), 2)
    equal(shaped(inputs, (1, 1), "inputs"), torch.tensor([[84]]), case="these are the inputs")
    equal(shaped(targets, (1, 1), "targets"), torch.tensor([[62]]), case="these are the targets")


@graded("3.1")
def test_random_windows_are_cut_out_of_a_random_row(answers):
    for _ in range(5):
        count, context, last = sizes(answers, 3, most=9)
        equal(answers.last_start(last + context + 1, context), last)
        row, starts = drawn_ids(answers, last + context + 1, below=1000), drawn_ids(answers, count, below=last + 1)
        inputs, targets = parts(answers.make_batch(row, starts, context), 2)
        for name, seen, shift in (("inputs", inputs, 0), ("targets", targets, 1)):
            right = windows(shift, starts.tolist(), row, context)
            equal(shaped(seen, (count, context), name), right, case=f"these are the {name}")


# ---- 3.2 cross-entropy from logits ---------------------------------------------------------------

P = torch.tensor([[[0.25, 0.5, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5], [0.125, 0.25, 0.125, 0.5]]])  # (1, 3, 4)
LOGITS = P.log() + torch.tensor([1.0, -0.5, 2.0])[:, None]  # what is added to a whole row changes nothing


def wrong_losses(logits, targets):
    """(misconception, the loss that it gives)"""

    def picked(values):
        return values.gather(-1, targets[..., None])

    log_p = logits.log_softmax(-1)
    right, p = -picked(log_p).mean(), picked(log_p).exp().mean()
    B, T, V = logits.shape
    known = [
        ("sign", -right),
        ("bits", right / LN2),
        ("sum", right * B * T),
        ("sum", right * T),
        ("sum", right * B),
        ("over V", right / V),
        ("all classes", -log_p.mean()),
        ("all classes", -log_p.sum(-1).mean()),
        ("not normalised", -picked(logits).mean()),
        ("not normalised", picked(logits).mean()),
        ("probability", p),
        ("probability", -p),
        ("probability", 1 - p),
        ("log of the mean", -p.log()),
        ("last token", -picked(log_p)[:, -1].mean()),
        ("perplexity", right.exp()),
        ("wrong axis", -picked(logits.log_softmax(1)).mean()),
        ("wrong axis", -picked(logits.log_softmax(0)).mean()),
        ("softmax twice", -picked(logits.softmax(-1).log_softmax(-1)).mean()),
    ]
    return [(key, float(value)) for key, value in known]


@graded("3.2")
def test_three_tokens_can_be_computed_by_hand(answers):
    targets = torch.tensor([[0, 3, 2]])  # p = 1/4, 1/2, 1/8: 2, 1 and 3 bits
    seen = number(answers.cross_entropy(LOGITS, targets), "the loss", "not averaged")
    near(seen, 2 * LN2, known=wrong_losses(LOGITS, targets))


@graded("3.2")
def test_the_mean_is_over_all_tokens_of_all_windows(answers):
    logits, targets = gaussian(2, 3, 5, scale=2.0), ids(2, 3, below=5, seed=1)
    seen = number(answers.cross_entropy(logits, targets), "the loss", "not averaged")
    right = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    near(seen, float(right), known=wrong_losses(logits, targets))


@graded("3.2", "overflow")
def test_large_logits_do_no_harm(answers):
    seen = number(answers.cross_entropy(torch.tensor([[[1000.0, 998.0, 0.0]]]), torch.tensor([[1]])), "the loss")
    close(seen, 2 + math.log1p(math.exp(-2)), tolerance=1e-4)  # float32 near 1000 has steps of 6e-5


@graded("3.2", "underflow")
def test_an_unlikely_target_costs_what_its_logit_says(answers):
    seen = number(answers.cross_entropy(torch.tensor([[[0.0, -900.0, -1000.0]]]), torch.tensor([[2]])), "the loss")
    near(seen, 1000.0)


@graded("3.2", "one maximum")
def test_small_logits_beside_large_ones_keep_their_loss(answers):
    logits = torch.tensor([[[1000.0, 999.0]], [[-1000.0, -1001.0]], [[3.0, 3.0]]])  # (3, 1, 2)
    seen = number(answers.cross_entropy(logits, torch.tensor([[0], [1], [0]])), "the loss")
    close(seen, (1 + 2 * math.log1p(math.exp(-1)) + LN2) / 3, tolerance=1e-4)


@graded("3.2", "detached", raises={"AttributeError": "detached", "RuntimeError": "detached"})
def test_the_gradient_of_the_loss_is_softmax_minus_one_hot(answers):
    logits, targets = gaussian(2, 3, 5), ids(2, 3, below=5, seed=1)
    seen = answers.gradients("cross_entropy", logits, targets)["inputs"][0]
    require(seen is not None, "the logits got no gradient", "detached")
    near(seen, (logits.softmax(-1) - F.one_hot(targets, 5)) / 6)


def surprised(answers, *shape):
    """Random logits of this shape and targets; the first target is an unlikely one, so that no loss is all rounding."""
    logits = drawn(answers, *shape, scale=answers.random.uniform(0.5, 5.0))
    targets = drawn_ids(answers, *shape[:2], below=shape[2])
    targets[0, 0] = logits[0, 0].argmin()
    return logits, targets


@graded("3.2")
def test_random_logits_have_the_loss_that_torch_finds(answers):
    for _ in range(4):
        logits, targets = surprised(answers, *sizes(answers, 3))
        seen = number(answers.cross_entropy(logits, targets), "the loss", "not averaged")
        near(seen, float(F.cross_entropy(logits.flatten(0, 1), targets.flatten())))
    seen = answers.gradients("cross_entropy", logits, targets)["inputs"][0]
    require(seen is not None, "the logits got no gradient", "detached")
    near(seen, (logits.softmax(-1) - F.one_hot(targets, logits.shape[2])) / targets.numel())


# ---- 3.3 only what counts ------------------------------------------------------------------------

COUNT = "this is the number of tokens that count, the second of the two"
LOOKED_UP = {"RuntimeError": "looked up", "IndexError": "looked up"}
SHORT = (gaussian(1, 2, 4, seed=1), torch.tensor([[1, IGNORE]]))  # one token counts
LONG = (gaussian(2, 3, 4, seed=2), torch.tensor([[0, 2, IGNORE], [3, 1, 1]]))  # five tokens count


def sum_and_count(answers, logits, targets):
    total, count = parts(answers.loss_sum(logits, targets), 2)
    return number(total, "the sum", "not summed"), count


def sum_of(logits, targets):
    return float(F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum"))


@graded("3.3", raises=LOOKED_UP)
def test_a_marked_token_adds_nothing_to_the_sum(answers):
    total, _ = sum_and_count(answers, LOGITS, torch.tensor([[3, IGNORE, 2]]))  # p = 1/8, which counts for nothing, 1/8
    known = [
        ("mean", 3 * LN2),
        ("mean", 2 * LN2),
        ("logits set to 0", 8 * LN2),
        ("looked up", 9 * LN2),  # as id 0
        ("looked up", 7 * LN2),  # as the last id
        ("sign", -6 * LN2),
    ]
    near(total, 6 * LN2, known=known, case="this is the sum, the first of the two")


@graded("3.3", raises=LOOKED_UP)
def test_only_the_tokens_that_count_are_counted(answers):
    _, count = sum_and_count(answers, LOGITS, torch.tensor([[3, IGNORE, 2]]))
    equal(count, 2, known=[("counts all", 3), ("counts all", 1)], case=COUNT)


@graded("3.3", "id 0", raises=LOOKED_UP)
def test_id_0_is_a_token_like_any_other(answers):
    targets = torch.tensor([[0, 2, IGNORE]])
    total, count = sum_and_count(answers, LOGITS, targets)
    equal(count, 2, case=COUNT)
    near(total, sum_of(LOGITS, targets), case="this is the sum, the first of the two")


@graded("3.3", "nothing counts", raises=dict.fromkeys(("ZeroDivisionError", *LOOKED_UP), "nothing counts"))
def test_where_nothing_counts_the_sum_is_0(answers):
    total, count = sum_and_count(answers, LOGITS, torch.full((1, 3), IGNORE))
    near(total, 0.0, case="this is the sum, the first of the two")
    equal(count, 0, case=COUNT)


@graded("3.3")
def test_parts_of_unequal_size_weigh_as_much_as_they_count(answers):
    short, long = sum_of(*SHORT), sum_of(*LONG)
    seen = number(answers.accumulated_loss([SHORT, LONG]), "the loss", "not summed")
    answers.last = f"accumulated_loss of two parts: {short:.4f} nats on 1 token that counts, {long:.4f} nats on 5"
    known = [
        ("mean of means", (short / 1 + long / 5) / 2),
        ("mean of means", (short / 2 + long / 6) / 2),
        ("mean of means", short / 1 + long / 5),
        ("not divided", short + long),
        ("by parts", (short + long) / 2),
        ("counts all", (short + long) / 8),
        ("counts all", (short / 1 * 2 + long / 5 * 6) / 8),
    ]
    near(seen, (short + long) / 6, known=known)


@graded("3.3", "nothing counts", raises=dict.fromkeys(("ZeroDivisionError", *LOOKED_UP), "nothing counts"))
def test_a_part_in_which_nothing_counts_changes_nothing(answers):
    seen = answers.accumulated_loss([(SHORT[0], torch.full((1, 2), IGNORE)), LONG])
    near(number(seen, "the loss"), sum_of(*LONG) / 5, known={"mean of means": sum_of(*LONG) / 10})


@graded("3.3")
def test_parts_give_the_loss_of_one_large_batch(answers):
    logits, targets = gaussian(7, 3, 5, scale=3.0), ids(7, 3, below=5)
    targets[0, 1:], targets[2] = IGNORE, IGNORE
    seen = answers.accumulated_loss([(logits[:1], targets[:1]), (logits[1:3], targets[1:3]), (logits[3:], targets[3:])])
    right = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
    near(number(seen, "the loss"), float(right))


@graded("3.3", "detached", raises={"AttributeError": "detached", "RuntimeError": "detached"})
def test_the_gradient_flows_back_to_the_logits_that_count(answers):
    logits, targets = gaussian(5, 3, 4), ids(5, 3, below=4, seed=1)
    targets[0, 1:], targets[2] = IGNORE, IGNORE
    counts = (targets != IGNORE)[..., None]  # ten of fifteen
    right = (logits.softmax(-1) - F.one_hot(targets.clamp(min=0), 4)) * counts / int(counts.sum())
    for function, call in (("batch_loss", (logits, targets)), ("loss_in_parts", (logits, targets, 2))):
        seen = answers.gradients(function, *call)["inputs"][0]
        name = "loss_sum" if function == "batch_loss" else "accumulated_loss"
        require(seen is not None, f"no gradient comes back through {name}", "detached")
        near(seen, right, case=f"the gradient of the logits, through {name}")


@graded("3.3")
def test_random_tokens_count_in_random_parts(answers):
    for _ in range(3):
        shape = sizes(answers, 3)
        cases = [surprised(answers, count, *shape[1:]) for count in shape]
        for _, targets in cases:
            marked = torch.from_numpy(answers.random.random(targets.shape) < 0.4)
            marked[0, 0] = False
            targets[marked] = IGNORE
        total, count = sum_and_count(answers, *cases[0])
        near(total, sum_of(*cases[0]), case="this is the sum, the first of the two")
        equal(count, int((cases[0][1] != IGNORE).sum()), case=COUNT)
        logits, targets = (torch.cat(column) for column in zip(*cases, strict=True))
        right = sum_of(logits, targets) / int((targets != IGNORE).sum())
        near(number(answers.accumulated_loss(cases), "the loss", "not summed"), right)
    wanted = logits.clone().requires_grad_()
    F.cross_entropy(wanted.flatten(0, 1), targets.flatten(), ignore_index=IGNORE).backward()
    seen = answers.gradients("loss_in_parts", logits, targets, 2)["inputs"][0]
    require(seen is not None, "no gradient comes back through accumulated_loss", "detached")
    near(seen, wanted.grad, case="the gradient of the logits, through accumulated_loss")


# ---- 3.4 one AdamW step --------------------------------------------------------------------------

BETA1, BETA2 = 0.8, 0.9
W = "this is w, the first of (w, m, v)"


def adamw(answers, w, grad, m=None, v=None, t=1, **options):
    """A step with the betas above: tensors (w, m, v)."""
    m, v = (torch.zeros_like(w) if one is None else one for one in (m, v))
    seen = parts(answers.adamw_step(w, grad, m, v, t, betas=(BETA1, BETA2), **options), 3)
    return [shaped(one, w.shape, name) for one, name in zip(seen, "wmv", strict=True)]


@graded("3.4", "m")
def test_m_is_a_running_average_of_the_gradient(answers):
    w, grad = torch.tensor([5.0, -3.0]), torch.tensor([1.0, -2.0])
    m, v = torch.tensor([0.3, 0.2]), torch.tensor([0.5, 0.4])
    _, seen, _ = adamw(answers, w, grad, m, v, t=3, lr=0.1, weight_decay=0.5)
    right = 0.8 * m + 0.2 * grad
    known = {
        "no share": 0.8 * m + grad,
        "shares swapped": 0.2 * m + 0.8 * grad,
        "corrected kept": right / (1 - 0.8**3),
        "decay in the gradient": 0.8 * m + 0.2 * (grad + 0.5 * w),
        "betas": 0.9 * m + 0.1 * grad,
        "not kept": m,
    }
    known = [*known.items(), ("no share", m + grad), ("not kept", 0.2 * grad), ("shares swapped", 0.1 * m + 0.9 * grad)]
    near(seen, right, known=known, case="this is m, the second of (w, m, v)")


@graded("3.4", "v")
def test_v_is_a_running_average_of_the_squared_gradient(answers):
    w, grad = torch.tensor([5.0, -3.0]), torch.tensor([1.5, -2.0])
    m, v = torch.tensor([0.3, 0.2]), torch.tensor([0.5, 0.4])
    _, _, seen = adamw(answers, w, grad, m, v, t=3, lr=0.1, weight_decay=0.5)
    right = 0.9 * v + 0.1 * grad**2
    known = [
        ("no share", 0.9 * v + grad**2),
        ("no share", v + grad**2),
        ("shares swapped", 0.1 * v + 0.9 * grad**2),
        ("corrected kept", right / (1 - 0.9**3)),
        ("corrected kept", (right / (1 - 0.9**3)).sqrt()),
        ("decay in the gradient", 0.9 * v + 0.1 * (grad + 0.5 * w) ** 2),
        ("betas", 0.95 * v + 0.05 * grad**2),
        ("betas", 0.999 * v + 0.001 * grad**2),
        ("betas", 0.8 * v + 0.2 * grad**2),
        ("not squared", 0.9 * v + 0.1 * grad),
        ("not squared", 0.9 * v + 0.1 * grad.abs()),
        ("not squared", 0.9 * v + (0.1 * grad) ** 2),
        ("not kept", v),
        ("not kept", 0.1 * grad**2),
    ]
    near(seen, right, known=known, case="this is v, the third of (w, m, v)")


@graded("3.4", raises={"ZeroDivisionError": "t"})
def test_the_first_step_is_as_long_as_the_learning_rate(answers):
    w, grad = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.5, -4.0, 0.1])
    seen, _, _ = adamw(answers, w, grad, lr=0.1, weight_decay=0.0)
    require(bool(seen.isfinite().all()), f"w is {seen.tolist()} after step 1", "t")
    sign = 0.1 * grad.sign()
    late = (1 - BETA1) / (1 - BETA1**2) / math.sqrt((1 - BETA2) / (1 - BETA2**2))
    known = {
        "against": w + sign,
        "no correction": w - sign * (1 - BETA1) / math.sqrt(1 - BETA2),
        "one correction": w - sign * (1 - BETA1),
        "correction after the root": w - sign / math.sqrt(1 - BETA2) * (1 - BETA2),
        "no root": w - 0.1 / grad,
        "no v": w - 0.1 * grad,
        "t": w - sign * late,
    }
    known = [*known.items(), ("one correction", w - sign / math.sqrt(1 - BETA2))]
    known += [("old averages", w), ("old averages", w - 0.1 * grad / 1e-8)]
    near(seen, w - sign, known=known, case=W)


@graded("3.4", "eps")
def test_eps_is_added_after_the_root(answers):
    w, grad = torch.tensor([1.0, -1.0]), torch.tensor([2.0, -0.5])
    seen, _, _ = adamw(answers, w, grad, lr=0.1, eps=0.5, weight_decay=0.0)
    v = 0.1 * grad**2
    known = [
        ("eps inside", w - 0.1 * grad / (grad**2 + 0.5).sqrt()),
        ("eps inside", w - 0.1 * grad / ((v + 0.5) / 0.1).sqrt()),
        ("eps inside", w - 0.1 * grad / (grad**2 + 0.25).sqrt()),
        ("eps too early", w - 0.1 * grad / ((v.sqrt() + 0.5) / math.sqrt(0.1))),
        ("eps", w - 0.1 * grad.sign()),
    ]
    near(seen, w - 0.1 * grad / (grad.abs() + 0.5), known=known, case=W)


@graded("3.4", "decay")
def test_decay_alone_shrinks_the_weights(answers):
    w = torch.tensor([4.0, -2.0])
    seen, _, _ = adamw(answers, w, torch.zeros(2), lr=0.1, weight_decay=0.5)
    known = [
        ("decay without lr", 0.5 * w),
        ("decay forgotten", w),
        ("decay", 1.05 * w),
        ("decay in the gradient", w - 0.1 * w.sign()),
    ]
    near(seen, 0.95 * w, known=known, case=W)


@graded("3.4", "later step")
def test_a_later_step_uses_the_new_averages_and_its_own_number(answers):
    w, grad = torch.tensor([[5.0], [-3.0]]), torch.tensor([[1.0], [-2.0]])
    m, v = torch.tensor([[0.9], [0.8]]), torch.tensor([[0.5], [3.0]])
    seen, _, _ = adamw(answers, w, grad, m, v, t=3, lr=0.4, weight_decay=0.5)
    new_m, new_v = 0.8 * m + 0.2 * grad, 0.9 * v + 0.1 * grad**2

    def step(m, v, t=3):
        return 0.4 * m / (1 - 0.8**t) / (v / (1 - 0.9**t)).sqrt()

    known = [
        ("old averages", 0.8 * w - step(m, v)),
        ("old averages", 0.8 * w - step(new_m, v)),
        ("old averages", 0.8 * w - step(m, new_v)),
        ("t", 0.8 * w - step(new_m, new_v, 1)),
        ("t", 0.8 * w - step(new_m, new_v, 4)),
        ("t", 0.8 * w - step(new_m, new_v, 2)),
        ("decay after the step", 0.8 * (w - step(new_m, new_v))),
        ("decay in the gradient", w - step(0.8 * m + 0.2 * (grad + 0.5 * w), 0.9 * v + 0.1 * (grad + 0.5 * w) ** 2)),
    ]
    near(seen, 0.8 * w - step(new_m, new_v), known=known, case=W)


@graded("3.4", "later step")
def test_four_steps_in_a_row_follow_the_formulas(answers):
    w = mine = gaussian(2, 3, seed=5)
    m, v = my_m, my_v = torch.zeros(2, 3), torch.zeros(2, 3)
    for t in range(1, 5):
        grad = gaussian(2, 3, seed=t, scale=t)
        my_m, my_v = 0.9 * my_m + 0.1 * grad, 0.95 * my_v + 0.05 * grad**2
        mine = 0.995 * mine - 0.05 * my_m / (1 - 0.9**t) / ((my_v / (1 - 0.95**t)).sqrt() + 1e-8)
        w, m, v = parts(answers.adamw_step(w, grad, m, v, t, 0.05), 3)  # the other arguments as they stand
        near(w, mine, case=f"{W}, after step {t}")


@graded("3.4")
def test_random_steps_follow_the_formulas(answers):
    for _ in range(5):
        shape, t = sizes(answers, 2), int(answers.random.integers(1, 40))
        w, grad, m, v = (drawn(answers, *shape) for _ in range(4))
        v = v.square() + 0.01
        low, high = (0.5, 0.8, 0.05, 0.01, 0.001), (0.95, 0.99, 0.5, 0.3, 0.1)
        beta1, beta2, decay, lr, eps = answers.random.uniform(low, high).tolist()
        new_m, new_v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
        step = new_m / (1 - beta1**t) / ((new_v / (1 - beta2**t)).sqrt() + eps)
        seen = parts(answers.adamw_step(w, grad, m, v, t, lr, (beta1, beta2), eps, decay), 3)
        for name, one, right in zip("wmv", seen, (w - lr * step - lr * decay * w, new_m, new_v), strict=True):
            near(one, right, case=f"this is {name}, of (w, m, v)")


# ---- 3.5 warm up, then cool down -----------------------------------------------------------------


def rates(answers, moments, *run):
    moments = [int(t) for t in moments]
    seen = np.array([float(like(answers.learning_rate(t, *run), 1.0)) for t in moments])
    answers.last = f"learning_rate(t, {', '.join(map(str, run))}) for t in {moments}"
    return seen


@graded("3.5", raises={"ZeroDivisionError": "no warm-up"})
def test_the_warm_up_is_a_line_to_the_peak(answers):
    t = np.arange(1, 6)
    seen = rates(answers, t, 21, 5, 0.7, 0.2)
    known = [
        ("starts at 0", 0.7 * (t - 1) / 5),
        ("starts at 0", 0.7 * (t - 1) / 4),
        ("misses the peak", 0.7 * t / 6),
        ("misses the peak", np.minimum(0.7 * (t + 1) / 5, 0.7)),
        ("from the floor", 0.2 + 0.5 * t / 5),
        ("from the floor", 0.2 + 0.5 * (t - 1) / 4),
        ("peak forgotten", t / 5),
        ("no line", np.full(5, 0.7)),
        ("no line", 0.2 + 0.5 * (1 + np.cos(np.pi * t / 21)) / 2),
    ]
    require(seen[0] != 0, f"step 1 has rate {seen[0]}", "starts at 0")
    close(seen, 0.7 * t / 5, known=known, tolerance=1e-6)


@graded("3.5")
def test_after_the_warm_up_half_a_cosine_wave_leads_to_the_floor(answers):
    t = np.array([6, 9, 13, 17, 21])
    seen = rates(answers, t, 21, 5, 0.7, 0.2)

    def wave(share, low=0.2, high=0.7):
        return low + (high - low) * (1 + np.cos(np.pi * share)) / 2

    share = (t - 5) / 16
    known = [
        ("from the start", wave(t / 21)),
        ("from the start", wave(share * 16 / 21)),
        ("late", wave((t - 6) / 16)),
        ("late", wave((t - 5) / 17)),
        ("late", wave((t - 6) / 15)),
        ("line", 0.7 - 0.5 * share),
        ("wave", 0.2 + 0.5 * np.cos(np.pi * share / 2)),
        ("wave", wave(2 * share)),
        ("wave", 0.2 + 0.5 * (1 + np.cos(np.pi * share))),
        ("wave", 0.2 + 0.5 * (1 - np.cos(np.pi * share)) / 2),
        ("wave", 0.2 + 0.5 * np.cos(np.pi * share)),
        ("floor ignored", wave(share, low=0.0)),
        ("floor on top", 0.2 + wave(share, low=0.0)),
        ("cut off", np.maximum(0.2, wave(share, low=0.0))),
        ("peak forgotten", wave(share, high=1.0)),
        ("no wave", np.full(5, 0.7)),
    ]
    close(seen, wave(share), known=known, tolerance=1e-6)


@graded("3.5", "no warm-up", raises={"ZeroDivisionError": "no warm-up"})
def test_without_warm_up_the_wave_begins_at_once(answers):
    seen = rates(answers, (2, 4, 8), 8, 0, 0.8, 0.2)
    close(seen, 0.5 + 0.3 * np.array([math.sqrt(0.5), 0.0, -1.0]), tolerance=1e-6)


@graded("3.5", "only warm-up", raises={"ZeroDivisionError": "only warm-up"})
def test_a_run_of_nothing_but_warm_up_ends_at_the_peak(answers):
    close(rates(answers, (3, 6), 6, 6, 0.8, 0.2), np.array([0.4, 0.8]), tolerance=1e-6)


@graded("3.5")
def test_the_rate_goes_up_once_and_down_once(answers):
    seen = rates(answers, range(1, 51), 50, 7, 0.3)  # floor 0
    close(float(seen[6]), 0.3, tolerance=1e-6)
    close(float(seen[-1]), 0.0, tolerance=1e-6)
    steps = np.diff(seen)
    require((steps[:6] > 0).all() and (steps[6:] < 0).all(), f"the rates are {seen.round(3).tolist()}")


@graded("3.5")
def test_random_runs_have_the_rates_of_minilm(answers):
    for _ in range(4):
        steps = int(answers.random.integers(6, 25))
        warmup = int(answers.random.integers(0, steps - 1))
        peak, share = answers.random.uniform(0.05, [1.0, 0.9]).tolist()
        right = peak * np.array([cosine(t / steps, warmup / steps, share) for t in range(1, steps + 1)])
        close(rates(answers, range(1, steps + 1), steps, warmup, peak, share * peak), right, tolerance=1e-6)


# ---- 3.6 clip by the joint length ----------------------------------------------------------------

TRIPLE = [torch.tensor([3.0, 4.0]), torch.tensor([[12.0]])]  # lengths 5 and 12, together 13
NEW, LENGTH = "these are the new gradients, one after the other", "this is the length, the second of the two"


def clip(answers, grads, limit):
    """The new gradients as one vector, and the length."""
    new, length = parts(answers.clip_gradients(grads, limit), 2)
    new = [shaped(one, old.shape, "a gradient") for one, old in zip(parts(new, len(grads)), grads, strict=True)]
    return torch.cat([one.flatten() for one in new]), like(length, 1.0)


@graded("3.6")
def test_all_gradients_shrink_by_one_factor(answers):
    seen, _ = clip(answers, TRIPLE, 2.5)
    vector = torch.tensor([3.0, 4.0, 12.0])
    known = [
        ("one by one", torch.tensor([1.5, 2.0, 2.5])),
        ("clamped", torch.tensor([2.5, 2.5, 2.5])),
        ("sum of lengths", vector * 2.5 / 17),
        ("sum of lengths", vector * 2.5 / 19),
        ("largest", vector * 2.5 / 12),
        ("no root", vector * 2.5 / 169),
        ("length 1", vector / 13),
        ("times the limit", vector * 2.5),
        ("not clipped", vector),
    ]
    near(seen, vector * 2.5 / 13, known=known, case=NEW)


@graded("3.6")
def test_the_length_returned_is_the_one_before(answers):
    _, length = clip(answers, TRIPLE, 2.5)
    known = [("after", 2.5), ("sum of lengths", 17.0), ("sum of lengths", 19.0), ("largest", 12.0), ("no root", 169.0)]
    near(length, 13.0, known=[*known, ("factor", 2.5 / 13), ("factor", 5.2)], case=LENGTH)


@graded("3.6", "scales up")
def test_short_gradients_are_left_alone(answers):
    for limit in (20.0, 13.5):
        seen, length = clip(answers, TRIPLE, limit)
        near(seen, torch.tensor([3.0, 4.0, 12.0]), known={"after": torch.zeros(3)}, case=NEW)
        near(length, 13.0, case=LENGTH)


@graded("3.6")
def test_the_direction_stays_and_the_length_becomes_the_limit(answers):
    grads = [gaussian(2, 3, seed=1, scale=5.0), gaussian(4, seed=2), gaussian(3, 1, 2, seed=3, scale=0.01)]
    vector = torch.cat([grad.flatten() for grad in grads])
    seen, length = clip(answers, grads, 0.7)
    near(seen, vector * 0.7 / vector.norm(), case=NEW)
    near(length, float(vector.norm()), case=LENGTH)


@graded("3.6", "zero", raises={"ZeroDivisionError": "zero"})
def test_gradients_of_zero_stay_zero(answers):
    seen, length = clip(answers, [torch.zeros(2), torch.zeros(1, 3)], 1.0)
    near(seen, torch.zeros(5), case=NEW)
    near(length, 0.0, case=LENGTH)


@graded("3.6")
def test_random_gradients_are_clipped_by_their_joint_length(answers):
    for share in (0.05, 0.7, 1.5, 4.0):
        grads = [drawn(answers, *sizes(answers, ndim), scale=10 ** answers.random.uniform(0, 2)) for ndim in (1, 2, 3)]
        vector = torch.cat([grad.flatten() for grad in grads])
        length = float(vector.norm())
        seen, before = clip(answers, grads, share * length)
        near(seen, vector * min(share, 1.0), case=NEW)
        near(before, length, case=LENGTH)


# ---- 3.7 top-k -----------------------------------------------------------------------------------


def filtered(seen, size):
    """`seen` as a tensor (V,) whose tokens are either there or at -inf."""
    shaped(seen, (size,), "the result", "values only")
    require(not bool(((seen < -1e3) & (seen != -INF)).any()), f"gave {seen.tolist()}", "finite")
    return seen


def only(logits, *kept):
    """`logits` with all but those of the ids `kept` at -inf."""
    there = torch.tensor([place in kept for place in range(len(logits))])
    return logits.masked_fill(~there, -INF)


@graded("3.7")
def test_the_two_likeliest_of_five_stay_in_their_places(answers):
    logits = torch.tensor([2.0, 7.0, 1.0, 5.0, 3.0])
    p = logits.softmax(0) * torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0])
    known = [
        ("zeros", torch.tensor([0.0, 7.0, 0.0, 5.0, 0.0])),
        ("smallest", torch.tensor([2.0, -INF, 1.0, -INF, -INF])),
        ("places", torch.tensor([7.0, 5.0, -INF, -INF, -INF])),
        ("places", torch.tensor([2.0, 7.0, -INF, -INF, -INF])),
        ("probabilities", p),
        ("probabilities", p / p.sum()),
        ("other way round", torch.tensor([2.0, -INF, 1.0, -INF, 3.0])),
        ("one fewer", torch.tensor([-INF, 7.0, -INF, -INF, -INF])),
        ("one more", torch.tensor([-INF, 7.0, -INF, 5.0, 3.0])),
    ]
    seen = filtered(answers.top_k(logits, 2), 5)
    close(seen, torch.tensor([-INF, 7.0, -INF, 5.0, -INF]), known=known)


@graded("3.7", "ties")
def test_among_equal_logits_still_k_stay(answers):
    logits = torch.tensor([1.0, 4.0, 0.0, 4.0, 4.0, 2.0])
    for k in (2, 1):
        seen = filtered(answers.top_k(logits, k), 6)
        kept = finite(seen)
        require(len(kept) == k, f"k is {k}, but {len(kept)} tokens were kept: {kept}", "ties")
        require(all(place in (1, 3, 4) and seen[place] == 4.0 for place in kept), f"kept {kept} of {logits.tolist()}")


@graded("3.7", "zeros")
def test_negative_logits_are_filtered_alike(answers):
    seen = filtered(answers.top_k(torch.tensor([-5.0, -3.0, -4.0, -9.0]), 1), 4)
    close(seen, torch.tensor([-INF, -3.0, -INF, -INF]))


@graded("3.7", "large k", raises={"RuntimeError": "large k", "IndexError": "large k"})
def test_a_k_beyond_the_vocabulary_keeps_everything(answers):
    logits = torch.tensor([0.5, -1.0, 2.0])
    for k in (3, 50):
        close(filtered(answers.top_k(logits, k), 3), logits)


@graded("3.7")
def test_of_random_logits_the_likeliest_stay(answers):
    for size in sizes(answers, 6, most=30):
        logits, order = ladder(answers, size)
        k = int(answers.random.integers(1, size + 3))
        close(filtered(answers.top_k(logits, k), size), only(logits, *order[:k]))


# ---- 3.8 top-p -----------------------------------------------------------------------------------


def in_wrong_form(logits, *kept):
    """(misconception, what it gives where the right ids were found)"""
    right = only(logits, *kept)
    return [
        ("zeros", right.masked_fill(right == -INF, 0.0)),
        ("probabilities", right.exp() / logits.exp().sum()),
        ("probabilities", right.softmax(0)),
    ]


@graded("3.8", "crossing")
def test_a_token_that_is_almost_sure_stays_alone(answers):
    logits = torch.tensor([0.9, 0.02, 0.05, 0.03]).log() + 3.0
    known = [
        ("smallest first", only(logits, 1)),
        ("smallest first", only(logits, 1, 3)),
        ("one by one", only(logits, 0, 2)),
        ("other way round", only(logits, 1, 2, 3)),
        *in_wrong_form(logits, 0),
    ]
    close(filtered(answers.top_p(logits, 0.04), 4), only(logits, 0), known=known)


@graded("3.8")
def test_the_token_that_crosses_p_is_kept(answers):
    logits = torch.tensor([0.05, 0.25, 0.1, 0.4, 0.2]).log() - 1.0  # the likeliest: ids 3 and 1, together 0.65
    known = [
        ("crossing", only(logits, 3)),
        ("one more", only(logits, 3, 1, 4)),
        ("unsorted", only(logits, 0, 1, 2, 3)),
        ("unsorted", only(logits, 0, 1, 2)),
        ("places", only(logits, 0, 1)),
        ("places", only(logits.sort(descending=True).values, 0, 1)),
        ("not shares", logits),
        ("one by one", only(logits)),
        ("other way round", only(logits, 0, 2, 4)),
        *in_wrong_form(logits, 3, 1),
    ]
    close(filtered(answers.top_p(logits, 0.62), 5), only(logits, 3, 1), known=known)


@graded("3.8", "one by one")
def test_many_tokens_add_up_to_p(answers):
    logits = gaussian(30, seed=4, scale=0.5)
    p = logits.double().softmax(0).tolist()
    order = sorted(range(30), key=lambda place: -p[place])
    needed = next(n for n in range(1, 31) if sum(p[place] for place in order[:n]) >= 0.75)
    kept = finite(filtered(answers.top_p(logits, 0.75), 30))
    require(
        kept == sorted(order[:needed]), f"{len(kept)} tokens were kept, where the likeliest {needed} reach p = 0.75"
    )


@graded("3.8", "ties")
def test_of_equal_tokens_only_as_many_stay_as_are_needed(answers):
    kept = finite(filtered(answers.top_p(torch.full((4,), 1.5), 0.4), 4))  # 1/4 each: two reach 0.4
    require(len(kept) == 2, f"the ids {kept} were kept, of four tokens with p = 0.25 each")


@graded("3.8")
def test_tokens_that_hold_exactly_p_are_enough(answers):
    logits = torch.full((4,), 1.5)  # 1/4 each: their sums are exact
    for p, wanted in ((0.5, 2), (0.75, 3), (0.25, 1)):
        kept = finite(filtered(answers.top_p(logits, p), 4))
        means = "one more" if len(kept) > wanted else "crossing"
        seen = f"p is {p}, and the ids {kept} were kept, of four tokens with exactly 0.25 each"
        require(len(kept) == wanted, seen, means)


@graded("3.8", "infinite")
def test_tokens_that_were_filtered_before_stay_out(answers):
    logits = torch.tensor([-INF, 1.0, 0.0, -INF, 2.0])
    close(filtered(answers.top_p(logits, 0.8), 5), only(logits, 4, 1))
    close(filtered(answers.top_p(logits, 0.999), 5), logits)


@graded("3.8")
def test_of_random_logits_the_fewest_that_reach_p_stay(answers):
    for size in sizes(answers, 6, most=30):
        logits, order = ladder(answers, size)
        shares = logits.double().softmax(0)[order].tolist()
        n = int(answers.random.integers(1, 1 + sum(share > 0.001 for share in shares)))  # so many stay
        p = sum(shares[: n - 1]) + float(answers.random.uniform(0.2, 0.8)) * shares[n - 1]
        close(filtered(answers.top_p(logits, p), size), only(logits, *order[:n]))


# ---- 3.9 memorise a paragraph --------------------------------------------------------------------

DIGITS = torch.tensor([3, 0, 4, 1, 1, 2, 0, 3, 2, 4, 4, 0, 1, 3, 2, 1])
ORDER = torch.tensor([[3, 9], [0, 11], [7, 2], [10, 5], [1, 8], [4, 6]])  # six steps, B = 2, T = 4
BEGIN = {
    "0.weight": gaussian(5, 3, seed=1),
    "1.weight": gaussian(5, 3, seed=2, scale=2.0),
    "1.bias": gaussian(5, seed=3, scale=2.0),
}
SETTING = (4, 0.2, 2, 0.5)  # context, peak, warmup, limit
MISTAKES = (
    "unshifted", "same windows", "piled up", "not clipped", "full rate", "rate behind", "t stands still", "new moments",
)  # fmt: skip


def rate(t, steps, peak, warmup):
    if t <= warmup:
        return peak * t / warmup
    return peak * (0.1 + 0.9 * (1 + math.cos(math.pi * (t - warmup) / (steps - warmup))) / 2)


def recipe(wrong="", digits=DIGITS, order=ORDER, begin=BEGIN, setting=SETTING):
    """The losses, the final weights and the lengths of the gradients of the recipe, or of it with one mistake."""
    context, peak, warmup, limit = setting
    weights = [w.clone().requires_grad_() for w in begin.values()]
    m, v, pile = ([torch.zeros_like(w) for w in weights] for _ in range(3))
    losses, lengths = [], []
    for t, starts in enumerate(order, start=1):
        places = (order[0] if wrong == "same windows" else starts)[:, None] + torch.arange(context)
        targets = digits[places if wrong == "unshifted" else places + 1]
        logits = F.linear(F.embedding(digits[places], weights[0]), *weights[1:])
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        grads = torch.autograd.grad(loss, weights)
        if wrong == "piled up":
            grads = pile = [old + grad for old, grad in zip(pile, grads, strict=True)]
        length = float(torch.cat([grad.flatten() for grad in grads]).norm())
        factor = 1.0 if wrong == "not clipped" else min(1.0, limit / length)
        lr = peak if wrong == "full rate" else rate(t - (wrong == "rate behind"), len(order), peak, warmup)
        n = 1 if wrong == "t stands still" else t
        with torch.no_grad():
            for i, (w, grad) in enumerate(zip(weights, grads, strict=True)):
                forget = wrong == "new moments"
                m[i] = 0.9 * m[i] * (not forget) + 0.1 * grad * factor
                v[i] = 0.95 * v[i] * (not forget) + 0.05 * (grad * factor) ** 2
                step = m[i] / (1 - 0.9**n) / ((v[i] / (1 - 0.95**n)).sqrt() + 1e-8)
                w -= lr * (step + 0.1 * w)
        losses.append(loss.item())
        lengths.append(length)
    return np.array(losses), [w.detach() for w in weights], lengths


def weights_of(answers, model, expected):
    """What is in the model after training, which must have the names and shapes of `expected`."""
    call = answers.last
    state = like(model.state_dict(), expected)
    answers.last = call
    missing = sorted(expected.keys() - state.keys())
    require(not missing, f"after the training the model has no {', '.join(missing[:3])}")
    return {name: shaped(like(state[name], one), one.shape, name) for name, one in expected.items()}


def losses_of(answers, model, tokens, starts, *setting):
    """The losses of training the model, one for each step."""
    losses = like(answers.memorise(model, tokens, starts, *setting), [0.0] * len(starts))
    require(len(losses) == len(starts), f"{len(losses)} losses for {len(starts)} steps")
    return np.array([float(loss) for loss in losses])


def table(answers, digits=DIGITS, order=ORDER, begin=BEGIN, setting=SETTING):
    """The smallest model there is, two linear maps that see one token, and the losses of training it."""
    vocab, width = begin["0.weight"].shape
    layers = answers.make("torch.nn.Embedding", vocab, width), answers.make("torch.nn.Linear", width, vocab)
    model = answers.make("torch.nn.Sequential", *layers)
    model.load_state_dict(begin)
    losses = losses_of(answers, model, digits, order, *setting)
    return weights_of(answers, model, begin), losses


@graded("3.9")
def test_six_steps_on_a_table_give_the_losses_of_the_recipe(answers):
    after, losses = table(answers)
    still = [name for name, before in BEGIN.items() if torch.equal(after[name], before)]
    means = "not updated" if len(still) == 3 else "some left out"
    require(not still, f"after six steps these parameters are what they were: {', '.join(still)}", means)
    known = [(wrong, recipe(wrong)[0]) for wrong in MISTAKES]
    close(losses, recipe()[0], known=known, tolerance=1e-4)


@graded("3.9")
def test_every_parameter_ends_where_the_recipe_leads(answers):
    after, _ = table(answers)
    for name, right in zip(BEGIN, recipe()[1], strict=True):
        close(after[name], right, tolerance=1e-4)


WHO, DOES = ("rain", "river", "road", "wind", "cloud", "boat"), ("came", "went", "ran")
WHERE, END = ("up", "down", "on", "in", "by", "home"), " and so it goes."
LETTERS = sorted(set("".join((END, "the", *WHO, *DOES, *WHERE))))
T = 24  # letters that the model sees at a time
TINY = Config(len(LETTERS), 32, 64, 2, 2, 2, 64)  # the shape of `tiny_model`


def paragraph(random):
    """Five clauses and END. Each clause has its own WHO and WHERE: one of them is in every piece as long as T, and
    tells how to go on."""
    who, where = (random.permutation(words)[:5] for words in (WHO, WHERE))
    clauses = [f"the {a} {random.choice(DOES)} {b}" for a, b in zip(who, where, strict=True)]
    return " and ".join(clauses) + END


def numbered(text):
    return torch.tensor([LETTERS.index(letter) for letter in text])


def check_writing(model, text, tokens, so_far):
    """From the first T letters on the model must write the text, and be sure of each letter."""
    written = tokens[:T].tolist()
    while len(written) < len(tokens):
        logits = model(torch.tensor([written[-T:]]))  # (1, T, V)
        written.append(int(logits[0, -1].argmax()))
    wrote = "".join(LETTERS[index] for index in written)
    require(wrote == text, f"{so_far} From its first {T} letters on, of\n{text}\nthe model wrote\n{wrote}")
    logits = model(torch.stack([tokens[start : start + T] for start in range(len(tokens) - T)]))
    loss = float(F.cross_entropy(logits[:, -1], tokens[T:]))
    require(loss < 0.05, f"After {T} letters the next one still costs {loss:.3f} nats.")


@graded("3.9", "not learned")
def test_a_transformer_learns_a_paragraph_by_heart(answers):
    """The learner's code trains; what the weights then know is asked here, in a model of the same shape."""
    model, text = is_object(answers.tiny_model(len(LETTERS), 3), "a model"), paragraph(answers.random)
    tokens = numbered(text)
    starts = drawn_ids(answers, 240, 16, below=len(tokens) - T)
    losses = losses_of(answers, model, tokens, starts, T, 0.01, 20, 1.0)
    twin = LM(TINY)
    twin.load_state_dict(weights_of(answers, model, dict(twin.state_dict())))
    check_writing(torch.no_grad()(twin), text, tokens, f"The loss went from {losses[0]:.2f} to {losses[-1]:.2f}.")


@graded("3.9")
def test_random_tables_end_where_the_recipe_leads(answers):
    for steps in (4, 6):
        vocab, width, count, context = sizes(answers, 4, most=6, least=3)
        warmup = int(answers.random.integers(1, 4))
        shapes = {"0.weight": (vocab, width), "1.weight": (vocab, width), "1.bias": (vocab,)}
        begin = {name: drawn(answers, *shape, scale=0.7) for name, shape in shapes.items()}
        digits, order = drawn_ids(answers, 30, below=vocab), drawn_ids(answers, steps, count, below=30 - context)
        peak, part = answers.random.uniform([0.05, 0.2], [0.2, 0.5]).tolist()
        case = {"digits": digits, "order": order, "begin": begin, "setting": (context, peak, warmup, math.inf)}
        shortest, *_, longest = sorted(recipe(**case)[2])
        limit = shortest + part * (longest - shortest)  # so that some gradients are clipped and others are not
        case["setting"] = (context, peak, warmup, limit)
        after, losses = table(answers, **case)
        expected, weights, _ = recipe(**case)
        close(losses, expected, tolerance=1e-4)
        for name, right in zip(begin, weights, strict=True):
            close(after[name], right, tolerance=1e-4, case=f"this is {name}")
