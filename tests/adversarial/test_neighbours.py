"""Two lanes side by side: what a submission uses up on one of them is no loss to the other."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import case, honest, patched
from lanes import SECRET, handed, strongest

from minilm.grading.isolated.lane import Lane
from minilm.grading.isolated.levels import STRONG
from minilm.grading.records import Report
from minilm.grading.registry import exercise

pytestmark = pytest.mark.slow

ONE = exercise("6.1")
TAKES_ALL = """
import threading, time
try:
    for _ in range(1000): threading.Thread(target=time.sleep, args=(100,)).start()
except RuntimeError: pass
time.sleep(0.5)
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool: list(pool.map(abs, range(10)))
"""


def points(lane, one):
    return Report.of("", [ONE], lane.grade(handed("ch06_memory.py", patched(one)), [ONE])).points


@pytest.mark.skipif(strongest() not in STRONG, reason="weak walls do not count the threads of root")
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="each lane has its own count already")
def test_threads_are_counted_for_each_lane_alone():
    with Lane(strongest(), SECRET) as one, Lane(strongest(), SECRET) as other, ThreadPoolExecutor() as pool:
        greedy = pool.submit(points, one, case("takes all", "starts all threads it may", "fail", TAKES_ALL))
        seen = [points(other, honest("pool", "needs three", POOL))]
        while not greedy.done():
            seen.append(points(other, honest("pool", "needs three", POOL)))
        assert greedy.result() == 0
    assert set(seen) == {1}
