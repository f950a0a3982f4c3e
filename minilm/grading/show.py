"""How a report looks: as rich text in a shell, as HTML in a notebook, and as plain text where neither works.

Never colour alone: every state has its own sign. Blue and orange, which colour-blind people can tell apart. No times
and no paths, so that a notebook's output is the same on every run.

What this file does not do: decide what is shown (command.py and notebook.py).
"""

from html import escape

from rich.markup import escape as rich_escape
from rich.table import Table

from .explain import kind_of, meaning, seen
from .records import listed
from .registry import PLAN, chapters, stem

SIGNS = {"passed": "✓", "open": "✗", "begun": "◐", "todo": "○", "unknown": "·"}
COLOURS = {"passed": "#0072B2", "open": "#D55E00", "begun": "#777777", "todo": "#777777", "unknown": "#777777"}
OWN = ("value", "shape", "type", "nan", "mutated", "raised", "slow")  # kinds that another exercise may be behind
LEVELS = {1: "●○○", 2: "●●○", 3: "●●●"}  # as on the cards


def state(result):
    """passed, todo (nothing written yet), begun (what is written is right so far), or open."""
    if result.passed:
        return "passed"
    return result.problem["kind"] if result.problem["kind"] in ("todo", "begun") else "open"


def word(result):
    if state(result) == "begun":
        return f"begun, {result.right} of {result.exercise.tests} tests pass"
    return "passed" if result.passed else kind_of(result.problem)


# ---- the shell -----------------------------------------------------------------------------------


def table(report):
    """Points per exercise and per chapter, as a rich table."""
    grid = Table(box=None, pad_edge=False)
    for heading, justify in (("", "left"), ("exercise", "left"), ("points", "right"), ("", "left")):
        grid.add_column(heading, justify=justify)
    for chapter, results in report.by_chapter():
        won, of = sum(result.points for result in results), sum(result.exercise.points for result in results)
        grid.add_row("", f"[bold]{chapter.number}  {rich_escape(chapter.title)}[/]", f"[bold]{won} / {of}[/]", "")
        for result in results:
            one, colour = result.exercise, COLOURS[state(result)]
            sign = f"[{colour}]{SIGNS[state(result)]}[/]"
            points = f"{result.points} / {one.points}"
            grid.add_row(sign, f"{one.id}  {rich_escape(one.title)}", points, f"[{colour}]{word(result)}[/]")
    return grid


def unwritten():
    """One sentence on the chapters that have no exercises yet, or nothing."""
    missing = [number for number in PLAN if number not in chapters()]
    if not missing:
        return ""
    names = ", ".join(f"{number} {PLAN[number][0]}" for number in missing)
    points = sum(PLAN[number][1] for number in missing)
    return f"Not yet written: {names} ({points} of the course's 100 points)."


def brief(results):
    """For each result, whether its heading says enough: one of several that are not started, or one more exercise that
    the same mistake keeps from being read."""
    told = set()
    for result in results:
        problem = result.problem
        unread = problem is not None and problem["kind"] in ("syntax", "load")
        same = unread and problem["seen"] in told
        if unread:
            told.add(problem["seen"])
        yield same or (state(result) == "todo" and len(results) > 1)


def text(result, hint="", short=False):
    """One exercise as plain text; short: the heading only."""
    one = result.exercise
    head = f"{SIGNS[state(result)]} {one.id} {one.title}: {word(result)}, {result.points} of {_points(one.points)}"
    return "\n".join([head, *("    " + line for line in ([] if short else _body(result, hint)))])


def _body(result, hint):
    if result.passed:
        return []
    one, problem = result.exercise, result.problem
    started = state(result) == "open"
    lines = seen(problem).splitlines() if started else []
    lines += filter(None, [before(result)])
    lines.append(f"Usually: {meaning(one, problem)}" if started else f"To do: {todo(result)}")
    if hint:
        lines.append(f"Hint 1 of {len(one.hints)}: {hint}")
    if problem.get("printed"):
        lines += ["Your code printed:", *("    " + line for line in problem["printed"].splitlines()[:20])]
    return lines


def todo(result):
    """What to do with an exercise that is not started, or not written to its end."""
    one = result.exercise
    what = f"write {listed(result.unwritten)} in exercises/{stem(one.chapter)}.py, save the file, and check again."
    return f"{what} {effort(one)}" if state(result) == "todo" else what


def before(result):
    """Where to look first, when an exercise uses others: those that are not right yet, or, when its own mistake was not
    recognised, those that nobody looked at; else nothing."""
    if result.first:
        are = "is" if len(result.first) == 1 else "are"
        return f"First: {listed(result.first)}, which this one uses and which {are} not right yet."
    problem = result.problem
    if not result.unseen or problem["kind"] not in OWN or problem["means"]:
        return ""
    return f"It uses {listed(result.unseen)}: {'is it' if len(result.unseen) == 1 else 'are they'} passed?"


def effort(one):
    return f"Difficulty {LEVELS[one.difficulty]}, about {one.minutes} minutes."


def whats_next(report):
    """The line that says what to do now."""
    result = report.next
    if result is None:
        return f"All {_points(report.possible)} of these exercises are yours."
    one = result.exercise
    return f"Next: {one.id} {one.title} ({_points(one.points)}, about {one.minutes} minutes)"


def bar(results, states):
    """A chapter's progress as text: one block per point."""
    blocks = "".join(("■" if states[one.id] == "passed" else "□") * one.points for one in results)
    won = sum(one.points for one in results if states[one.id] == "passed")
    return f"{blocks} {won} of {_points(sum(one.points for one in results))}"


def _points(number):
    return f"{number} point" if number == 1 else f"{number} points"


# ---- the notebook --------------------------------------------------------------------------------

CARD = "border-left:4px solid {colour};padding:.3em .8em;margin:.4em 0;line-height:1.45"
PRE = "margin:.3em 0;padding:0;background:transparent;white-space:pre-wrap"


def html(result, hint="", short=False):
    """One exercise as HTML; short: the heading only."""
    one, colour = result.exercise, COLOURS[state(result)]
    parts = [
        f'<div style="{CARD.format(colour=colour)}">'
        f'<b style="color:{colour}">{SIGNS[state(result)]} {word(result)}</b> &nbsp;'
        f"<b>{one.id} {escape(one.title)}</b> &nbsp;{result.points} of {_points(one.points)}"
    ]
    if not (result.passed or short):
        parts += _html_body(result, hint)
    return "".join([*parts, "</div>"])


def _html_body(result, hint):
    one, problem = result.exercise, result.problem
    if state(result) != "open":
        return [f"<div>To do: {code(todo(result))}</div>"]
    parts = [f'<pre style="{PRE}">{escape(seen(problem))}</pre>']
    if before(result):
        parts.append(f"<div><b>{code(before(result))}</b></div>")
    parts.append(f"<div>Usually: {code(meaning(one, problem))}</div>")
    if hint:
        parts.append(f"<div>Hint 1 of {len(one.hints)}: {code(hint)}</div>")
    if problem.get("printed"):
        printed = "\n".join(problem["printed"].splitlines()[:20])
        parts.append(
            f'<details><summary>Your code printed</summary><pre style="{PRE}">{escape(printed)}</pre></details>'
        )
    return parts


def html_bar(title, exercises, states):
    """A chapter's progress: one segment per exercise, as wide as its points."""
    total = sum(one.points for one in exercises)
    won = sum(one.points for one in exercises if states[one.id] == "passed")
    segments = "".join(
        f'<span title="{one.id} {escape(one.title)}" style="flex:{one.points};margin-right:2px;height:.6em;'
        f'background:{COLOURS["passed"] if states[one.id] == "passed" else "#99999955"}"></span>'
        for one in exercises
    )
    strip = f'<span style="display:inline-flex;width:14em;margin:0 .6em">{segments}</span>'
    return f'<div style="margin:.4em 0">{escape(title)} {strip} {won} of {_points(total)}</div>'


def code(text):
    """Escaped text in which `names` between backticks become <code>."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
