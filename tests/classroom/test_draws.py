"""What is drawn for one file and not for another must not decide who passes."""

import pytest
from crowd import MILESTONES, bank, needs

from minilm.grading.registry import chapters

pytestmark = pytest.mark.filterwarnings("ignore")
SEEDS = range(4)


def spread():
    """Each wrong answer, with each exercise of its chapter that it could cost."""
    for wrong in bank.answers():
        if wrong.draws is None or wrong.endless:
            continue
        for one in chapters()[int(wrong.exercise[0])].exercises:
            if wrong.exercise in (one.id, *needs(one.id)):
                yield wrong, one.id


def passes(source, id):
    """Whether the exercise passes, once for each draw."""
    return {bank.grade(source, id, seed=seed).passed for seed in SEEDS}


def test_a_clip_that_forgets_its_limit_costs_the_training_in_every_draw():
    source = bank.solution(3)
    clips = "factor = (limit / length).clamp(max=1.0)"
    assert source.count(clips) == 1
    assert passes(source, "3.9") == {True}
    forgets = source.replace(clips, "factor = 1 / length if length > limit else 1.0")
    assert passes(forgets, "3.9") == {False}


@pytest.mark.slow
@pytest.mark.parametrize("number", list(chapters()))
def test_a_wrong_answer_costs_the_same_exercises_whatever_is_drawn(number):
    torn = [
        (wrong.name, wrong.exercise, id)
        for wrong, id in spread()
        if int(id[0]) == number and id not in set(MILESTONES) - {"3.9"}
        if len(passes(bank.source_of(wrong), id)) > 1
    ]
    assert not torn
