"""A training step: from the same start, PEFT with torch's AdamW goes where ours goes."""

import pytest
import torch
from libraries import peft, read_model
from shapes import every_shape

from minilm.adapter import adapter_weights, load_adapter, save_adapter
from minilm.lora import ALL_SEVEN, adapters, add_lora
from minilm.loss import lm_loss
from minilm.optim import AdamW

# Adam divides each gradient by its own size. Where that size is mere rounding, two programs that are both right step
# in different directions; eps is above the rounding of these models and far below their gradients.
STEPS, OPTIONS = 5, {"lr": 1e-2, "betas": (0.9, 0.95), "eps": 1e-5, "weight_decay": 0.1}


def our_steps(model, batches):
    """The losses, and name -> A or B afterwards."""
    optimizer, losses = AdamW(model.parameters(), **OPTIONS), []
    for ids in batches:
        loss = lm_loss(model.train(), ids[:, :-1], ids[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return torch.tensor(losses), adapter_weights(model)


def their_steps(model, batches):
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer, losses = torch.optim.AdamW(parameters, **OPTIONS), []
    for ids in batches:
        loss = model.train()(input_ids=ids, labels=ids).loss  # they shift the labels by one themselves
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return torch.tensor(losses), peft.get_peft_model_state_dict(model)


@pytest.fixture
def batches(tiny_config):
    generator = torch.Generator().manual_seed(11)
    return [torch.randint(tiny_config.vocab_size, (3, 18), generator=generator) for _ in range(STEPS)]


@pytest.mark.parametrize("fast", [True, False], ids=["fast form", "plain form"])
@every_shape
def test_five_steps_of_peft_and_ours_give_the_same_losses_and_matrices(base, folder, tmp_path, batches, fast):
    add_lora(base, rank=4, alpha=6.0)  # gamma is 1.5: neither 1 nor alpha
    for layer in adapters(base).values():
        layer.fast = fast
    save_adapter(tmp_path / "start", base, base=str(folder))
    start = {name: tensor.clone() for name, tensor in adapter_weights(base).items()}
    theirs = peft.PeftModel.from_pretrained(read_model(folder), tmp_path / "start", is_trainable=True)
    their_losses, their_weights = their_steps(theirs, batches)
    losses, weights = our_steps(base, batches)
    torch.testing.assert_close(losses, their_losses, rtol=0, atol=1e-5)
    assert weights.keys() == their_weights.keys() and len(weights) == 2 * len(ALL_SEVEN) * 3
    for name, tensor in weights.items():
        assert (tensor - their_weights[name]).abs().max() < 1e-5, name
        assert (tensor - start[name]).abs().max() > 1e-3, f"{name} has not moved"


def test_another_alpha_goes_elsewhere(base, folder, tmp_path, batches):
    add_lora(base, rank=4, alpha=6.0)
    save_adapter(tmp_path / "start", base, base=str(folder))
    theirs = peft.PeftModel.from_pretrained(read_model(folder), tmp_path / "start", is_trainable=True)
    for layer in adapters(base).values():
        layer.alpha = 4.0
    losses, their_losses = our_steps(base, batches)[0], their_steps(theirs, batches)[0]
    assert losses[0] == pytest.approx(their_losses[0].item(), abs=1e-5), "B is zero at first, whatever alpha is"
    assert (losses - their_losses).abs().max() > 1e-4


def test_a_fresh_adapter_of_peft_trains_the_same_way_here(base, folder, tmp_path, batches):
    torch.manual_seed(1)
    config = peft.LoraConfig(r=3, lora_alpha=7, target_modules=list(ALL_SEVEN), task_type="CAUSAL_LM")
    theirs = peft.get_peft_model(read_model(folder), config)
    theirs.save_pretrained(tmp_path / "start")
    load_adapter(tmp_path / "start", base)
    (losses, weights), (their_losses, their_weights) = our_steps(base, batches), their_steps(theirs, batches)
    torch.testing.assert_close(losses, their_losses, rtol=0, atol=1e-5)
    for name, tensor in weights.items():
        assert (tensor - their_weights[name]).abs().max() < 1e-5, name
