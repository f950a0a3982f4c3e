"""Chapter 5, LoRA: a small correction, learned beside a weight that stays as it is."""

from ..registry import Chapter, Exercise

INIT = Exercise(
    id="5.1",
    title="A and B before the first step",
    functions=("init_factors",),
    points=2,
    difficulty=1,
    minutes=15,
    tests=6,
    hints=(
        "`torch.empty(rows, columns).uniform_(low, high, generator=...)` draws evenly between two bounds. Which "
        "bounds does the docstring name, and which side of A is `in`?",
        "A `torch.Generator()` has its own row of random numbers, and `manual_seed` says where that row begins. One "
        "that is made afresh in each call gives the same numbers for the same seed.",
        "If you use `kaiming_uniform_`: it takes the second size of the tensor for `in`, so call it on A as (rank, "
        "in). With a = √5 its bound is 1/√in; with its default it is not.",
    ),
    misconceptions={
        "transposed": "A is (rank, in) and B is (out, rank), as nn.Linear would store them: outputs first.",
        "B first": "the two are in the other order. First A, then B.",
        "dtype": "both are float32, the dtype of the model that they are added to. A factor of whole numbers cannot "
        "learn, and a float64 one does not fit x: numpy makes float64 unless it is told otherwise.",
        "both zero": "with both at zero neither ever gets a gradient, since each one's gradient is multiplied by the "
        "other. One of them has to start elsewhere.",
        "both random": "B A is not zero, so training would start from a damaged model. One of the two must be zero.",
        "A is zero": "this would start at the base, too, but here (as in the paper) A is the random one and B is zero.",
        "one sign": "the interval goes from minus the bound to plus the bound. Its middle is 0.",
        "unit normal": "these are numbers of size 1, whatever `in` is. A sum over many inputs would become huge.",
        "from the rank": "the bound was made from the rank. It comes from `in`, the number of inputs that are added "
        "up (an initialiser takes the second size of the tensor for that: which shape did it see?).",
        "other bound": "the numbers are even enough, but not between -1/√in and 1/√in.",
        "bell": "the numbers are not spread evenly: some are beyond the bound, or they crowd in the middle.",
        "not repeatable": "two calls with the same seed must give the same numbers. Is the seed used at all?",
        "one seed": "every seed gives the same numbers.",
    },
)

FORWARD = Exercise(
    id="5.2",
    title="The output with its correction",
    functions=("lora_forward",),
    points=2,
    difficulty=1,
    minutes=15,
    tests=7,
    hints=(
        "Two paths lead from x to y: the wide one through W, and the narrow one through A and then B. Write the "
        "shape behind each product.",
        "x Aᵀ is (..., r): `x @ A.T` does that for any number of leading dimensions. r is a size of A, and γ is α "
        "divided by it.",
    ),
    misconceptions={
        "no gamma": "γ is missing. The update is multiplied by α / r before it is added.",
        "gamma is alpha": "γ is α / r, not α alone.",
        "upside down": "γ is α / r, not r / α.",
        "root": "this is α / √r, the choice of rsLoRA. Here γ = α / r.",
        "over in": "α was divided by another size. r is the number of rows of A.",
        "B first": "x goes through A first: A (r, in) takes the `in` numbers of x, B (out, r) makes `out` of them.",
        "no base": "this is the update alone. The base's own output x Wᵀ comes first.",
        "no update": "this is the base alone.",
        "blended": "the base was weakened in favour of the update. It keeps its full weight: the update is added.",
        "leading": "x may have any number of leading dimensions, also none: (in,), (T, in), (B, T, in).",
        "no bias": "the bias is missing.",
        "bias": "the bias is added once, outside of γ: it belongs to the base.",
        "not transposed": "the sizes do not line up in a product. Every matrix is stored as (outputs, inputs), so x "
        "meets it transposed: x Wᵀ, x Aᵀ, and then Bᵀ.",
        "detached": "no gradient reaches x, A or B, so nothing could be trained. `torch.tensor(...)`, `.detach()`, "
        "`.data`, `.item()` and `no_grad` cut the way back: keep to operations on tensors.",
        "no-op": "with B = 0 the result must be the base's output to the last bit. Nothing else may be added.",
    },
)

GRADIENTS = Exercise(
    id="5.3",
    title="The gradients of A and B by hand",
    functions=("lora_gradients",),
    points=2,
    difficulty=3,
    minutes=25,
    tests=6,
    hints=(
        "Give the narrow middle a name: t = x Aᵀ, (N, r). Then the update is γ t Bᵀ. Which rule of the docstring "
        "gives the gradient of B, and which that of t?",
        "For B, the docstring's u is t and its V is B. For A go one step further back: first the gradient of t, (N, "
        "r), then that of A, from t = x Aᵀ.",
        "A shape can only be right in one way: dB is (out, r), made of dy (N, out) and t (N, r). The sum over the N "
        "rows is inside the product. γ stands in front of both.",
    ),
    misconceptions={
        "transposed": "a gradient has the shape of its matrix: dA is (r, in), dB is (out, r).",
        "swapped": "the two are in the other order: first dA, then dB.",
        "step 0": "each one's gradient goes through the other matrix. With B = 0 nothing reaches A, but B does "
        "learn; with A = 0 it is the other way round; with both at 0, nothing ever moves.",
        "no gamma": "γ is missing. It multiplies the update, so it multiplies both gradients.",
        "gamma is alpha": "γ is α / r, not α.",
        "gamma twice": "γ is in the gradient twice.",
        "upside down": "γ is α / r, not r / α.",
        "root": "this has γ = α / √r. Here it is α / r.",
        "mean": "this is the mean over the rows. The gradient of the loss is their sum: an average is in dy already.",
    },
)

SCALING = Exercise(
    id="5.4",
    title="Why α / r, and why α / √r",
    functions=("first_change", "growth"),
    points=2,
    difficulty=3,
    minutes=30,
    tests=7,
    hints=(
        "first_change goes in three steps: the gradient of B, the new B by the rule, and the update that this B "
        "gives for the same x. Count how often γ comes in.",
        "For growth, write Δy for one row x and one output: a sum over the r rows of A. How often does γ stand in "
        "front, with SGD, and with Adam, which divides the gradient by its own size?",
        "Only two things change with the rank: the number of terms in the sum, and γ (once or twice). Multiply what "
        "each of them does when r becomes `factor` times larger.",
    ),
    misconceptions={
        "uphill": "the sign is wrong: a step goes against the gradient.",
        "gamma once": "SGD meets γ twice: once in the gradient of B, and again when B is used.",
        "gamma twice": "Adam meets γ once: in the gradient it drops out, since only the sign is left. It is still "
        "there when B is used.",
        "no gamma": "γ is missing where the new B is used: the update is γ (x Aᵀ) Bᵀ.",
        "no lr": "the learning rate is missing.",
        "no sign": "with Adam every entry of B makes a step of the same size, lr, whatever the size of its gradient.",
        "unit length": "Adam divides each entry by its own size, not the whole matrix by its norm.",
        "B itself": "this is the new B. Asked for is what it does to the output, (N, out).",
        "row by row": "there is one step for all rows together: their gradients are added up before the rule is "
        "applied.",
        "mean": "the gradient is the sum over the rows, not their mean: an average is in dy already.",
        "no sum": "the sum over the rows of A is missing: a larger rank adds more terms of the same sign.",
        "root": "the terms were added up like random ones, whose sum grows with the root. Here B took the sign of "
        "each term, so they all pull the same way.",
        "squared": "the number of terms was counted twice. In the output there is one sum over the rows of A.",
        "upside down": "this is old rank / new rank. How much *larger* does it get?",
    },
)

LAYER = Exercise(
    id="5.5",
    title="A linear layer with its correction",
    functions=("LoRALinear",),
    uses=("5.1",),
    points=2,
    difficulty=2,
    minutes=20,
    tests=8,
    hints=(
        "A tensor in an nn.Module learns, and is saved, if it is an nn.Parameter. `base.out_features` and "
        "`base.in_features` tell the sizes.",
        "`requires_grad_(False)` on a module reaches all its parameters, and returns the module.",
        "In forward let the base do its own part, bias and all, by calling it; then add the update as in 5.2.",
    ),
    misconceptions={
        "names": "keep the names: base_layer, lora_A, lora_B, and nothing else. Saved adapters depend on them.",
        "not parameters": "A and B are not parameters of the module. A plain tensor (or a buffer) is not seen by an "
        "optimizer; nn.Parameter is.",
        "no-op": "a new layer must give exactly what its base gives. Does B start at zero?",
        "no base": "this is the update alone. The base's own output belongs to it.",
        "no update": "the update is missing from the output.",
        "no gamma": "γ is missing. The update is multiplied by α / r.",
        "gamma is alpha": "γ is α / r, not α alone.",
        "upside down": "γ is α / r, not r / α.",
        "root": "this is α / √r. Here γ = α / r.",
        "bias lost": "the base's bias is missing. Calling the base includes it.",
        "no bias": "a base may have no bias (its bias is None). Calling the base works for both.",
        "detached": "A or B gets no gradient: `no_grad`, `detach` or `.data` cuts the way back to it.",
        "base learns": "the base still learns. Its weight and its bias must not require a gradient.",
        "copy": "the base was copied. A model would then be in memory twice: keep the object itself.",
        "seed ignored": "the seed decides about A: pass it on to `init_factors`.",
    },
)

INJECT = Exercise(
    id="5.6",
    title="Adapters by name",
    functions=("inject",),
    uses=("5.1", "5.5"),
    points=3,
    difficulty=3,
    minutes=35,
    tests=8,
    hints=(
        "First only look: make a dict from full name to layer of all linear layers that may be adapted. "
        '`name.split(".")` gives the parts of a name.',
        "Then check the targets against the last parts. Only when all are known, start to change the model.",
        "A module is replaced in its parent: `model.get_submodule(name of the parent)`, then `setattr(parent, last "
        'part, new)`. `name.rpartition(".")` cuts off the last part, and get_submodule("") is the model itself.',
    ),
    misconceptions={
        "substring": "a name was compared as text. eq_proj contains q_proj, and ends with it, but is another name: "
        "compare whole parts.",
        "first only": "only the first layer of that name was adapted. Every block has one.",
        "top level": "only the children at the top were looked at. `named_modules` goes through all depths.",
        "last parts": "the full names are asked for: a saved adapter has to say which block it belongs to.",
        "everything": "every linear layer was adapted, and not only those that are named.",
        "while it changes": "the model changed while it was being walked through. Collect first (a list or a dict), "
        "then replace.",
        "not in place": "the adapter is not where the layer was. It must become an attribute of the layer's parent, "
        "under the last part of the name.",
        "order": "the names come in the order of the model, not in that of the targets.",
        "base lost": "the base's numbers are gone. The new layer must hold the old one, not a fresh linear layer.",
        "settings": "rank and alpha must reach every new layer.",
        "same A": "two layers have the same A, since they were given the same seed. Give each its own.",
        "seeds": "the seeds are 0, 1, 2, … in the order of the model, so that a run can be repeated.",
        "unknown name": "a name that fits no linear layer must be refused with a ValueError. Else a spelling mistake "
        "trains nothing, and nobody notices.",
        "one is enough": "every target must fit a layer. It is not enough that one of them does.",
        "no list": "the message should list the names that there are: that is what one needs after a spelling mistake.",
        "half done": "the model was changed before all names had been checked. Check first.",
        "twice": "a layer that has an adapter was adapted again, or offered. The linear layer inside a LoRALinear is "
        "no choice any more.",
    },
)

FREEZE = Exercise(
    id="5.7",
    title="What learns, and how much of it",
    functions=("freeze", "count"),
    points=1,
    difficulty=1,
    minutes=15,
    tests=6,
    support=("minilm.grading.support",),
    hints=(
        "Go through `model.named_parameters()` and decide for each one by its name: the last part is what counts.",
        "`parameter.numel()` is how many numbers it holds, `parameter.requires_grad` whether it learns. "
        "`model.parameters()` shows a tied parameter once.",
    ),
    misconceptions={
        "more learns": "weights of the base still learn.",
        "bias and norm": "biases or norms still learn. They would be changed and, as only A and B are saved, lost.",
        "embedding": "an embedding or a head still learns: it is not inside a linear layer that was adapted.",
        "lora in a name": "a name was searched for as text. A module may be called flora: compare the last part as a "
        "whole.",
        "frozen too": "A and B do not learn. Switch them on, whatever was set before.",
        "learning only": "the second number is that of all parameters, those that learn and those that do not.",
        "tensors": "tensors were counted. Each holds many numbers: numel().",
        "share": "two whole numbers are asked for, not a share.",
        "swapped": "first what learns, then everything.",
        "by name": "count what learns now (requires_grad), not what is called lora_A or lora_B.",
        "tied": "a parameter that is used in two places was counted twice.",
    },
)

SAVE = Exercise(
    id="5.8",
    title="Save only the adapter",
    functions=("adapter_state", "load_adapter"),
    points=2,
    difficulty=2,
    minutes=25,
    tests=9,
    support=("minilm.grading.support",),
    hints=(
        "`model.state_dict()` has everything by name. Which of it do you keep, by the last part of the name?",
        "For loading, compare two dicts first, name -> shape: that of the model's A and B, and that of the saved ones.",
        "`parameter.copy_(tensor)` writes into the parameter that is there. It has to happen under `torch.no_grad()`.",
    ),
    misconceptions={
        "whole model": "this is the whole model, a copy of the base for every adapter.",
        "lora in a name": "a name was searched for as text. A module may be called flora: compare the last part as a "
        "whole.",
        "more than A and B": "there is something of the base in it. Only lora_A and lora_B are saved.",
        "only one": "both factors are needed, A and B: A moved in training, too.",
        "names": "keep the full names as in model.state_dict(): which block does an A belong to?",
        "not copied": "the numbers did not arrive in the model. A name (or a dict) that points to a new tensor "
        "changes no parameter.",
        "in place": "a parameter that learns cannot be changed in place while gradients are recorded: copy under "
        "`torch.no_grad()`.",
        "strict": "load_state_dict wanted the whole model. An adapter holds only a part of it.",
        "unfit": "an adapter whose names are not exactly the model's was loaded. Part of it went nowhere, or part of "
        "the model kept its old numbers: that must be a ValueError.",
        "other error": "it is refused, but not with the ValueError that was agreed on. Compare names and shapes "
        "yourself, and first.",
        "half done": "something had changed already when the ValueError came. Check everything first.",
        "shape": "an adapter of another rank was loaded: `copy_` spreads one row over all of them without a word. "
        "Compare the shapes.",
        "order": "names were compared (or matched) by their order. A dict is looked up by name: another order is the "
        "same adapter.",
        "dtype": "the parameters took over the saved tensors, dtype and all: `.data = ...` does not copy, so that the "
        "model and the dict share their memory, too. Copy the numbers into the parameters.",
        "new parameters": "the parameters were replaced by new ones. An optimizer still holds the old ones, and "
        "trains these: copy the numbers instead.",
    },
)

ADAPT = Exercise(
    id="5.9",
    title="Milestone: teach the shipped base a new play",
    functions=("adapt",),
    uses=("5.1", "5.2", "5.5", "5.6", "5.7"),
    points=2,
    difficulty=2,
    minutes=30,
    tests=5,
    seconds=60.0,
    support=("minilm.pretrained",),
    hints=(
        "The order matters: adapters first, then freezing, then the optimizer, which must see A and B.",
        "ids (B, T + 1) hold both sides: all but the last token go in, all but the first are what should come out. "
        "`F.cross_entropy` wants (tokens, V) and (tokens,).",
        "A step is: forward, loss, clear the old gradients, backward, step. `loss.item()` is the loss as a float.",
    ),
    misconceptions={
        "no adapter": "there is no adapter in the model. Call `inject` on it.",
        "base changed": "the base has changed. Only A and B may learn: `freeze` before the training.",
        "nothing learned": "the adapters are as they began. Does the optimizer hold them, and does it make steps? "
        "One that was made before `inject` has never heard of them.",
        "one per batch": "each batch is used once, and gives one loss.",
        "no shift": "the loss compares with the tokens that went in. logits[:, t] are about token t + 1.",
        "gradients add up": "the gradients of earlier steps were not cleared.",
        "after the step": "the loss was measured after the step. It comes from the same forward pass as the gradient.",
        "other optimizer": "these are not the steps of AdamW.",
        "sum": "the loss is the sum over the tokens. Their mean is asked for.",
        "bits": "the loss is in bits. Here it stays in nats, the natural logarithm.",
        "fixed lr": "`lr` was not used: AdamW took its default.",
        "settings": "the losses are nearly right, and A and B are not. Is it AdamW, with nothing set but lr? Plain "
        "Adam has no decay, and other betas or another decay lead elsewhere.",
        "too little": "your LoRA runs, but hardly learned anything of the play. Does every batch reach it, whole, "
        "and do all targets get an adapter?",
    },
)

CHAPTER = Chapter(
    5,
    "LoRA",
    (INIT, FORWARD, GRADIENTS, SCALING, LAYER, INJECT, FREEZE, SAVE, ADAPT),
    imports=("torch", "torch._dynamo"),
)
