"""`minilm grade-class`: lanes side by side, one record per submission and chapter, then grades.

    DIR/records/NAME/ch05.json    written as soon as it is known, and never half
    DIR/grades.csv, class.html, junit.xml, gradescope/NAME.json    made of the records at the end, each time anew
    DIR/secret                    behind the hidden inputs; keep it

A run that was stopped, by Ctrl-C or by the power, goes on where it was: what has its record is not graded again. A file
that was handed in anew, other tests or other versions make other keys, and are.

What this file does not do: let anything of a submission decide what is graded, or how much it counts.
"""

import os
import queue
import threading
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...errors import UserError
from ..isolated import levels, seeds
from ..isolated.lane import Lane
from ..registry import PLAN
from . import record, roll
from .asked import asked
from .late import Late
from .one import one_chapter
from .results import graded_of, nothing_of, tell, write
from .store import Store, alone


def grade_class(folder, out, jobs=0, deadline="", late="", isolation="strong", secret="", chapters="", console=None):
    """Grade every submission in `folder` and write everything into `out`.

    Arguments: folder: holds one folder or zip per learner. jobs: lanes side by side (0: one per core). deadline, late:
    see late.py. isolation: "strong", "any" or a level. secret: the file of the course secret ("": `out`/secret).
    chapters: what the class is graded on, as in "1,2" or "0-3" ("": all); records of others stay where they are.
    Returns: the graded submissions, in order. Raises UserError for what the teacher can mend.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    if bool(deadline) != bool(late):
        raise UserError("--deadline and --late belong together: give both, or neither")
    lateness = Late(deadline, late) if deadline else None
    allowed, wanted = levels.allowed(isolation), asked(chapters)
    out = Path(out).expanduser()
    _not_inside(out, folder)
    submissions = roll.submissions(folder)
    with alone(out):
        known = seeds.read(secret or out / "secret")
        hidden = [Path(folder).expanduser().resolve(), out.resolve()]
        store = Store(out / "records", record.course_key(known), allowed, wanted)
        todo = [(one, number) for one in submissions for number in wanted if not store.has(one, number)]
        said = [roll.left_out(folder), roll.left_over(folder, submissions) if lateness else ""]
        said += [nothing_of(one, wanted) for one in submissions]
        for sentence in filter(None, [*said, lateness and lateness.assumed]):
            console.print(sentence, markup=False)
        _grade(todo, store, _lanes(jobs, len(todo)), isolation, known, hidden, console)
        graded = [graded_of(one, store, lateness) for one in submissions]
        write(out, graded, Path(folder).name, wanted)
    tell(graded, out, wanted, console)
    return graded


def _not_inside(out, folder):
    """What is written into the folder of submissions would be one of them the next time."""
    folder = Path(folder).expanduser().resolve()
    if out.resolve() == folder or folder in out.resolve().parents:
        raise UserError(f"{out} lies inside the folder of submissions; choose another --out, beside it")


def _lanes(jobs, work):
    return max(1, min(jobs or os.cpu_count() or 1, -(-work // len(PLAN))))


def _grade(todo, store, lanes, isolation, secret, hidden, console):
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
                        made = one_chapter(lane, submission, number, store.course)
                        store.put(submission, number, made)
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
