"""Our layers and optimizer against torch's own, and LoRA against the formula as its authors' library publishes it.

Torch is always there, so nothing here is skipped.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from minilm.attend import attend, causal_attention, causal_mask
from minilm.lora import LoRALinear
from minilm.loss import IGNORE, lm_loss, token_losses
from minilm.norm import RMSNorm
from minilm.optim import AdamW


def noise(*shape, seed=0, grad=False):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_(grad)


def gradients(value, tensors, weight):
    """Gradients of a weighted sum: a plain sum would hide swapped entries."""
    return torch.autograd.grad((value * weight).sum(), tensors)


def close(one, other, atol=1e-5):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("time", [7, 128, 200])
def test_attention_is_scaled_dot_product_attention(time):
    q, k, v = (noise(2, 3, time, 8, seed=s, grad=True) for s in range(3))
    scale, weight = 0.3, noise(2, 3, time, 8, seed=9)
    ours, theirs = (
        causal_attention(q, k, v, scale),
        F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale),
    )
    close(ours, theirs)
    for mine, other in zip(gradients(ours, (q, k, v), weight), gradients(theirs, (q, k, v), weight), strict=True):
        close(mine, other)
    assert not torch.allclose(ours, F.scaled_dot_product_attention(q, k, v, is_causal=True)), "the scale does nothing"
    assert not torch.allclose(ours, F.scaled_dot_product_attention(q, k, v, scale=scale)), "the mask does nothing"


def test_attention_behind_a_cache_is_scaled_dot_product_attention():
    q, k, v = noise(1, 2, 3, 8), noise(1, 2, 10, 8, seed=1), noise(1, 2, 10, 8, seed=2)
    mask = causal_mask(7, 3, torch.float32)
    close(attend(q, k, v, 0.5, mask), F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.5))


def test_rms_norm_is_torchs():
    ours, theirs = RMSNorm(24, eps=1e-3), nn.RMSNorm(24, eps=1e-3)
    with torch.no_grad():
        ours.weight.copy_(1 + noise(24, seed=4))
        theirs.weight.copy_(ours.weight)
    x, weight = noise(3, 5, 24, grad=True), noise(3, 5, 24, seed=8)
    close(ours(x), theirs(x))
    mine, other = gradients(ours(x), (x, ours.weight), weight), gradients(theirs(x), (x, theirs.weight), weight)
    close(mine[0], other[0])
    close(mine[1], other[1])
    theirs.eps = 1e-6
    assert not torch.allclose(ours(x * 0.01), theirs(x * 0.01)), "eps does nothing"


def test_token_losses_are_torchs_cross_entropy():
    logits, targets = 3 * noise(2, 9, 31), torch.arange(18).view(2, 9)
    targets[0, 3] = IGNORE
    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="none")
    close(token_losses(logits, targets).flatten(), theirs)
    assert theirs[3] == 0


def test_the_loss_of_a_model_and_all_its_gradients_are_those_of_cross_entropy(tiny_model, ids):
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    targets[1, 4:] = IGNORE
    parameters = list(tiny_model.parameters())
    ours = lm_loss(tiny_model, inputs, targets)
    theirs = F.cross_entropy(tiny_model(inputs).flatten(0, 1), targets.flatten())
    close(ours, theirs)
    one, other = torch.autograd.grad(ours, parameters), torch.autograd.grad(theirs, parameters)
    for (name, _), mine, his in zip(tiny_model.named_parameters(), one, other, strict=True):
        assert (mine - his).abs().max() < 1e-5, name


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.95), 1e-8), ((0.8, 0.999), 1e-2)])
def test_adamw_is_torchs(decay, betas, eps):
    mine, other = ([nn.Parameter(noise(3, 5)), nn.Parameter(noise(4, seed=1))] for _ in range(2))
    options = {"lr": 3e-2, "betas": betas, "eps": eps, "weight_decay": decay}
    ours, theirs = AdamW(mine, **options), torch.optim.AdamW(other, **options)
    for step in range(20):
        for one, two in zip(mine, other, strict=True):
            one.grad = noise(*one.shape, seed=50 + step) * 10.0 ** (step % 5 - 3)  # small and large gradients
            two.grad = one.grad.clone()
        ours.step()
        theirs.step()
        for one, two in zip(mine, other, strict=True):
            close(one.detach(), two.detach(), atol=1e-6)
    assert (mine[0] - noise(3, 5)).abs().max() > 1e-2, "nothing has moved"


def published(x, layer):
    """loralib's Linear, as its repository states it: result + (dropout(x) @ A^T @ B^T) * (lora_alpha / r)."""
    result = F.linear(x, layer.base_layer.weight, layer.base_layer.bias)
    return result + (x @ layer.lora_A.T @ layer.lora_B.T) * (layer.alpha / layer.rank)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("fast", [True, False])
def test_lora_is_the_published_formula(bias, fast):
    layer = LoRALinear(nn.Linear(6, 10, bias=bias), rank=3, alpha=5.0)
    layer.fast = fast
    with torch.no_grad():
        layer.lora_B.copy_(noise(10, 3, seed=5))
    x, weight = noise(4, 7, 6, grad=True), noise(4, 7, 10, seed=6)
    ours, theirs = layer(x), published(x, layer)
    close(ours, theirs)
    tensors = (x, layer.lora_A, layer.lora_B)
    for mine, other in zip(gradients(ours, tensors, weight), gradients(theirs, tensors, weight), strict=True):
        close(mine, other)
    assert (ours - layer.base_layer(x)).abs().max() > 0.1, "the adapter does nothing"


def test_lora_starts_as_published():
    layer = LoRALinear(nn.Linear(400, 30), rank=8, generator=torch.Generator().manual_seed(0))
    theirs = nn.init.kaiming_uniform_(torch.empty(8, 400), a=5**0.5, generator=torch.Generator().manual_seed(0))
    assert not layer.lora_B.any()
    assert layer.lora_A.abs().max() <= 400**-0.5 and theirs.abs().max() <= 400**-0.5
    assert layer.lora_A.std().item() == pytest.approx(theirs.std().item(), rel=0.05)
