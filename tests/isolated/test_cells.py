"""The cells of one file: ordered ahead and no more than are needed, and the first one reads the file for all."""

import fcntl
import marshal
import os
import sys
from pathlib import Path

import pytest
from inside import inside

from minilm.grading.isolated import ends, kernel, remote
from minilm.grading.isolated.frames import Gone, Late
from minilm.grading.isolated.remote import AHEAD, Cells, File, RemoteWorker
from minilm.grading.isolated.walls import Sandbox
from minilm.grading.problem import Problem
from minilm.grading.registry import exercise

CODE = marshal.dumps(compile("", "ch01_tokenizer.py", "exec"))
ONE = exercise("1.1")


class Channel:
    """Of a cell that gives these answers, or raises them."""

    def __init__(self, answers):
        self.answers, self.told, self.printed = list(answers), [], b""

    def tell(self, value, seconds):
        self.told.append(value)

    def receive(self, seconds):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, value, seconds):
        self.tell(value, seconds)
        return self.receive(seconds)

    def drain(self):
        pass


class Pretended:
    """A sandbox whose cells all answer alike, and which knows how many were ordered and ended."""

    def __init__(self, *answers):
        self.answers, self.cells = answers, []

    def order(self):
        cell = type("Cell", (), {"channel": Channel(self.answers), "life": 0, "ended": False})()
        cell.stand = lambda: cell
        cell.end = lambda: setattr(cell, "ended", True)
        cell.how_it_ended = lambda seconds: {"code": -11, "why": ""}
        self.cells.append(cell)
        return cell


def cells_of(sandbox, tests, code=CODE):
    return Cells(sandbox, File("ch01_tokenizer.py", b"", "", code), [ONE] * tests)


@pytest.mark.parametrize("tests", [1, 2, 5])
def test_there_are_as_many_cells_as_tests_and_never_more_than_two_ahead(tests):
    sandbox = Pretended()
    cells = cells_of(sandbox, tests)
    for place in range(tests):
        assert cells.take(place) is sandbox.cells[place]
        assert len(sandbox.cells) == min(place + 1 + AHEAD, tests)


def test_none_is_ordered_ahead_until_the_first_has_read_the_file():
    sandbox = Pretended()
    cells = cells_of(sandbox, 5, code=None)
    cells.take(0)
    assert len(sandbox.cells) == 1
    cells.file.code = CODE
    cells.take(1)
    assert len(sandbox.cells) == 2 + AHEAD
    assert [cell.channel.told[0]["code"] for cell in sandbox.cells] == [None, CODE, CODE, CODE]


def test_a_test_that_needs_no_cell_gives_its_own_back_and_takes_no_other_s():
    sandbox = Pretended()
    cells = cells_of(sandbox, 6)
    cells.take(0)
    assert cells.take(2) is sandbox.cells[2]
    assert [cell.ended for cell in sandbox.cells[:3]] == [False, True, False]
    assert cells.take(5) is sandbox.cells[-1] and len(sandbox.cells) == 6
    cells.close()
    assert [cell.ended for cell in sandbox.cells] == [False, True, False, True, True, False]


def test_each_cell_gets_what_stands_beside_its_own_test():
    sandbox = Pretended()
    cells = Cells(sandbox, File("ch05_lora.py", b"", "", CODE), [exercise("5.6"), exercise("5.7")])
    cells.take(0)
    assert [sorted(cell.channel.told[0]["support"]) for cell in sandbox.cells] == [[], ["minilm.grading.support"]]


# ---- the first cell ------------------------------------------------------------------------------


def first(*answers):
    """A worker whose cell answers like that."""
    return RemoteWorker(cells_of(Pretended(*answers), 1, code=None), 0)


def test_the_code_of_the_first_cell_is_kept_for_the_others():
    worker = first({"code": CODE})
    worker.open()
    assert worker.file.code == CODE


def test_a_file_without_code_may_still_be_asked_for_the_reason():
    worker = first({"code": None}, ["problem", "syntax", "line 1", None, None])
    with pytest.raises(Problem, match="line 1") as caught:
        worker.request("load", None)
    assert caught.value.kind == "syntax" and worker.file.code is None


@pytest.mark.parametrize(
    "answer, kind",
    [({"code": "text"}, "protocol"), ({"code": CODE, "more": 1}, "protocol"), (["value", 1, []], "protocol"),
     (Late(), "slow"), (Gone(), "crash")],
)  # fmt: skip
def test_a_cell_that_does_not_read_its_file_loses_its_test_once_something_is_asked(answer, kind):
    worker = first(answer)
    worker.open()
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            worker.request("load", None)
        assert caught.value.kind == kind


def test_what_a_cell_reads_is_the_code_of_the_very_file(new_sandbox):
    source = "def f():\n    return 6 * 7\n"
    one = new_sandbox("bare")
    cell = one.open()
    job = {"file": "ch01_tokenizer.py", "source": source.encode(), "code": None, "support": {}, "functions": []}
    read = cell.channel.ask(job, 10.0)["code"]
    cell.end()
    assert marshal.loads(read) == compile(source, "ch01_tokenizer.py", "exec", dont_inherit=True)
    assert marshal.loads(read) != compile(source.replace("6", "5"), "ch01_tokenizer.py", "exec", dont_inherit=True)
    with inside(one, source) as other:
        assert other.ask("f") == 42


def test_a_file_that_cannot_be_read_has_no_code(new_sandbox):
    cell = new_sandbox("bare").open()
    job = {"file": "ch01_tokenizer.py", "source": b"def f(:", "code": None, "support": {}, "functions": []}
    assert cell.channel.ask(job, 10.0) == {"code": None}
    cell.end()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pipe has the size that it has")
def test_a_file_with_all_that_stands_beside_it_is_handed_over_before_anybody_reads(new_sandbox):
    cell = new_sandbox("bare").order()
    assert fcntl.fcntl(cell.channel.write_fd, fcntl.F_GETPIPE_SZ) == ends.PIPE
    job = {"file": "ch01_tokenizer.py", "source": b"#" * (ends.PIPE // 2), "code": None, "support": {}, "functions": []}
    cell.channel.tell(job, remote.OPENING)
    assert cell.channel.receive(20.0)["walls"]
    assert cell.channel.receive(20.0)["code"]
    cell.end()


# ---- where cells come from -----------------------------------------------------------------------


def test_the_process_that_forks_cells_has_one_thread_even_with_torch():
    if not Path("/proc/self/task").is_dir():
        pytest.skip("no /proc here")
    one = Sandbox("bare").ready()
    threads = list(Path(f"/proc/{one.process.pid}/task").iterdir())
    one.close()
    assert len(threads) == 1, "a child of one with more may wait for a lock that nobody gives back"


def test_a_fork_gives_the_child_a_zero_and_both_go_on():
    pid = kernel.fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
