"""The graded tests of chapter 7. No matrix is square, no rank equals another size, and no γ is 1 or alpha."""

import math

import torch

from minilm.grading.expect import close, equal, graded, like, parts, require, shaped
from minilm.grading.problem import Problem


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn(answers, *shape, dtype=torch.float64):
    """Numbers that nobody can know beforehand."""
    return torch.from_numpy(answers.random.standard_normal(shape)).to(dtype)


def sizes(answers, count, largest=9):
    """Sizes of that kind."""
    return [int(size) for size in answers.random.integers(2, largest + 1, size=count)]


def adapter(answers, outputs, inputs, dtype=torch.float64):
    """A random adapter (A, B, alpha), whose γ is neither 1 nor alpha."""
    rank, alpha = int(answers.random.integers(2, 6)), float(answers.random.uniform(0.2, 1.8))
    return drawn(answers, rank, inputs, dtype=dtype), drawn(answers, outputs, rank, dtype=dtype), alpha * rank + 0.01


def change(A, B, alpha):
    """ΔW = γ B A."""
    return alpha / len(A) * B @ A


def refused(action, error, seen, means):
    """`action` must raise `error`; when it does not, `seen` says what was done."""
    try:
        action()
    except Problem as problem:
        if problem.error == error:
            return
        if problem.kind != "raised":
            raise
        raise Problem("raised", f"{problem.seen}\nexpected  {error}", error=problem.error) from None
    raise Problem("value", f"{seen} and no {error} came", means)


# ---- 7.1 merge, and take it back -----------------------------------------------------------------

W, A, B = 0.01 * normal(3, 5, dtype=torch.float32), normal(2, 5, seed=1).float(), normal(3, 2, seed=2).float()
DELTA = 3 * B @ A  # alpha 6, rank 2
X = normal(4, 5, seed=3).float()


def merged(answers):
    layer = answers.MergeableLinear(W, A, B, 6.0)
    layer.merge()
    return layer


@graded("7.1")
def test_the_merged_weight_has_gamma_b_a_in_it(answers):
    known = [
        ("no gamma", W + DELTA / 3),
        ("gamma", W + 2 * DELTA),
        ("gamma", W + DELTA / 9),
        ("gamma", W + 6 / 5 * DELTA / 3),  # r taken from the wrong side of A
        ("replaced", DELTA),
        ("replaced", DELTA / 3),
    ]
    close(merged(answers).get("weight"), W + DELTA, known=known)


@graded("7.1")
def test_before_the_merge_the_adapter_runs_beside_the_weight(answers):
    known = [
        ("adapter off", X @ W.T),
        ("no gamma", X @ (W + DELTA / 3).T),
        ("gamma", X @ (W + 2 * DELTA).T),
        ("gamma", X @ (W + DELTA / 9).T),
        ("replaced", X @ DELTA.T),
    ]
    close(answers.MergeableLinear(W, A, B, 6.0).forward(X), X @ (W + DELTA).T, known=known)


@graded("7.1")
def test_the_merged_layer_gives_the_same(answers):
    known = {"twice": X @ (W + 2 * DELTA).T, "adapter off": X @ W.T}
    close(merged(answers).forward(X), X @ (W + DELTA).T, known=known)


@graded("7.1")
def test_a_second_merge_is_refused(answers):
    layer = merged(answers)
    refused(layer.merge, "RuntimeError", "merge() was called twice in a row,", "second merge")
    close(layer.get("weight"), W + DELTA, known={"second merge": W + 2 * DELTA})


@graded("7.1")
def test_unmerging_gives_back_every_bit(answers):
    layer = merged(answers)
    layer.unmerge()
    seen = shaped(layer.get("weight"), (3, 5), "weight")
    close(seen, W, known={"alias": W + DELTA}, tolerance=1e-2)
    require(torch.equal(seen, W), f"unmerged weight and W differ by up to {(seen - W).abs().max():.2g}", "subtracted")


@graded("7.1", "only once")
def test_an_unmerged_layer_is_as_good_as_new(answers):
    layer = merged(answers)
    layer.unmerge()
    close(layer.forward(X), X @ (W + DELTA).T)


@graded("7.1", "only once", raises={"RuntimeError": "only once"})
def test_merging_and_unmerging_can_be_repeated(answers):
    layer = merged(answers)
    for _ in range(2):
        layer.unmerge()
        equal(layer.get("weight").tolist(), W.tolist())
        layer.merge()
        close(layer.get("weight"), W + DELTA)


@graded("7.1")
def test_unmerging_what_is_not_merged_is_refused(answers):
    new, used = answers.MergeableLinear(W, A, B, 6.0), merged(answers)
    used.unmerge()
    for layer in (new, used):
        refused(layer.unmerge, "RuntimeError", "unmerge() was called with nothing merged,", "unmerge refused")


@graded("7.1")
def test_random_layers_are_merged_and_unmerged(answers):
    for rows in (1, 4, 6):
        outputs, inputs = sizes(answers, 2)
        weight, x = (drawn(answers, *shape, dtype=torch.float32) for shape in ((outputs, inputs), (rows, inputs)))
        own = adapter(answers, outputs, inputs, torch.float32)
        layer, wanted = answers.MergeableLinear(weight, *own), weight + change(*own)
        for _ in range(2):
            close(layer.forward(x), x @ wanted.T, case="not merged")
            layer.merge()
            close(layer.get("weight"), wanted)
            close(layer.forward(x), x @ wanted.T, case="merged")
            layer.unmerge()
            seen = shaped(layer.get("weight"), weight.shape, "weight")
            off = (seen - weight).abs().max()
            require(torch.equal(seen, weight), f"unmerged weight and W differ by up to {off:.2g}")


# ---- 7.2 what rounding eats ----------------------------------------------------------------------


def narrow(*values, dtype=torch.bfloat16):
    return torch.tensor([values], dtype=dtype)


@graded("7.2")
def test_what_is_too_small_for_its_weight_is_lost(answers):
    W = narrow(1, 1, 1, 100, 0.001, 2, 3, 1, 1, 10)
    delta = torch.tensor([[0.003, 0.005, -0.003, 0.2, 0.003, 0.001, 0.02, -0.002, -0.0025, 0.001]])
    known = [  # lost: the first, the one beside 100, the one beside 2, the last. Below 1 numbers are twice as close.
        ("survived", 0.6),
        ("threshold", 0.7),
        ("threshold", 0.8),
        ("threshold", 0.9),
        ("not rounded", 0.0),
        ("count", 4.0),
        ("percent", 40.0),
    ]
    close(answers.vanished(W, delta), 0.4, known=known)


@graded("7.2")
def test_the_sum_is_rounded_once(answers):
    delta = torch.tensor([[0.00391, 0.001]])  # half the way to the next number is 0.00390625
    close(answers.vanished(narrow(1, 1), delta), 0.5, known={"rounded before": 1.0})


@graded("7.2")
def test_an_entry_that_does_not_change_has_nothing_to_lose(answers):
    delta = torch.tensor([[0.0, 0.001, 0.1, 0.0, 0.2, 0.0]])
    known = [("zeros", 4 / 6), ("zeros", 1 / 6), ("zeros", 4 / 3)]
    close(answers.vanished(narrow(1, 1, 1, 1, 1, 1), delta), 1 / 3, known=known)


@graded("7.2")
def test_the_dtype_of_the_weight_decides(answers):
    delta = torch.tensor([[0.001, 0.0004, 0.1]])  # float16 has numbers every 0.001 above 1
    close(answers.vanished(narrow(1, 1, 1, dtype=torch.float16), delta), 1 / 3, known={"always bfloat16": 2 / 3})


@graded("7.2", "always bfloat16")
def test_32_bits_lose_something_too_but_far_less(answers):
    delta = torch.tensor([[0.001, 1e-9, 0.001, 1e-6]])
    close(answers.vanished(narrow(1, 1, 1, 1, dtype=torch.float32), delta), 0.25)


@graded("7.2")
def test_random_updates_are_lost_where_they_should_be(answers):
    for dtype, bits in ((torch.bfloat16, 8), (torch.float16, 11), (torch.float32, 24)):
        shape = sizes(answers, 2)
        step = torch.from_numpy(2.0 ** answers.random.integers(-6 - bits, 4 - bits, size=shape))  # to the next number
        sign, other = (torch.from_numpy(answers.random.choice([-1.0, 1.0], size=shape)) for _ in range(2))
        weight = sign * step * torch.from_numpy(answers.random.integers(2 ** (bits - 1) + 1, 2**bits, size=shape))
        reach = torch.from_numpy(answers.random.uniform(0.05, 0.45, size=shape))
        reach[torch.from_numpy(answers.random.random(shape)) < 0.4] += 0.5  # more than half the way
        reach[torch.from_numpy(answers.random.random(shape)) < 0.2] = 0.0
        reach[0, 0] = 0.25
        lost = ((reach > 0) & (reach < 0.5)).sum() / (reach > 0).sum()
        close(answers.vanished(weight.to(dtype), (other * step * reach).float()), float(lost), tolerance=1e-6)


# ---- 7.3 add adapters by their ranks -------------------------------------------------------------

ONE = normal(2, 7, seed=1), normal(4, 2, seed=2), 6.0  # γ = 3
TWO = normal(3, 7, seed=3), normal(4, 3, seed=4), 1.5  # γ = 1/2
THREE = normal(2, 7, seed=5), normal(4, 2, seed=6), 10.0  # γ = 5


def check_sum(seen, adapters, weights):
    """`seen` is an adapter whose change is the weighted sum of the others' changes."""
    A, B, alpha = parts(seen, 3)
    ranks = sum(len(A) for A, _, _ in adapters)
    outputs, inputs = len(adapters[0][1]), adapters[0][0].shape[1]
    order = "order" if tuple(getattr(A, "shape", ())) == (outputs, ranks) else "added"
    shaped(A, (ranks, inputs), "A", order)
    shaped(B, (outputs, ranks), "B", "added")
    terms = [(w, alpha / len(A), B @ A) for w, (A, B, alpha) in zip(weights, adapters, strict=True)]
    expected = sum(w * gamma * BA for w, gamma, BA in terms)
    gamma = like(alpha, 1.0) / ranks
    right = torch.allclose((B @ A).double(), expected) and not math.isclose(gamma, 1)
    require(not right, f"B A is the sum, but with alpha {alpha:.4g} and rank {ranks} γ is {gamma:.4g}", "result gamma")
    known = [
        ("no gamma", sum(w * BA for w, _, BA in terms)),
        ("no gamma", sum(w * gamma * len(A) * BA for (w, gamma, BA), (A, _, _) in zip(terms, adapters, strict=True))),
        ("gamma twice", sum(w * gamma**2 * BA for w, gamma, BA in terms)),
        ("weights ignored", sum(gamma * BA for _, gamma, BA in terms)),
        ("weight twice", sum(w**2 * gamma * BA for w, gamma, BA in terms)),
        ("shared gamma", terms[0][1] * sum(w * BA for w, _, BA in terms)),
        ("shared gamma", terms[-1][1] * sum(w * BA for w, _, BA in terms)),
        ("shared gamma", sum(alpha for _, _, alpha in adapters) / ranks * sum(w * BA for w, _, BA in terms)),
    ]
    close(gamma * B @ A, expected, known=known)


@graded("7.3")
def test_one_adapter_alone_is_itself(answers):
    check_sum(answers.combine([ONE], [1.0]), [ONE], [1.0])


@graded("7.3", raises={"RuntimeError": "added"})
def test_two_adapters_of_different_rank_and_gamma_add_up(answers):
    check_sum(answers.combine([ONE, TWO], [1.0, 1.0]), [ONE, TWO], [1.0, 1.0])


@graded("7.3")
def test_adapters_of_one_rank_are_not_mixed_up(answers):
    check_sum(answers.combine([ONE, THREE], [1.0, 1.0]), [ONE, THREE], [1.0, 1.0])


@graded("7.3")
def test_each_adapter_counts_by_its_weight(answers):
    check_sum(answers.combine([ONE, TWO], [2.0, 0.25]), [ONE, TWO], [2.0, 0.25])


@graded("7.3", "weight twice")
def test_a_weight_may_be_negative(answers):
    check_sum(answers.combine([TWO, ONE, THREE], [-1.0, 0.5, 3.0]), [TWO, ONE, THREE], [-1.0, 0.5, 3.0])


@graded("7.3", "result gamma")
def test_the_result_is_an_adapter_like_any_other(answers):
    both = tuple(parts(answers.combine([ONE, TWO], [1.0, 1.0]), 3))
    A, B, alpha = parts(answers.combine([both, THREE], [1.0, -2.0]), 3)
    close(like(alpha, 1.0) / 7 * B @ A, change(*ONE) + change(*TWO) - 2 * change(*THREE))


@graded("7.3")
def test_random_adapters_add_up(answers):
    for count in (1, 2, 3, 4):
        outputs, inputs = sizes(answers, 2)
        adapters = [adapter(answers, outputs, inputs) for _ in range(count)]
        signs, strengths = answers.random.choice([-1.0, 1.0], size=count), answers.random.uniform(0.2, 3, size=count)
        weights = [float(weight) for weight in signs * strengths]
        check_sum(answers.combine(adapters, weights), adapters, weights)


# ---- 7.4 the average of a product ----------------------------------------------------------------


@graded("7.4")
def test_two_clients_by_hand(answers):
    pairs = [
        (torch.tensor([[4.0, 0.0]]), torch.tensor([[1.0], [0.0], [2.0]])),
        (torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0], [4.0], [0.0]])),
    ]
    products = torch.tensor([[2.0, 1.0], [0.0, 4.0], [4.0, 0.0]])  # their average
    averages = torch.tensor([[2.0, 1.0], [4.0, 2.0], [2.0, 1.0]])  # the product of [[1], [2], [1]] and [[2, 1]]
    known = [
        ("sign", averages - products),
        ("average of products", products),
        ("product of averages", averages),
        ("sum", 2 * products - 4 * averages),
        ("sum", 2 * products - averages),
        ("sum", products - 2 * averages),
        ("sum", products - 4 * averages),
        ("sum", 4 * (products - averages)),
        ("no gap", torch.zeros(3, 2)),
        ("share twice", products / 2 - averages),
        ("share twice", products / 2 - averages / 4),
    ]
    close(answers.averaging_gap(pairs, [1, 1]), products - averages, known=known)


def client(seed):
    return normal(2, 5, seed=seed), normal(4, 2, seed=seed + 10)


def gap(pairs, shares):
    mean_A, mean_B = (sum(w * pair[i] for w, pair in zip(shares, pairs, strict=True)) for i in (0, 1))
    return sum(w * B @ A for w, (A, B) in zip(shares, pairs, strict=True)) - mean_B @ mean_A


@graded("7.4", "share twice")
def test_a_client_counts_by_its_examples(answers):
    pairs = [client(1), client(2), client(3)]
    known = [
        ("unweighted", gap(pairs, [1 / 3] * 3)),
        ("not a share", gap(pairs, [1, 3, 4])),
        ("not a share", gap(pairs, [1 / 3, 1, 4 / 3])),
    ]
    close(answers.averaging_gap(pairs, [1, 3, 4]), gap(pairs, [1 / 8, 3 / 8, 4 / 8]), known=known)


@graded("7.4", "not a share")
def test_only_the_shares_matter(answers):
    pairs = [client(1), client(2)]
    close(answers.averaging_gap(pairs, [100, 300]), gap(pairs, [1 / 4, 3 / 4]))


@graded("7.4", "no gap")
def test_clients_that_agree_on_a_lose_nothing(answers):
    A = client(1)[0]
    seen = answers.averaging_gap([(A, client(2)[1]), (A, client(3)[1])], [1, 3])
    require(shaped(seen, (4, 5), "the gap").abs().max() < 1e-5, f"with equal A's the gap is {seen.abs().max():.2g}")


@graded("7.4", "no gap")
def test_a_single_client_is_its_own_average(answers):
    seen = answers.averaging_gap([client(4)], [7])
    require(shaped(seen, (4, 5), "the gap").abs().max() < 1e-5, f"with one client the gap is {seen.abs().max():.2g}")


@graded("7.4")
def test_random_clients_are_averaged(answers):
    for count in (2, 3, 5):
        outputs, inputs, rank = sizes(answers, 3)
        pairs = [(drawn(answers, rank, inputs), drawn(answers, outputs, rank)) for _ in range(count)]
        examples = [int(size) for size in answers.random.integers(1, 900, size=count)]
        shares = [size / sum(examples) for size in examples]
        close(answers.averaging_gap(pairs, examples), gap(pairs, shares))


# ---- 7.5 extract an adapter ----------------------------------------------------------------------


def fine_tuned(s, rows, columns, seed=0):
    """(before, after) whose difference has the singular values `s`, and the U and Vᵀ of the difference."""
    U = torch.linalg.qr(normal(rows, len(s), seed=seed))[0]
    Vt = torch.linalg.qr(normal(columns, len(s), seed=seed + 1))[0].T
    before = normal(rows, columns, seed=seed + 2)
    return before, before + U * torch.tensor(s, dtype=torch.float64) @ Vt, U, Vt


def factors(seen, rows, columns, rank):
    A, B = parts(seen, 2)
    shaped(A, (rank, columns), "A", "order" if tuple(getattr(A, "shape", ())) == (rows, rank) else None)
    return A, shaped(B, (rows, rank), "B")


@graded("7.5")
def test_the_factors_have_the_rank_asked_for(answers):
    before, after, _, _ = fine_tuned([8.0, 4.0, 2.0, 1.0], 6, 4)
    factors(answers.extract(before, after, 2, 6.0), 6, 4, 2)


@graded("7.5", "not best")
def test_with_gamma_it_is_the_best_change_of_its_rank(answers):
    before, after, U, Vt = fine_tuned([8.0, 4.0, 2.0, 1.0], 6, 4)
    A, B = factors(answers.extract(before, after, 2, 6.0), 6, 4, 2)
    best = 8 * U[:, :1] @ Vt[:1] + 4 * U[:, 1:2] @ Vt[1:2]
    whole_U, whole_s, whole_Vt = torch.linalg.svd(after, full_matrices=False)
    own_U, own_s, own_Vt = torch.linalg.svd(after - before, full_matrices=False)
    known = [
        ("no gamma", 3 * best),
        ("gamma twice", best / 3),
        ("times gamma", 9 * best),
        ("alpha", best / 2),
        ("sign", -best),
        ("trained weight", whole_U[:, :2] * whole_s[:2] @ whole_Vt[:2]),
        ("no s", U[:, :2] @ Vt[:2]),
        ("s twice", 64 * U[:, :1] @ Vt[:1] + 16 * U[:, 1:2] @ Vt[1:2]),
        ("smallest", 2 * U[:, 2:3] @ Vt[2:3] + U[:, 3:] @ Vt[3:]),
        ("V for Vt", own_U[:, :2] * own_s[:2] @ own_Vt.T[:2]),
    ]
    close(3 * B @ A, best, known=known)


@graded("7.5", "V for Vt")
def test_a_wide_matrix_and_a_gamma_below_one(answers):
    before, after, U, Vt = fine_tuned([5.0, 3.0], 3, 8, seed=20)
    A, B = factors(answers.extract(before, after, 1, 0.25), 3, 8, 1)
    best = 5 * U[:, :1] @ Vt[:1]
    close(0.25 * B @ A, best, known={"gamma twice": 4 * best, "no gamma": best / 4, "times gamma": best / 16})


@graded("7.5", "not best")
def test_a_change_of_low_rank_is_found_whole(answers):
    before, after, _, _ = fine_tuned([7.0, 5.0], 9, 6, seed=30)
    A, B = factors(answers.extract(before, after, 2, 5.0), 9, 6, 2)
    close(before + 5 / 2 * B @ A, after)


@graded("7.5", "V for Vt")
def test_full_rank_brings_back_everything(answers):
    before, after, _, _ = fine_tuned([4.0, 3.0, 2.0], 5, 3, seed=40)
    A, B = factors(answers.extract(before, after, 3, 1.5), 5, 3, 3)
    close(before + B @ A / 2, after)


@graded("7.5", "not best")
def test_what_is_missing_are_the_dropped_singular_values(answers):
    before, after, _, _ = fine_tuned([6.0, 3.0, 2.0], 7, 4, seed=50)
    A, B = factors(answers.extract(before.float(), after.float(), 1, 8.0), 7, 4, 1)
    close(float((after - before - 8 * B.double() @ A.double()).norm()), math.sqrt(13), tolerance=1e-5)


@graded("7.5")
def test_random_changes_are_extracted_as_well_as_can_be(answers):
    for _ in range(5):
        outputs, inputs = sizes(answers, 2)
        s = torch.from_numpy(8 * answers.random.uniform(0.5, 0.9, size=min(outputs, inputs)).cumprod())
        U, V = (torch.linalg.qr(drawn(answers, side, len(s)))[0] for side in (outputs, inputs))
        before, rank = drawn(answers, outputs, inputs), int(answers.random.integers(1, len(s) + 1))
        alpha = float(answers.random.uniform(0.2, 20))
        A, B = factors(answers.extract(before, before + U * s @ V.T, rank, alpha), outputs, inputs, rank)
        close(alpha / rank * B @ A, U[:, :rank] * s[:rank] @ V[:, :rank].T)


# ---- 7.6 hot swap --------------------------------------------------------------------------------

BASE = 0.1 * normal(4, 7, seed=7)
ROWS = normal(5, 7, seed=8)


def server(answers):
    """A base with the adapters "one" (γ = 3) and "two" (γ = 1/2)."""
    swap = answers.HotSwap(BASE)
    swap.add("one", *ONE)
    swap.add("two", *TWO)
    return swap


def with_change(*deltas):
    return ROWS @ (BASE + sum(deltas)).T


@graded("7.6")
def test_the_adapter_that_is_named_is_used(answers):
    one, two = change(*ONE), change(*TWO)
    known = [
        ("last added", with_change(two)),
        ("all active", with_change(one, two)),
        ("no gamma", with_change(one / 3)),
        ("no gamma", with_change(2 * one)),
        ("shared gamma", with_change(one / 6)),
        ("shared gamma", with_change(one / 4)),  # alpha 1.5, with its own rank 2
        ("shared gamma", with_change(one * 2 / 3)),  # its own alpha 6, with rank 3
        ("none", with_change(0)),
    ]
    close(server(answers).serve(ROWS, "one"), with_change(one), known=known)


@graded("7.6")
def test_the_next_call_may_name_another(answers):
    swap, one, two = server(answers), change(*ONE), change(*TWO)
    swap.serve(ROWS, "one")
    known = [
        ("still active", with_change(one, two)),
        ("still active", with_change(one)),
        ("shared gamma", with_change(6 * two)),
        ("shared gamma", with_change(4 * two)),  # alpha 6, with its own rank 3
        ("shared gamma", with_change(two * 3 / 2)),  # its own alpha 1.5, with rank 2
    ]
    close(swap.serve(ROWS, "two"), with_change(two), known=known)


@graded("7.6", raises=dict.fromkeys(("KeyError", "TypeError"), "none"))
def test_none_is_the_base(answers):
    known = {"none": with_change(change(*ONE)), "last added": with_change(change(*TWO))}
    close(server(answers).serve(ROWS, None), with_change(0), known=known)
    close(answers.HotSwap(BASE).serve(ROWS, None), with_change(0))


@graded("7.6", "still active")
def test_none_is_the_base_after_other_calls_too(answers):
    swap = server(answers)
    swap.serve(ROWS, "one")
    close(swap.serve(ROWS, None), with_change(0))


@graded("7.6", "drift")
def test_the_base_stays_the_same_to_the_bit(answers):
    swap = server(answers)
    before = swap.serve(ROWS, None)
    for name in ("one", "two", "one"):
        close(swap.serve(ROWS, name), with_change(change(*(ONE if name == "one" else TWO))))
    after = swap.serve(ROWS, None)
    require(torch.equal(before, after), f"the base's results differ by up to {(after - before).abs().max():.2g}")


@graded("7.6")
def test_an_unknown_name_is_an_error(answers):
    swap = server(answers)
    for name in ("three", ""):
        refused(lambda name=name: swap.serve(ROWS, name), "KeyError", f'serve(x, "{name}") gave a result', "unknown")


@graded("7.6", "not replaced")
def test_an_adapter_can_be_replaced(answers):
    swap = server(answers)
    swap.add("one", *THREE)
    close(swap.serve(ROWS, "one"), with_change(change(*THREE)))
    close(swap.serve(ROWS, "two"), with_change(change(*TWO)))


@graded("7.6")
def test_random_adapters_are_served_in_any_order(answers):
    outputs, inputs = sizes(answers, 2)
    base, x = drawn(answers, outputs, inputs), drawn(answers, 3, inputs)
    swap, known = answers.HotSwap(base), {}
    before = swap.serve(x, None)
    for step in range(16):
        name = f"client {answers.random.integers(5)}"
        if step < 2 or not answers.random.integers(3):  # a new one, or one that takes the place of an old one
            known[name] = adapter(answers, outputs, inputs)
            swap.add(name, *known[name])
        name = str(answers.random.choice(list(known)))
        close(swap.serve(x, name), x @ (base + change(*known[name])).T)
    after = swap.serve(x, None)
    close(after, x @ base.T)
    require(torch.equal(before, after), f"the base's results differ by up to {(after - before).abs().max():.2g}")
