"""`check` and `hint`: what a learner calls from a notebook.

    check("1.2")    one exercise        check("1")    a chapter        check()    everything
    hint("1.2")     the next hint

Both show something and return nothing; neither raises, whatever a learner's file holds. The file is read anew at
every check: saving it is enough, no kernel needs a restart.

What this file does not do: run a learner's code in the notebook's own process.
"""

import sys

from ..errors import UserError
from . import show, supervise
from .problem import NO_RETURN
from .registry import exercise, select

IMPL = "exercises"
NO_HINT = ("syntax", "load", "missing", "waits", "test")  # kinds of problem that are not about how to solve it
states = {}  # exercise id -> what the latest check in this session found
opened = {}  # exercise id -> how many of its hints have been shown


def check(*names):
    """Grade one exercise ("1.2"), one chapter ("1") or everything (nothing), and show what was found."""
    try:
        report = supervise.grade(IMPL, select(names))
        states.update({result.exercise.id: show.state(result) for result in report.results})
        display(*draw(report))
        supervise.keep_spare(sorted({name for chapter, _ in report.by_chapter() for name in chapter.imports}))
    except KeyboardInterrupt:
        display("Stopped.")
    except UserError as error:
        display(f"check: {error}")
    except Exception as error:  # a mistake of the course must not break a lesson either
        display(f"check could not run ({type(error).__name__}: {error}). `minilm doctor` may say why.")


def hint(name):
    """Show the next hint of an exercise, below those that were shown before."""
    try:
        one = exercise(name) if "." in str(name) else None
        if one is None:
            raise UserError('name one exercise, such as hint("1.2")')
        opened[one.id] = min(opened.get(one.id, 0) + 1, len(one.hints))
        count = opened[one.id]
        lines = [f"Hint {number} of {len(one.hints)}: {text}" for number, text in enumerate(one.hints[:count], 1)]
        if count == len(one.hints):
            lines.append("That was the last one. Next: take the docstring's example and follow it by hand.")
        head = f"{one.id} {one.title}"
        html = "".join(f"<div>{show.code(line)}</div>" for line in [head, *lines])
        display("\n".join([head, *("    " + line for line in lines)]), html)
    except UserError as error:
        display(f"hint: {error}")
    except Exception as error:
        display(f"hint could not run ({type(error).__name__}: {error}).")


def draw(report):
    """A report as (plain text, HTML): the exercises, a progress bar per chapter, what is next."""
    text, html = [], []
    for result, short in zip(report.results, show.brief(report.results), strict=True):
        first = "" if short else _first_hint(result)
        text.append(show.text(result, first, short))
        html.append(show.html(result, first, short))
    for chapter, _ in report.by_chapter():
        known = {one.id: states.get(one.id, "unknown") for one in chapter.exercises}
        title = f"Chapter {chapter.number}"
        text.append(f"{title}  {show.bar(chapter.exercises, known)}")
        html.append(show.html_bar(title, chapter.exercises, known))
    if len(report.results) > 1:
        text.append(show.whats_next(report))
        html.append(f"<div>{show.code(show.whats_next(report))}</div>")
    return "\n".join(text), "".join(html)


def _first_hint(result):
    """Hint 1, for an exercise of which something written is wrong, unless the message says all there is to say."""
    said = result.problem and (result.problem["kind"] in NO_HINT or NO_RETURN in result.problem["seen"])
    if show.state(result) != "open" or said:
        return ""
    one = result.exercise
    opened[one.id] = max(opened.get(one.id, 0), 1)
    return one.hints[0]


def display(text, html=None):
    """Show in a notebook (both forms: the front end chooses) or print."""
    if _in_notebook():
        from IPython.display import display as ipython_display

        bundle = {"text/plain": text, "text/html": html or f"<div>{show.code(text)}</div>"}
        ipython_display(bundle, raw=True)
    else:
        print(text)


def _in_notebook():
    """Whether an IPython kernel that can show HTML runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and shell.has_trait("kernel")
