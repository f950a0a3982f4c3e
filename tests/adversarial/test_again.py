"""The same submission graded again gives the same records to the letter, whatever it does."""

import pytest
from hostile import case, cases, source_of
from lanes import SECRET, handed, strongest

from minilm.grading.isolated.lane import Lane

pytestmark = pytest.mark.slow
NAMES = (
    "address 0",
    "os._exit inside",
    "all closed",
    "memory by torch",
    "objects that equal all in a tuple",
    "error that lies",
    "problem of its own",
    "garbage",
    "colours in an error",
)
SPEAKS = case(
    "speaks", "shows what differs from run to run", "error", "print(object())\nraise ValueError(object(), {'a', 'b'})"
)


@pytest.fixture(scope="module")
def lanes():
    with Lane(strongest(), SECRET) as one, Lane(strongest(), SECRET) as other:
        yield one, other


def graded(lane, one, places):
    return lane.grade(handed(one.file, source_of(one, places.names)), one.exercises)


@pytest.mark.parametrize("one", [SPEAKS, *(one for one in cases() if one.name in NAMES)], ids=lambda one: one.id)
def test_two_lanes_say_the_same_of_a_submission(lanes, places, one):
    first, second = (graded(lane, one, places) for lane in lanes)
    assert first == second


def test_another_file_meets_other_inputs(lanes, places):
    """The records of a wrong answer show them: the file is hashed with its comments."""
    files = [case("wrong", "is wrong", "fail", f"# {n}", exercise="1.7") for n in range(2)]
    first, second = (graded(lanes[0], one, places) for one in files)
    assert [record["test"] for record in first] == [record["test"] for record in second]
    assert first != second
