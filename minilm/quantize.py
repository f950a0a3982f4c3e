"""A frozen base in 8 bits: a quarter of float32's bytes, half of bfloat16's, and LoRA trained on top.

Under LoRA the base never changes, so it need not be stored with the digits that small updates would need. Each row of
a weight (the weights of one output) is written as whole numbers from -127 to 127 and one scale in float32:

    codes = round(W / scale),    scale = max |W| of the row / 127,    W is about scale * codes

A product with x needs ordinary numbers again: the weight is rebuilt for each product, used and thrown away. The
gradient passes to x through the same rebuilt weight. A and B are ordinary float32 and learn as always.

    >>> codes, scale = quantize_rows(torch.tensor([[0.5, -1.27, 0.004]]))
    >>> codes.tolist(), round(scale.item(), 4)
    ([[50, -127, 0]], 0.01)

Reading order: quantize_rows, rebuild, FrozenProduct, Int8Linear, quantize_base. What this file does not do: 4 bits with
codes that fit a normal distribution (that is QLoRA's NF4), merge, or products in whole numbers.

Sources: absmax by row (Dettmers et al. 2022, "LLM.int8()"), LoRA on a quantized base (Dettmers et al. 2023, "QLoRA").
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.function import once_differentiable

from .errors import UserError
from .lora import adapters, set_module


def quantize_rows(weight, bits=8):
    """(codes (out, in) int8, scale (out, 1) float32) of a weight (out, in).

    bits: 2 to 8. Fewer than 8 are for experiments: the codes then have fewer levels, but are stored in a byte each.
    """
    if not 2 <= bits <= 8:
        raise UserError(f"{bits} bits are not possible here; choose 2 to 8")
    levels = 2 ** (bits - 1) - 1  # on each side of zero: 127 for 8 bits
    scale = weight.detach().float().abs().amax(dim=1, keepdim=True) / levels  # (out, 1)
    scale = scale.clamp(min=torch.finfo(torch.float32).tiny)  # a row of zeros has no largest number to divide by
    return (weight.detach().float() / scale).round().to(torch.int8), scale


def rebuild(codes, scale, dtype=torch.float32):
    """The weight (out, in) that codes and scale stand for."""
    return (codes * scale).to(dtype)  # int8 times float32 is float32


class FrozenProduct(torch.autograd.Function):
    """x W^T + bias with W rebuilt in both passes: what is kept for backward are codes and scale, not a W of floats."""

    @staticmethod
    def forward(ctx, x, codes, scale, bias):
        ctx.save_for_backward(codes, scale)
        return F.linear(x, rebuild(codes, scale, x.dtype), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        codes, scale = ctx.saved_tensors
        return dy @ rebuild(codes, scale, dy.dtype), None, None, None


class Int8Linear(nn.Module):
    """A frozen linear layer that holds its weight in 8 bits. Arguments: linear: the nn.Linear that it stands in for."""

    def __init__(self, linear, bits=8):
        super().__init__()
        codes, scale = quantize_rows(linear.weight, bits)
        self.codes = nn.Parameter(codes, requires_grad=False)  # (out, in) int8
        self.scale = nn.Parameter(scale, requires_grad=False)  # (out, 1) float32
        self.bias = None if linear.bias is None else linear.bias.requires_grad_(False)
        self.in_features, self.out_features = linear.in_features, linear.out_features

    def forward(self, x):
        return FrozenProduct.apply(x, self.codes, self.scale, self.bias)

    @property
    def weight(self):
        raise UserError("this weight is stored in 8 bits; to merge, load the base in 16 or 32 bits and its adapter")


def quantize_base(model, bits=8):
    """Put an Int8Linear in place of every frozen linear layer inside the blocks, in place; returns the model.

    Embedding, head and norms stay as they are. Convert the model to its dtype and call add_lora before.
    """
    frozen = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and ".layers." in name and not module.weight.requires_grad
    }
    if not frozen:
        raise UserError("no layer is frozen, so none can be stored in 8 bits; call add_lora(model) first")
    if any(layer.merged for layer in adapters(model).values()):
        raise UserError("this adapter is merged into its base; call unmerge(model) first")
    for name, linear in frozen.items():
        set_module(model, name, Int8Linear(linear, bits))
    for layer in adapters(model).values():
        layer.fast = False  # the fast form reads a weight of floats
    return model
