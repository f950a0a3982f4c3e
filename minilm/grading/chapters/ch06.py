"""Chapter 6, memory: bytes and arithmetic, predicted and then measured."""

from ..registry import Chapter, Exercise

STATES = Exercise(
    id="6.1",
    title="Sixteen bytes, or twelve",
    functions=("training_bytes",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=6,
    hints=(
        "Make a table with one row per part (weight, gradient, first moment, second moment, master copy) and two "
        "columns: bytes for a trained number, bytes for a frozen one.",
        "16 bits are 2 bytes, 32 bits are 4. The trained column must add up to 16 with the master copy. What is left "
        "in the frozen one?",
    ),
    misconceptions={
        "frozen": "frozen numbers were given gradients or optimizer state. They never change, so they need neither; "
        "that is what LoRA saves.",
        "frozen forgotten": "the frozen weights are missing. They do not learn, but the forward pass needs them.",
        "wide": "weights and gradients are in 16 bits here: 2 bytes each, not 4.",
        "moments": "AdamW keeps two moments for each trained number, 32 bits each.",
        "no master": "the master copy is missing: one more number of 32 bits for each trained one.",
        "master always": "the master copy was counted where there is none.",
        "master in weights": "the master copy was counted as a weight. Here it belongs to the optimizer.",
        "narrow master": "a master copy in 16 bits would round small updates away like the weight itself. It has 32.",
        "bits": "these are bits. 8 of them are a byte.",
    },
)

LINEAR = Exercise(
    id="6.2",
    title="What a linear layer keeps",
    functions=("linear_kept",),
    points=1,
    difficulty=2,
    minutes=15,
    tests=6,
    hints=(
        "For each method write down every product of two factors, and under each factor whether it needs a gradient. "
        "Where the one does, the other is kept.",
        "LoRA has three products: x with Wᵀ, x with Aᵀ, and x Aᵀ with Bᵀ. W is frozen, but who else multiplies x? And "
        "what does the gradient of B need?",
    ),
    misconceptions={
        "lora drops x": "W is frozen, but A learns, and A multiplies the same x. So x is kept all the same: LoRA "
        "hardly shrinks the activations.",
        "x A forgotten": "the gradient of B needs the other factor of its product, x Aᵀ.",
        "output": "the output y was counted. Neither factor's gradient needs the product itself.",
        "frozen keeps x": "x is kept for the gradient of W. A frozen W has none, and the gradient of x needs W only.",
        "weights": "matrices were counted. They are in memory anyway; count what the tokens leave behind.",
        "numbers": "these are numbers, not bytes: `size` is missing, or fixed.",
        "tokens": "each of the B x T tokens leaves its own row.",
        "x twice": "x stands in two products, but it is one tensor, kept once.",
    },
)

ATTENTION = Exercise(
    id="6.3",
    title="The part that grows with T²",
    functions=("attention_kept",),
    points=1,
    difficulty=2,
    minutes=15,
    tests=5,
    hints=(
        "There are two products, q with kᵀ and weights with v, and all four factors need a gradient. List what each "
        "factor needs, and strike out what is listed twice.",
        "The softmax keeps its own result. Is that tensor on your list already? Now write down the shape of each "
        "tensor on it: which have T in them twice?",
    ),
    misconceptions={
        "scores": "two tensors T x T were counted. The softmax needs only its result, which the product with v needs "
        "as well: one tensor.",
        "half": "half of the T x T places are masked, but they are stored like the others.",
        "one head": "each head has its own q, k, v and weights.",
        "fewer than three": "all of q, k and v are kept: q for the gradient of k, k for that of q, v for that of the "
        "weights.",
        "output": "out was counted. No gradient inside attention needs it (the layer behind it keeps it).",
        "not squared": "every one of the T tokens looks at T tokens: T x T weights per head.",
        "numbers": "these are numbers, not bytes: `size` is missing, or fixed.",
        "one sequence": "the batch is missing: every sequence has its own q, k, v and weights.",
        "swapped": "the two are in the other order: first what grows with T, then what grows with T².",
    },
)

FLOPS = Exercise(
    id="6.4",
    title="The arithmetic of LoRA",
    functions=("training_flops", "break_even_rank"),
    points=2,
    difficulty=2,
    minutes=20,
    tests=7,
    hints=(
        "Three products of one size: forward, the gradient of the input, the gradient of the matrix. Which of the "
        "three does a frozen matrix save?",
        "A and B are small matrices that learn: each costs all three products, with its own size. Check your formula "
        "with rank 1, where it must be close to two thirds of full fine-tuning.",
        "For the break-even rank, set both formulas equal and solve for the rank. It is proportional to out * in.",
    ),
    misconceptions={
        "multiply-adds": "a multiplication and an addition are two operations: 2 FLOPs per number and token.",
        "forward only": "this is the forward pass. The backward pass makes more products of the same size.",
        "backward once": "the backward pass of a layer that learns makes two products: one for its input, one for its "
        "matrix.",
        "a third": "the gradient passes through the frozen W on its way to the layers below: only the product for the "
        "gradient of W is saved, a third of the work.",
        "all three": "the frozen W was given a gradient. LoRA leaves that product out.",
        "only the adapter": "W is frozen, but x is still multiplied by it.",
        "adapter free": "the adapter's own products are missing or too few: A and B learn, so each makes all three.",
        "square": "A has r * in numbers and B out * r. Twice the one is right for a square W only.",
        "parameters": "this is where A and B hold as many numbers as W. Arithmetic breaks even earlier.",
        "sixth": "a sixth of the side is right for a square W only.",
        "rounded": "the break-even point is rarely a whole number: return it as it is.",
    },
)

LARGEST = Exercise(
    id="6.5",
    title="The largest model that fits",
    functions=("quantized_bits", "largest_model"),
    points=2,
    difficulty=2,
    minutes=20,
    tests=8,
    hints=(
        "How many scales of 8 bits are there per weight? One for every `block` weights: 1 / block. And how many of 32 "
        "bits?",
        "Find the bytes that one number of the base costs, the adapter's share of them included. Then it is one "
        "division.",
        "Mind the units: bits or bytes, GB or bytes. And an adapter's numbers are trained, so each costs what a "
        "trained number costs.",
    ),
    misconceptions={
        "scales": "the scales are missing, or one kind of them. They cost little, and at this size little is millions.",
        "per group": "a group is `group` blocks of `block` weights each: its scale is shared by all of these weights.",
        "plain scales": "the scales of the blocks have 8 bits: that is what the second kind of scale is for.",
        "GiB": "a GB is 10**9 bytes. 2**30 bytes are a GiB, 7 % more.",
        "twelve": "16 bytes per trained number are asked for, with the master copy.",
        "activations": "the memory for the activations was not left free.",
        "adapter free": "the adapter is missing. It is small, but each of its numbers costs 16 bytes.",
        "adapter frozen": "the adapter's numbers are trained: they need gradients and optimizer state too.",
        "share": "the adapter has `share` numbers for each number of the base: a share of 1, not a percentage, and "
        "not all of them.",
        "base trained": "the base is frozen: weights only, no gradients, no optimizer state.",
        "bits": "bits and bytes are mixed up: 8 bits are one byte.",
        "not quantized": "QLoRA's base is stored in 4 bits and a little, not in 16.",
        "rounded up": "rounded up, the model no longer fits.",
        "full has none": "full fine-tuning has no adapter, whatever the share.",
    },
)

LIVE = Exercise(
    id="6.6",
    title="Measure what is in memory",
    functions=("live_bytes",),
    points=2,
    difficulty=3,
    minutes=25,
    seconds=10.0,  # torch loads a good deal when the first optimizer is made
    tests=10,
    support=("minilm.model", "minilm.lora"),
    hints=(
        "Write one helper that takes any tensors and adds up their bytes, then use it three times. What should it do "
        "with None?",
        "The helper should meet each storage once: a dict from address to bytes does that by itself.",
        "`optimizer.state` is empty before the first step. Afterwards each entry is a small dict; look at one with "
        "`print` before you decide what to add.",
    ),
    misconceptions={
        "no gradient": "a parameter without a gradient has `p.grad` None: before the first backward pass, after "
        "zero_grad, and always when it is frozen. It costs nothing.",
        "predicted": "this was computed from the parameters. Look at what is there: gradients and state may be "
        "missing.",
        "tied": "a weight that is used in two places was counted twice.",
        "shared": "two parameters that are parts of one storage cost that storage once.",
        "numbers held": "the parameter shows only a part of its storage, but all of it stays in memory: ask the "
        "storage for its bytes.",
        "width": "each tensor has its own dtype: a 16-bit number takes 2 bytes.",
        "step": "every tensor in the state counts, the counter of the steps too: 4 bytes for each parameter tensor.",
        "buffers": "buffers (a running mean, say) were counted. They are in the state dict, but no parameters.",
        "one moment": "AdamW keeps two moments. Go through all values of each entry of the state.",
        "one tensor": "only one parameter was looked at. Add up all of them.",
    },
)

KEPT = Exercise(
    id="6.7",
    title="Measure what autograd keeps",
    functions=("kept_bytes",),
    points=1,
    difficulty=3,
    minutes=20,
    tests=7,
    hints=(
        "Begin with a `pack` that prints the shape of each tensor and returns it, and call a Linear. Which of the "
        "shapes do you expect, and which not?",
        "Let `pack` write address and bytes of the storage into a dict that was made outside of it.",
        "The addresses of the parameters' storages are known before the call: leave those out of the sum.",
    ),
    misconceptions={
        "parameters": "parameters were counted. Autograd keeps a view of W, another tensor on the same storage: "
        "compare addresses of storages.",
        "twice": "one storage was counted more than once. What one layer puts out may be what the next one keeps as "
        "its input.",
        "no gradient": "inside a model the input needs a gradient, for the layers below: without it less is kept.",
        "numbers": "these are numbers, not bytes; or bytes of another dtype.",
        "output": "the output is not kept, unless an operation needs it for its own gradient.",
        "outside": "nothing was seen. Is the module called inside the with block?",
    },
)

CHAPTER = Chapter(
    6, "Memory", (STATES, LINEAR, ATTENTION, FLOPS, LARGEST, LIVE, KEPT), imports=("torch", "torch._dynamo")
)
