"""No exercise gives a point for an answer that knows nothing, and no test gets into trouble by one."""

import pytest
from lanes import SECRET, handed
from nonsense import VALUES, source

from minilm.grading.isolated.lane import Lane
from minilm.grading.records import Report
from minilm.grading.registry import chapters

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lane():
    with Lane("bare", SECRET) as opened:  # the quickest: what a test makes of a value is the same behind all walls
        yield opened


@pytest.mark.parametrize("value", VALUES)
def test_no_exercise_is_passed_by_knowing_nothing(lane, value):
    for number, chapter in chapters().items():
        records = lane.grade(handed(f"{chapter.name}.py", source(number, VALUES[value])), chapter.exercises)
        for result in Report.of("", chapter.exercises, records).results:
            assert not result.passed, f"{result.exercise.id} takes {value} for an answer"
            kinds = {record["kind"] for record in result.records if not record["passed"]}
            assert "test" not in kinds, f"a test of {result.exercise.id} breaks on {value}"
