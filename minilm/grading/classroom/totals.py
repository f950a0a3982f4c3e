"""What a whole submission comes to: points, what is missing, and how well it was kept apart.

What this file does not do: lateness (late.py), or words for a single exercise (messages.py).
"""

from ..isolated.levels import LEVELS
from ..registry import PLAN, chapters


def scope(graded):
    """The chapters that this class was graded on: those of which there is a record for anybody."""
    return sorted({number for one in graded for number in one.records} & set(PLAN))


def possible(scope):
    return sum(chapters()[number].points for number in scope)


def exercises(records):
    """(record, entry) of every exercise of a submission, in the order of the course."""
    for number in sorted(records):
        for entry in records[number]["exercises"]:
            yield records[number], entry


def points(records):
    """The points so far: an exercise that the grader could not finish counts neither way."""
    return sum(entry["points"] for _, entry in exercises(records))


def unfinished(records):
    """The ids of exercises that the grader could not finish."""
    return [entry["id"] for _, entry in exercises(records) if entry["outcome"] == "infra"]


def status(records, scope):
    """The word "complete", or what is missing before there can be a grade."""
    missing = [str(number) for number in scope if number not in records]
    parts = [f"not finished by the grader: {', '.join(unfinished(records))}"] if unfinished(records) else []
    parts += [f"not graded: chapter{'s' * (len(missing) > 1)} {', '.join(missing)}"] if missing else []
    return "; ".join(parts) or "complete"


def isolation(records):
    """The weakest isolation under which a chapter was graded, marked where that is no protection; "" for none."""
    found = [record["isolation"] for record in records.values()]
    if not found:
        return ""
    known = {level: -place for place, level in enumerate(LEVELS)}
    weakest = min(found, key=lambda one: (one["strong"], known.get(one["level"], -len(LEVELS))))
    return weakest["level"] if weakest["strong"] else f"{weakest['level']} (weak)"
