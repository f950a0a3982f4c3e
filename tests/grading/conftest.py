"""The tests of grading use the bank of answers, too."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "mutants"))

spec = importlib.util.spec_from_file_location("strip_solutions", ROOT / "tools" / "strip_solutions.py")
strip_solutions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(strip_solutions)


@pytest.fixture
def folder(tmp_path):
    """folder(ch01=source, ...) -> a folder of answers: untouched stubs, but for the chapters given (None: no file)."""

    def make(**sources):
        target = tmp_path / "answers"
        target.mkdir(exist_ok=True)
        for path, stub in strip_solutions.exercises():
            source = sources.get(path.stem[:4], stub)
            if source is not None:
                (target / path.name).write_text(source, encoding="utf-8")
        return target

    return make
