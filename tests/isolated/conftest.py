"""Sandboxes and lanes, one for each level of walls that can be had here, opened when the first test asks for it."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest
from inside import HIDDEN, SECRET

from minilm.errors import UserError
from minilm.grading.isolated.lane import Lane
from minilm.grading.isolated.levels import LEVELS, NoSandbox
from minilm.grading.isolated.walls import Sandbox

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "mutants"))


@pytest.fixture(params=LEVELS)
def level(request):
    """Each level in turn."""
    return request.param


@pytest.fixture(scope="session")
def lanes():
    """lanes(level) -> the one Lane of that level; skips where it cannot be had."""
    opened = {}

    def lane(level):
        if level not in opened:
            try:
                opened[level] = Lane(level)
            except UserError as error:
                opened[level] = str(error)
        if isinstance(opened[level], str):
            pytest.skip(opened[level])
        return opened[level]

    yield lane
    for one in opened.values():
        if isinstance(one, Lane):
            one.close()


@pytest.fixture(scope="session")
def strongest(lanes):
    """The lane of the strongest level there is."""
    for level in LEVELS:
        with suppress(pytest.skip.Exception):
            return lanes(level)
    pytest.skip("no level of isolation can be had here")


@pytest.fixture
def new_sandbox():
    """new_sandbox(level) -> a new Sandbox without torch, which starts quickly; skips where it cannot be had."""
    opened = []

    def make(level):
        opened.append(_open(level))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def sandbox():
    """sandbox(level) -> one such Sandbox for all tests that leave it as it is. HIDDEN is hidden from it, and its judge
    has SECRET in the environment."""
    opened = {}

    def get(level):
        if level not in opened:
            try:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("MINILM_TEST", SECRET)
                    opened[level] = _open(level, hidden=[HIDDEN])
            except pytest.skip.Exception as error:
                opened[level] = str(error)
        if isinstance(opened[level], str):
            pytest.skip(opened[level])
        return opened[level]

    yield get
    for one in opened.values():
        if isinstance(one, Sandbox):
            one.close()


def _open(level, **options):
    try:
        return Sandbox(level, imports=(), **options).ready()
    except NoSandbox as error:
        pytest.skip(f"{level}: {error}")
