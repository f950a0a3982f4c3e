"""The records of a class as a grade book: grades.csv, JUnit XML, and the results.json of Gradescope.

A cell of the grade book that anybody else could have filled begins with no sign that a spreadsheet takes for a formula.
An exercise that the grader could not finish has an empty cell, and its submission no final grade: empty is asked about,
a zero is not.

What this file does not do: write files (the command does), or draw (page.py).
"""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import datetime
from typing import NamedTuple

from ..registry import stem
from .late import share_of
from .messages import clean, known, message
from .totals import exercises, isolation, points, possible, scope, status, unfinished

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: full width
HEADS = ("name", "points", "possible", "late", "final", "status", "isolation")


class Graded(NamedTuple):
    """One submission after grading."""

    name: str
    records: dict[int, dict]  # chapter -> record
    submitted_at: datetime | None = None
    late: float = 1.0  # the share of the points that is left


def in_order(graded):
    """The submissions as Graded, by name: the same class gives the same bytes, whoever finished first."""
    return sorted((Graded(*one) for one in graded), key=lambda one: one.name)


def as_csv(graded, chapters=None):
    """grades.csv as text. chapters: what the class was graded on; None for those of which anybody has a record."""
    graded = in_order(graded)
    asked = sorted(chapters) if chapters is not None else scope(graded)
    held = io.StringIO()
    # every text between quotes: where ; or a tab separates cells, a name with one in it stays one cell
    table = csv.writer(held, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    table.writerow([*HEADS, *_columns(asked)])
    for one in graded:
        table.writerow([safe(cell) for cell in _row(one, asked)])
    return held.getvalue()


def _columns(asked):
    """The exercises of these chapters."""
    return [id for id, exercise in known().items() if exercise.chapter in asked]


def _row(one, asked):
    entries = {entry["id"]: entry for _, entry in exercises(one.records)}
    ids = _columns(asked)
    done = [entries[id]["points"] if id in entries and entries[id]["outcome"] != "infra" else "" for id in ids]
    late = one.late if one.late != int(one.late) else int(one.late)
    said = status(one.records, asked)
    grade = final(one, asked)
    cells = [one.name, points(one.records), possible(asked), late, "" if grade is None else grade]
    return [*cells, said, isolation(one.records), *done]


def final(one, asked):
    """The points after lateness with two decimals, or None while there is no grade to give."""
    return share_of(points(one.records), one.late) if status(one.records, asked) == "complete" else None


def safe(cell):
    """A cell that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("anna"), safe(3)
    ("'=1+1", 'anna', 3)
    """
    if not isinstance(cell, str):
        return cell
    return "'" + cell if cell.startswith(FORMULA) else cell


# ---- other graders' formats ----------------------------------------------------------------------


def as_junit(graded):
    """JUnit XML: one suite per submission, one case per exercise; what the grader could not finish is an error."""
    root = ET.Element("testsuites", name="minilm")
    for one in in_order(graded):
        entries = [entry for _, entry in exercises(one.records)]
        errors = len(unfinished(one.records))
        failures = sum(not entry["passed"] for entry in entries) - errors
        counts = {"tests": str(len(entries)), "failures": str(failures), "errors": str(errors), "skipped": "0"}
        suite = ET.SubElement(root, "testsuite", name=clean(one.name), **counts)
        for record, entry in exercises(one.records):
            _case(suite, record, entry)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite, record, entry):
    exercise = known()[entry["id"]]
    name = f"{exercise.id} {exercise.title}"
    case = ET.SubElement(suite, "testcase", classname=stem(record["chapter"]), name=name)
    properties = ET.SubElement(case, "properties")
    for key in ("points", "possible"):
        ET.SubElement(properties, "property", name=key, value=str(entry[key]))
    if not entry["passed"]:
        kind = "error" if entry["outcome"] == "infra" else "failure"
        problem = ET.SubElement(case, kind, type=entry["outcome"], message=exercise.title)
        problem.text = message(exercise, entry, record["note"])


def gradescope(name, records, seconds=None, late=None):
    """Gradescope's results.json as a dict.

    Arguments: name: the submission's. records: chapter -> record. seconds: how long grading took, when it is to be
    told. late: the share of the points that is left (Gradescope then shows the score after lateness).
    """
    won, share = points(records), 1 if late is None else late
    whole = {
        "score": float(share_of(won, share)),
        "output": _overall(name, records, won, share),
        "visibility": "visible",
        "stdout_visibility": "hidden",  # what the learner's code printed is in the messages, and the rest is ours
        "tests": [_test(record, entry) for record, entry in exercises(records)],
    }
    return whole if seconds is None else {**whole, "execution_time": seconds}


def _test(record, entry):
    exercise = known()[entry["id"]]
    return {
        "number": exercise.id,
        "name": exercise.title,
        "score": entry["points"],
        "max_score": entry["possible"],
        "status": "passed" if entry["passed"] else "failed",
        "output": message(exercise, entry, record["note"]) or "Passed.",
        "output_format": "text",
        "visibility": "visible",
    }


def _overall(name, records, won, share):
    lines = [f"{clean(name)}: {won} of {sum(record['possible'] for record in records.values())} points"]
    if share != 1:
        lines.append(f"Handed in late: {share_of(100, share).normalize():f} % of the points count.")
    if unfinished(records):
        lines.append(f"Not finished by the grader, and no zero: {', '.join(unfinished(records))}. Ask your teacher.")
    notes = dict.fromkeys(clean(record["note"]) for record in records.values() if record["note"])
    return "\n".join([*lines, *notes])
