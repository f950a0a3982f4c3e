"""How a report looks: as rich text in a shell, as HTML in a notebook, and as plain text where neither works.

Never colour alone: every state has its own sign. Blue and orange, which colour-blind people can tell apart. No times
and no paths, so that a notebook's output is the same on every run.

What this file does not do: decide what is shown (command.py and notebook.py).
"""

from html import escape

from rich.markup import escape as rich_escape
from rich.table import Table

from .explain import kind_of, meaning, seen
from .registry import PLAN, chapters, stem

SIGNS = {"passed": "✓", "open": "✗", "todo": "○", "unknown": "·"}
COLOURS = {"passed": "#0072B2", "open": "#D55E00", "todo": "#777777", "unknown": "#777777"}
STARS = {1: "★☆☆", 2: "★★☆", 3: "★★★"}


def state(result):
    """passed, todo (nothing written yet), or open."""
    if result.passed:
        return "passed"
    return "todo" if result.problem["kind"] == "todo" else "open"


def word(result):
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
    the same syntax error keeps from being read."""
    told = set()
    for result in results:
        problem = result.problem
        same = problem is not None and problem["kind"] == "syntax" and problem["seen"] in told
        if problem is not None and problem["kind"] == "syntax":
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
    lines = [] if problem["kind"] == "todo" else seen(problem).splitlines()
    lead = "To do" if problem["kind"] == "todo" else "Usually"
    if result.first:
        lines.append(before(result))
    lines.append(f"{lead}: {todo(one) if problem['kind'] == 'todo' else meaning(one, problem)}")
    if hint:
        lines.append(f"Hint 1 of {len(one.hints)}: {hint}")
    if problem.get("printed"):
        lines += ["Your code printed:", *("    " + line for line in problem["printed"].splitlines()[:20])]
    return lines


def todo(one):
    """What to do with an exercise that is not started."""
    names = " and ".join(one.functions)
    return f"write {names} in exercises/{stem(one.chapter)}.py, save the file, and check again. {effort(one)}"


def before(result):
    """What to mend first, when an exercise uses others that are not right yet."""
    return f"First: {' and '.join(result.first)}, which this one uses and which is not right yet."


def effort(one):
    return f"Difficulty {STARS[one.difficulty]}, about {one.minutes} minutes."


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
    if problem["kind"] == "todo":
        return [f"<div>To do: {code(todo(one))}</div>"]
    parts = [f'<pre style="{PRE}">{escape(seen(problem))}</pre>']
    if result.first:
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
