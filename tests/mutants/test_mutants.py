"""The graded tests are tested: every wrong answer of the bank loses its exercise and draws its own message, every other
right answer passes."""

import bank
import pytest

from minilm.grading.problem import KINDS
from minilm.grading.registry import exercise

WRONG = [answer for answer in bank.answers() if answer.draws is not None]
RIGHT = [answer for answer in bank.answers() if answer.draws is None]


def name(value):
    return f"ch{exercise(value.exercise).chapter:02d}-{value.exercise}-{value.name.replace(' ', '_')}"


@pytest.mark.filterwarnings("ignore")  # a wrong answer may well divide by zero
@pytest.mark.parametrize("answer", WRONG, ids=name)
def test_a_wrong_answer_draws_its_own_message(answer):
    result = bank.result_of(answer)
    problem = result.problem
    assert result.points == 0 and problem["test"], f"no test noticed: {answer.name}"
    drawn = problem["means"] or problem["kind"]
    assert drawn == answer.draws, f"{problem['test']} said {drawn!r}:\n{problem['call']}\n{problem['seen']}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("answer", RIGHT, ids=name)
def test_another_right_answer_passes(answer):
    result = bank.result_of(answer)
    assert result.passed, f"{answer.name}: {result.problem}"


@pytest.mark.parametrize("one", bank.everything(), ids=lambda one: f"ch{one.chapter:02d}-{one.id}")
def test_each_exercise_has_four_wrong_answers_and_another_right_one(one):
    wrong = [answer for answer in WRONG if answer.exercise == one.id]
    assert len(wrong) >= 4, f"{one.id} has {len(wrong)} wrong answers"
    assert any(answer.exercise == one.id for answer in RIGHT), f"{one.id} has no other right answer"
    assert len({answer.name for answer in wrong}) == len(wrong), f"two wrong answers of {one.id} have one name"


@pytest.mark.parametrize("one", bank.everything(), ids=lambda one: f"ch{one.chapter:02d}-{one.id}")
def test_each_declared_misconception_is_drawn_by_a_wrong_answer(one):
    drawn = {answer.draws for answer in WRONG if answer.exercise == one.id}
    assert set(one.misconceptions) <= drawn, f"never drawn: {sorted(set(one.misconceptions) - drawn)}"
    assert drawn <= {*one.misconceptions, *KINDS}, f"not declared: {sorted(drawn - {*one.misconceptions, *KINDS})}"


def test_nine_in_ten_wrong_answers_have_a_message_of_their_own():
    own = sum(answer.draws != "value" for answer in WRONG)
    assert own >= 0.9 * len(WRONG), f"only {own} of {len(WRONG)}"
