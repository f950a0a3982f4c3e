"""Small models for the tests of adapters and memory, without any symmetry that could hide a mistake."""

import torch

from minilm.lora import adapters
from minilm.loss import lm_loss
from minilm.model import LM, Config

TINY = Config(  # every size differs from every other; two query heads share a key/value head
    vocab_size=61,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=2,
    num_attention_heads=6,
    num_key_value_heads=3,
    max_position_embeddings=32,
)


def tiny(config=TINY, dtype=torch.float32, seed=0):
    """A model with random numbers everywhere: a fresh one has zeros in it, through which no gradient flows."""
    model = LM(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.empty(parameter.shape).normal_(0, 0.2, generator=generator)
            parameter.copy_(1 + noise if "norm" in name else noise)
    return model.to(dtype)


def token_ids(batch=2, time=7, config=TINY, seed=1):
    """(B, T) random ids."""
    return torch.randint(config.vocab_size, (batch, time), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def fill(model, scale=0.3, seed=2):
    """Random numbers in every B, as if the adapter had been trained; returns the model."""
    generator = torch.Generator().manual_seed(seed)
    for layer in adapters(model).values():
        layer.lora_B.copy_(torch.empty(layer.lora_B.shape).normal_(0, scale, generator=generator))
    return model


@torch.no_grad()
def logits(model, ids=None):
    return model(token_ids() if ids is None else ids)


def train_steps(model, optimizer, steps, ids=None):
    """A few steps on one batch; returns the losses."""
    ids = token_ids() if ids is None else ids
    losses = []
    for _ in range(steps):
        loss = lm_loss(model, ids[:, :-1], ids[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def snapshot(model):
    """Name -> copy of every parameter."""
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
