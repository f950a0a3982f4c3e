"""What a class as a whole shows about each exercise: how many solved it, what went wrong most often, who stands out.

What this file does not do: turn it into a page (page.py).
"""

from collections import Counter
from dataclasses import dataclass

from ..explain import kind_of
from .messages import OUTCOMES, UNUSUAL, known, problem
from .totals import exercises

MOST_SOLVED, FEW_SOLVED = 0.9, 0.1  # from here on, who did not (or did) stands out; of fewer than ten, nobody does
NOTHING_YET = "not started or not handed in"


@dataclass(frozen=True)
class Finding:
    """One exercise, over all submissions that the grader could finish."""

    exercise: object
    graded: int
    solved: int
    mistakes: tuple[tuple[str, int], ...]  # (key of a misconception, how many), most first
    others: tuple[tuple[str, int], ...]  # (kind of problem, how many), of what is no known misconception
    lost: tuple[int, ...]  # places in the class of who lost what nearly all solved
    won: tuple[int, ...]  # ... and of who solved what hardly anybody did
    unusual: tuple[tuple[str, tuple[int, ...]], ...]  # (outcome, places)

    @property
    def share(self):
        return self.solved / self.graded if self.graded else 0.0


def findings(graded):
    """A Finding for each exercise that anybody was graded on, in the order of the course."""
    entries = {}
    for place, one in enumerate(graded):
        for _, entry in exercises(one.records):
            entries.setdefault(entry["id"], []).append((place, entry))
    return [_finding(exercise, entries[id]) for id, exercise in known().items() if id in entries]


def _finding(exercise, entries):
    done = [(place, entry) for place, entry in entries if entry["outcome"] != "infra"]
    solved = [place for place, entry in done if entry["passed"]]
    failed = [place for place, entry in done if not entry["passed"]]
    seen = [_mistake(exercise, entry) for _, entry in done if not entry["passed"]]
    unusual = {kind: tuple(place for place, entry in done if entry["outcome"] == kind) for kind in UNUSUAL}
    share = len(solved) / max(len(done), 1)
    return Finding(
        exercise=exercise,
        graded=len(done),
        solved=len(solved),
        mistakes=_counted(name for name, is_known in filter(None, seen) if is_known),
        others=_counted(name for name, is_known in filter(None, seen) if not is_known),
        lost=tuple(failed) if share >= MOST_SOLVED else (),
        won=tuple(solved) if share <= FEW_SOLVED else (),
        unusual=tuple((kind, places) for kind, places in unusual.items() if places),
    )


def _counted(names):
    """Most common first; equally common ones by name, so that the page does not change by chance."""
    return tuple(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _mistake(exercise, entry):
    """(what went wrong, whether that is a misconception which the course knows); None for what is listed by name."""
    if entry["outcome"] in UNUSUAL:
        return None
    found = problem(exercise, entry)
    if found and found["means"] in exercise.misconceptions:
        return found["means"], True
    if found and found["kind"] not in ("todo", "missing"):
        return kind_of(found), False
    return (NOTHING_YET if found or entry["outcome"] == "missing" else OUTCOMES[entry["outcome"]][0]), False
