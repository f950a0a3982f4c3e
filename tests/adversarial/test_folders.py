"""What lies beside a submission's own file changes nothing: not the tests, not Python, not what the file imports."""

import pytest
from hostile import case, patched, solution
from lanes import SECRET, Handed, handed, strongest
from places import MARK

from minilm.grading.classroom import intake
from minilm.grading.isolated.lane import Lane
from minilm.grading.isolated.outcome import outcome
from minilm.grading.records import Report
from minilm.grading.registry import exercise

HARM = f"open('/tmp/{MARK}', 'w').write('x')\n"
PASS = "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    (yield)"
BESIDE = {
    "conftest.py": HARM + PASS + ".get_result().outcome = 'passed'\n",
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k nothing'\n",
    "sitecustomize.py": HARM,
    "usercustomize.py": HARM,
    "here.pth": f"import os; {HARM}",
    "numpy.py": HARM + "raise SystemExit(0)\n",
    "random.py": HARM + "raise SystemExit(0)\n",
    "torch/__init__.py": HARM + "raise SystemExit(0)\n",
    "minilm/grading/expect.py": HARM + "close = equal = require = lambda *_, **__: None\n",
    "tests/exercises/test_ch06_memory.py": HARM + "def test_nothing(answers): pass\n",
    "solutions/ch06_memory.py": "def training_bytes(trained, frozen, master): return 0, 0, 0\n",
    "ch06_memory.pyc": "x",
    "__pycache__/ch06_memory.cpython-311.pyc": "x",
    "helper.py": "def training_bytes(trained, frozen, master): return 0, 0, 0\n",
}


@pytest.fixture(scope="module")
def lane():
    with Lane(strongest(), SECRET) as opened:
        yield opened


@pytest.fixture
def learner(tmp_path):
    """learner(bytes of ch06_memory.py, {name: text} beside it): the submission, as intake takes it."""

    def hand_in(data, beside=()):
        for name, text in dict(beside).items():
            path = tmp_path / "eve" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "eve").mkdir(exist_ok=True)
        (tmp_path / "eve" / "ch06_memory.py").write_bytes(data)
        return intake.submission(tmp_path / "eve")

    return hand_in


def result(lane, submission, id="6.1"):
    taken = submission.files[6]
    source = None if taken.data is None else taken.data.decode()
    file = Handed("ch06_memory.py", source, taken.sha256 or "", taken.why)
    return Report.of("", [exercise(id)], lane.grade(file, [exercise(id)])).results[0]


def test_a_right_file_keeps_its_points_beside_all_of_that(lane, learner, places):
    submission = learner(solution("6.1").encode(), BESIDE)
    assert outcome(result(lane, submission)) == "pass"
    assert not places.harm()
    assert "conftest.py" in submission.note


def test_a_wrong_file_gains_nothing_by_it(lane, learner, places):
    wrong = patched(case("wrong", "is wrong", "fail", "import random, numpy"))
    assert outcome(result(lane, learner(wrong.encode(), BESIDE))) == "fail"
    assert not places.harm()


def test_a_file_beside_it_cannot_be_imported(lane, learner):
    assert outcome(result(lane, learner(b"from helper import *\n", BESIDE))) == "error"


RIGHT = solution("6.1")
WRITTEN = {
    "with a mark at its head": (b"\xef\xbb\xbf" + RIGHT.encode(), "pass"),
    "with the line ends of Windows": (RIGHT.replace("\n", "\r\n").encode(), "pass"),
    "in Latin-1, and it says so": (
        b"# -*- coding: latin-1 -*-\n" + RIGHT.encode("ascii", "ignore") + "# é\n".encode("latin-1"),
        "pass",
    ),
    "in Latin-1, and it does not say so": (RIGHT.encode("ascii", "ignore") + "# é\n".encode("latin-1"), "missing"),
    "in UTF-16": (RIGHT.encode("utf-16"), "missing"),
    "in a cipher": (b"# coding: rot13\nqrs s(): cnff\n", "missing"),
    "in a packed form": (b"# coding: zlib_codec\nx\n", "missing"),
    "with a byte 0": (b"x = 1\0\n", "error"),
    "as noise": (bytes(range(256)) * 10, "missing"),
    "larger than a file may be": (b"#" * 2_000_000, "missing"),
    "empty": (b"", "missing"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_file_is_taken_as_it_was_written_or_a_sentence_says_why_not(lane, learner, how):
    data, expected = WRITTEN[how]
    seen = result(lane, learner(data))
    assert outcome(seen) == expected
    if expected == "missing":
        assert seen.problem["seen"].endswith(".")


def test_a_link_to_the_solution_is_no_file(lane, tmp_path, places):
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "ch06_memory.py").symlink_to(places.root / "solutions" / "ch06_memory.py")
    assert outcome(result(lane, intake.submission(tmp_path / "eve"))) == "missing"


def test_the_lane_is_as_good_as_new_afterwards(lane):
    one = exercise("0.1")
    assert Report.of("", [one], lane.grade(handed("ch00_welcome.py", solution("0.1")), [one])).points == 2
