"""The graded tests of chapter 6. Every size differs from every other, so that no two wrong formulas agree by chance."""

import torch

from minilm import flops
from minilm.activations import activation_parts
from minilm.grading.expect import close, equal, graded, like, parts, require
from minilm.memory import measure, predict, states
from minilm.model import Config
from minilm.optim import AdamW


def drawn(answers, count, largest=40, least=1):
    """Whole numbers that nobody can know beforehand."""
    return [int(number) for number in answers.random.integers(least, largest + 1, size=count)]


# ---- 6.1 sixteen bytes, or twelve ----------------------------------------------------------------


@graded("6.1")
def test_gradients_are_for_what_learns(answers):
    weights, gradients, optimizer = parts(answers.training_bytes(7, 50, True), 3)
    equal(gradients, 14, known={"frozen": 114, "wide": 28, "bits": 112}, case="the gradients")


@graded("6.1")
def test_adam_keeps_two_moments_for_what_learns(answers):
    weights, gradients, optimizer = parts(answers.training_bytes(7, 50, False), 3)
    known = [("frozen", 456), ("frozen", 684), ("moments", 28), ("moments", 14), ("master always", 84), ("bits", 448)]
    equal(optimizer, 56, known=known, case="the optimizer")


@graded("6.1")
def test_the_master_copy_is_the_optimizers(answers):
    weights, gradients, optimizer = parts(answers.training_bytes(7, 50, True), 3)
    equal(
        weights,
        114,
        known={"frozen forgotten": 14, "wide": 228, "master in weights": 142, "bits": 912},
        case="the weights",
    )
    equal(optimizer, 84, known={"no master": 56, "frozen": 284, "narrow master": 70}, case="the optimizer")


@graded("6.1")
def test_a_trillion_numbers_take_sixteen_or_twelve_terabytes(answers):
    weights, gradients, optimizer = parts(answers.training_bytes(10**12, 0, True), 3)
    equal(weights, 2 * 10**12, known={"wide": 4 * 10**12}, case="the weights")
    equal([weights, gradients, optimizer], [2 * 10**12, 2 * 10**12, 12 * 10**12])
    equal(sum(parts(answers.training_bytes(10**12, 0, False), 3)), 12 * 10**12, case="all three together")


@graded("6.1", "frozen")
def test_a_model_that_does_not_learn_is_its_weights(answers):
    equal(answers.training_bytes(0, 9, True), (18, 0, 0))


@graded("6.1")
def test_random_models_take_what_they_take(answers):
    for master, convention in ((True, "mixed16"), (False, "mixed16_no_master")) * 3:
        trained, frozen = (int(10**power) for power in answers.random.uniform(0, 12, size=2))
        wanted = states(trained, frozen, convention)
        seen = answers.training_bytes(trained, frozen, master)
        equal(seen, (wanted.weights, wanted.gradients, wanted.optimizer))


# ---- 6.2 what a linear layer keeps ---------------------------------------------------------------


@graded("6.2")
def test_full_fine_tuning_keeps_the_input(answers):
    known = [
        ("output", 504),
        ("output", 360 + 504),
        ("weights", 360 + 4 * 35),
        ("numbers", 90),
        ("numbers", 180),
        ("tokens", 20),
        ("tokens", 60),
        ("tokens", 120),
    ]
    equal(answers.linear_kept("full", 3, 6, 5, 7, 2, 4), 360, known=known)


@graded("6.2")
def test_lora_keeps_the_input_all_the_same(answers):
    known = [
        ("lora drops x", 144),
        ("lora drops x", 0),
        ("x A forgotten", 360),
        ("weights", 504 + 4 * 2 * 12),
        ("weights", 360 + 4 * 2 * 12),
        ("output", 504 + 504),
        ("x twice", 360 + 504),
    ]
    equal(answers.linear_kept("lora", 3, 6, 5, 7, 2, 4), 504, known=known)


@graded("6.2", "frozen keeps x")
def test_a_frozen_layer_keeps_nothing(answers):
    equal(answers.linear_kept("frozen", 3, 6, 5, 7, 2, 4), 0)


@graded("6.2", "numbers")
def test_sixteen_bits_take_half_as_much(answers):
    equal(answers.linear_kept("lora", 3, 6, 5, 7, 2, 2), 252)


@graded("6.2", "tokens")
def test_what_is_kept_grows_with_the_tokens(answers):
    one, more = (answers.linear_kept("full", 1, context, 5, 7, 2, 4) for context in (1, 8))
    equal([one, more], [20, 160])
    equal(answers.linear_kept("lora", 2, 1, 11, 3, 1, 2), 48)


@graded("6.2")
def test_random_layers_keep_what_a_layer_of_a_model_keeps(answers):
    for size in (2, 4, 2, 4):
        batch, context, inputs, outputs, rank = drawn(answers, 5)
        shape = Config(8, 2 * outputs, inputs, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1)
        adapted = {"model.layers.0.mlp.down_proj": rank}  # from `inputs` to 2 * `outputs`, and the only one that learns
        kept = activation_parts(shape, batch, context, size, adapted)
        x, low = kept["projections: input"], kept["adapters: x A^T"]
        for method, wanted in (("full", x), ("lora", x + low), ("frozen", 0)):
            equal(answers.linear_kept(method, batch, context, inputs, 2 * outputs, rank, size), wanted)


# ---- 6.3 the part that grows with T² -------------------------------------------------------------


@graded("6.3")
def test_q_k_and_v_are_kept(answers):
    linear, square = parts(answers.attention_kept(5, 6, 7, 11, 4), 2)
    known = [
        ("swapped", 5880),
        ("fewer than three", 9240),
        ("fewer than three", 18480),
        ("output", 36960),
        ("one head", 4620),
        ("one sequence", 5544),
        ("numbers", 6930),
        ("numbers", 13860),
    ]
    equal(linear, 27720, known=known, case="what grows with T")


@graded("6.3")
def test_the_weights_are_kept_once(answers):
    linear, square = parts(answers.attention_kept(5, 6, 7, 11, 4), 2)
    known = [
        ("scores", 11760),
        ("scores", 17640),
        ("half", 2940),
        ("half", 5 * 6 * 28 * 4),
        ("one head", 980),
        ("one sequence", 1176),
        ("numbers", 1470),
        ("not squared", 840),
    ]
    equal(square, 5880, known=known, case="what grows with T²")


@graded("6.3", "not squared")
def test_twice_the_context_is_four_times_the_weights(answers):
    short, long = (parts(answers.attention_kept(2, 3, context, 5, 2), 2) for context in (16, 32))
    equal(long[1], 4 * short[1], case="what grows with T²")
    equal(long[0], 2 * short[0], case="what grows with T")


@graded("6.3", "numbers")
def test_sixteen_bits_halve_both_parts(answers):
    equal(answers.attention_kept(5, 6, 7, 11, 2), (13860, 2940))


@graded("6.3")
def test_random_attention_keeps_what_that_of_a_model_keeps(answers):
    for size in (2, 4, 2, 4):
        batch, heads, context, half = drawn(answers, 4)
        shape = Config(8, 2 * half * heads, 1, 1, heads, heads)
        kept = activation_parts(shape, batch, context, size)
        wanted = kept["attention: q, k, v"], kept["attention: weights"]
        equal(answers.attention_kept(batch, heads, context, 2 * half, size), wanted)


# ---- 6.4 the arithmetic of LoRA ------------------------------------------------------------------


@graded("6.4")
def test_full_fine_tuning_makes_three_products(answers):
    known = {"multiply-adds": 4500, "forward only": 3000, "backward once": 6000}
    equal(answers.training_flops(30, 50, None), 9000, known=known)


@graded("6.4")
def test_lora_leaves_out_one_of_them_and_adds_thin_ones(answers):
    known = [
        ("a third", 3000 + 960),
        ("all three", 9000 + 960),
        ("all three", 9000),
        ("only the adapter", 960),
        ("adapter free", 6000),
        ("adapter free", 6000 + 320),
        ("adapter free", 6000 + 640),
        ("square", 6000 + 720),
        ("square", 6000 + 1200),
        ("multiply-adds", 3480),
        ("forward only", 3000 + 320),
    ]
    equal(answers.training_flops(30, 50, 2), 6960, known=known)


@graded("6.4", "a third")
def test_lora_never_saves_more_than_a_third(answers):
    full, lora = (like(answers.training_flops(4096, 4096, rank), 1) for rank in (None, 1))
    require(2 * full < 3 * lora < 2.01 * full, f"rank 1 on 4096 x 4096: {lora} FLOPs, and {full} for full fine-tuning")


@graded("6.4")
def test_the_break_even_rank_of_a_matrix_that_is_not_square(answers):
    known = [("parameters", 18.75), ("sixth", 5.0), ("sixth", 50 / 6), ("sixth", 80 / 12), ("rounded", 6.0)]
    close(answers.break_even_rank(30, 50), 6.25, known=known)


@graded("6.4", "rounded")
def test_the_break_even_rank_is_the_same_for_the_transposed_matrix(answers):
    close(answers.break_even_rank(11, 5), 55 / 48)
    close(answers.break_even_rank(5, 11), 55 / 48)


@graded("6.4")
def test_at_the_break_even_rank_both_cost_the_same(answers):
    for inputs, outputs in ((192, 192), (24, 12)):
        rank = float(answers.break_even_rank(inputs, outputs))
        full, below, above = (answers.training_flops(inputs, outputs, r) for r in (None, int(rank) - 1, int(rank) + 1))
        require(
            below < full < above, f"FLOPs of {inputs} x {outputs}, full: {full}, around rank {rank}: {below}, {above}"
        )


@graded("6.4")
def test_random_layers_do_the_arithmetic_that_minilm_counts(answers):
    for _ in range(6):
        inputs, outputs, rank = drawn(answers, 3, 5000)
        full = flops.Flops()
        full.product(inputs * outputs, True, True)
        equal(answers.training_flops(inputs, outputs, None), full.total)
        wanted = round(full.total * flops.layer_ratio(inputs, outputs, rank))
        equal(answers.training_flops(inputs, outputs, rank), wanted)
        close(answers.break_even_rank(inputs, outputs), flops.break_even_rank(inputs, outputs))


# ---- 6.5 the largest model that fits -------------------------------------------------------------


@graded("6.5")
def test_the_scales_are_counted_in(answers):
    known = [
        ("scales", 4.0),
        ("scales", 4.25),
        ("scales", 4.0078125),
        ("per group", 4.5),
        ("per group", 4.25 + 0.0625),
        ("plain scales", 5.0),
        ("plain scales", 5.0078125),
        ("bits", 4.2578125 / 8),
    ]
    close(answers.quantized_bits(32, 128), 4.2578125, known=known)


@graded("6.5")
def test_full_fine_tuning_takes_sixteen_bytes_each(answers):
    known = [
        ("GiB", int(72 * 2**30 / 16)),
        ("twelve", 6_000_000_000),
        ("activations", 5_000_000_000),
        ("full has none", int(72e9 / 16.32)),
        ("full has none", int(72e9 / 16 / 1.02)),
        ("bits", 562_500_000),
        ("rounded up", 4_500_000_001),
    ]
    equal(answers.largest_model("full", 80.0, 8.0, 0.02), 4_500_000_000, known=known)


@graded("6.5")
def test_lora_carries_the_adapter_on_top_of_a_frozen_base(answers):
    known = [
        ("GiB", int(21 * 2**30 / 2.32)),
        ("twelve", int(21e9 / 2.24)),
        ("activations", int(24e9 / 2.32)),
        ("adapter free", 10_500_000_000),
        ("adapter frozen", int(21e9 / 2.04)),
        ("adapter frozen", int(21e9 / 2.08)),
        ("share", int(21e9 / 18)),
        ("share", int(21e9 / 2.0032)),
        ("base trained", int(21e9 / 16.32)),
        ("base trained", int(21e9 / 16)),
        ("rounded up", int(21e9 / 2.32) + 1),
    ]
    equal(answers.largest_model("lora", 24.0, 3.0, 0.02), 9_051_724_137, known=known)


@graded("6.5")
def test_qlora_shrinks_the_base_and_not_the_adapter(answers):
    bits = 4.126953125
    known = [
        ("not quantized", int(21e9 / 2.32)),
        ("scales", int(21e9 / 0.82)),
        ("scales", int(21e9 / (4.125 / 8 + 0.32))),
        ("bits", int(21e9 / (bits + 0.32))),
        ("adapter free", int(21e9 / (bits / 8))),
        ("adapter frozen", int(21e9 / (bits / 8 * 1.02))),
        ("adapter frozen", int(21e9 / (bits / 8 + 0.04))),
        ("share", int(21e9 / (bits / 8 + 16))),
        ("twelve", int(21e9 / (bits / 8 + 0.24))),
        ("rounded up", int(21e9 / (bits / 8 + 0.32)) + 1),
    ]
    equal(answers.largest_model("qlora", 24.0, 3.0, 0.02), int(21e9 / (bits / 8 + 0.32)), known=known)


@graded("6.5", "share")
def test_an_adapter_of_no_size_costs_nothing(answers):
    equal(answers.largest_model("lora", 17.0, 4.0, 0.0), 6_500_000_000)


@graded("6.5", "rounded up")
def test_what_does_not_fit_as_a_whole_does_not_count(answers):
    equal(answers.largest_model("lora", 14.0, 3.0, 0.25), 1_833_333_333)
    equal(answers.largest_model("full", 14.0, 3.0, 0.25), 687_500_000)


@graded("6.5")
def test_four_bits_hold_almost_four_times_the_model(answers):
    full, lora, qlora = (
        like(answers.largest_model(method, 9.0, 1.0, 0.001), 1) for method in ("full", "lora", "qlora")
    )
    seen = f"in 8 GB: {full} with full, {lora} with lora, {qlora} with qlora"
    require(7.5 * full < lora < 8 * full and 3.5 * lora < qlora < 4 * lora, seen)


def largest(total, room):
    """The largest n whose total(n) bytes fit into `room`; None where rounding might decide."""
    fits, not_any_more = 0, 10**13
    while not_any_more - fits > 1:
        middle = (fits + not_any_more) // 2
        fits, not_any_more = (middle, not_any_more) if total(middle) <= room else (fits, middle)
    return fits if total(fits) + 1e-3 < room < total(fits + 1) - 1e-3 else None


@graded("6.5")
def test_random_devices_hold_what_fits_and_no_more(answers):
    for _ in range(4):
        block, group = drawn(answers, 2, 500)
        bits = 4 * block * group + 8 * group + 32  # of one whole group
        close(answers.quantized_bits(block, group), bits / (block * group))
        gigabytes, activations, share = (float(value) for value in answers.random.uniform((9, 0, 1e-3), (99, 8, 0.2)))
        totals = {
            "full": lambda n: states(n).total,
            "lora": lambda n, share=share: states(n * share, n).total,
            "qlora": lambda n, share=share: states(n * share).total + n * 4.126953125 / 8,
        }
        for method, total in totals.items():
            wanted = largest(total, (gigabytes - activations) * 10**9)
            if wanted is not None:
                equal(answers.largest_model(method, gigabytes, activations, share), wanted)


# ---- 6.6 measure what is in memory ---------------------------------------------------------------

NO_GRADIENT = {"AttributeError": "no gradient", "TypeError": "no gradient"}


def trained(answers, *layers, optimizer="AdamW", steps=2, width=5, dtype=torch.float32):
    """(module, its optimizer) after some steps; the last gradients are still there."""
    module = answers.make("torch.nn.Sequential", *layers) if len(layers) > 1 else layers[0]
    optimizer = answers.make(f"torch.optim.{optimizer}", module.parameters(), lr=0.01)
    for step in range(steps):
        answers.gradients(module, torch.full((3, width), 0.5 + step, dtype=dtype))
        optimizer.step()
    return module, optimizer


@graded("6.6", "predicted", raises=NO_GRADIENT)
def test_before_the_first_step_there_are_only_weights(answers):
    layer, optimizer = trained(answers, answers.make("torch.nn.Linear", 5, 7), steps=0)
    weights, gradients, state = parts(answers.live_bytes(layer, optimizer), 3)
    equal(weights, 168, known={"one tensor": 140, "width": 84})
    equal(gradients, 0)
    equal(state, 0)


@graded("6.6", "one moment")
def test_adam_keeps_two_moments_and_a_counter(answers):
    layer, optimizer = trained(answers, answers.make("torch.nn.Linear", 5, 7))
    weights, gradients, state = parts(answers.live_bytes(layer, optimizer), 3)
    equal(weights, 168)
    equal(gradients, 168, known={"one tensor": 140})
    equal(state, 344, known={"step": 336, "one moment": 168, "one tensor": 284})


@graded("6.6", "predicted", raises=NO_GRADIENT)
def test_a_frozen_layer_has_no_gradient_and_no_state(answers):
    frozen = answers.make("torch.nn.Linear", 5, 7).requires_grad_(False)
    module, optimizer = trained(answers, frozen, answers.make("torch.nn.Linear", 7, 2))
    equal(answers.live_bytes(module, optimizer), (168 + 64, 64, 2 * 64 + 8))


@graded("6.6", "no gradient", raises=NO_GRADIENT)
def test_after_zero_grad_the_state_is_still_there(answers):
    layer, optimizer = trained(answers, answers.make("torch.nn.Linear", 5, 7))
    optimizer.zero_grad()
    equal(answers.live_bytes(layer, optimizer), (168, 0, 344))


@graded("6.6", "tied")
def test_a_layer_that_is_used_twice_is_there_once(answers):
    layer = answers.make("torch.nn.Linear", 5, 5)
    module, optimizer = trained(answers, layer, layer)
    equal(answers.live_bytes(module, optimizer), (120, 120, 248))


@graded("6.6", "width")
def test_sixteen_bit_numbers_take_two_bytes(answers):
    layer = answers.make("torch.nn.Linear", 5, 7).bfloat16()
    layer, optimizer = trained(answers, layer, dtype=torch.bfloat16)
    equal(answers.live_bytes(layer, optimizer), (84, 84, 2 * 84 + 8))


@graded("6.6", "shared")
def test_parameters_that_share_a_storage_cost_it_once(answers):
    layer = answers.make("torch.nn.Linear", 5, 7)
    answers.make("torch.nn.utils.vector_to_parameters", torch.ones(42), layer.parameters())
    layer, optimizer = trained(answers, layer, steps=0)
    equal(answers.live_bytes(layer, optimizer), (168, 0, 0))
    answers.make("torch.nn.utils.vector_to_parameters", torch.ones(50), layer.parameters())
    equal(answers.live_bytes(layer, optimizer), (200, 0, 0), known={"numbers held": (168, 0, 0)})


@graded("6.6", "tied", raises=NO_GRADIENT)
def test_a_whole_model_with_an_adapter_measures_what_was_predicted(answers):
    sizes = {"vocab_size": 31, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
             "num_attention_heads": 3, "num_key_value_heads": 3}  # fmt: skip
    model = answers.make("minilm.model.LM", answers.make("minilm.model.Config", **sizes))  # head and embedding: tied
    answers.make("minilm.lora.add_lora", model, rank=2)
    optimizer = answers.make("torch.optim.AdamW", model.parameters())
    answers.gradients(model, torch.tensor([[3, 1, 4, 1, 5]]))
    optimizer.step()
    predicted, factors = predict(Config(**sizes), "lora", rank=2), 2 * 7 * 2
    expected = (predicted.weights, predicted.gradients, predicted.optimizer + 4 * factors)  # 4: a counter each
    equal(answers.live_bytes(model, optimizer), expected)


@graded("6.6", "buffers")
def test_buffers_are_no_parameters(answers):
    module, optimizer = trained(
        answers, answers.make("torch.nn.Linear", 5, 7), answers.make("torch.nn.BatchNorm1d", 7), optimizer="SGD"
    )
    equal(answers.live_bytes(module, optimizer), (168 + 56, 168 + 56, 0))


@graded("6.6")
def test_random_layers_are_measured_in_any_state(answers):
    for kind, dtype in (("AdamW", torch.float32), ("SGD", torch.float32), ("AdamW", torch.bfloat16)):
        widths, steps, size = drawn(answers, 4, 12), int(answers.random.integers(3)), dtype.itemsize
        layers, everything, learning, tensors = [], 0, 0, 0
        for place, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            bias, learns = bool(answers.random.integers(2)), place == 1 or bool(answers.random.integers(2))
            layer = answers.make("torch.nn.Linear", inputs, outputs, bias)
            layer = layer.bfloat16() if dtype == torch.bfloat16 else layer
            layers.append(layer if learns else layer.requires_grad_(False))
            numbers = (inputs + bias) * outputs
            everything += numbers
            learning += numbers * learns
            tensors += (1 + bias) * learns
        module, optimizer = trained(answers, *layers, optimizer=kind, steps=steps, width=widths[0], dtype=dtype)
        cleared = bool(answers.random.integers(2))
        if cleared:
            optimizer.zero_grad()
        state = 2 * size * learning + 4 * tensors if steps and kind == "AdamW" else 0
        wanted = size * everything, size * learning if steps and not cleared else 0, state
        case = f"layers {widths}, {learning} of {everything} numbers learn; {kind}, {steps} steps, {dtype}"
        equal(answers.live_bytes(module, optimizer), wanted, case=case + ", then zero_grad" * cleared)


# ---- 6.7 measure what autograd keeps -------------------------------------------------------------

ROWS = torch.linspace(-1, 1, 15).view(3, 5)


def frozen(answers, inputs, outputs):
    return answers.make("torch.nn.Linear", inputs, outputs).requires_grad_(False)


@graded("6.7")
def test_a_linear_layer_keeps_its_input(answers):
    known = [("parameters", 60 + 140), ("parameters", 60 + 168), ("numbers", 15), ("output", 84), ("output", 144)]
    equal(answers.kept_bytes(answers.make("torch.nn.Linear", 5, 7), ROWS), 60, known=[*known, ("outside", 0)])


@graded("6.7", "parameters")
def test_a_frozen_layer_keeps_nothing_new(answers):
    equal(answers.kept_bytes(frozen(answers, 5, 7), ROWS), 0, known={"output": 84})


@graded("6.7", "parameters")
def test_two_thin_layers_keep_x_and_x_a(answers):
    thin = [answers.make("torch.nn.Linear", 5, 2, bias=False), answers.make("torch.nn.Linear", 2, 7, bias=False)]
    equal(answers.kept_bytes(answers.make("torch.nn.Sequential", *thin), ROWS), 60 + 24, known={"output": 60 + 24 + 84})


@graded("6.7", "twice")
def test_what_two_operations_need_is_kept_once(answers):
    layers = [
        answers.make("torch.nn.Linear", 5, 7),
        answers.make("torch.nn.ReLU"),
        answers.make("torch.nn.Linear", 7, 2),
    ]
    equal(answers.kept_bytes(answers.make("torch.nn.Sequential", *layers), ROWS), 60 + 84, known={"twice": 60 + 2 * 84})


@graded("6.7", "no gradient")
def test_the_input_needs_a_gradient_too(answers):
    module = answers.make("torch.nn.Sequential", frozen(answers, 5, 7), answers.make("torch.nn.ReLU"))
    equal(answers.kept_bytes(module, ROWS), 84, known={"no gradient": 0})


@graded("6.7", "numbers")
def test_sixteen_bits_are_kept_as_such(answers):
    layer = answers.make("torch.nn.Linear", 5, 7).bfloat16()
    equal(answers.kept_bytes(layer, ROWS.bfloat16()), 30)


def pile(answers):
    """Random layers, twice: (in the learner's process, here, the width that goes in)."""
    width = first = int(answers.random.integers(2, 9))
    theirs, ours = [], []
    for _ in range(answers.random.integers(2, 6)):
        kind = str(answers.random.choice(["Linear", "Linear", "frozen", "ReLU", "Tanh", "Softmax"]))
        args = (-1,) if kind == "Softmax" else ()
        if kind in ("Linear", "frozen"):
            args = (width, int(answers.random.integers(2, 9)), bool(answers.random.integers(2)))
            width = args[1]
        name = "Linear" if kind == "frozen" else kind
        pair = answers.make(f"torch.nn.{name}", *args), getattr(torch.nn, name)(*args)
        for layer, layers in zip(pair, (theirs, ours), strict=True):
            layers.append(layer.requires_grad_(False) if kind == "frozen" else layer)
    return answers.make("torch.nn.Sequential", *theirs), torch.nn.Sequential(*ours), first


@graded("6.7")
def test_random_layers_keep_what_minilm_measures(answers):
    for lead in ((3,), (2, 4), (5,), (1, 2)):
        module, twin, width = pile(answers)
        x = torch.from_numpy(answers.random.standard_normal((*lead, width))).float()
        inside = x.clone().requires_grad_()
        wanted = measure(twin, AdamW(twin.parameters()), lambda twin=twin, x=inside: twin(x).sum()).activations
        frozen = [not any(p.requires_grad for p in layer.parameters()) for layer in twin]
        names = [str(layer).split("(")[0] for layer in twin]
        layers = ", ".join("frozen " * (f and name == "Linear") + name for f, name in zip(frozen, names, strict=True))
        equal(answers.kept_bytes(module, x), wanted, case=f"the layers: {layers}")
