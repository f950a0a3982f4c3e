"""Holding on to freed memory: a request to the C library, where there is one that understands it."""

import ctypes
import subprocess
import sys

import pytest

from minilm import heap

COUNT = """
import resource, torch
from minilm.heap import keep_freed_memory
if {keep}:
    keep_freed_memory()
def work():
    kept = [torch.ones(2**20)]  # 4 MiB, and fifteen more that live as long, as activations do
    for _ in range(15):
        kept.append(kept[-1] + 1)
for _ in range(10):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def fresh_pages(keep):
    done = subprocess.run([sys.executable, "-c", COUNT.format(keep=keep)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc's malloc"
)
def test_a_loop_that_allocates_and_frees_asks_for_almost_no_fresh_pages():
    assert fresh_pages(keep=True) < fresh_pages(keep=False) / 5


def test_another_system_is_left_alone(monkeypatch):
    monkeypatch.setattr(heap.sys, "platform", "darwin")
    assert heap.keep_freed_memory() is False
