"""Several processes, one model: each computes the gradient of its share of the batch, and the gradients are added up.

    torchrun --nproc_per_node 2 -m minilm pretrain ...

This is data parallelism in its plainest form: every process holds the whole model, starts from the same weights, and
makes the same update from the same summed gradient, so the copies never drift apart. Without torchrun every function
here is a no-op, and the training loop reads the same.
"""

import os

import torch
import torch.distributed as dist

from .errors import UserError


def start(device="cpu"):
    """Join the other processes if torchrun started us; returns how many there are."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        # gloo stays for the few numbers on the CPU that the processes agree on
        dist.init_process_group("cpu:gloo,cuda:nccl" if str(device).startswith("cuda") else "gloo")
    return count()


def stop():
    """Leave the group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def count():
    return dist.get_world_size() if dist.is_initialized() else 1


def first():
    """Whether this process is the one that writes files and prints."""
    return not dist.is_initialized() or dist.get_rank() == 0


def own_share(batch):
    """The rows of `batch` (B, ...) that are this process's to compute."""
    if count() == 1:
        return batch
    if len(batch) % count():
        raise UserError(f"a batch of {len(batch)} cannot be shared by {count()} processes; choose a multiple")
    return batch.chunk(count())[dist.get_rank()]


def total(number):
    """The sum of `number` over all processes."""
    if count() == 1:
        return number
    value = torch.tensor(float(number))
    dist.all_reduce(value)
    return value.item()


def agree(number):
    """The first process's `number`, for all: clocks differ, and all must take the same decision."""
    if count() == 1:
        return number
    value = torch.tensor(float(number), dtype=torch.float64)
    dist.broadcast(value, 0)
    return value.item()


def sum_gradients(parameters):
    """Replace every gradient by its sum over all processes, in one message."""
    if count() == 1:
        return
    flat = torch.cat([p.grad.flatten() for p in parameters]).float()  # (all parameters,); a 16-bit sum loses digits
    dist.all_reduce(flat)
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad.copy_(part.view_as(parameter))
