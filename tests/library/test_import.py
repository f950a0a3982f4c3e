"""`import minilm`: light, and every public name is what it says, however often it is asked for."""

import subprocess
import sys
from types import ModuleType

import pytest
from terminal import ENVIRONMENT

import minilm


@pytest.mark.parametrize("name", minilm.__all__)
def test_a_public_name_stays_the_same_thing(name):
    first, again = getattr(minilm, name), getattr(minilm, name)
    assert first is again
    assert not isinstance(first, ModuleType), f"minilm.{name} is hidden by a module of the same name"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        minilm.nonsense  # noqa: B018


def test_importing_the_package_imports_none_of_its_parts():
    code = "import sys, minilm; print([name for name in sys.modules if name == 'torch' or name.startswith('minilm.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout == "[]\n"
