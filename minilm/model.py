"""A small Llama-style language model: embeddings, blocks of attention and SwiGLU, a head.

Reading order: norm.py, rope.py, attend.py; then here Config, Attention, MLP, Block, LM, presets. Parameter names are
those of Hugging Face's Llama (`model.layers.0.self_attn.q_proj.weight`), so a model saved here loads there.

    >>> model = LM(PRESETS["nano"])
    >>> model(torch.tensor([[5, 6, 7]])).shape          # ids (B, T) -> logits (B, T, V)
    torch.Size([1, 3, 2048])

Weights may be float32 or bfloat16 (`model.to(torch.bfloat16)`); the residual stream stays float32 either way, because
it is the one place where small numbers are added to large ones over and over.

What this file does not do: compute a loss (loss.py), train (train.py), remember keys and values (cache.py).

Sources: Llama (Touvron et al. 2023), RMSNorm (Zhang & Sennrich 2019), RoPE (Su et al. 2021), SwiGLU (Shazeer 2020),
grouped-query attention (Ainslie et al. 2023), tied embeddings (Press & Wolf 2017).
"""

import math
from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from .attend import attend, causal_attention, causal_mask
from .errors import UserError
from .norm import RMSNorm
from .rope import apply_rope, rope_tables


@dataclass(frozen=True)
class Config:
    """The shape of a model. Field names are Hugging Face's; letters in brackets are the course's."""

    vocab_size: int = 2048  # [V] tokens
    hidden_size: int = 256  # [D] width of the residual stream
    intermediate_size: int = 512  # [F] width inside the MLP
    num_hidden_layers: int = 4  # [L] blocks
    num_attention_heads: int = 4  # [H] query heads
    num_key_value_heads: int = 4  # key/value heads, shared by H / this many query heads
    max_position_embeddings: int = 256  # [T] longest context, in tokens
    rope_theta: float = 10_000.0  # base of the rotary wavelengths
    rms_norm_eps: float = 1e-5
    tie_word_embeddings: bool = True  # the head is the embedding matrix

    def __post_init__(self):
        for name, value in asdict(self).items():
            if name != "tie_word_embeddings" and not value > 0:
                raise UserError(f"{name} {value} must be above 0; change it")
        if self.hidden_size % self.num_attention_heads or self.head_dim % 2:
            raise UserError(
                f"hidden_size {self.hidden_size} must be an even multiple of num_attention_heads "
                f"{self.num_attention_heads}; change one of them"
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise UserError(
                f"num_attention_heads {self.num_attention_heads} must be a multiple of num_key_value_heads "
                f"{self.num_key_value_heads}; change one of them"
            )

    @property
    def head_dim(self):
        """[K] width of one head."""
        return self.hidden_size // self.num_attention_heads

    def as_dict(self):
        return asdict(self)

    def with_vocabulary(self, size):
        """The same shape for another number of tokens."""
        return replace(self, vocab_size=size)


def project(x, *layers):
    """[layer(x) for layer in layers]; layers that have a faster way for one shared input (lora_fast.py) take it."""
    together = getattr(layers[0], "together", None)
    return together(x, layers) if together else [layer(x) for layer in layers]


class Attention(nn.Module):
    """Causal self-attention with rotary positions; several query heads may share one key/value head."""

    def __init__(self, config, layer):
        super().__init__()
        self.layer = layer  # which slot of the cache is ours
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        width, head_dim = config.hidden_size, config.head_dim
        self.q_proj = nn.Linear(width, self.heads * head_dim, bias=False)
        self.k_proj = nn.Linear(width, self.kv_heads * head_dim, bias=False)
        self.v_proj = nn.Linear(width, self.kv_heads * head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * head_dim, width, bias=False)
        self.scale = 1 / math.sqrt(head_dim)

    def forward(self, x, rope, cache=None):
        batch, time, _ = x.shape
        q, k, v = project(x, self.q_proj, self.k_proj, self.v_proj)  # (B, T, H K), (B, T, H_kv K) twice
        q = q.view(batch, time, self.heads, -1).transpose(1, 2)  # (B, H, T, K)
        k = k.view(batch, time, self.kv_heads, -1).transpose(1, 2)  # (B, H_kv, T, K)
        v = v.view(batch, time, self.kv_heads, -1).transpose(1, 2)
        q, k = apply_rope(q, *rope), apply_rope(k, *rope)
        if cache is not None:
            past = cache.length
            k, v = cache.extend(self.layer, k, v)  # (B, H_kv, past + T, K)
        if self.kv_heads != self.heads:
            k, v = (t.repeat_interleave(self.heads // self.kv_heads, dim=1) for t in (k, v))
        if cache is None:
            mixed = causal_attention(q, k, v, self.scale)  # (B, H, T, K)
        else:
            mixed = attend(q, k, v, self.scale, causal_mask(past, time, q.dtype, q.device))
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, time, -1))  # (B, T, D)


class MLP(nn.Module):
    """SwiGLU: one projection gates another, and a third brings the result back to the stream's width."""

    def __init__(self, config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x):
        gate, up = project(x, self.gate_proj, self.up_proj)  # (B, T, F) each
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    """Normalise, attend, add; normalise, transform, add."""

    def __init__(self, config, layer):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(0.0)  # a regularizer for long runs on little text; see set_dropout

    def forward(self, x, rope, cache=None):
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), rope, cache))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class Body(nn.Module):
    """Everything below the head: ids (B, T) -> vectors (B, T, D). Called `model` in Hugging Face's names."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, ids, cache=None):
        past, time = (cache.length if cache is not None else 0), ids.shape[1]
        if past + time > self.config.max_position_embeddings:
            raise UserError(
                f"{past + time} tokens do not fit into the context of {self.config.max_position_embeddings}; "
                "give the model fewer tokens at a time"
            )
        if cache is not None:
            rope = cache.angles(time)  # (T, K/2) twice
        else:
            positions, dtype = torch.arange(time, device=ids.device), self.embed_tokens.weight.dtype
            rope = rope_tables(positions, self.config.head_dim, self.config.rope_theta, dtype)
        x = self.embed_tokens(ids).float()  # (B, T, D)
        for layer in self.layers:
            x = layer(x, rope, cache)
        if cache is not None:
            cache.length += time
        return self.norm(x)


class LM(nn.Module):
    """The language model: ids (B, T) -> logits (B, T, V), where logits[:, t] are about token t + 1."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Body(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight
        initialise(self)

    def forward(self, ids, cache=None):
        return self.lm_head(self.model(ids, cache)).float()

    @property
    def device(self):
        return self.model.embed_tokens.weight.device


def initialise(model):
    """Small normal weights; the two projections that write into the stream are zero, so every block starts as a no-op.

    The loss then begins near ln V, and the stream grows only as far as training wants. (With a tied head the token
    just read gets a logit of about 0.02 D, the others stay near 0.)
    """
    for name, parameter in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            nn.init.zeros_(parameter)
        elif "embed_tokens" in name or "lm_head" in name:
            nn.init.normal_(parameter, std=0.02)
        elif parameter.ndim == 2:
            nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)


def set_dropout(model, share):
    """In training, zero this share of what every attention and MLP adds to the stream (Srivastava et al. 2014)."""
    for layer in model.model.layers:
        layer.dropout.p = share


def count_parameters(model, trainable_only=False):
    """How many numbers a model holds; a tied matrix counts once."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def _preset(width, inner, layers, heads, kv_heads=None, **more):
    return Config(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads or heads,
        **more,
    )


PRESETS = {  # parameters at vocabulary 2,048, tied head
    "nano": _preset(96, 192, 2, 3),  # 0.3M
    "micro": _preset(128, 256, 4, 4),  # 0.9M
    "mini": _preset(192, 384, 4, 3),  # 1.9M
    "base": _preset(256, 512, 4, 4),  # 3.1M: the shipped one
    "large": _preset(384, 1024, 5, 6),  # 9.6M
}
