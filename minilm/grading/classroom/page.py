"""The class on one HTML page: who has how many points, what the class finds hard, and each learner's messages.

One file without anything from elsewhere, to be opened from a disk, mailed, or printed. Whatever came from a submission
is escaped (markup.py), and a policy in the page lets no script run but the one that is named there by its hash.

What this file does not do: count (findings.py), or choose colours (look.py).
"""

import base64
import hashlib
from statistics import median

from ..registry import PLAN, chapters
from .details import by_exercise, by_submission
from .grades import final, in_order
from .look import SCRIPT, STYLE
from .markup import link, many, text
from .totals import isolation, points, possible, scope, status, unfinished


def class_page(title, graded, chapters=None):
    """The page as text. chapters: what the class was graded on; None for those of which anybody has a record."""
    graded = in_order(graded)
    asked = sorted(chapters) if chapters is not None else scope(graded)
    body = [
        f"<h1>{text(title)}</h1>",
        _summary(graded, asked),
        _unfinished(graded),
        _table(graded, asked),
        by_exercise(graded),
        by_submission(graded),
    ]
    return "\n".join([_head(title), *filter(None, body), f"<script>{SCRIPT}</script>", "</body>", "</html>", ""])


def _head(title):
    """Nothing may be loaded from anywhere; this style and this script are the only ones that count."""
    allowed = f"style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{text(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
        ]
    )


def _hash(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


# ---- the top -------------------------------------------------------------------------------------


def _summary(graded, asked):
    """How many, how many points, and how well they were kept apart."""
    if not graded:
        return "<p>There are no submissions.</p>"
    whole = [points(one.records) for one in graded if status(one.records, asked) == "complete"]
    lines = [f"{many(len(graded), 'submission')}, {len(whole)} of them completely graded."]
    if whole:
        middle, most = median(whole), possible(asked)
        lines.append(f"Points: {min(whole)} to {max(whole)} of {most}, the middle one {middle:g} (before lateness).")
    kept = sorted({isolation(one.records) for one in graded} - {""})
    weak = "Weak isolation does not keep code from reading or forging a grade." if "(weak)" in "".join(kept) else ""
    lines += [f"Isolation: {', '.join(kept)}. {weak}"] if kept else []
    return "\n".join(f"<p>{text(line.strip())}</p>" for line in lines)


def _unfinished(graded):
    """What the grader could not finish comes first: it is the only thing here that waits for the teacher."""
    waiting = [(place, unfinished(one.records)) for place, one in enumerate(graded)]
    rows = [f"<li>{link(place, graded)}: {text(', '.join(ids))}</li>" for place, ids in waiting if ids]
    if not rows:
        return ""
    told = "No zeros, and no grades yet. The same command again tries these once more, and keeps the others."
    return (
        f'<section class="alert"><h2>The grader could not finish {many(len(rows), "submission")}</h2>'
        f"<p>{told}</p><ul>{''.join(rows)}</ul></section>"
    )


# ---- the table -----------------------------------------------------------------------------------


def _table(graded, asked):
    heads = [("Name", "text"), ("Points", "number"), ("Late", "number"), ("Final", "number")]
    heads += [(f"{number} {PLAN[number][0]}", "number") for number in asked]
    heads += [("Status", "text"), ("Isolation", "text")]
    top = "".join(_column(label, kind, first=at == 0) for at, (label, kind) in enumerate(heads))
    rows = "\n".join(_row(place, graded, asked) for place in range(len(graded)))
    per = ", ".join(f"{number} {PLAN[number][0]} {chapters()[number].points}" for number in asked)
    return (
        f'<div class="wide"><table class="sortable"><caption>Points of {possible(asked)}: {text(per)}.'
        ' <span class="tools">The head of a column sorts by it.</span></caption>'
        f"<thead><tr>{top}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _column(label, kind, first):
    sort, side = ("ascending" if first else "none"), ("t" if kind == "text" else "n")
    number, _, name = label.partition(" ")
    shown = f'<abbr title="{text(name)}">{number}</abbr>' if number.isdigit() else text(label)
    return (
        f'<th scope="col" class="{side}" aria-sort="{sort}" data-kind="{kind}"><button type="button">{shown}'
        "</button></th>"
    )


def _row(place, graded, asked):
    one = graded[place]
    won, said, grade = points(one.records), status(one.records, asked), final(one, asked)
    cells = [f'<th scope="row" class="t" data-v="{text(one.name)}">{link(place, graded)}</th>', _cell(won)]
    cells.append(_cell(f"{one.late:g}", "" if one.late == 1 else "open"))
    cells.append(_cell("" if grade is None else grade))
    cells += [_cell(_of_chapter(one.records.get(number))) for number in asked]
    open_ = "" if said == "complete" else " open"
    cells += [f'<td class="t status{open_}">{text(said)}</td>', f'<td class="t">{text(isolation(one.records))}</td>']
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value, kind=""):
    mark = f' class="{kind}"' if kind else ""
    return f"<td{mark}>{text(value)}</td>"


def _of_chapter(record):
    """The points of a chapter; nothing where it was not graded to its end, which sorts below a zero."""
    if record is None or any(entry["outcome"] == "infra" for entry in record["exercises"]):
        return ""
    return record["points"]
