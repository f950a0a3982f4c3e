"""What lateness costs: a pure function of the deadline, the time of handing in, and a small table.

    0:1, 24:0.9, 48:0.8, 168:0      up to 0 hours late all of the points, up to 24 hours 90 %, up to 48 hours 80 %,
                                    up to 168 hours nothing; and nothing after the last row, whatever it says

Exactly on the deadline is in time, and exactly 24 hours late is still "up to 24 hours". What is in time keeps all.

What this file does not do: ask when something was handed in (intake.py).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

from ...errors import UserError

ROW = re.compile(r"(\d+\.?\d*|\.\d+)\s*:\s*(\d+\.?\d*|\.\d+)")
FORM = "write hours:share, as in 0:1, 24:0.9, 48:0.8, 168:0"
CENT = Decimal("0.01")


def factor(hours_late, table):
    """The share of the points that is left after so many hours; table: text, the path of a file, or what `rows` gave.

    >>> [factor(hours, "24:0.9, 48:0.8") for hours in (-3, 0, 0.1, 24, 24.1, 49)]
    [1.0, 1.0, 0.9, 0.9, 0.8, 0.0]
    """
    table = rows(table) if isinstance(table, str | Path) else table
    return float(_share(Fraction(str(hours_late)), table))  # str: 0.1 is a tenth and not the nearest binary number


def apply(points, deadline, submitted_at, table):
    """The points that are left, with two decimals; 0.005 rounds up.

    Arguments: points: a number. deadline: ISO 8601, as text or a datetime. submitted_at: a datetime, or None when
    nobody knows, which counts as in time.
    """
    return Late(deadline, table).points(points, submitted_at)


@dataclass(frozen=True)
class Late:
    """A deadline and its table; both may be given as text. A bad one is a UserError.

    >>> late = Late("2026-03-01T12:00Z", "24:0.9")
    >>> late.factor(moment("2026-03-01T13:00Z")), late.points(7, moment("2026-03-01T13:00Z"))
    (0.9, Decimal('6.30'))
    """

    deadline: datetime
    table: tuple[tuple[Fraction, Decimal], ...]
    assumed: str = ""  # one sentence, when the deadline came without a time zone

    def __post_init__(self):
        if not isinstance(self.deadline, datetime) or self.deadline.tzinfo is None:
            when = moment(self.deadline, "the deadline")
            if not _has_zone(self.deadline):
                object.__setattr__(self, "assumed", f"The deadline names no time zone; taken as {zone(when)}.")
            object.__setattr__(self, "deadline", when)
        if isinstance(self.table, str | Path):
            object.__setattr__(self, "table", rows(self.table))

    def hours(self, submitted_at):
        """How many hours late, as an exact number; below 0 when early. A time without a zone is a local one."""
        if submitted_at is None:
            return Fraction(0)
        late = submitted_at.astimezone(self.deadline.tzinfo) - self.deadline
        return Fraction(late.days * 86_400 + late.seconds) / 3600 + Fraction(late.microseconds, 3_600_000_000)

    def factor(self, submitted_at):
        return float(_share(self.hours(submitted_at), self.table))

    def points(self, points, submitted_at):
        return share_of(points, _share(self.hours(submitted_at), self.table))


def share_of(points, share):
    """points x share with two decimals, half up; a share of 0.9 is nine tenths and not the nearest binary number."""
    return (Decimal(str(points)) * Decimal(str(share))).quantize(CENT, ROUND_HALF_UP)


def _share(hours_late, rows):
    if hours_late <= 0:
        return Decimal(1)
    return next((share for hours, share in rows if hours_late <= hours), Decimal(0))


def rows(table):
    """A table as ((hours, share), ...), hours rising. In a file each row may have a line, with # before remarks."""
    text, where = _text(table)
    lines = [line.split("#")[0] for line in text.splitlines()]
    cells = [cell.strip() for line in lines for cell in line.split(",") if cell.strip()]
    if not cells:
        raise UserError(f"{where} is empty; {FORM}")
    found = [_row(cell, where) for cell in cells]
    for (before, more), (after, less) in zip(found, found[1:], strict=False):
        if after <= before:
            raise UserError(f"in {where} the hours do not rise after {float(before):g}; put the rows in order")
        if less > more:
            raise UserError(f"in {where} the share rises after {float(before):g} hours; who is later cannot get more")
    return tuple(found)


def _row(cell, where):
    match = ROW.fullmatch(cell)
    if not match:
        raise UserError(f"{cell[:40]!r} in {where} is no row; {FORM}")
    hours, share = Fraction(match[1]), Decimal(match[2])
    if share > 1:
        raise UserError(f"the share {match[2]} in {where} is more than 1; write 0.9 for 90 %")
    if hours == 0 and share != 1:
        raise UserError(f"{cell!r} in {where} takes points from what is in time; write 0:1 or leave it out")
    return hours, share


def _text(table):
    """The text of a table and what a message calls it."""
    if not isinstance(table, Path) and (":" in table or not table.strip()) and not _is_file(table):
        return table, "the table for late work"
    try:
        return Path(table).expanduser().read_text(encoding="utf-8-sig"), str(table)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        said = f"cannot read the table for late work, {table}: it is neither a table nor a file ({reason})"
        raise UserError(f"{said}; name a file, or {FORM}") from None


def _is_file(text):
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # far too long for a path
        return False


def moment(text, what="the time"):
    """An ISO 8601 time with its zone; without one it is taken as local, as a clock on the wall of this machine."""
    when = text
    if not isinstance(text, datetime):
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            raise UserError(f"{what} {text[:40]!r} is no time; write it as in 2026-03-01T23:59+01:00") from None
        if _is_day(text.strip()):
            raise UserError(f"{what} {text!r} is a day; add the time, as in {text.strip()}T23:59")
    return when if when.tzinfo else when.astimezone()


def _is_day(text):
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _has_zone(when):
    when = when if isinstance(when, datetime) else datetime.fromisoformat(when.strip())
    return when.tzinfo is not None


def zone(when):
    """A time's zone in words.

    >>> zone(moment("2026-03-01T12:00+01:00"))
    'UTC+01:00'
    """
    offset = f"UTC{when.isoformat()[-6:]}" if when.utcoffset() else "UTC"
    name = when.tzname() or ""
    return offset if name in ("", offset, "UTC") else f"{offset} ({name})"
