"""Another cast: only the names change, and in a scene always in the same way."""

import re

import pytest

from minilm import corpus
from minilm.casting import Casting

PLAY = """SCENE I. A platform.

[Enter HORATIO and KING CLAUDIUS]

HORATIO:
Hail to your lordship, king!

KING CLAUDIUS:
Horatio, welcome. Where is Ophelia? Horatio's late; so is Elsinore.

OPHELIA:
The King calls.

SCENE II. The same.

HORATIO:
Good night.

OPHELIA:
Good night, Horatio.
"""
WORD = re.compile(r"\w+|\W+")


@pytest.fixture(scope="module")
def plays():
    return corpus.load("shakespeare").train


def renamings(before, after):
    """Word before -> words after, for every place where the two texts differ."""
    found = {}
    for old, new in zip(WORD.findall(before), WORD.findall(after), strict=True):
        if old != new:
            found.setdefault(old, set()).add(new)
    return found


def scenes(text):
    return re.split("(?=SCENE II)", text)


def test_exactly_the_people_of_the_labels_are_renamed():
    assert renamings(PLAY, Casting(PLAY).version(0)).keys() == {
        "HORATIO", "Horatio", "CLAUDIUS", "OPHELIA", "Ophelia",
    }  # fmt: skip


def test_a_word_that_also_occurs_in_small_letters_is_no_name():
    assert "KING" not in Casting(PLAY).names
    assert "KING" in Casting(PLAY.replace("king", "lord")).names


def test_a_person_has_one_name_throughout_a_scene_in_labels_and_in_speech():
    for before, after in zip(scenes(PLAY), scenes(Casting(PLAY).version(0)), strict=True):
        found = renamings(before, after)
        assert all(len(names) == 1 for names in found.values())
        assert {name.title() for name in found["HORATIO"]} == found["Horatio"]


def test_two_people_of_a_scene_never_share_a_name():
    casting = Casting(PLAY)
    for epoch in range(200):
        first = renamings(scenes(PLAY)[0], scenes(casting.version(epoch))[0])
        people = [first.get(name, {name}) for name in ("HORATIO", "CLAUDIUS", "OPHELIA")]
        assert len(set.union(*people)) == 3


def test_an_epoch_is_the_same_whenever_it_is_asked_for_and_unlike_the_others():
    assert Casting(PLAY, 5).version(3) == Casting(PLAY, 5).version(3)
    assert Casting(PLAY, 5).version(3) != Casting(PLAY, 5).version(4)
    assert Casting(PLAY, 5).version(3) != Casting(PLAY, 6).version(3)


@pytest.mark.parametrize("text", ["", "No labels here.\nNOT: a label", "The `with` statement", "HO:\nShort.\n"])
def test_a_text_without_speakers_stays_as_it_is(text):
    assert Casting(text).version(0) == text


def test_of_28_plays_only_names_change_and_nearly_all_of_the_casts_do(plays):
    found = renamings(plays, Casting(plays).version(0))
    assert all(old.isupper() or old.istitle() for old in found)
    assert {"OTHELLO", "Othello", "DESDEMONA", "BENEDICK"} <= found.keys()
    assert not {"KING", "LADY", "First", "Enter", "Exeunt", "SCENE", "ACT", "Messenger"} & found.keys()
    assert all(len(names) > 1 for old, names in found.items() if old in ("OTHELLO", "FALSTAFF")), "scene by scene"


def test_invented_names_are_as_long_as_real_ones_on_average(plays):
    assert abs(len(Casting(plays).version(0)) / len(plays) - 1) < 0.02
