"""What comes of the records of a class: grade book, page, reports for other programs, and a few sentences.

What this file does not do: say what any of them looks like (grades.py, page.py).
"""

from ...files import write_json, write_text
from ..isolated.levels import STRONG
from .grades import Graded, as_csv, as_junit, gradescope
from .page import class_page


def graded_of(submission, store, lateness):
    """A submission with the records that there are."""
    when = submission.submitted_at(store.chapters)
    return Graded(submission.name, store.all_of(submission), when, lateness.factor(when) if lateness else 1.0)


def nothing_of(submission, asked):
    """One sentence about a submission in which none of the chapters that count could be found, or ""."""
    if any(number in submission.handed for number in asked):
        return ""
    return f"Nothing to grade of {submission.name}: {submission.files[asked[0]].why}"


def write(out, graded, title, asked):
    """Everything that is made of the records; asked: the chapters that count."""
    write_text(out / "grades.csv", as_csv(graded, asked))
    write_text(out / "junit.xml", as_junit(graded))
    write_text(out / "class.html", class_page(title, graded, asked))
    _only(out / "gradescope", graded)
    for one in graded:
        if unfinished(one, asked):
            (out / "gradescope" / f"{one.name}.json").unlink(missing_ok=True)  # no grade is better than a zero
            continue
        results = gradescope(one.name, one.records, late=one.late if one.late < 1 else None)
        write_json(out / "gradescope" / f"{one.name}.json", results)


def _only(folder, graded):
    """Take away the results of an earlier run for those who are not in the class any more."""
    for path in folder.glob("*.json"):
        if path.stem not in {one.name for one in graded}:
            path.unlink()


def tell(graded, out, asked, console):
    """What a teacher should know at the end."""
    left = [one.name for one in graded if unfinished(one, asked)]
    weak = sorted({entry["isolation"]["level"] for one in graded for entry in one.records.values()} - set(STRONG))
    console.print(f"graded {len(graded)} submissions: {out / 'grades.csv'}, {out / 'class.html'}", markup=False)
    if weak:
        console.print(f"weak isolation ({', '.join(weak)}): these grades hold for honest learners only", markup=False)
    if left:
        console.print(f"not finished, through no fault of theirs: {', '.join(left)}; run it again", markup=False)


def unfinished(one, asked):
    """Whether anything of a submission is still to be graded."""
    return len(one.records) < len(asked) or any(not entry["key"] for entry in one.records.values())
