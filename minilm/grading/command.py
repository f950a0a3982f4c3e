"""`minilm grade`: a table of points, and what is next. It keeps nothing.

What this file does not do: read options (cli.py does).
"""

import hashlib
import sys

from rich.console import Console

from ..errors import UserError
from . import course, records, show, supervise
from .explain import as_text
from .registry import select


def grade(selection=(), impl="exercises", json="", junit="", isolated=False, console=None):
    """Grade and print a table.

    Arguments: selection: exercises ("5.2") and chapters ("5"), none for all. impl: "exercises", "solutions", or the
    path of a folder or of one chapter's file. json, junit: files to write ("" for none; json "-" prints the JSON
    instead of the table). isolated: grade behind
    walls, as a class is graded (isolated/). console: a rich Console, for tests.
    Returns: the Report. The score is no error: a run that graded ends well, whatever the points.
    Raises UserError for an exercise or a path that does not exist.
    """
    path = course.implementation(impl)
    answered = course.answered(path)
    exercises = [one for one in select(selection) if one.chapter in answered]
    if not exercises:
        raise UserError(f"{path.name} has no answers to {', '.join(selection)}; grade its own chapter")
    report = _isolated(path, exercises) if isolated else supervise.grade(path, exercises)
    if json == "-":
        sys.stdout.write(records.as_json(report))
    else:
        _print(report, console or Console(highlight=False, soft_wrap=True), whole_course=not selection)
    if json not in ("", "-"):
        _write(json, records.as_json(report))
    if junit:
        _write(junit, records.as_junit(report, lambda result: as_text(result.exercise, result.problem)))
    return report


def _isolated(path, exercises):
    """As supervise.grade, behind the strongest walls that this machine has."""
    from .isolated.lane import Lane

    found = []
    with Lane("any") as lane:
        for number in sorted({one.chapter for one in exercises}):
            chosen = [one for one in exercises if one.chapter == number]
            found += lane.grade(_handed(course.answer_file(path, number)), chosen)
    return records.Report.of(path, exercises, found)


def _handed(path):
    """A file of the learner's own, as a lane takes it."""
    from .classroom.source import Refused, utf8
    from .isolated.lane import Handed

    try:
        data = utf8(path.read_bytes())
    except OSError as error:
        return Handed(path.name, None, "", f"{path} cannot be read ({error.strerror}).")
    except Refused as error:
        return Handed(path.name, None, "", f"{path.name} {error}.")
    return Handed(path.name, data.decode("utf-8"), hashlib.sha256(data).hexdigest())


def _write(path, text):
    from ..files import write_text  # it imports torch, for which a table of points should not wait

    write_text(path, text)


def _print(report, console, whole_course):
    """The table, the messages of exercises that were begun, and what is next."""
    console.print(show.table(report))
    for result, short in zip(report.results, show.brief(report.results), strict=True):
        if not (result.passed or short):
            console.print()
            console.print(show.text(result), markup=False)
    console.print()
    console.print(f"[bold]{report.points} of {report.possible} points[/]")
    if whole_course and (missing := show.unwritten()):
        console.print(missing, markup=False)
    console.print(show.whats_next(report), markup=False)
