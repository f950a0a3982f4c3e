"""The solution of chapter 0, held equal to what minilm measures with."""

import importlib.util
import math
from pathlib import Path

import torch

from minilm.loss import token_losses

path = Path(__file__).resolve().parents[2] / "solutions" / "ch00_welcome.py"
spec = importlib.util.spec_from_file_location("solution_ch00", path)
mine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mine)


def test_surprise_is_the_loss_of_one_token_in_bits():
    logits = torch.tensor([[0.3, -1.2, 2.0]], dtype=torch.float64)
    p = torch.softmax(logits, -1)[0, 1].item()
    loss = token_losses(logits, torch.tensor([1])).item()  # nats
    assert abs(mine.surprise(p) - loss / math.log(2)) < 1e-6
    assert abs(mine.surprise(p) - loss) > 0.1, "nats and bits must differ here"
