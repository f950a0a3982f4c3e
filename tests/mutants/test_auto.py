"""Mechanical changes to the solutions: the graded tests notice every one that matters."""

import auto
import bank
import pytest

from minilm.grading.registry import exercise


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("one", bank.everything(), ids=lambda one: f"ch{one.chapter:02d}-{one.id}")
def test_every_mechanical_change_that_matters_is_noticed(one):
    source = bank.solution(one.chapter)
    limit = bank.patience(one)
    alive = [label for label, changed in auto.variants(source, one.id) if bank.grade(changed, one.id, limit).passed]
    assert sorted(alive) == sorted(bank.survivors(one.id)), "alive, but not in SURVIVORS (or the other way round)"


def test_a_change_to_an_exercise_that_takes_long_is_not_killed_by_the_clock():
    usual, long = exercise("1.2"), [one for one in bank.everything() if one.seconds > 5]
    assert bank.patience(usual) == 0.5
    assert long and all(bank.patience(one) == one.seconds for one in long)


def test_nineteen_in_twenty_changes_are_noticed():
    made = sum(1 for one in bank.everything() for _ in auto.variants(bank.solution(one.chapter), one.id))
    assert made > 5 * len(bank.everything())
    alive = sum(len(bank.survivors(one.id)) for one in bank.everything())
    assert alive <= 0.05 * made, f"{alive} of {made}: so many changes cannot all be without effect"
