"""Chapter 2, transformer: every part of a small Llama, and a model made of them that learns to write backwards.

Letters, as everywhere in the course: B batch, T time (tokens), D width of the stream, H heads, K size of one head,
F width inside the MLP, V vocabulary, L layers. The first two exercises are numpy and one sequence, so that every number
can be printed; from 2.3 on it is torch and batches. A layer such as `q_proj` is something to call: `q_proj(x)`.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

THETA = 10_000.0  # the base of the rotary wavelengths, as in Llama


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """Exercise 2.1: numbers to shares that add up to 1.

    Along `axis`, entry i becomes exp(xᵢ) / (exp(x₁) + exp(x₂) + …), whatever the size of the numbers: entries may be
    1000 or -1000, and -inf, which gets the share 0. Taking the same number off all entries changes no share. (The tests
    cannot tell torch's own softmax from yours; but then you have not seen why it never overflows.)

    Arguments: x: floats or whole numbers, any shape; along `axis` at least one entry is finite. axis: which axis shall
    add up to 1, may be negative.
    Returns: a new array of floats, of the shape of x.

    >>> softmax(np.array([0.0, np.log(3.0), -np.inf]), axis=0).round(6).tolist()
    [0.25, 0.75, 0.0]
    """
    # BEGIN SOLUTION 2.1: stable softmax
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
    # END SOLUTION


def causal_mask(n_queries: int, n_keys: int) -> np.ndarray:
    """Exercise 2.2: what to add to the scores, so that no position sees what comes after it.

    The queries stand at the last n_queries of the n_keys positions. (The two numbers are equal in training; when a
    model writes one token at a time, there is one query and many keys.)

    Arguments: n_queries: 1 to n_keys. n_keys: how many positions there are.
    Returns: (n_queries, n_keys) floats: 0 where a query may look, at itself and everything before; -inf elsewhere.

    >>> causal_mask(2, 3).tolist()   # two queries, at positions 1 and 2
    [[0.0, 0.0, -inf], [0.0, 0.0, 0.0]]
    """
    # BEGIN SOLUTION 2.2: the causal mask
    return np.triu(np.full((n_queries, n_keys), -np.inf), k=n_keys - n_queries + 1)
    # END SOLUTION


def causal_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Exercise 2.2: one head of causal attention.

    1. The score of query t and key s is their dot product, divided by √K.
    2. Add the causal mask.
    3. Softmax: the scores of each query become weights that add up to 1.
    4. Each query takes the mean of the values with these weights.

    Arguments: q: (T, K). k: (S, K), S ≥ T: the queries stand at the last T of the S positions. v: (S, M).
    Returns: (T, M).
    Source: Vaswani et al., "Attention is all you need" (2017).

    >>> causal_attention(np.zeros((3, 2)), np.zeros((3, 2)), np.array([[2.0], [4.0], [9.0]])).tolist()
    [[2.0], [3.0], [5.0]]
    """
    # BEGIN SOLUTION 2.2: one head of causal attention
    scores = q @ k.T / np.sqrt(q.shape[1]) + causal_mask(len(q), len(k))  # (T, S)
    return softmax(scores, axis=1) @ v
    # END SOLUTION


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Exercise 2.3: every vector to root-mean-square 1, then each channel times its weight.

    rms(x) = √(mean of the squares over the last axis + eps), and the result is x / rms(x) * weight. The norm is
    computed in float32 also when x is float16 or bfloat16: the square of 300 is more than float16 can hold. (The tests
    cannot tell `F.rms_norm` from it; but then you have not met the four decisions inside: mean, eps, dtype, weight.)

    Arguments: x: (..., D), float32, float16 or bfloat16. weight: (D,), of the same dtype. eps: a small number.
    Returns: a new tensor of the shape and the dtype of x.
    Source: Zhang and Sennrich, "Root mean square layer normalization" (2019).

    >>> rms_norm(torch.tensor([[1.0, 7.0]]), torch.tensor([10.0, 100.0]), eps=0.0)   # the root of (1 + 49) / 2 is 5
    tensor([[  2., 140.]])
    """
    # BEGIN SOLUTION 2.3: RMSNorm
    wide = x.float()
    inverse_rms = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)  # (..., 1)
    return (wide * inverse_rms).to(x.dtype) * weight
    # END SOLUTION


def rope_angles(positions: Tensor, head_dim: int, theta: float) -> Tensor:
    """Exercise 2.4: by which angles the pairs of a head are turned at each position.

    Pair i (0 to K/2 - 1) turns by position * theta^(-2i/K) radians: pair 0 by one radian per position, the later ones
    more and more slowly.

    Arguments: positions: (T,) whole numbers, not always from 0 on. head_dim: K, even. theta: 10,000 in Llama.
    Returns: (T, K/2) float32, like the queries and keys that they will turn.
    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding" (2021).

    >>> rope_angles(torch.tensor([0, 1, 7]), head_dim=4, theta=100.0)
    tensor([[0.0000, 0.0000],
            [1.0000, 0.1000],
            [7.0000, 0.7000]])
    """
    # BEGIN SOLUTION 2.4: the angles
    exponents = torch.arange(0, head_dim, 2) / head_dim  # (K/2,)
    return positions[:, None] * theta**-exponents  # (T, K/2)
    # END SOLUTION


def rope(x: Tensor, angles: Tensor) -> Tensor:
    """Exercise 2.4: turn the pairs of every head by their angles.

    Llama's pairs are "half-split": pair i is (x[i], x[i + K/2]), not two neighbours. Turned by the angle a,
    (p, q) becomes (p cos a - q sin a, q cos a + p sin a), each at its old place.

    Arguments: x: (B, H, T, K). angles: (T, K/2).
    Returns: a new tensor (B, H, T, K).
    Source: as above, in the form of Llama (Touvron et al. 2023).

    >>> quarter = torch.tensor([[math.pi / 2, 0.0]])     # turns pair 0 by 90 degrees, pair 1 not at all
    >>> rope(torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), quarter).round().flatten().tolist()
    [-3.0, 2.0, 1.0, 4.0]
    """
    # BEGIN SOLUTION 2.4: turn the pairs
    first, second = x.chunk(2, dim=-1)  # (B, H, T, K/2) each
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    # END SOLUTION


def swiglu(x: Tensor, gate_proj: Callable, up_proj: Callable, down_proj: Callable) -> Tensor:
    """Exercise 2.5: Llama's MLP. One projection, through SiLU, decides how much of another one passes.

    silu(z) = z * sigmoid(z), in torch `F.silu`. It is applied to what `gate_proj` gives, the result is multiplied entry
    by entry with what `up_proj` gives, and `down_proj` brings the product back to the width of the stream.

    Arguments: x: (..., D). gate_proj, up_proj: layers (..., D) -> (..., F). down_proj: a layer (..., F) -> (..., D).
    Returns: (..., D).
    Source: Shazeer, "GLU variants improve transformer" (2020).

    >>> swiglu(torch.tensor([0.0, 40.0]), nn.Identity(), lambda x: x + 2, lambda x: x + 1).tolist()
    [1.0, 1681.0]
    """
    # BEGIN SOLUTION 2.5: SwiGLU
    return down_proj(F.silu(gate_proj(x)) * up_proj(x))
    # END SOLUTION


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Exercise 2.6: cut the channels of every token into heads.

    The first K = D / H channels belong to head 0, the next K to head 1, and so on.

    Arguments: x: (B, T, D). heads: H, a divisor of D.
    Returns: (B, H, T, K).

    >>> split_heads(torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]]), heads=2).tolist()
    [[[[1, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]]]
    """
    # BEGIN SOLUTION 2.6: split into heads
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).transpose(1, 2)
    # END SOLUTION


def merge_heads(x: Tensor) -> Tensor:
    """Exercise 2.6: put the heads of every token side by side again, the way back from `split_heads`.

    Arguments: x: (B, H, T, K).
    Returns: (B, T, H * K).

    >>> merge_heads(torch.tensor([[[[1, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]]])).tolist()
    [[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]]
    """
    # BEGIN SOLUTION 2.6: merge the heads
    return x.transpose(1, 2).flatten(2)
    # END SOLUTION


def multi_head_attention(
    x: Tensor,
    q_proj: Callable,
    k_proj: Callable,
    v_proj: Callable,
    o_proj: Callable,
    heads: int,
    rotate: Callable,
) -> Tensor:
    """Exercise 2.6: causal self-attention with several heads.

    1. Project x to queries, keys and values, and split each into heads.
    2. Rotate the queries and the keys; the values stay as they are.
    3. Causal attention in every head by itself: scores divided by √K, no look at later tokens, softmax, mean of values.
    4. Merge the heads, and project once more.

    (The tests cannot tell `F.scaled_dot_product_attention` from step 3 written out; but then you have not seen the mask
    and the √K at work in every head.)

    Arguments: x: (B, T, D). q_proj, k_proj, v_proj: layers (B, T, D) -> (B, T, H * K). o_proj: a layer
    (B, T, H * K) -> (B, T, D). heads: H. rotate: a function (B, H, T, K) -> (B, H, T, K) that knows the positions.
    Returns: (B, T, D).

    >>> same = nn.Identity()
    >>> x = torch.tensor([[[0.0, 0.0], [0.0, 4.0]]])
    >>> multi_head_attention(x, torch.zeros_like, torch.zeros_like, same, same, heads=2, rotate=same).tolist()
    [[[0.0, 0.0], [0.0, 2.0]]]
    """
    # BEGIN SOLUTION 2.6: multi-head attention
    q, k, v = (split_heads(project(x), heads) for project in (q_proj, k_proj, v_proj))  # (B, H, T, K) each
    scores = rotate(q) @ rotate(k).mT / math.sqrt(q.shape[3])  # (B, H, T, T)
    later = torch.ones_like(scores, dtype=torch.bool).triu(1)  # above the diagonal
    weights = scores.masked_fill(later, -math.inf).softmax(dim=3)
    return o_proj(merge_heads(weights @ v))
    # END SOLUTION


def block(
    x: Tensor,
    input_layernorm: Callable,
    self_attn: Callable,
    post_attention_layernorm: Callable,
    mlp: Callable,
) -> Tensor:
    """Exercise 2.7: one block of Llama: attention, then MLP, each with its norm before it and the stream around it.

    What attention makes of the normalised x is added to x; what the MLP makes of the normalised sum is added to the
    sum. Nothing normalises the stream itself.

    Arguments: x: (B, T, D), the stream. The others are layers (B, T, D) -> (B, T, D); `input_layernorm` is the norm
    before attention, `post_attention_layernorm` the one before the MLP.
    Returns: a new tensor (B, T, D).
    Source: pre-norm: Xiong et al., "On layer normalization in the transformer architecture" (2020).

    >>> same = nn.Identity()
    >>> block(torch.tensor([1.0]), same, lambda x: 5 * x, same, lambda x: 7 * x)   # 1 + 5 is 6, 6 + 42 is 48
    tensor([48.])
    """
    # BEGIN SOLUTION 2.7: a block
    x = x + self_attn(input_layernorm(x))
    return x + mlp(post_attention_layernorm(x))
    # END SOLUTION


def count_parameters(model: nn.Module, trainable_only: bool) -> int:
    """Exercise 2.8: how many numbers a model learns, or holds.

    A matrix that is used in two places (tied) counts once. Buffers, which no gradient ever changes, do not count.

    Arguments: model: any module. trainable_only: True leaves out what is frozen (`requires_grad` is False).
    Returns: a whole number.

    >>> count_parameters(nn.Linear(3, 5), trainable_only=False)   # 3 * 5 weights and 5 biases
    20
    """
    # BEGIN SOLUTION 2.8: count the parameters
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)
    # END SOLUTION


# Given: modules that hold the weights, under the names of Hugging Face's Llama, and call what you wrote above.


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return rms_norm(x, self.weight, eps=1e-5)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x, rotate):
        return multi_head_attention(x, self.q_proj, self.k_proj, self.v_proj, self.o_proj, self.heads, rotate)


class MLP(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return swiglu(x, self.gate_proj, self.up_proj, self.down_proj)


class Block(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.input_layernorm = RMSNorm(width)
        self.self_attn = Attention(width, heads)
        self.post_attention_layernorm = RMSNorm(width)
        self.mlp = MLP(width, inner)

    def forward(self, x, rotate):
        def self_attn(normed):
            return self.self_attn(normed, rotate)

        return block(x, self.input_layernorm, self_attn, self.post_attention_layernorm, self.mlp)


class Transformer(nn.Module):
    """Exercise 2.9: everything together: token ids in, logits out.

    1. Look up the vectors of the ids.
    2. Send them through the blocks, one after the other. A block takes the stream and a `rotate` function: your `rope`
       with the angles of positions 0 to T - 1 (theta is THETA).
    3. Normalise once more, and let `lm_head` turn every vector into V logits.

    Write `forward`; what it needs is made in `__init__`. The head shares its matrix with the embedding.

    Arguments of forward: ids: (B, T) whole numbers. Returns: logits (B, T, V), those at t being about token t + 1.

    >>> Transformer(vocab=11, width=8, inner=16, layers=2, heads=2)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 11])
    """

    def __init__(self, vocab: int, width: int, inner: int, layers: int, heads: int):
        super().__init__()
        self.head_dim = width // heads
        self.embed_tokens = nn.Embedding(vocab, width)
        self.layers = nn.ModuleList(Block(width, inner, heads) for _ in range(layers))
        self.norm = RMSNorm(width)
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.lm_head.weight = self.embed_tokens.weight

    def forward(self, ids: Tensor) -> Tensor:
        # BEGIN SOLUTION 2.9: everything together
        angles = rope_angles(torch.arange(ids.shape[1]), self.head_dim, THETA)  # (T, K/2)
        x = self.embed_tokens(ids)  # (B, T, D)
        for layer in self.layers:
            x = layer(x, lambda heads: rope(heads, angles))
        return self.lm_head(self.norm(x))
        # END SOLUTION


# Given: a task that only attention can solve. Chapter 3 takes this training loop apart.

DIGITS = 6  # digits per string; the digits are tokens 0 to 9
TURN = 10  # the token after which the string comes backwards


def reversals(count: int, generator: torch.Generator) -> Tensor:
    """Random strings of digits, each followed by TURN and by itself backwards: (count, 2 * DIGITS + 1)."""
    digits = torch.randint(10, (count, DIGITS), generator=generator)
    return torch.cat([digits, torch.full((count, 1), TURN), digits.flip(1)], dim=1)


def learn_to_reverse(steps: int = 200, seed: int = 0) -> Transformer:
    """Train a small Transformer to write strings backwards; only what comes after TURN counts."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(vocab=11, width=48, inner=96, layers=2, heads=4)
    nn.init.normal_(model.embed_tokens.weight, std=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3)
    fade = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)  # the step size goes down to 0
    for _ in range(steps):
        ids = reversals(64, generator)
        logits = model(ids[:, :-1])[:, DIGITS:]  # (B, DIGITS, V)
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, DIGITS + 1 :].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fade.step()
    return model
