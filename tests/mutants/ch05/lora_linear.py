"""Answers to 5.5, a linear layer with its correction."""

from bank import body, right, swap, wrong

EXERCISE = "5.5"
BASE = "self.base_layer = base.requires_grad_(False)"
FACTORS = "A, B = init_factors(base.out_features, base.in_features, rank, seed)"
LEARN = "self.lora_A, self.lora_B = nn.Parameter(A), nn.Parameter(B)"
GAMMA = "self.gamma = alpha / rank"
UPDATE = "self.gamma * (x @ self.lora_A.T) @ self.lora_B.T"
RETURN = f"return self.base_layer(x) + {UPDATE}"
ANSWERS = [
    wrong("called A and B", "names", swap(LEARN, "self.A, self.B = nn.Parameter(A), nn.Parameter(B)")),
    wrong("the base called base", "names", swap("self.base_layer = base", "self.base = base")),
    wrong(
        "linear layers for A and B",
        "names",
        swap(
            LEARN,
            "self.lora_A = nn.Linear(base.in_features, rank, bias=False)\n"
            "        self.lora_B = nn.Linear(rank, base.out_features, bias=False)",
        ),
    ),
    wrong("plain tensors", "not parameters", swap(LEARN, "self.lora_A, self.lora_B = A, B")),
    wrong("in a list", "not parameters", swap(LEARN, "self.both = [nn.Parameter(A), nn.Parameter(B)]")),
    wrong(
        "buffers",
        "not parameters",
        swap(LEARN, "self.register_buffer('lora_A', A)\n        self.register_buffer('lora_B', B)"),
    ),
    wrong("B is random", "no-op", swap("nn.Parameter(B)", "nn.Parameter(torch.randn_like(B))")),
    wrong("halves the base", "no-op", swap(RETURN, f"return 0.5 * self.base_layer(x) + {UPDATE}")),
    wrong("the update alone", "no base", swap("self.base_layer(x) + ", "")),
    wrong("the base alone", "no update", swap(f" + {UPDATE}", "")),
    wrong("no gamma", "no gamma", swap("self.gamma * (x", "(x")),
    wrong("gamma is alpha", "gamma is alpha", swap(GAMMA, "self.gamma = alpha")),
    wrong("gamma upside down", "upside down", swap(GAMMA, "self.gamma = rank / alpha")),
    wrong("alpha over the root", "root", swap(GAMMA, "self.gamma = alpha / math.sqrt(rank)")),
    wrong("merged without the bias", "bias lost", swap("self.base_layer(x) +", "x @ self.base_layer.weight.T +")),
    wrong(
        "needs a bias",
        "no bias",
        swap("self.base_layer(x) +", "x @ self.base_layer.weight.T + self.base_layer.bias +"),
    ),
    wrong(
        "freezes the bias of every base",
        "no bias",
        swap(
            BASE,
            "self.base_layer = base\n"
            "        base.weight.requires_grad = False\n"
            "        base.bias.requires_grad = False",
        ),
    ),
    wrong(
        "no_grad around the update",
        "detached",
        swap(
            RETURN, f"with torch.no_grad():\n            update = {UPDATE}\n        return self.base_layer(x) + update"
        ),
    ),
    wrong("A detached", "detached", swap("self.lora_A.T)", "self.lora_A.detach().T)")),
    wrong("data of B", "detached", swap("self.lora_B.T", "self.lora_B.data.T")),
    wrong("A is frozen", "detached", swap("nn.Parameter(A)", "nn.Parameter(A, requires_grad=False)")),
    wrong("the base learns", "base learns", swap(BASE, "self.base_layer = base")),
    wrong(
        "only the weight is frozen",
        "base learns",
        swap(BASE, "self.base_layer = base\n        base.weight.requires_grad = False"),
    ),
    wrong(
        "a deep copy",
        "copy",
        swap(BASE, "import copy\n        self.base_layer = copy.deepcopy(base).requires_grad_(False)"),
    ),
    wrong("always seed 0", "seed ignored", swap("rank, seed)", "rank, 0)")),
    wrong(
        "in and out exchanged",
        "shape",
        swap("base.out_features, base.in_features", "base.in_features, base.out_features"),
    ),
    wrong("returns nothing", "type", swap("return self", "self")),
    right("F.linear", swap(UPDATE, "self.gamma * F.linear(F.linear(x, self.lora_A), self.lora_B)")),
    right(
        "the forward of 5.2",
        swap(
            RETURN,
            "base = self.base_layer\n"
            "        return lora_forward(x, base.weight, self.lora_A, self.lora_B, self.alpha, base.bias)",
        ),
        swap(GAMMA, "self.alpha = alpha"),
    ),
    right(
        "frozen one by one, numbers of its own",
        body(
            "__init__",
            """
        for parameter in base.parameters():
            parameter.requires_grad = False
        self.base_layer, self.gamma = base, alpha / rank
        side = base.in_features**-0.5
        generator = torch.Generator().manual_seed(seed)
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-side, side, generator=generator))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
    """,
        ),
    ),
    right(
        "gamma worked out in forward",
        swap(GAMMA, "self.alpha, self.rank = alpha, rank"),
        swap("self.gamma *", "self.alpha / self.rank *"),
    ),
]
