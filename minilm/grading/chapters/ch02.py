"""Chapter 2, transformer: from a softmax to a model that learns."""

from ..registry import Chapter, Exercise

DETACHED = (
    "no gradient reaches the input. `.detach()`, `.data`, `.item()`, `.tolist()`, `torch.no_grad()`, numpy and "
    "`torch.tensor(x)` cut the way back: keep to operations on tensors."
)

SOFTMAX = Exercise(
    id="2.1",
    title="A softmax that never overflows",
    functions=("softmax",),
    points=2,
    difficulty=1,
    minutes=15,
    tests=8,
    hints=(
        "e to the 1000 is more than a float can hold, e to the -1000 is 0. Subtract something from the numbers first, "
        "so that neither happens where it matters. What is the largest exponent you want to see?",
        "After subtracting the largest number of its own row, each row has one exp(0) = 1 in its sum: it neither "
        "overflows nor vanishes.",
        "`x.max(axis=1)` of a 2 x 3 matrix has shape (2,), which does not line up with (2, 3). `keepdims=True` leaves "
        "it at (2, 1). The same holds for the sum.",
    ),
    misconceptions={
        "overflow": "exp of a large number is inf, and inf / inf is NaN. Subtract the largest entry first: the shares "
        "stay the same.",
        "clipped": "the numbers were clipped. Two entries above the bound then look equal. Subtract instead.",
        "one maximum": "one number was subtracted from the whole array. A row far below it then has nothing but zeros "
        "in its sum: each row needs its own largest entry.",
        "minus infinity": "with an entry of -inf the mean, the smallest entry and the largest absolute value are "
        "infinite too. What can you subtract that is finite as long as one entry is?",
        "axis": "the shares add up along another axis than the one asked for.",
        "whole array": "the shares of the whole array add up to 1. Each row (or column) has to do so by itself.",
        "keepdims": "the sums or maxima lost their axis, so they do not line up with x (or line up with the wrong "
        "axis). `keepdims=True` keeps it.",
        "no exponential": "the numbers themselves were divided by their sum. First take the exponential.",
        "not divided": "the exponentials still have to be divided by their sum.",
        "base": "the base is e: use `np.exp`.",
        "scaled": "dividing by the largest entry changes the shares. Subtracting it does not.",
        "logarithm": "these are the logarithms of the shares.",
        "whole numbers": "for whole numbers the shares came out as whole numbers. An array made like x "
        "(`zeros_like(x)`, `x.copy()`) cannot hold a fraction when x holds ints.",
    },
)

ATTENTION = Exercise(
    id="2.2",
    title="One head of causal attention",
    functions=("causal_mask", "causal_attention"),
    uses=("2.1",),
    points=3,
    difficulty=2,
    minutes=30,
    tests=11,
    hints=(
        "Draw the mask for 3 queries and 3 keys on paper first. `np.triu(m, k=1)` keeps what is above the diagonal of "
        "m and writes zeros elsewhere.",
        "With 2 queries and 5 keys, the first query stands at position 3 and may look at positions 0 to 3. By how much "
        "does that shift the diagonal?",
        "In the scores, rows are queries and columns are keys: which of q and k is transposed? Each row of weights "
        "adds up to 1 after the softmax, so what is forbidden has to be out before it.",
    ),
    misconceptions={
        "itself": "a position may look at itself. If it may not, the first one has nowhere to look, and its softmax "
        "is NaN.",
        "one ahead": "a query sees the key right after its own position: the token that the model is to predict.",
        "past": "the past is hidden and the future is open: the other triangle is forbidden.",
        "ones": "the mask is added to the scores: 0 changes nothing, -inf forbids. It is not a table of 0 and 1 (or "
        "True and False).",
        "finite": "a large negative number is not -inf. Beside even larger scores it forbids nothing.",
        "0 times inf": "0 * -inf is NaN. Choose between the two values (`np.where`, `np.triu`) instead of multiplying.",
        "aligned at the start": "with fewer queries than keys, the queries are the last positions, not the first: "
        "query 0 stands at position S - T.",
        "no scale": "the scores are not divided by √K.",
        "not the root": "the scores were divided by K. It is the root of K.",
        "other size": "the scores were divided by the root of something else than K, the size of one query.",
        "not causal": "a query took values from later positions: the mask is missing.",
        "masked afterwards": "the mask came after the softmax. Then the weights that are left do not add up to 1: add "
        "it to the scores.",
        "over the queries": "the softmax went over the queries. The weights of one query, a row, add up to 1.",
        "q and k swapped": "rows and columns are swapped: score [t, s] belongs to query t and key s.",
        "overflow": "large scores gave NaN: take your stable softmax.",
    },
)

NORM = Exercise(
    id="2.3",
    title="RMSNorm",
    functions=("rms_norm",),
    points=2,
    difficulty=1,
    minutes=20,
    tests=10,
    hints=(
        "Read the name from its end: square, mean, root. The mean goes over the last axis and keeps it, so that the "
        "result lines up with x.",
        "`x.float()` gives float32, `.to(x.dtype)` brings the result back. Everything between the two is in float32.",
        "A vector of zeros has rms 0. What keeps the division from 0/0, and on which side of the root must it stand?",
    ),
    misconceptions={
        "mean subtracted": "the mean was subtracted: that is LayerNorm. RMSNorm only scales.",
        "sum": "the squares were added up. It is their mean: a vector of ones has rms 1, whatever its length.",
        "no root": "divided by the mean square. The root is missing.",
        "other axis": "the mean went over another axis (or over several). Each vector, along the last axis, is by "
        "itself.",
        "keepdim": "the mean lost its axis, so it does not line up with x. `keepdim=True` keeps it.",
        "weight first": "x was multiplied by the weight before the rms was taken. The rms is that of x alone.",
        "no weight": "the weight of each channel is missing.",
        "one plus weight": "the weight is a factor itself: 1 + weight is another model's convention.",
        "eps outside": "eps stands under the root: √(mean + eps), not √mean + eps.",
        "eps left out": "eps was not used. With it, a small vector comes out visibly smaller than rms 1, and a vector "
        "of zeros gives zeros, not NaN.",
        "half": "the squares were computed in float16, where everything above 65,504 is inf. Go to float32 first.",
        "dtype": "the result has another dtype than x. The models keep their tensors in one dtype: change back at "
        "the end.",
        "detached": DETACHED + " The rms is part of the way, too.",
        "weight detached": "no gradient reaches the weight, or not the right one, so the channels' weights would never "
        "learn. Use the weight as it comes: `.detach()` and `.data` cut the way back.",
    },
)

ROPE = Exercise(
    id="2.4",
    title="Rotary positions",
    functions=("rope_angles", "rope"),
    points=3,
    difficulty=2,
    minutes=30,
    tests=12,
    hints=(
        "For K = 4 there are two speeds, theta^0 and theta^(-1/2). Compute them by hand for theta = 100, then find an "
        "`arange` that gives the exponents.",
        "Every position with every speed: a column (T, 1) times a row (K/2,) has shape (T, K/2).",
        "Cut x in two halves along its last axis; entry i of one and entry i of the other are a pair. Keep both old "
        "halves until both new ones are computed, then put them side by side.",
    ),
    misconceptions={
        "no 2": "the exponents are -2i/K: over the K/2 pairs they go from 0 almost to -1.",
        "too fast": "the exponents run to almost -2. There are K/2 pairs, but the denominator is K.",
        "growing": "the speeds grow from pair to pair. The exponent is negative.",
        "from 1": "the pairs (or the positions) count from 0. Pair 0 turns by one radian per position, and position 0 "
        "is not turned.",
        "no power": "the speeds are powers of theta, not multiples of something.",
        "doubled": "one angle for each pair: K/2 columns.",
        "restarts": "`positions` was not used. It need not begin at 0: a model that goes on writing starts where it "
        "stopped.",
        "dtype": "the angles are not float32. What float64 angles turn is float64, too, and the next layer, whose "
        "weights are float32, refuses it. Bring the result back with `.float()`.",
        "cosines": "these are cosines or sines. Asked for are the angles.",
        "neighbours": "neighbours were paired. In Llama's form pair i is (x[i], x[i + K/2]).",
        "other way": "the pairs turn the other way round: look at the two signs.",
        "no minus": "a minus is missing. (p, q) turned by 90 degrees is (-q, p).",
        "overwritten": "the second half was computed from the new first half. Both come from the old values.",
        "cosine and sine": "cosine and sine are swapped: at angle 0 nothing may change.",
        "order": "the turned values are not at their old places: p' at i, q' at i + K/2.",
        "time axis": "the angles do not line up with time. x is (B, H, T, K), so (T, K/2) lines up from the right by "
        "itself.",
        "detached": DETACHED,
    },
)

SWIGLU = Exercise(
    id="2.5",
    title="SwiGLU",
    functions=("swiglu",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=4,
    hints=(
        "Two layers read the same x, their results are multiplied, and a third layer comes last. SiLU stands in one "
        "place only.",
        "The gate is what is squashed; what goes up passes as it is.",
    ),
    misconceptions={
        "silu on up": "SiLU was applied to what up_proj gives. The gate is the one that goes through it.",
        "silu on both": "SiLU was applied to both, or to their product. Only the gate goes through it.",
        "no silu": "no SiLU: two linear layers multiplied are another unit.",
        "sigmoid": "this is the sigmoid alone. silu(z) is z * sigmoid(z).",
        "other activation": "this is another activation (GELU or ReLU).",
        "added": "gate and up were added. The gate multiplies.",
        "no down": "down_proj is missing: the result still has the inner width.",
        "inner order": "down_proj comes last, after the product.",
        "not called": "the weights were taken out of the layers. Call a layer, `up_proj(x)`: it may have a bias, or an "
        "adapter later on.",
        "detached": DETACHED,
    },
)

HEADS = Exercise(
    id="2.6",
    title="Multi-head attention",
    functions=("split_heads", "merge_heads", "multi_head_attention"),
    points=4,
    difficulty=3,
    minutes=45,
    tests=12,
    hints=(
        "Cutting is a reshape: (B, T, D) has D side by side, so it can become (B, T, H, K) and nothing moves. Then two "
        "axes change places. A reshape never changes places, a transpose does.",
        "From then on B and H are passengers: `@` multiplies the last two axes, for every batch and head by itself. "
        "What you wrote for one head in numpy works, with the last two axes of k swapped.",
        "`masked_fill(mask, -math.inf)` writes -inf where a boolean mask is True. √K: which axis of q is K after the "
        "split?",
    ),
    misconceptions={
        "no transpose": "the channels were reshaped straight into (B, H, T, K), which mixes tokens and heads. First "
        "(B, T, H, K), then swap two axes.",
        "time before heads": "the axes are in the order (B, T, H, K). Attention multiplies the last two axes, so heads "
        "come before time.",
        "every Hth channel": "a head got every H-th channel. Its channels stand side by side: 0 to K - 1 are head 0.",
        "merged without transpose": "the heads were reshaped away where they stood, which mixes tokens and heads. "
        "First swap heads and time back.",
        "view": "`view` cannot read the axes in another order than they lie in memory; `reshape` copies where it must. "
        "(Or the sizes you asked for do not multiply to the number of entries.)",
        "no scale": "the scores are not divided by √K.",
        "root of D": "the scores were divided by the root of the whole width. Each head has K channels: √K.",
        "not the root": "the scores were divided by K. It is the root of K.",
        "not causal": "a token took values from later ones: the mask is missing, or comes after the softmax.",
        "one ahead": "a token sees the one right after it. With `triu`, which diagonal is the first forbidden one?",
        "itself": "a token may look at itself. If it may not, the first one has nowhere to look, and its softmax "
        "is NaN.",
        "past": "the past is hidden and the future is open: the other triangle is forbidden.",
        "over the queries": "the softmax went over the queries. The weights of one query, the last axis, add up to 1.",
        "q and k swapped": "queries and keys changed roles: row t of the scores is what query t thinks of all keys.",
        "one head": "all channels went through one attention. Split into heads first.",
        "no o_proj": "o_proj is missing: it mixes what the heads found, and brings it back to the width of x.",
        "not rotated": "`rotate` was not used: without it the model does not know the order of the tokens.",
        "one rotated": "only one of queries and keys was rotated. The angle between the two counts, so both turn.",
        "values rotated": "the values were rotated, too. Positions decide who looks at whom, not what is seen.",
        "rotated too early": "`rotate` wants (B, H, T, K): split into heads first, then rotate.",
        "not called": "the weights were taken out of the layers. Call a layer, `q_proj(x)`: it may have a bias, or an "
        "adapter later on.",
        "detached": DETACHED,
    },
)

BLOCK = Exercise(
    id="2.7",
    title="A block",
    functions=("block",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=4,
    hints=(
        "Picture the stream as a road that runs straight through. Attention and MLP are two side roads: they read a "
        "normalised copy and add what they found.",
        "Two lines: the second does with `mlp` what the first does with `self_attn`. Which x does the second one read?",
    ),
    misconceptions={
        "post-norm": "the sum was normalised. In Llama the norm stands before each part, and the stream itself is "
        "never normalised.",
        "no first residual": "what attention gives replaced x. It is added to it.",
        "no second residual": "what the MLP gives replaced the sum. It is added to it.",
        "no residuals": "both parts replaced the stream. They add to it.",
        "normed residual": "the normalised x was kept as the stream. What is added to is x as it came.",
        "parallel": "attention and MLP both read the x that came in. The MLP reads the stream after attention.",
        "original added": "the MLP's result was added to the x that came in, so what attention found is lost.",
        "one norm for both": "both parts used the same norm. Each has its own.",
        "norms swapped": "the two norms are swapped.",
        "parts swapped": "the MLP came before attention.",
        "norm left out": "a part read the stream without its norm.",
        "in place": "`+=` overwrote what the norm had read, and the gradient still needs that. Write x = x + ...",
        "detached": DETACHED,
    },
)

COUNT = Exercise(
    id="2.8",
    title="Count the parameters",
    functions=("count_parameters",),
    points=1,
    difficulty=1,
    minutes=10,
    tests=6,
    hints=(
        "`model.parameters()` goes through a model's parameters, and `numel()` counts the numbers in a tensor.",
        "Read what `parameters()` does with a parameter that it meets twice, then compare with `state_dict()`.",
    ),
    misconceptions={
        "tied": "a matrix that is used in two places was counted twice. `state_dict()` lists every name; "
        "`parameters()` gives each parameter once.",
        "buffers": "buffers (a BatchNorm's running mean, for one) were counted. They are stored, but never learned.",
        "tensors": "the tensors were counted. Asked for are the numbers in them.",
        "matrices": "biases and norms count as well.",
        "bytes": "these are bytes. Asked for is how many numbers there are.",
        "ignored": "`trainable_only` was not used.",
        "always": "what is frozen was left out without being asked to: that is for trainable_only=True.",
        "opposite": "with trainable_only=True, what can be trained stays and what is frozen goes.",
        "top level": "only part of the model was counted: modules lie inside modules.",
    },
)

WHOLE = Exercise(
    id="2.9",
    title="A model that writes backwards",
    functions=("Transformer",),
    uses=("2.3", "2.4", "2.5", "2.6", "2.7"),
    points=3,
    difficulty=3,
    minutes=30,
    tests=7,
    hints=(
        "Everything is there already, as attributes of self: embed_tokens, layers, norm, lm_head, head_dim. Follow the "
        "three steps of the docstring, and print the shape after each.",
        "The positions are those of one sequence: 0 to T - 1. How long is a sequence, if ids is (B, T)?",
        "`rope` takes x and the angles, but a block wants a function of x alone: a `lambda` or a small `def` that "
        "remembers the angles.",
    ),
    misconceptions={
        "no positions": "the order of the tokens makes no difference. `rotate` must turn by angles that grow with the "
        "position.",
        "backwards positions": "the positions run backwards.",
        "batch": "the angles do not fit the sequence. ids is (B, T): positions count along the second axis.",
        "one layer": "a layer is missing: the stream goes through all of them.",
        "no layers": "the stream went past the layers, or what they gave was thrown away.",
        "same layer": "one layer was used again and again. Each has weights of its own.",
        "not stacked": "every layer read the embeddings. A layer reads what the one before it gave.",
        "no final norm": "the norm before the head is missing.",
        "probabilities": "these are probabilities, or their logarithms. The loss wants logits, as the head gives them.",
        "no head": "these are vectors of width D. `lm_head` turns them into logits.",
        "last only": "logits are asked for at every position: training learns from all of them at once.",
        "scaled": "the embeddings were scaled. Llama takes them as they are.",
        "remembered": "the angles of the first call were kept. The next sequence may be shorter or longer.",
        "attention off": "the attention weights have no effect: a token learns nothing from the ones before it.",
        "detached": "some weights get no gradient, so they would never learn. Is every layer used, and is nothing "
        "detached on the way?",
        "does not learn": "the trained model cannot reverse a string. What an untrained model computes looks right, so "
        "look for what differs in training: longer sequences, larger batches.",
    },
    seconds=40.0,
)

CHAPTER = Chapter(
    2,
    "Transformer",
    (SOFTMAX, ATTENTION, NORM, ROPE, SWIGLU, HEADS, BLOCK, COUNT, WHOLE),
    imports=("torch", "torch._dynamo"),
)
