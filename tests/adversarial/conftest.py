"""Lanes for a session: each level is opened when its first case is asked for, and then grades all that are wanted."""

import pytest
from lanes import Level
from places import Places

from minilm.errors import UserError


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    laid_out = Places(tmp_path_factory.mktemp("teacher"))
    yield laid_out
    laid_out.close()


@pytest.fixture(scope="session")
def graded(request, places):
    """graded(level, case): what came of it; skips where there is no such level."""
    wanted = {}
    for item in request.session.items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "hostile" in params:
            wanted.setdefault(params["level"], []).append(params["hostile"])
    opened = {}

    def grade(level, one):
        if level not in opened:
            _close(opened)
            try:
                opened[level] = Level(level, wanted[level], places)
            except UserError as error:
                opened[level] = str(error)
        if isinstance(opened[level], str):
            pytest.skip(opened[level])
        return opened[level].seen(one)

    yield grade
    _close(opened)


def _close(opened):
    """A level that is done makes room for the next."""
    for lanes in opened.values():
        if isinstance(lanes, Level) and lanes.opened:
            lanes.close()
            lanes.opened = []
