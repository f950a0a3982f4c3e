"""The two lists under the table of the class page: exercise by exercise, and submission by submission.

What this file does not do: count (findings.py).
"""

from itertools import groupby

from ..registry import chapters
from ..show import code
from .findings import findings
from .markup import link, many, name, text
from .messages import OUTCOMES, clean, known, message, problem
from .totals import exercises, points

COMMON = 3  # mistakes shown of an exercise
NAMED = 12  # submissions named in one line


# ---- the exercises -------------------------------------------------------------------------------


def by_exercise(graded):
    parts = []
    for number, group in groupby(findings(graded), key=lambda found: found.exercise.chapter):
        parts.append(f"<h3>{number} {text(chapters()[number].title)}</h3>")
        parts += [_exercise(found, graded) for found in group]
    return "\n".join(["<h2>Exercise by exercise</h2>", *parts]) if parts else ""


def _exercise(found, graded):
    one = found.exercise
    left = (
        f"<h4>{one.id} {text(one.title)}</h4>{_bar(found.share)}"
        f'<div>{found.share:.0%} solved it <span class="soft">({found.solved} of {found.graded},'
        f" {many(one.points, 'point')})</span></div>"
    )
    return f'<article class="exercise"><div>{left}</div><div>{"".join(_details(found, graded))}</div></article>'


def _details(found, graded):
    known_, shown = found.exercise.misconceptions, found.mistakes[:COMMON]
    if shown:
        items = [f"<li><b>{count} × {text(key)}</b>: {code(clean(known_[key]))}</li>" for key, count in shown]
        yield f"<ol>{''.join(items)}</ol>"
    rest = sum(count for _, count in found.mistakes[COMMON:])
    few = [f"{rest} × another known mistake"] if rest else []
    few += [f"{count} × {kind}" for kind, count in found.others]
    if few:
        yield f'<div class="soft">{text(", ".join(few))}</div>'
    for label, places in _outliers(found):
        yield f'<div class="names">{text(label)}: {_named(places, graded)}</div>'


def _outliers(found):
    if found.lost:
        yield "Lost it, when nearly all solved it", found.lost
    if found.won:
        yield "Solved it, when hardly anybody did", found.won
    for outcome, places in found.unusual:
        yield OUTCOMES[outcome][0].capitalize(), places


def _named(places, graded):
    more = f", and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return ", ".join(link(place, graded) for place in places[:NAMED]) + more


def _bar(share):
    """A bar as wide as the share; the number stands beside it, so that readers aloud can leave it out."""
    return (
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="all" width="100" height="6"/><rect class="part" width="{100 * share:.1f}" height="6"/></svg>'
    )


# ---- the messages --------------------------------------------------------------------------------


def by_submission(graded):
    if not graded:
        return ""
    tools = "".join(
        f'<button type="button" data-open="{value}">{label}</button> '
        for value, label in (("yes", "Open all"), ("no", "Close all"))
    )
    parts = [_submission(place, one) for place, one in enumerate(graded)]
    head = f'<section class="each"><h2>Submission by submission</h2><p class="tools">{tools}</p>'
    return "\n".join([head, *parts, "</section>"])


def _submission(place, one):
    won, of = points(one.records), sum(record["possible"] for record in one.records.values())
    head = f"<summary>{name(one.name)}: {won} of {of} points</summary>"
    lines = [f"<p>{text(note)}</p>" for note in dict.fromkeys(_notes(one))]
    passed = [entry["id"] for _, entry in exercises(one.records) if entry["passed"]]
    lines += [f"<p>Passed: {', '.join(passed)}.</p>"] if passed else []
    told, short = {}, {"Not started": [], "No file": []}
    for record, entry in exercises(one.records):
        if not entry["passed"]:
            _sort_in(record, entry, told, short)
    lines += [f"<p>{label}: {', '.join(ids)}.</p>" for label, ids in short.items() if ids]
    lines += [f"<pre>{text(_together(*said, of))}</pre>" for said, of in told.items()]
    return f'<details id="s{place + 1}">{head}{"".join(lines)}</details>'


def _notes(one):
    if one.submitted_at is not None:
        late = "." if one.late == 1 else f"; {100 * one.late:g} % of the points count."
        yield f"Handed in {one.submitted_at:%Y-%m-%d %H:%M:%S %Z}{late}"
    for record in one.records.values():
        if record["note"]:
            yield record["note"]


def _sort_in(record, entry, told, short):
    """Put an exercise that is not passed with those of which the same is to be said."""
    exercise = known()[entry["id"]]
    found = problem(exercise, entry)
    if found and found["kind"] == "todo":
        return short["Not started"].append(exercise.id)
    if not found and entry["outcome"] == "missing":
        return short["No file"].append(exercise.id)  # the record's note says why
    head, _, body = message(exercise, entry, record["note"]).partition("\n")
    what = head.removeprefix(f"{exercise.id} {exercise.title}: ")
    told.setdefault((what, body), []).append(exercise)


def _together(what, body, of):
    """One message for all exercises of which it tells the same, as when a file cannot be read."""
    whose = f"{of[0].id} {of[0].title}" if len(of) == 1 else ", ".join(one.id for one in of)
    return f"{whose}: {what}\n{body}"
