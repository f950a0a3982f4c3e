"""`minilm grade-class` and `minilm grade-one`: lanes side by side, one record per submission and chapter, then grades.

    DIR/records/NAME/ch05.json    written as soon as it is known, and never half
    DIR/grades.csv, class.html, junit.xml, gradescope/NAME.json    made of the records at the end, each time anew
    DIR/secret                    behind the hidden inputs; keep it

A run that was stopped, by Ctrl-C or by the power, goes on where it was: what has its record is not graded again. A file
that was handed in anew, other tests or other versions make other keys, and are.

What this file does not do: let anything of a submission decide what is graded, or how much it counts.
"""

import fcntl
import os
import queue
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...errors import UserError
from ..isolated import seeds
from ..isolated.lane import Handed, Infra, Lane
from ..isolated.walls import STRONG, levels
from ..registry import PLAN, chapters
from . import intake, record
from .grades import Graded, as_csv, as_junit, gradescope
from .late import Late


def grade_class(folder, out, jobs=0, deadline="", late="", isolation="strong", secret="", console=None):
    """Grade every submission in `folder` and write everything into `out`.

    Arguments: folder: holds one folder or zip per learner. jobs: lanes side by side (0: one per core). deadline, late:
    see late.py. isolation: "strong", "any" or a level. secret: the file of the course secret ("": `out`/secret).
    Returns: the graded submissions, in order. Raises UserError for what the teacher can mend.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    if bool(deadline) != bool(late):
        raise UserError("--deadline and --late belong together: give both, or neither")
    lateness = Late(deadline, late) if deadline else None
    allowed = levels(isolation)
    submissions = intake.submissions(folder)
    out = Path(out).expanduser()
    with _alone(out):
        known = seeds.read(secret or out / "secret")
        hidden = [Path(folder).expanduser().resolve(), out.resolve()]
        shelf = Shelf(out / "records", record.course_key(known), allowed)
        todo = [(one, number) for one in submissions for number in chapters() if not shelf.has(one, number)]
        for said in filter(None, [intake.left_out(folder), lateness and lateness.assumed]):
            console.print(said, markup=False)
        _grade(todo, shelf, _lanes(jobs, len(todo)), isolation, known, hidden, console)
        graded = [graded_of(one, shelf, lateness) for one in submissions]
        write(out, graded, Path(folder).name)
    tell(graded, out, console)
    return graded


def grade_one(submission, out="", isolation="strong", secret="", name="", to_gradescope="", console=None):
    """Grade one submission, a folder or a zip. Returns (its records, whether all of it was graded).

    Arguments: out: a file for the records as JSON. to_gradescope: a file for Gradescope's results. The rest as above;
    without a secret the hidden inputs are those of a learner's own isolated run.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    one = intake.submission(submission)
    one = replace(one, name=name) if name else one
    known = seeds.read(secret) if secret else seeds.OPEN
    course = record.course_key(known)
    with Lane(isolation, known, hidden=[Path(submission).expanduser().resolve()]) as lane:
        records = {number: _one_chapter(lane, one, number, course) for number in chapters()}
    from ...files import write_json

    points, possible = (sum(found[word] for found in records.values()) for word in ("points", "possible"))
    if out:
        whole = {"version": record.VERSION, "submission": one.name, "points": points, "possible": possible}
        write_json(out, {**whole, "records": list(records.values())})
    if to_gradescope:
        write_json(to_gradescope, gradescope(one.name, records))
    console.print(f"{one.name}: {points} of {possible} points ({lane.level})", markup=False)
    return records, all(entry["key"] for entry in records.values())


# ---- the records of a run ------------------------------------------------------------------------


class Shelf:
    """The records of a class on the disk."""

    def __init__(self, folder, course, levels):
        self.folder, self.course, self.levels = folder, course, levels

    def path(self, submission, number):
        return self.folder / submission.name / record.file_name(number)

    def has(self, submission, number):
        """Whether the record of this very file is there, made behind walls as strong as they are asked for."""
        found = record.read(self.path(submission, number))
        if found is None or found["key"] != record.key(submission.name, submission.files[number], number, self.course):
            return False
        return found["isolation"]["level"] in self.levels

    def put(self, submission, number, made):
        from ...files import write_text

        path = self.path(submission, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.as_text(made))

    def all_of(self, submission):
        found = {number: record.read(self.path(submission, number)) for number in chapters()}
        return {number: entry for number, entry in found.items() if entry is not None}


@contextmanager
def _alone(out):
    """One run at a time in one folder."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)  # grades and the secret are nobody else's business
        lock = open(out / ".lock", "w")
    except OSError as error:
        raise UserError(f"{out} cannot be written to ({error.strerror}); choose another --out") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"another run is grading into {out}; wait for it, or choose another --out") from None
        yield


# ---- lanes side by side --------------------------------------------------------------------------


def _lanes(jobs, work):
    return max(1, min(jobs or os.cpu_count() or 1, -(-work // len(PLAN))))


def _one_chapter(lane, submission, number, course):
    """Grade one chapter of a submission: its record."""
    handed = submission.files[number]
    source = None if handed.data is None else handed.data.decode("utf-8", "surrogateescape")
    file = Handed(record.is_for(number), source, handed.sha256 or "", handed.why)
    known, infra = [], ""
    try:
        records = (
            _absent(number, handed.why)
            if source is None
            else lane.grade(file, chapters()[number].exercises, watch=known.append)
        )
    except Infra as error:
        records, infra = known, f"Grading did not finish: {error}."
    key = record.key(submission.name, handed, number, course)
    return record.record(submission, number, key, lane.isolation, records, infra)


def _absent(number, why):
    """The records of a chapter that was not handed in: there is nothing to run."""
    same = {"test": "", "passed": False, "kind": "missing", "seen": why, "call": "", "means": None, "printed": ""}
    return [{"exercise": one.id, **same} for one in chapters()[number].exercises]


def _grade(todo, shelf, lanes, isolation, secret, hidden, console):
    """Every (submission, chapter) of `todo`, on so many lanes."""
    if not todo:
        return
    waiting, trouble = queue.Queue(), []
    for work in todo:
        waiting.put(work)
    stop = threading.Event()
    with _bar(console) as bar:
        task = bar.add_task("grading", total=len(todo))

        def work():
            try:
                with Lane(isolation, secret, hidden) as lane:
                    while not stop.is_set():
                        submission, number = waiting.get_nowait()
                        made = _one_chapter(lane, submission, number, shelf.course)
                        shelf.put(submission, number, made)
                        bar.advance(task)
                        if not console.is_terminal:  # a log has no use for a bar
                            said = f"{submission.name}, chapter {number}: {made['points']} of {made['possible']}"
                            console.print(said, markup=False)
            except queue.Empty:
                pass
            except BaseException as error:  # told below; the other lanes stop at their next file
                trouble.append(error)
                stop.set()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            stop.set()
            console.print("Stopping after the files that are being graded; the same command goes on from there.")
            for thread in threads:
                thread.join()
            raise
    if trouble:
        raise trouble[0]


def _bar(console):
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    return Progress(*columns, TimeRemainingColumn(), console=console)


# ---- what comes of the records -------------------------------------------------------------------


def graded_of(submission, shelf, lateness):
    """A submission with the records that there are."""
    share = lateness.factor(submission.submitted_at) if lateness else 1.0
    return Graded(submission.name, shelf.all_of(submission), submission.submitted_at, share)


def write(out, graded, title):
    """Everything that is made of the records."""
    from ...files import write_json, write_text
    from .page import class_page

    write_text(out / "grades.csv", as_csv(graded, chapters()))
    write_text(out / "junit.xml", as_junit(graded))
    write_text(out / "class.html", class_page(title, graded))
    for one in graded:
        if unfinished(one):
            (out / "gradescope" / f"{one.name}.json").unlink(missing_ok=True)  # no grade is better than a zero
            continue
        results = gradescope(one.name, one.records, late=one.late if one.late < 1 else None)
        write_json(out / "gradescope" / f"{one.name}.json", results)


def tell(graded, out, console):
    """What a teacher should know at the end."""
    left = [one.name for one in graded if unfinished(one)]
    weak = sorted({entry["isolation"]["level"] for one in graded for entry in one.records.values()} - set(STRONG))
    console.print(f"graded {len(graded)} submissions: {out / 'grades.csv'}, {out / 'class.html'}", markup=False)
    if weak:
        console.print(f"weak isolation ({', '.join(weak)}): these grades hold for honest learners only", markup=False)
    if left:
        console.print(f"not finished, through no fault of theirs: {', '.join(left)}; run it again", markup=False)


def unfinished(one):
    """Whether anything of a submission is still to be graded."""
    return len(one.records) < len(chapters()) or any(not entry["key"] for entry in one.records.values())
