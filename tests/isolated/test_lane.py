"""A lane: the same records each time, inputs of its own for each file, and no points lost by what is nobody's fault."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import bank
import pytest
from handing import graded, handed, kinds

from minilm.errors import UserError
from minilm.grading.isolated import lane as lanes_module
from minilm.grading.isolated.lane import Infra, Job, Lane
from minilm.grading.registry import exercise, select

SOLUTION = bank.solution(1)
WRONG = bank.body("count_pairs", "return {}")(SOLUTION, "1.1")
SLEEPY = (
    SOLUTION
    + """

import time
_count_pairs, called = count_pairs, []

def count_pairs(words):
    called.append(len(words))
    if called == [3] or called == [4]:  # in the second test and in the last one, which can be hit in the middle then
        time.sleep(1)
    return _count_pairs(words)
"""
)
JOB = {"file": "ch01_tokenizer.py", "why": "", "sha256": "", "secret": "00", "exercises": ["1.1"], "done": []}
DECLARED = exercise("1.1").tests


@pytest.fixture(scope="module")
def own(strongest):
    """A lane of the strongest level that the tests of this file may kill."""
    with Lane(strongest.level) as lane:
        yield lane


# ---- records -------------------------------------------------------------------------------------


def test_a_right_file_passes_and_a_wrong_one_does_not(strongest):
    assert kinds(graded(strongest, SOLUTION, "1.1", "1.2")) == {
        "1.1": [""] * DECLARED,
        "1.2": [""] * exercise("1.2").tests,
    }
    found = kinds(graded(strongest, WRONG, "1.1", "1.2"))
    assert found["1.1"] == ["value"] * DECLARED and set(found["1.2"]) == {""}


def test_the_same_file_gives_the_same_records_byte_for_byte(strongest):
    for source in (
        SOLUTION,
        WRONG,
        "def count_pairs(words):\n    print(object())\n    raise ValueError(object())\n",
        "import time(",
    ):
        once, again = (json.dumps(graded(strongest, source, "1.1", "1.5")) for _ in range(2))
        assert once == again


def test_another_file_gives_other_records(strongest):
    assert graded(strongest, SOLUTION, "1.1") != graded(strongest, WRONG, "1.1")


def test_a_record_says_all_that_a_message_needs(strongest):
    for record in graded(strongest, WRONG, "1.1"):
        assert {"exercise", "test", "passed", "kind", "seen", "call", "means", "printed"} <= set(record)
        assert record["call"].startswith("count_pairs(") and record["passed"] is False


def test_a_file_that_is_not_there_is_missing_and_says_why(strongest):
    seen = strongest.grade(handed(None, why="There is no ch01_tokenizer.py among the files."), select(["1"]))
    assert {record["kind"] for record in seen} == {"missing"}
    assert {record["seen"] for record in seen} == {"There is no ch01_tokenizer.py among the files."}
    assert len(seen) == sum(one.tests for one in select(["1"]))
    assert {record["kind"] for record in graded(strongest, "", "1.1")} == {"missing"}


def test_a_file_that_python_cannot_read_costs_its_points_and_nothing_else(strongest):
    for source, kind in (
        ("def f(:", "syntax"),
        ("1/0", "load"),
        ("import nothing_of_this_name", "load"),
        ("\0", "syntax"),
    ):
        assert kinds(graded(strongest, source, "1.1")) == {"1.1": [kind] * DECLARED}
    assert set(kinds(graded(strongest, SOLUTION, "1.1"))["1.1"]) == {""}


def test_what_is_printed_is_kept_to_its_beginning(strongest):
    noisy = WRONG.replace("return {}", "print('spam ' * 100_000, flush=True)\n    return {}")
    for record in graded(strongest, noisy, "1.1"):
        assert record["printed"].startswith("spam spam") and len(record["printed"]) <= 4000


def test_each_record_is_told_when_it_comes(strongest):
    told = []
    assert graded(strongest, SOLUTION, "1.1", "1.2", watch=told.append) == told


def test_every_kind_of_death_is_the_file_s_own_and_reported(strongest):
    """What a cell does in its last moment leaves the judge in order: the next file is graded as ever."""
    raw = "import os\ndef count_pairs(words):\n    {}\n"
    for deed, kind in (("os._exit(3)", "crash"), ("os.write(4, b'x' * 50)", "protocol"), ("os.close(4)", "crash")):
        records = graded(strongest, raw.format(deed), "1.1")
        assert kinds(records) == {"1.1": [kind] * DECLARED} and all("printed" in record for record in records)
    assert set(kinds(graded(strongest, SOLUTION, "1.1"))["1.1"]) == {""}


# ---- hidden inputs -------------------------------------------------------------------------------

TELLING = "def count_pairs(words):\n    print(words)\n    return {{}}\n# {}\n"


def inputs(lane, source):
    return [record["printed"] for record in graded(lane, source, "1.1")]


def test_one_file_always_meets_the_same_inputs_and_another_meets_others(strongest):
    first, again, other = (inputs(strongest, TELLING.format(text)) for text in ("a", "a", "b"))
    assert first == again and all(first)
    differing = [one != two for one, two in zip(first, other, strict=True)]
    assert any(differing) and not all(differing)  # most tests of 1.1 have inputs that were chosen by hand


def test_another_secret_means_other_inputs(strongest, monkeypatch):
    before = inputs(strongest, TELLING.format("a"))
    with monkeypatch.context() as patch:
        patch.setattr(strongest, "secret", b"another secret, 16 bytes or more")
        assert inputs(strongest, TELLING.format("a")) != before
    assert inputs(strongest, TELLING.format("a")) == before


# ---- what is nobody's fault ----------------------------------------------------------------------


class Struck(Job):
    """A job to which something happens at the start of a test, once."""

    deed, at, done = None, 2, False

    def next(self, seconds):
        message = super().next(seconds)
        self.starts = getattr(self, "starts", 0) + ("start" in message)
        if self.starts == Struck.at and not Struck.done:
            Struck.done = True
            time.sleep(0.2)  # now the learner's function sleeps
            Struck.deed(self)
        return message


@pytest.fixture
def strike(monkeypatch):
    """strike(deed, at): the next job has deed(job) done to it in its test number `at`."""

    def prepare(deed, at=2):
        Struck.deed, Struck.at, Struck.done = staticmethod(deed), at, False
        monkeypatch.setattr(lanes_module, "Job", Struck)

    return prepare


def kill_the_fork(job):
    os.kill(job.pid, signal.SIGKILL)


def kill_the_judge(job):
    os.kill(job.lane.process.pid, signal.SIGKILL)


def kill_the_zygote(job):
    for pid in children(job.lane.process.pid):
        if pid != job.pid:
            os.killpg(pid, signal.SIGKILL)


def stop_the_fork(job):
    os.kill(job.pid, signal.SIGSTOP)


def children(parent):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")


@needs_proc
@pytest.mark.parametrize(
    ("deed", "at"),
    [
        (kill_the_fork, 2),
        (kill_the_judge, 2),
        (kill_the_zygote, 2),
        (kill_the_zygote, DECLARED),
    ],
)
def test_a_process_of_ours_that_is_killed_costs_no_points(own, strike, deed, at):
    strike(deed, at)
    records = graded(own, SLEEPY, "1.1")
    assert Struck.done
    assert kinds(records) == {"1.1": [""] * DECLARED}


@needs_proc
def test_each_record_is_told_once_even_if_the_judge_dies(own, strike):
    strike(kill_the_judge)
    told = []
    records = graded(own, SLEEPY, "1.1", watch=told.append)
    assert Struck.done and told == records


@needs_proc
def test_a_judge_that_is_killed_each_time_is_no_zero_but_an_error(own, strike, monkeypatch):
    monkeypatch.setattr(lanes_module, "TRIES", 1)
    strike(kill_the_judge)
    with pytest.raises(Infra):
        graded(own, SLEEPY, "1.1")
    monkeypatch.undo()
    assert set(kinds(graded(own, SOLUTION, "1.1"))["1.1"]) == {""}


def test_a_judge_that_gets_stuck_in_a_test_loses_this_exercise_and_no_other(own, strike, monkeypatch):
    monkeypatch.setattr(lanes_module, "JUDGING", 1.5 - exercise("1.1").limit)
    strike(stop_the_fork)
    found = kinds(graded(own, SLEEPY, "1.1", "1.2"))
    assert found["1.1"] == ["", "slow"] and set(found["1.2"]) == {""}


@needs_proc
def test_the_death_of_whoever_asked_ends_the_judge_and_its_sandbox(strongest):
    with Lane(strongest.level) as lane:
        below = children(lane.process.pid)
        assert below
        job = Job(lane)
        job.send({**JOB, "source": SLEEPY})
        while "start" not in job.next(60):
            pass
        lane.process.stdin.close()  # as it is when the process that asked is gone
        lane.process.wait(30)
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in [*below, job.pid]):
            assert time.monotonic() < deadline, "the sandbox outlives its judge"
            time.sleep(0.05)


def test_a_lane_that_cannot_be_had_is_refused():
    with pytest.raises(UserError, match="there is no isolation 'strnog'"):
        Lane("strnog")


def test_a_lane_says_what_stands(strongest):
    said = strongest.isolation
    assert said == {
        "level": strongest.level,
        "strong": strongest.level in ("bubblewrap", "namespaces"),
        "walls": strongest.walls,
    }
