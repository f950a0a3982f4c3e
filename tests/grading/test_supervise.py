"""Grading in a process of its own: points, and a clock that nothing in a learner's code can stop."""

import time

import bank
import pytest

from minilm.grading import course, supervise
from minilm.grading.registry import chapters, select

SOLUTION = bank.solution(1)


def grade(impl, *names):
    return supervise.grade(impl, select(names))


def kinds(report):
    return {result.exercise.id: "" if result.passed else result.problem["kind"] for result in report.results}


def with_body(id, function, code):
    return bank.body(function, code)(SOLUTION, id)


def test_the_solutions_get_all_points():
    report = grade("solutions")
    assert report.points == report.possible == sum(chapter.points for chapter in chapters().values()), kinds(report)
    assert report.next is None
    declared = sum(result.exercise.tests for result in report.results)
    assert sum(len(result.records) for result in report.results) == declared


def test_untouched_stubs_get_none_and_are_told_from_wrong_answers(folder):
    report = grade(folder())
    assert report.points == 0 and set(kinds(report).values()) == {"todo"}
    assert report.next.exercise.id == "0.1"


def test_an_empty_file_a_missing_one_and_a_syntax_error_get_none(folder):
    report = grade(folder(ch00="", ch01=SOLUTION.replace("while True:", "while True"), ch04=None))
    assert report.points == 0
    assert {kind for id, kind in kinds(report).items() if id[0] == "1"} == {"syntax"}
    assert {kind for id, kind in kinds(report).items() if id[0] in "04"} == {"missing"}
    problem = report.results[1].problem["seen"]
    assert problem.startswith("ch01_tokenizer.py, line ") and problem.rstrip().endswith("^")


def test_an_exercise_pays_by_itself(folder):
    report = grade(folder(ch01=with_body("1.5", "decode", "return 'x'")), "1")
    assert report.points == 11 and kinds(report)["1.5"] == "value"
    assert report.next.exercise.id == "1.5"


def test_an_exercise_that_needs_another_says_which(folder):
    source = with_body("1.2", "merge_pair", 'raise NotImplementedError("Exercise 1.2: merge a pair")')
    report = grade(folder(ch01=source), "1.2", "1.3")
    assert kinds(report) == {"1.2": "todo", "1.3": "waits"}
    assert "Exercise 1.2" in report.results[1].problem["seen"]


def storage(**code):
    """Chapter 4 in which functions of 4.4 hold other code (None: the stub)."""
    source = bank.solution(4)
    for function, lines in code.items():
        source = bank.body(function, lines or f'raise NotImplementedError("Exercise 4.4: {function}")')(source, "4.4")
    return source


def test_a_half_written_exercise_is_begun_and_says_what_is_left(folder):
    (result,) = grade(folder(ch04=storage(break_even_rank=None)), "4.4").results
    assert result.problem["kind"] == "begun" and result.points == 0
    assert result.problem["seen"] == "2 of 6 tests pass. Still to write: break_even_rank."
    (result,) = grade(folder(), "4.4").results
    assert result.problem["kind"] == "todo" and result.unwritten == ("factor_size", "break_even_rank")


def test_what_is_wrong_is_told_before_what_is_not_written(folder):
    (result,) = grade(folder(ch04=storage(factor_size=None, break_even_rank="return -1")), "4.4").results
    assert result.records[0]["kind"] == "todo" and result.problem["kind"] == "value"


def test_an_exercise_checked_alone_says_which_others_nobody_looked_at(folder):
    source = with_body("1.3", "train_bpe", "return 1 / 0")
    alone, both, all_ = (grade(folder(ch01=source), *names).results for names in (["1.3"], ["1.2", "1.3"], ["1"]))
    assert alone[0].unseen == ("1.1", "1.2") and both[1].unseen == ("1.1",) and all_[2].unseen == ()


def test_a_file_that_stops_while_it_is_read_blames_no_call(folder):
    report = grade(folder(ch01="print(count_pairs([]))\n" + SOLUTION), "1")
    assert set(kinds(report).values()) == {"load"} and report.points == 0
    assert report.results[0].problem["call"] == ""
    assert "stops at line 1 while it is read" in report.results[0].problem["seen"]


def test_a_loop_in_the_first_call_costs_one_exercise_and_not_the_chapter(folder, monkeypatch):
    monkeypatch.setenv("MINILM_PATIENCE", "0.3")
    report = grade(folder(ch01=with_body("1.2", "merge_pair", "while True: pass")), "1.2", "1.5")
    assert kinds(report) == {"1.2": "slow", "1.5": ""}


def test_what_the_code_printed_is_kept(folder):
    report = grade(folder(ch01=with_body("1.5", "decode", "print('here', ids)\nreturn 'x'")), "1.5")
    assert report.results[0].problem["printed"].startswith("here [104, 256, 33]")


LOOPS = """
    import time
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:
            pass
"""


def test_a_loop_that_catches_everything_is_ended_from_outside(folder, monkeypatch):
    monkeypatch.setenv("MINILM_PATIENCE", "0.3")
    report = grade(folder(ch01=with_body("1.2", "merge_pair", LOOPS)), "1.2", "1.5")
    assert kinds(report) == {"1.2": "slow", "1.5": ""}, "and the exercises after it are graded"
    assert "did not stop when asked to" in report.results[0].problem["seen"]
    assert len(report.results[0].records) == 1, "what was too slow once is not waited for again"


def test_a_file_that_never_loads_is_waited_for_once(folder, monkeypatch):
    monkeypatch.setenv("MINILM_PATIENCE", "0.3")
    start = time.monotonic()
    report = grade(folder(ch01="while True: pass\n"), "1")
    assert time.monotonic() - start < 30, "49 tests, but only the first may wait for its limit of 1.5 seconds"
    assert set(kinds(report).values()) == {"slow"} and report.points == 0


@pytest.mark.parametrize("end", ["import os; os._exit(0)", "import os; os.abort()"])
def test_a_process_that_dies_costs_only_its_exercise(folder, end):
    report = grade(folder(ch01=with_body("1.2", "merge_pair", end)), "1.2", "1.5")
    assert kinds(report) == {"1.2": "crash", "1.5": ""}


def test_in_process_and_in_another_process_a_wrong_answer_draws_the_same(folder):
    chosen = [
        next(one for one in bank.answers() if one.draws == key) for key in ("overlap", "mutated", "raised", "nats")
    ]
    for answer in chosen:
        chapter = f"ch{answer.exercise.split('.')[0]:0>2}"
        (theirs,) = grade(folder(**{chapter: bank.source_of(answer)}), answer.exercise).results
        ours = bank.result_of(answer)
        keys = ("kind", "means", "seen", "call", "test")
        assert [theirs.problem[key] for key in keys] == [ours.problem[key] for key in keys], answer.name


def test_the_spare_process_is_used_once_and_replaced(folder):
    path = folder()
    supervise.keep_spare(["tiktoken"])
    (spare,) = supervise._spare
    assert spare.next(60) == {"ready": True}
    assert grade(path, "1.1").points == 0
    assert supervise._spare == [] and spare.process.poll() is not None
    supervise.keep_spare(["numpy"])
    supervise.drop_spare()
    assert supervise._spare == []


def test_a_process_whose_parent_is_gone_ends_itself(folder):
    child = supervise.Child([])
    assert child.next(60) == {"ready": True}
    path = str(folder(ch01="while True: pass\n") / "ch01_tokenizer.py")
    files = [str(course.tests_of(1))]
    child.send({"impl": path, "exercises": ["1.1"], "files": files, "done": []})
    assert child.next(60) == {"start": ["1.1", "test_the_pairs_of_one_word_are_counted"]}
    child.process.stdin.close()  # what happens when a notebook's kernel is killed
    assert child.process.wait(60) == 1
    child.end()
