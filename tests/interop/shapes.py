"""The shapes of small models in which everything matters, and adapters that do something."""

import pytest
import torch

from minilm.lora import adapters

SHAPES = {
    "grouped and tied": {},
    "untied": {"tie_word_embeddings": False, "num_key_value_heads": 2},
    "other constants": {"rope_theta": 500.0, "rms_norm_eps": 1e-3},
}
every_shape = pytest.mark.parametrize("base", SHAPES.values(), ids=SHAPES, indirect=True)


@torch.no_grad()
def trained(model, seed=3):
    """Random numbers in every B, as after training."""
    generator = torch.Generator().manual_seed(seed)
    for layer in adapters(model).values():
        layer.lora_B.copy_(0.3 * torch.randn(layer.lora_B.shape, generator=generator))
    return model
