"""From tests to points: one record per test, one result per exercise, one report per run.

An exercise is passed when every test it declares has reported a pass: nothing that a learner's code does to the run
can turn a missing test into points.

What this file does not do: draw anything (show.py).
"""

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from .problem import STUB, Problem
from .registry import PLAN, Exercise, chapters, stem

MOST = 4000  # characters kept of what a learner's code printed
VERSION = 1  # of the JSON


def passed(test):
    """The record of a test that passed."""
    return {"exercise": test.graded.exercise, "test": test.__name__, "passed": True}


def failed(test, error, call=""):
    """The record of a test that ended with `error`; call: the latest call, as text."""
    grade = test.graded
    if not isinstance(error, Problem):
        error = _from_the_test(error)
    stub = STUB.match(error.seen) if error.kind == "todo" else None
    if stub and stub.group(1) != grade.exercise:
        error = Problem("waits", f"It uses what is not written yet. {error.seen}")
    means = error.means
    if means is None and error.kind in ("value", "shape", "nan"):
        means = grade.means
    means = means or grade.raises.get(error.error)
    record = {
        "exercise": grade.exercise,
        "test": test.__name__,
        "passed": False,
        "kind": error.kind,
        "seen": error.seen,
        "call": "" if error.kind in ("todo", "waits", "missing", "syntax", "load", "test") else call,
        "means": means,
    }
    return {**record, "function": error.function} if error.kind == "todo" else record


def _from_the_test(error):
    """An exception in the test itself: a bare assert, or a result with which the test could not even work."""
    if isinstance(error, AssertionError):
        return Problem("value", str(error))
    return Problem("type", f"The result cannot be used as described ({type(error).__name__}: {error}).")


@dataclass(frozen=True)
class Result:
    """One exercise of one run."""

    exercise: Exercise
    records: tuple[dict, ...]
    first: tuple[str, ...] = ()  # exercises of this report that this one uses and that are not passed
    unseen: tuple[str, ...] = ()  # exercises that this one uses and that this report does not tell about

    @property
    def passed(self):
        return len(self.records) == self.exercise.tests and all(record["passed"] for record in self.records)

    @property
    def points(self):
        return self.exercise.points if self.passed else 0

    @property
    def problem(self):
        """The record that a learner should look at: the first failure of what is written, else the first of all; None
        when the exercise is passed. Where nothing but stubs fails and some tests pass, its kind is "begun"."""
        if self.passed:
            return None
        failures = [record for record in self.records if not record["passed"]]
        if not failures:
            seen = f"{self.exercise.tests} tests are declared, {len(self.records)} reported."
            return {"kind": "test", "seen": seen, "means": None, "call": "", "test": ""}
        chosen = next((record for record in failures if record["kind"] not in ("todo", "waits")), failures[0])
        if chosen["kind"] == "todo" and self.right:
            seen = f"{self.right} of {self.exercise.tests} tests pass. Still to write: {listed(self.unwritten)}."
            return {**chosen, "kind": "begun", "seen": seen}
        return chosen

    @property
    def right(self):
        """How many tests pass."""
        return sum(record["passed"] for record in self.records)

    @property
    def unwritten(self):
        """The names of what is to be written: of an exercise that was begun only what still is a stub."""
        stubs = {record.get("function") for record in self.records if record.get("kind") == "todo"} - {None}
        if not (self.right and stubs):
            return self.exercise.functions
        order = {name: place for place, name in enumerate(self.exercise.functions)}
        return tuple(sorted(stubs, key=lambda name: (order.get(name.split(".")[0], len(order)), name)))


@dataclass(frozen=True)
class Report:
    """All exercises that were asked for, in the order of the course."""

    impl: str
    results: tuple[Result, ...]

    @classmethod
    def of(cls, impl, exercises, records):
        results, open_, told = [], set(), {one.id for one in exercises}
        for one in exercises:
            mine = tuple(record for record in records if record["exercise"] == one.id)
            first = tuple(id for id in one.uses if id in open_)
            results.append(Result(one, mine, first, tuple(id for id in one.uses if id not in told)))
            if not results[-1].passed:
                open_.add(one.id)
        return cls(str(impl), tuple(results))

    @property
    def points(self):
        return sum(result.points for result in self.results)

    @property
    def possible(self):
        return sum(result.exercise.points for result in self.results)

    @property
    def next(self):
        """The first result that is not passed yet, or None."""
        return next((result for result in self.results if not result.passed), None)

    def by_chapter(self):
        """(Chapter, its results) for each chapter in the report."""
        for number, chapter in chapters().items():
            inside = [result for result in self.results if result.exercise.chapter == number]
            if inside:
                yield chapter, inside


def listed(names):
    """Names in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def as_json(report):
    """The report as text for other programs."""
    whole = {
        "version": VERSION,
        "answers": report.impl,
        "points": report.points,
        "possible": report.possible,
        "course": sum(points for _, points in PLAN.values()),
        "next": report.next.exercise.id if report.next else None,
        "exercises": [entry(result) for result in report.results],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def entry(result):
    """What is told of one exercise."""
    one = result.exercise
    return {
        "id": one.id,
        "title": one.title,
        "chapter": one.chapter,
        "points": result.points,
        "possible": one.points,
        "passed": result.passed,
        "declared": one.tests,
        "tests": list(result.records),
    }


def as_junit(report, explain):
    """The report as JUnit XML; explain(result) gives the message of an exercise that is not passed."""
    suites = ET.Element("testsuites", name="minilm")
    for chapter, results in report.by_chapter():
        open_ = [result for result in results if not result.passed]
        counts = {"tests": str(len(results)), "failures": str(len(open_)), "errors": "0", "skipped": "0"}
        suite = ET.SubElement(suites, "testsuite", name=stem(chapter.number), **counts)
        for result in results:
            one = result.exercise
            case = ET.SubElement(suite, "testcase", classname=stem(one.chapter), name=f"{one.id} {one.title}")
            properties = ET.SubElement(case, "properties")
            for name, value in (("points", result.points), ("possible", one.points)):
                ET.SubElement(properties, "property", name=name, value=str(value))
            if not result.passed:
                failure = ET.SubElement(case, "failure", type=result.problem["kind"], message=one.title)
                failure.text = _xml_safe(explain(result))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _xml_safe(text):
    """Control characters have no place in XML, not even escaped."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
