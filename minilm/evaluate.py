"""Bits per byte: how many bits the model needs, on average, for each byte of a text it has not seen.

Loss per token cannot be compared between tokenizers: a tokenizer with longer tokens has fewer, harder ones. The text's
bytes are the same for everyone, so the unit of the course is

    bits per byte = sum of -log2 p(token) over the whole text / number of bytes of the text.

8 would be no knowledge at all, and a text compressor like gzip needs 3.2 on the validation plays.

What this file does not do: compare samples by eye (generate.py).
"""

import math

import torch

from .errors import UserError
from .loss import token_losses


@torch.no_grad()
def bits_per_byte(model, tokenizer, text, context=None, batch=32, limit=None):
    """Bits per byte of `text` (a str).

    The text is cut into windows of `context` tokens (default: the model's) that overlap by half; only the second half
    of a window counts (all of the first one), so every token is predicted from at least context / 2 tokens before it,
    or from the beginning of the text. `limit`: use only about the first `limit` tokens, for a quick look.
    """
    if not text:
        raise UserError("there is no text to measure bits per byte on; give one that is not empty")
    context = context or model.config.max_position_embeddings
    ids = torch.as_tensor([tokenizer.eot, *tokenizer.encode(text)])
    size = len(text.encode("utf-8"))
    if limit and limit < len(ids) - 1:
        ids = ids[: limit + 1]
        size = len(tokenizer.decode_bytes(ids[1:].tolist()))  # a cut may go through the middle of a letter
    training = model.training
    model.eval()
    nats = sum(_nats(model, block, counted) for block, counted in _windows(ids, context, batch))
    model.train(training)
    return nats / math.log(2) / size


def _windows(ids, context, batch):
    """Blocks (b, <= context + 1) of overlapping windows, with the index of the first target that counts."""
    half, targets = context // 2, len(ids) - 1
    step = context - half  # the targets that a window adds: half of it, or one more when the context is odd
    yield ids[None, : context + 1], 0
    starts = list(range(step, targets - half, step))  # each covers targets start + half ... start + context - 1
    whole = [s for s in starts if s + context <= targets]
    for i in range(0, len(whole), batch):
        yield torch.stack([ids[s : s + context + 1] for s in whole[i : i + batch]]), half
    for s in starts[len(whole) :]:
        yield ids[None, s:], half


def _nats(model, block, counted):
    block = block.to(model.device)
    losses = token_losses(model(block[:, :-1]), block[:, 1:])  # (b, T)
    return losses[:, counted:].cpu().double().sum().item()  # on the CPU, since MPS has no float64
