"""One word for how an exercise ended, for tables and statistics: what a teacher wants to know before reading anything.

    pass       every declared test passed
    fail       the code ran, and what came back was wrong
    error      it raised, or could not be read
    timeout    it did not end in time
    memory     it asked for more memory than there is
    crash      Python itself stopped
    protocol   something else than an answer came back
    missing    there is nothing to grade yet
    not_run    nothing was reported

"infra", what is nobody's fault, is no way for an exercise to end: whoever runs the class says so (classroom/).

What this file does not do: give points (records.py).
"""

import re

BY_KIND = {
    "value": "fail", "type": "fail", "shape": "fail", "nan": "fail", "mutated": "fail",
    "raised": "error", "load": "error", "syntax": "error", "test": "error",
    "slow": "timeout", "crash": "crash", "protocol": "protocol",
    "missing": "missing", "todo": "missing", "begun": "missing", "waits": "missing",
}  # fmt: skip
OUTCOMES = ("pass", *dict.fromkeys(BY_KIND.values()), "memory", "not_run")
RAN_OUT = re.compile(r"^\w*MemoryError\b|can't allocate memory", re.MULTILINE)  # Python and numpy; torch


def outcome(result):
    """The outcome of a Result (records.py), one of OUTCOMES."""
    if result.passed:
        return "pass"
    if all(record["passed"] for record in result.records):  # none, or fewer than are declared
        return "not_run"
    return of_record(result.problem)


def of_record(record):
    """The outcome that the record of a failed test stands for."""
    if record["kind"] in ("raised", "load") and RAN_OUT.search(record["seen"]):
        return "memory"
    return BY_KIND[record["kind"]]
