"""What the tests of the command line share."""

import pytest
from terminal import Terminal, enter_small_world, words


@pytest.fixture
def terminal(monkeypatch, capsys):
    """minilm in this process: see terminal.py."""
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def small_world(monkeypatch):
    """Little text in the large data sets: see terminal.py."""
    enter_small_world(monkeypatch.setattr)


@pytest.fixture(scope="session")
def my_text(tmp_path_factory):
    """A text file of a learner's own, about 20 kB."""
    path = tmp_path_factory.mktemp("text") / "my.txt"
    path.write_text(words(seed=1), encoding="utf-8")
    return path
