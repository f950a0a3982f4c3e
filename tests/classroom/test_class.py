"""Whole classes: every grade is what it has to be, whoever sits beside."""

import os
import threading
import time
from pathlib import Path

import pytest
from crowd import Crowd, wrong_grades

from minilm.grading.classroom.run import grade_class

pytestmark = pytest.mark.filterwarnings("ignore")  # of the wrong answers that say what is expected


def check(crowd, graded):
    assert [one.name for one in graded] == sorted(crowd.expected)
    assert not wrong_grades(crowd, graded)
    assert all(
        entry["outcome"] != "infra" for one in graded for found in one.records.values() for entry in found["exercises"]
    )


def test_a_class_of_twenty_gets_the_grades_it_has_earned(tmp_path):
    (tmp_path / "in").mkdir()
    crowd = Crowd(tmp_path / "in", size=20)
    graded = grade_class(tmp_path / "in", tmp_path / "out")
    check(crowd, graded)
    points = {one.name: sum(found["points"] for found in one.records.values()) for one in graded}
    assert points == {name: crowd.points(name) for name in crowd.expected}
    assert len(set(points.values())) > 10, "a class in which all are alike tests little"
    lines = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 21 and not any("infra" in line for line in lines)


@pytest.mark.slow
def test_a_class_of_two_hundred_in_time_and_with_a_judge_that_does_not_grow(tmp_path):
    (tmp_path / "in").mkdir()
    crowd = Crowd(tmp_path / "in", size=200, seed=1)
    sizes, over = [], threading.Event()
    watcher = threading.Thread(target=watch, args=(sizes, over), daemon=True)
    watcher.start()
    began = time.monotonic()
    graded = grade_class(tmp_path / "in", tmp_path / "out")
    seconds = time.monotonic() - began
    over.set()
    cores = os.cpu_count()
    early, late = max(sizes[len(sizes) // 10 : len(sizes) // 4]), max(sizes[-len(sizes) // 4 :])
    print(f"{seconds:.0f} s for 200 on {cores} cores, {seconds * cores / 200:.1f} s per submission and core;"
          f" largest judge {early / 1e6:.0f} MB early, {late / 1e6:.0f} MB late")  # fmt: skip
    check(crowd, graded)
    assert seconds * cores / 200 <= 25
    assert late <= 1.1 * early


def watch(sizes, over):
    """The memory of the largest judge, every second."""
    while not over.wait(1.0):
        sizes.append(max(judges(), default=0))
    sizes[:] = [size for size in sizes if size]


def judges():
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if b"minilm.grading.isolated.judge" in (entry / "cmdline").read_bytes():
                yield int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
