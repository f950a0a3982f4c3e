"""Which walls there are, and that weak ones are never taken for strong ones."""

import sys
from types import SimpleNamespace

import pytest
from lanes import LEVELS, SECRET, handed, solution

from minilm.errors import UserError
from minilm.grading.isolated import levels, opening
from minilm.grading.isolated.lane import Lane
from minilm.grading.isolated.levels import NoSandbox


@pytest.fixture
def opened(monkeypatch):
    """opened(*levels): a machine on which only these levels can be had; each opens as its own name."""

    def machine(*levels):
        def sandbox(level, **options):
            if level not in levels:
                raise NoSandbox("not on this machine")
            return SimpleNamespace(level=level, ready=lambda: level)

        monkeypatch.setattr(opening, "Sandbox", sandbox)

    return machine


def open_sandbox(wish):
    return opening.Opening(wish).ready()


def test_the_strongest_level_is_taken(opened):
    opened(*LEVELS)
    assert open_sandbox("strong") == open_sandbox("any") == "bubblewrap"
    opened(*LEVELS[1:])
    assert open_sandbox("strong") == open_sandbox("any") == "namespaces"


def test_strong_is_refused_where_only_weak_walls_stand_and_any_takes_them(opened):
    opened("landlock", "bare")
    with pytest.raises(UserError, match="strong"):
        open_sandbox("strong")
    assert open_sandbox("any") == "landlock"


def test_a_level_by_name_is_that_level_or_none(opened):
    opened("bubblewrap", "bare")
    assert open_sandbox("bare") == "bare"
    with pytest.raises(UserError, match="namespaces"):
        open_sandbox("namespaces")


def test_every_level_says_whether_it_is_strong():
    assert [level in levels.STRONG for level in LEVELS] == [True, True, False, False]


def test_limits_alone_are_marked_as_weak():
    with Lane("bare", SECRET) as lane:
        assert lane.isolation["level"] == "bare"
        assert lane.isolation["strong"] is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has strong walls")
def test_what_strong_gives_says_so_and_has_the_walls_it_needs():
    try:
        lane = Lane("strong", SECRET)
    except UserError as error:
        pytest.skip(str(error))
    with lane:
        assert lane.isolation["level"] in levels.STRONG
        assert lane.isolation["strong"] is True
        assert set(levels.REQUIRED[lane.level]) <= set(lane.walls)
        assert handed("ch00_welcome.py", solution("0.1")).sha256


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere other limits hold")
def test_some_level_exists_on_every_linux():
    with Lane("any", SECRET) as lane:
        assert lane.level in LEVELS
