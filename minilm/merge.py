"""Merging: add the correction into the weight, so that an adapted model costs nothing extra to run.

    W' = W + gamma B A          (not W + B A: without gamma the merged model is another model)

Merging in 16 bits rounds W' to 16 bits; see `merge_error`. Unmerging does not subtract, because (W + d) - d is
not always W in floating point: the original weight is kept aside, and put back to the bit.
"""

from dataclasses import replace

import torch
from torch import nn

from .errors import UserError
from .lora import adapters, set_module


@torch.no_grad()
def merge(model):
    """Add every adapter into its base weight. Raises UserError when there is none or it is merged already."""
    layers = _layers(model)
    if any(layer.merged for layer in layers.values()):
        raise UserError("this adapter is merged already; merging twice would add it twice; call unmerge(model) first")
    model.eval()
    for layer in layers.values():
        weight = layer.base_layer.weight
        merged = (weight + layer.delta()).to(weight.dtype)  # a 16-bit weight is summed in float32 and rounded once
        layer.unmerged.append(weight)
        # A new matrix stands in for W, and W is not written to: a tied head shares its W with the embedding.
        layer.base_layer.weight = nn.Parameter(merged, requires_grad=False)
    return model


@torch.no_grad()
def unmerge(model):
    """Put the base weights back, bit for bit. Raises UserError when nothing is merged."""
    layers = _layers(model)
    if not all(layer.merged for layer in layers.values()):
        raise UserError("there is nothing to unmerge; call merge(model) first")
    for layer in layers.values():
        weight = layer.unmerged.pop()
        weight.data = weight.data.to(layer.base_layer.weight)  # if the model was moved or converted while merged
        layer.base_layer.weight = weight
    return model


def fold(model):
    """Merge for good: the adapted layers become ordinary linear layers again, and the original weights are gone."""
    layers = _layers(model)
    if not all(layer.merged for layer in layers.values()):
        merge(model)
    for name, layer in layers.items():
        set_module(model, name, layer.base_layer)
    if "lm_head" in layers and model.config.tie_word_embeddings:  # the merged head is a matrix of its own now
        model.config = model.model.config = replace(model.config, tie_word_embeddings=False)
    return model.requires_grad_(True)


@torch.no_grad()
def merge_error(model):
    """What a merge in the weights' own precision would lose: name -> |W'_rounded - W' | / |delta| (Frobenius).

    0 means that the merged weight holds the whole correction, 1 that rounding has eaten all of it.
    """
    errors = {}
    for name, layer in _layers(model).items():
        weight = layer.unmerged[0] if layer.merged else layer.base_layer.weight
        exact = weight.double() + layer.delta().double()
        errors[name] = ((exact.to(weight.dtype).double() - exact).norm() / layer.delta().norm().clamp(min=1e-30)).item()
    return errors


def _layers(model):
    layers = adapters(model)
    if not layers:
        raise UserError("this model has no adapter; load one with load_adapter(model, folder)")
    return layers
