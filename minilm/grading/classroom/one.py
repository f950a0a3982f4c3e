"""`minilm grade-one`: one submission on one lane, chapter by chapter.

What this file does not do: decide what need not be graded again (run.py).
"""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ...files import write_json
from ..isolated import seeds
from ..isolated.lane import Handed, Infra, Lane
from ..registry import select
from . import intake, record
from .asked import asked
from .grades import gradescope


def grade_one(submission, out="", isolation="strong", secret="", name="", to_gradescope="", chapters="", console=None):
    """Grade one submission, a folder or a zip. Returns (its records, whether all of it was graded).

    Arguments: out: a file for the records as JSON. name: what they call it ("": as its folder or zip). to_gradescope: a
    file for Gradescope's results. The rest as for grade_class; without a secret the hidden inputs are those of a
    learner's own isolated run.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    wanted = asked(chapters)
    one = intake.submission(submission)
    one = replace(one, name=name) if name else one
    known = seeds.read(secret) if secret else seeds.OPEN
    course = record.course_key(known)
    with Lane(isolation, known, hidden=[Path(submission).expanduser().resolve()]) as lane:
        records = {number: one_chapter(lane, one, number, course) for number in wanted}
    points, possible = (sum(found[word] for found in records.values()) for word in ("points", "possible"))
    if out:
        whole = {"version": record.VERSION, "submission": one.name, "points": points, "possible": possible}
        write_json(out, {**whole, "records": list(records.values())})
    if to_gradescope:
        write_json(to_gradescope, gradescope(one.name, records))
    console.print(f"{one.name}: {points} of {possible} points ({lane.level})", markup=False)
    return records, all(entry["key"] for entry in records.values())


def one_chapter(lane, submission, number, course):
    """Grade one chapter of a submission: its record."""
    handed = submission.files[number]
    source = None if handed.data is None else handed.data.decode("utf-8", "surrogateescape")
    is_book = (handed.name or "").endswith(".ipynb")
    name = handed.name if is_book else record.is_for(number)
    file = Handed(name, source, handed.sha256 or "", handed.why)
    known, infra = [], ""
    try:
        records = (
            _absent(number, handed.why) if source is None else lane.grade(file, select([number]), watch=known.append)
        )
    except Infra as error:
        records, infra = known, f"Grading did not finish: {error}."
    key = record.key(submission.name, handed, number, course)
    return record.record(submission, number, key, lane.isolation, records, infra)


def _absent(number, why):
    """The records of a chapter that was not handed in: there is nothing to run."""
    same = {"test": "", "passed": False, "kind": "missing", "seen": why, "call": "", "means": None, "printed": ""}
    return [{"exercise": one.id, **same} for one in select([number])]
