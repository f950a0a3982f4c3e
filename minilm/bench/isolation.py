"""What walls cost: the solutions graded in-process, as learners do it, and isolated, as a class is graded."""

import hashlib
import time

from ..errors import UserError
from ..grading import course, supervise
from ..grading.registry import PLAN, select
from .rows import row, seconds

ROUNDS = 3
NUMBERS = tuple(PLAN)  # the chapters
LONG = 5.0  # seconds that a test may take, above which its exercise counts as a milestone


def isolation():
    """One fully solved submission, alternately both ways; and the cost per chapter of what is no milestone."""
    from ..grading.isolated.lane import Lane  # late: a notebook that measures something else has no use for it
    from ..grading.isolated.levels import STRONG

    if not (course.root() / "solutions").is_dir():
        raise UserError("this measurement grades the solutions, which a learner's copy of the course does not have")
    began = time.perf_counter()
    with Lane("any") as lane:
        started = time.perf_counter() - began
        whole = [(seconds(in_process), seconds(lambda: isolated(lane))) for _ in range(ROUNDS)]
        short = [one for one in everything() if one.seconds <= LONG]
        quick = [(warm(short), seconds(lambda: isolated(lane, short))) for _ in range(ROUNDS)]
        level = lane.level
    inside, outside = (min(times) for times in zip(*whole, strict=True))
    ratio = (outside + started) / inside
    extra = min(walls - bare for bare, walls in quick) / len(NUMBERS)
    return [
        row(f"isolated ({level}) / in-process, one solved submission", ratio, "x", at_most=1.5, seconds=outside),
        row("the same without the start of the judge, as in a class", outside / inside, "x", at_most=1.5),
        row("more per submission and chapter, without milestones", extra, "s", at_most=0.3, strong=level in STRONG),
    ]


def everything():
    return select(map(str, NUMBERS))


def in_process(exercises=None):
    """As `minilm grade`: a process is started, and runs the tests."""
    exercises = exercises or everything()
    supervise.drop_spare()
    report = supervise.grade("solutions", exercises)
    if report.points != report.possible:
        raise UserError("the solutions do not pass in-process; nothing can be compared")


def warm(exercises):
    """Seconds of the tests alone: the process that runs them has been started before."""
    supervise.drop_spare()
    supervise.keep_spare(["torch", "torch._dynamo", "tiktoken", "numpy"])
    supervise._spare[0].next(supervise.STARTUP)  # it is ready
    return seconds(lambda: supervise.grade("solutions", exercises))


def isolated(lane, exercises=None):
    """As a class is graded: chapter by chapter on one lane."""
    from ..grading.isolated.lane import Handed

    exercises = exercises or everything()
    for number in NUMBERS:
        path = course.answer_file(course.implementation("solutions"), number)
        text = path.read_text(encoding="utf-8")
        chosen = [one for one in exercises if one.chapter == number]
        records = lane.grade(Handed(path.name, text, hashlib.sha256(text.encode()).hexdigest()), chosen)
        if not all(record["passed"] for record in records):
            raise UserError(f"the solutions of chapter {number} do not pass behind walls; nothing can be compared")
