"""Every hostile submission, behind every kind of walls that this machine has: no point that is not deserved, and no
harm to anybody else. `make test` runs them behind the strongest; the others are slow.
"""

import json

import pytest
from hostile import EXERCISES, cases
from lanes import LEVELS, strongest

from minilm.grading.isolated.outcome import OUTCOMES, outcome
from minilm.grading.registry import exercise


def runs():
    """(level, case) for each pair that is worth running. Tests stay sorted by level: only one is open at a time."""
    for level in sorted(LEVELS, key=lambda level: level != strongest()):
        marks = [] if level == strongest() else [pytest.mark.slow]
        for one in cases():
            if one.stands_at(level):
                yield pytest.param(level, one, marks=marks, id=f"{level}-{one.id}")


@pytest.mark.parametrize(("level", "hostile"), list(runs()))
def test_a_hostile_submission_gets_what_it_deserves_and_harms_nobody(level, hostile, graded):
    seen = graded(level, hostile)
    result = seen.results[hostile.exercise]
    told = json.dumps([record for record in seen.records if not record["passed"]][:2], indent=1)
    assert outcome(result) in hostile.expected.split("|"), told
    assert result.points == (exercise(hostile.exercise).points if hostile.expected == "pass" else 0)
    if hostile.expected != "pass" and not hostile.partly:
        assert not result.right, f"{result.right} tests pass"
    if hostile.witness:
        other = outcome(seen.results[hostile.witness])
        assert other == outcome(result) if hostile.at_import else other == "pass", told
    assert seen.next == 2, "the next submission on this lane lost points"
    assert seen.same_judge, "the judge had to be started anew"
    assert not seen.left, "processes survive"
    assert not seen.harm
    assert all(map(clean, seen.records)), "what a learner reads has letters in it that a terminal obeys"


def clean(record):
    """Whether its texts can be written to any file and shown on any terminal."""
    return all(letter.isprintable() or letter in "\n\t" for text in record.values() for letter in str(text or ""))


def test_the_bank_is_large_and_its_names_are_told_apart():
    names = [one.name for one in cases()]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


def test_most_of_the_bank_means_harm_and_some_of_it_is_honest():
    honest = [one for one in cases() if one.expected == "pass"]
    assert 10 <= len(honest) < len(cases()) / 3


def test_every_case_expects_an_outcome_that_exists_and_only_an_honest_one_expects_points():
    for one in cases():
        wanted = one.expected.split("|")
        assert set(wanted) <= set(OUTCOMES), one.name
        assert wanted == ["pass"] or "pass" not in wanted, one.name
        assert one.exercise in EXERCISES and one.tries, one.name
