"""What a learner is told about one exercise of a record.

What this file does not do: grade. The records say what happened; here it only gets its words.
"""

import re
from functools import cache

from ..explain import as_text
from ..problem import KINDS
from ..records import Result
from ..registry import select

MOST = 4000  # characters of one message
PRINTED = 20  # lines of what the code printed
# controls, what turns the direction of a line, halves of letters, and what XML has no place for
NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

OUTCOMES = {  # outcome: (what it is called, what to say when no test tells more)
    "pass": ("passed", ""),
    "fail": ("not right yet", "A test saw something else than was asked for."),
    "error": ("stopped with an error", "The code stopped with an error."),
    "timeout": ("out of time", "It was still running when its time was up. Does every loop end?"),
    "memory": ("out of memory", "It needed more memory than there is. Is an array far larger than meant?"),
    "crash": ("crashed", "The Python process died while it ran."),
    "protocol": (
        "answered with nonsense",
        "What came back was not what the grader had asked for, so it does not count.",
    ),
    "missing": ("nothing handed in", "There is no file for this chapter."),
    "not_run": ("not run", "It was not run, so there is nothing to count."),
    "infra": (
        "not graded yet",
        "The grader itself could not finish here. That is not the answer's fault: it will be graded again.",
    ),
}
UNUSUAL = ("timeout", "memory", "crash", "protocol")  # what a teacher may want to look at


@cache
def known():
    """id -> Exercise of the whole course, in its order."""
    return {one.id: one for one in select()}


def problem(exercise, result):
    """The test record that a learner should look at first, or None when no test tells what is wrong."""
    if result["passed"] or result["outcome"] == "infra" or all(test["passed"] for test in result["tests"]):
        return None
    found = Result(exercise, tuple(result["tests"])).problem
    return found if found and found["kind"] in KINDS else None


def message(exercise, result, note=""):
    """The words for an exercise that is not passed, or "".

    Arguments: exercise: from the registry. result: its entry in a record. note: the record's note.
    """
    if result["passed"]:
        return ""
    found = problem(exercise, result)
    if found:
        lines = [as_text(exercise, found), *_printed(found)]
        if not found["test"]:  # there is no file: its sentence says all, and no advice of an exercise fits
            lines = lines[0].splitlines()[:-1]
    else:
        name, words = OUTCOMES[result["outcome"]]
        if result["outcome"] == "missing" and note:
            words = note
        lines = [f"{exercise.id} {exercise.title}: {name}", f"    {words}"]
    text = clean("\n".join(lines))
    return text if len(text) <= MOST else text[: MOST - 2] + " …"


def _printed(record):
    lines = (record.get("printed") or "").splitlines()
    if not lines:
        return []
    more = [f"        … and {len(lines) - PRINTED} lines more"] if len(lines) > PRINTED else []
    return ["    The code printed:", *("        " + line for line in lines[:PRINTED]), *more]


def clean(text):
    """Text without what is no character in XML or JSON, or turns the direction of a line."""
    return NO_TEXT.sub("\ufffd", text)
