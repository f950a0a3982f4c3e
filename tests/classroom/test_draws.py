"""What is drawn for one file and not for another must not decide who passes."""

from types import SimpleNamespace

import pytest
from crowd import MILESTONES, bank, needs

from minilm.grading.registry import chapters

pytestmark = pytest.mark.filterwarnings("ignore")


def spread():
    """Each wrong answer, with each exercise of its chapter that it could cost."""
    for wrong in bank.answers():
        if wrong.draws is None or wrong.endless:
            continue
        for one in chapters()[int(wrong.exercise[0])].exercises:
            if wrong.exercise in (one.id, *needs(one.id)):
                yield wrong, one.id


def test_a_clip_that_forgets_its_limit_costs_the_training_in_every_draw():
    source = bank.solution(3)
    clips = "factor = (limit / length).clamp(max=1.0)"
    assert source.count(clips) == 1
    assert bank.draws(source, "3.9", range(3)) == [True] * 3
    forgets = source.replace(clips, "factor = 1 / length if length > limit else 1.0")
    assert bank.draws(forgets, "3.9", range(3)) == [False] * 3


def test_an_exercise_that_is_decided_by_what_is_drawn_is_noticed(monkeypatch):
    ran = []

    def luck(answers):
        assert answers.random.integers(2)

    def rule(answers):
        ran.append(answers)

    for test in (luck, rule):
        test.graded = SimpleNamespace(exercise="1.1", means=None, raises={})
    monkeypatch.setattr(bank, "graded_tests", lambda number: [rule, luck])
    assert set(bank.draws("", "1.1", range(20))) == {True, False}
    assert len(ran) == 1, "what draws nothing need not run twice"


@pytest.mark.slow
@pytest.mark.parametrize("number", list(chapters()))
def test_a_wrong_answer_costs_the_same_exercises_whatever_is_drawn(number):
    torn = [
        (wrong.name, wrong.exercise, id)
        for wrong, id in spread()
        if int(id[0]) == number and id not in MILESTONES
        if len(set(bank.draws(bank.source_of(wrong), id, range(40)))) > 1
    ]
    assert not torn
