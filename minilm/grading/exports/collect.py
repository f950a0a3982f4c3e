"""`python -m minilm.grading.exports.collect SUBMISSIONS GRADES --secret FILE`: from many records to grades.

    GRADES/submissions/alice.json    what `minilm grade-one` wrote, on whatever machine
    GRADES/records/alice/ch05.json   the same, one file per chapter, where `minilm grade-class` keeps its records
    GRADES/grades.csv, class.html    and the rest, as from `minilm grade-class`

A record that is missing, or that is of another file, of other tests or of another secret, counts as not graded. It is
named, and is no zero. `minilm grade-class` with the same folders then grades just what is missing.

What this file does not do: grade.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from ...errors import UserError
from ..classroom import record, results, roll
from ..classroom.asked import asked
from ..classroom.late import Late
from ..classroom.store import Store
from ..isolated import seeds
from ..isolated.levels import LEVELS
from .roster import plain


def collect(folder, grades, secret, deadline="", late="", chapters="", console=None):
    """Make the tables of a class; returns the names of the submissions that are not all graded.

    Arguments: folder: of the submissions. grades: the folder of records and tables. secret, deadline, late,
    chapters: as for grade_class.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    if bool(deadline) != bool(late):
        raise UserError("--deadline and --late belong together: give both, or neither")
    lateness = Late(deadline, late) if deadline else None
    grades, wanted = Path(grades).expanduser(), asked(chapters)
    course = record.course_key(seeds.read(secret))
    store = Store(grades / "records", course, LEVELS, wanted)
    submissions = roll.submissions(folder)
    for one in submissions:
        _store(one, _records(grades / "submissions" / f"{plain(one.name)}.json"), store)
    graded = [results.graded_of(one, store, lateness) for one in submissions]
    results.write(grades, graded, Path(folder).name, wanted)
    results.tell(graded, grades, wanted, console)
    missing = [one.name for one in graded if len(one.records) < len(wanted)]
    if missing:
        console.print(f"not graded yet, and no zero: {', '.join(missing)}", markup=False)
    return missing


def _records(path):
    """chapter -> record, of what grade-one wrote; {} when there is nothing that can be read."""
    try:
        return {made["chapter"]: made for made in json.loads(path.read_text(encoding="utf-8"))["records"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _store(one, made, store):
    """Keep what is of this very submission; take away what is of an earlier one."""
    for number in store.chapters:
        if number in made and made[number]["key"] == record.key(one.name, one.files[number], number, store.course):
            store.put(one, number, made[number])
        elif not store.has(one, number):
            store.path(one, number).unlink(missing_ok=True)


def main(words):
    parser = argparse.ArgumentParser(prog="collect", description="From many records to the grades of a class.")
    parser.add_argument("submissions")
    parser.add_argument("grades")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--deadline", default="")
    parser.add_argument("--late", default="")
    parser.add_argument("--chapters", default="")
    given = parser.parse_args(words)
    try:
        collect(given.submissions, given.grades, given.secret, given.deadline, given.late, given.chapters)
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
