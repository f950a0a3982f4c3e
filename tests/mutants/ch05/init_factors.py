"""Answers to 5.1, A and B before the first step."""

from bank import body, right, swap, wrong

EXERCISE = "5.1"
BOUND = "bound = 1 / math.sqrt(in_features)"
DRAW = "torch.empty(rank, in_features).uniform_(-bound, bound, generator=generator)"
RETURN = "return A, torch.zeros(out_features, rank)"
KAIMING = """
    torch.manual_seed(seed)
    A = torch.empty(%s)
    torch.nn.init.kaiming_uniform_(A%s)
    return A%s, torch.zeros(out_features, rank)
"""
ANSWERS = [
    wrong("A as (in, rank)", "transposed", swap("torch.empty(rank, in_features)", "torch.empty(in_features, rank)")),
    wrong("B as (rank, out)", "transposed", swap("torch.zeros(out_features, rank)", "torch.zeros(rank, out_features)")),
    wrong("B comes first", "B first", swap(RETURN, "return torch.zeros(out_features, rank), A")),
    wrong("both are zero", "both zero", swap(RETURN, "return A * 0, torch.zeros(out_features, rank)")),
    wrong(
        "both are random",
        "both random",
        swap(RETURN, "return A, torch.empty(out_features, rank).uniform_(-bound, bound, generator=generator)"),
    ),
    wrong(
        "B is nearly zero",
        "both random",
        swap(RETURN, "return A, 1e-4 * torch.randn(out_features, rank, generator=generator)"),
    ),
    wrong("A is zero and B random", "A is zero", swap(RETURN, "return A * 0, torch.rand(out_features, rank)")),
    wrong("only positive numbers", "one sign", swap("uniform_(-bound, bound", "uniform_(0, bound")),
    wrong("torch.rand", "one sign", swap(DRAW, "bound * torch.rand(rank, in_features, generator=generator)")),
    wrong("torch.randn", "unit normal", swap(DRAW, "torch.randn(rank, in_features, generator=generator)")),
    wrong("the bound from the rank", "from the rank", swap(BOUND, "bound = 1 / math.sqrt(rank)")),
    wrong(
        "Kaiming on (in, rank), then turned",
        "from the rank",
        body("init_factors", KAIMING % ("in_features, rank", ", a=math.sqrt(5)", ".T")),
    ),
    wrong("Kaiming's own default", "other bound", body("init_factors", KAIMING % ("rank, in_features", "", ""))),
    wrong("no root", "other bound", swap(BOUND, "bound = 1 / in_features")),
    wrong("the bound as the spread", "other bound", swap(BOUND, "bound = math.sqrt(3 / in_features)")),
    wrong("Xavier", "other bound", swap(BOUND, "bound = math.sqrt(6 / (in_features + out_features))")),
    wrong(
        "a bell of the right spread",
        "bell",
        swap(DRAW, "torch.randn(rank, in_features, generator=generator) / math.sqrt(3 * in_features)"),
    ),
    wrong(
        "a bell from the size of in",
        "bell",
        swap(DRAW, "torch.randn(rank, in_features, generator=generator) / math.sqrt(in_features)"),
    ),
    wrong(
        "signs of one size",
        "bell",
        swap("    return A,", "    A = A.sign() / math.sqrt(3 * in_features)\n    return A,"),
    ),
    wrong("the seed is forgotten", "not repeatable", swap(", generator=generator", "")),
    wrong("one seed for all", "one seed", swap("manual_seed(seed)", "manual_seed(0)")),
    wrong(
        "numpy's numbers, as they come",
        "dtype",
        body(
            "init_factors",
            """
        side = in_features**-0.5
        A = np.random.default_rng(seed).uniform(-side, side, size=(rank, in_features))
        return torch.from_numpy(A), torch.zeros(out_features, rank)
    """,
        ),
    ),
    wrong("B of whole numbers", "dtype", swap(RETURN, "return A, torch.zeros(out_features, rank).long()")),
    wrong("both in half precision", "dtype", swap(RETURN, "return A.half(), torch.zeros(out_features, rank).half()")),
    wrong("numpy arrays", "type", swap(RETURN, "return A.numpy(), np.zeros((out_features, rank))")),
    wrong("only A", "type", swap(RETURN, "return A")),
    right("torch's own Kaiming", body("init_factors", KAIMING % ("rank, in_features", ", a=5**0.5", ""))),
    right(
        "torch.rand, moved and stretched",
        swap(DRAW, "(2 * torch.rand(rank, in_features, generator=generator) - 1) * bound"),
    ),
    right(
        "numpy's numbers",
        body(
            "init_factors",
            """
        side = in_features**-0.5
        A = np.random.default_rng(seed).uniform(-side, side, size=(rank, in_features))
        return torch.from_numpy(A).float(), torch.from_numpy(np.zeros((out_features, rank), dtype=np.float32))
    """,
        ),
    ),
    right(
        "the weight of a linear layer",
        body(
            "init_factors",
            """
        torch.manual_seed(seed)
        A = nn.Linear(in_features, rank, bias=False).weight.detach()
        return A, A.new_zeros(out_features, rank)
    """,
        ),
    ),
]
