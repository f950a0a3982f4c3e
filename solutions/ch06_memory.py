"""Chapter 6, memory: where the bytes and the arithmetic of training go, predicted first and then measured.

Sizes are exact whole bytes, and 1 GB is 10**9 bytes. A layer's weight W is (out, in); B x T is batch times tokens.
"""

import torch


def training_bytes(trained: int, frozen: int, master: bool) -> tuple[int, int, int]:
    """Exercise 6.1: the bytes of a model in training, in the two conventions of the field.

    Weights and gradients are in 16 bits. AdamW keeps two moments in 32 bits for each number it trains. With `master` it
    keeps a copy of the weight in 32 bits as well, so that small updates are not rounded away. That makes 16 bytes per
    trained number with a master copy, and 12 without. A frozen number costs its weight and nothing else.

    Arguments: trained, frozen: how many numbers learn and how many do not. master: whether there is a master copy.
    Returns: the bytes of (weights, gradients, optimizer); moments and master copy are the optimizer's.
    Source: 16 bytes: Rajbhandari et al., "ZeRO" (2020); 12 bytes: Dettmers et al., "QLoRA" (2023).

    >>> training_bytes(trained=10, frozen=1000, master=True)
    (2020, 20, 120)
    """
    # BEGIN SOLUTION 6.1: bytes of weights, gradients and Adam
    weights = 2 * (trained + frozen)
    gradients = 2 * trained
    optimizer = (12 if master else 8) * trained
    return weights, gradients, optimizer
    # END SOLUTION


def linear_kept(
    method: str, batch: int, context: int, in_features: int, out_features: int, rank: int, size: int
) -> int:
    """Exercise 6.2: what a linear layer keeps from the forward pass for the backward pass.

    One rule decides. In a product a b the gradient of a needs b, and the gradient of b needs a: so each factor is kept
    exactly when the other one needs a gradient.

        "full"      y = x Wᵀ                   W learns
        "lora"      y = x Wᵀ + γ (x Aᵀ) Bᵀ     A and B learn, W is frozen
        "frozen"    y = x Wᵀ                   nothing in this layer learns

    The input x needs a gradient in all three, for the layers below. W, A and B are in memory anyway: do not count them.

    Arguments: method: one of the three. batch, context, in_features: x is (B, T, in). out_features: y is (B, T, out).
    rank: of A and B; without meaning unless the method is "lora". size: bytes of one number, 4 or 2.
    Returns: the bytes of the activations kept, each tensor counted once.
    Source: Korthikanti et al., "Reducing activation recomputation in large transformer models" (2022).

    >>> linear_kept("full", batch=2, context=3, in_features=10, out_features=20, rank=4, size=2)
    120
    """
    # BEGIN SOLUTION 6.2: what a linear layer keeps
    per_token = {"full": in_features, "lora": in_features + rank, "frozen": 0}
    return batch * context * per_token[method] * size
    # END SOLUTION


def attention_kept(batch: int, heads: int, context: int, head_size: int, size: int) -> tuple[int, int]:
    """Exercise 6.3: what attention keeps for the backward pass, and which part of it grows with the square of T.

        scores  = q kᵀ / √K        (B, H, T, T)     future places are then masked
        weights = softmax(scores)  (B, H, T, T)
        out     = weights v        (B, H, T, K)

    All of q, k and v need gradients, and the rule of 6.2 says what the two products keep. The softmax keeps its result,
    not what went in; dividing by √K and masking keep nothing. Masked places take as much room as all others, and a
    tensor that is needed twice is kept once.

    Arguments: batch, heads, context, head_size: q, k and v are (B, H, T, K) each. size: bytes of one number, 4 or 2.
    Returns: (the bytes that grow with T, the bytes that grow with T²).
    Source: Korthikanti et al., "Reducing activation recomputation in large transformer models" (2022).

    >>> attention_kept(batch=1, heads=2, context=10, head_size=4, size=2)
    (480, 400)
    """
    # BEGIN SOLUTION 6.3: what attention keeps
    rows = batch * heads * context
    return 3 * rows * head_size * size, rows * context * size
    # END SOLUTION


def training_flops(in_features: int, out_features: int, rank: int | None) -> int:
    """Exercise 6.4: the arithmetic of one linear layer for one token, forward and backward.

    A product of x with a matrix costs one multiplication and one addition per number in the matrix: 2 FLOPs. The
    backward pass makes one more product of the same size for each of the two factors that needs a gradient: the
    input always does (there are layers below), a matrix only if it learns. Only products of matrices are counted.

    Arguments: in_features, out_features: W is (out, in). rank: None for full fine-tuning, where W learns. Else W is
    frozen, and A (r, in) and B (out, r) learn: y = x Wᵀ + γ (x Aᵀ) Bᵀ.
    Returns: FLOPs per token, an int.
    Source: Kaplan et al., "Scaling laws for neural language models" (2020).

    >>> training_flops(10, 20, rank=None)
    1200
    """
    # BEGIN SOLUTION 6.4: the arithmetic of LoRA
    full = 2 * in_features * out_features
    if rank is None:
        return 3 * full
    return 2 * full + 3 * 2 * rank * (in_features + out_features)
    # END SOLUTION


def break_even_rank(in_features: int, out_features: int) -> float:
    """Exercise 6.4: the rank at which LoRA does exactly as much arithmetic as full fine-tuning.

    Arguments: in_features, out_features: W is (out, in).
    Returns: the rank, a float: it need not be a whole number.
    Source: for square matrices: Schulman et al., "LoRA Without Regret" (2025).

    >>> break_even_rank(192, 192)
    32.0
    """
    # BEGIN SOLUTION 6.4: the arithmetic of LoRA
    return in_features * out_features / (3 * (in_features + out_features))
    # END SOLUTION


def quantized_bits(block: int, group: int) -> float:
    """Exercise 6.5: the bits per weight of a matrix that is stored in 4 bits, its scales counted in.

    Each weight takes 4 bits. Each block of `block` weights has one scale of 8 bits; each group of `group` blocks has
    one scale of 32 bits, for the scales of its blocks.

    Arguments: block: weights in a block. group: blocks in a group.
    Returns: bits per weight, a float.
    Source: Dettmers et al., "QLoRA" (2023), which takes blocks of 64 in groups of 256.

    >>> quantized_bits(block=16, group=16)
    4.625
    """
    # BEGIN SOLUTION 6.5: the largest model
    return 4 + 8 / block + 32 / (block * group)
    # END SOLUTION


def largest_model(method: str, gigabytes: float, activations: float, share: float) -> int:
    """Exercise 6.5: how many numbers the base of a model may have, so that its training fits on one device.

        "full"     every number learns, at 16 bytes each (6.1, with a master copy)
        "lora"     a frozen base of 2 bytes per number, and an adapter at 16 bytes per number
        "qlora"    a frozen base of `quantized_bits(64, 256)` per number, and an adapter at 16 bytes per number

    The adapter comes on top of the base: it has `share` numbers for each number of the base.

    Arguments: method: one of the three. gigabytes: what the device has, in GB of 10**9 bytes. activations: how many of
    these GB to leave free for activations. share: size of the adapter over size of the base (0.01 is 1 %); without
    meaning for "full".
    Returns: numbers in the base, rounded down to an int.

    >>> largest_model("full", gigabytes=24, activations=4, share=0.01)
    1250000000
    """
    # BEGIN SOLUTION 6.5: the largest model
    per_number = {"full": 16, "lora": 2 + 16 * share, "qlora": quantized_bits(64, 256) / 8 + 16 * share}
    return int((gigabytes - activations) * 10**9 / per_number[method])
    # END SOLUTION


def live_bytes(module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, int, int]:
    """Exercise 6.6: the same three parts as in 6.1, but measured: what is in memory right now?

    Counted are the module's parameters, their gradients as far as there are any (`p.grad` may be None), and all tensors
    in the optimizer's state: `optimizer.state` is a dict, parameter -> dict, name -> tensor (or something else, which
    does not count). Buffers of the module do not count.

    A tensor is only a view of memory. What it holds on to is its storage: `tensor.untyped_storage()` has `data_ptr()`,
    its address, and `nbytes()`. Tensors that share a storage cost it once, and a part of a storage costs all of it.

    Returns: the bytes of (weights, gradients, optimizer).

    >>> layer = torch.nn.Linear(3, 2)                                # 6 weights and 2 biases, 4 bytes each
    >>> live_bytes(layer, torch.optim.AdamW(layer.parameters()))     # before the first step
    (32, 0, 0)
    """

    # BEGIN SOLUTION 6.6: measure what is in memory
    def total(tensors):
        storages = [tensor.untyped_storage() for tensor in tensors if torch.is_tensor(tensor)]
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())

    parameters = list(module.parameters())
    state = [value for entry in optimizer.state.values() for value in entry.values()]
    return total(parameters), total(p.grad for p in parameters), total(state)
    # END SOLUTION


def kept_bytes(module: torch.nn.Module, x: torch.Tensor) -> int:
    """Exercise 6.7: what 6.2 and 6.3 predict, measured: the bytes that one call of a module keeps for backward.

    Autograd tells what it keeps. Inside

        with torch.autograd.graph.saved_tensors_hooks(pack, unpack):

    it calls pack(tensor) for each tensor that it wants to keep, keeps what `pack` returns, and hands that to `unpack`
    when the backward pass needs it (here it never does). It may want to keep one tensor several times, or a view of it.

    Arguments: module: any. x: its input; call the module with a copy that needs a gradient, as inside a model.
    Returns: the bytes of all storages that are kept, each counted once. The storages of the module's parameters do not
    count (and a transposed W is a view of W, in the same storage).

    >>> kept_bytes(torch.nn.Linear(3, 2), torch.ones(5, 3))       # x: 15 numbers of 4 bytes
    60
    """
    # BEGIN SOLUTION 6.7: measure what autograd keeps
    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x.clone().requires_grad_())
    return sum(size for address, size in kept.items() if address not in own)
    # END SOLUTION
