"""What lateness costs, at the edges of the table and of the deadline."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from minilm.errors import UserError
from minilm.grading.classroom.late import Late, apply, factor, moment, rows, share_of

TABLE = "0:1, 24:0.9, 48:0.8, 168:0"
DEADLINE = "2026-03-01T23:59+01:00"


@pytest.fixture
def berlin(monkeypatch):
    """This machine's clock stands in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("hours", "share"),
    [(-5, 1), (0, 1), (0.001, 0.9), (24, 0.9), (24.001, 0.8), (48, 0.8), (48.001, 0), (168, 0), (169, 0)],
)
def test_each_row_counts_up_to_its_hour(hours, share):
    assert factor(hours, TABLE) == share


def test_after_the_last_row_there_is_nothing():
    assert (factor(24, "24:0.5"), factor(24.1, "24:0.5")) == (0.5, 0)


def test_what_is_in_time_keeps_all_whatever_the_table_says():
    assert factor(0, "24:0.5") == factor(-1, "24:0.5") == 1


@pytest.mark.parametrize(("seconds", "share"), [(-1, 1), (0, 1), (1, 0.9), (86_400, 0.9), (86_401, 0.8)])
def test_exactly_on_the_deadline_is_in_time(seconds, share):
    late = Late(DEADLINE, TABLE)
    assert late.factor(moment(DEADLINE) + timedelta(seconds=seconds)) == share


def test_a_tenth_of_an_hour_is_a_tenth():
    assert (factor(0.1, "0.1:0.9"), factor(0.11, "0.1:0.9")) == (0.9, 0)
    deadline = moment(DEADLINE)
    assert Late(deadline, "0.1:0.9").factor(deadline + timedelta(minutes=6)) == 0.9
    assert Late(deadline, "0.1:0.9").factor(deadline + timedelta(minutes=6, microseconds=1)) == 0


def test_an_hour_counts_the_same_in_every_zone():
    late = Late(DEADLINE, TABLE)
    assert late.hours(datetime(2026, 3, 1, 22, 59, tzinfo=UTC)) == 0
    assert late.hours(datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == 1


def test_nobody_is_late_whose_time_nobody_knows():
    assert Late(DEADLINE, TABLE).factor(None) == 1


@pytest.mark.parametrize(
    ("points", "share", "left"),
    [
        (57, 0.9, "51.30"),
        (1, 0.125, "0.13"),
        (1, 0.135, "0.14"),
        (5, 0.001, "0.01"),
        (4, 0.001, "0.00"),
        (7, 1, "7.00"),
    ],
)
def test_half_a_cent_rounds_up(points, share, left):
    assert share_of(points, share) == Decimal(left)


def test_points_are_what_is_left_of_them():
    deadline = moment(DEADLINE)
    assert apply(57, DEADLINE, deadline, TABLE) == 57
    assert apply(57, DEADLINE, deadline + timedelta(hours=30), TABLE) == Decimal("45.60")
    assert str(Late(DEADLINE, TABLE).points(57, deadline + timedelta(hours=1))) == "51.30"


def test_a_table_may_stand_in_a_file(tmp_path):
    file = tmp_path / "late.txt"
    file.write_text("\ufeff# hours late: share\n24: 0.9\n\n48 : .8  # two days\n168:0, 200:0\n", encoding="utf-8")
    assert [factor(hours, str(file)) for hours in (1, 25, 50)] == [0.9, 0.8, 0]
    assert Late(DEADLINE, file).table == rows(str(file)) != rows(TABLE)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "the table for late work is empty"),
        ("24=0.9, 48:0.8", "'24=0.9' in the table for late work is no row; write hours:share"),
        ("24:90%", "'24:90%' in the table for late work is no row"),
        ("24:-1", "is no row"),
        ("nan:1", "is no row"),
        ("24:90", "the share 90 in the table for late work is more than 1; write 0.9 for 90 %"),
        ("0:0.9", "takes points from what is in time"),
        ("48:0.8, 24:0.9", "the hours do not rise after 48"),
        ("24:0.8, 24:0.7", "the hours do not rise after 24"),
        ("24:0.8, 48:0.9", "the share rises after 24 hours"),
        ("late.txt", "cannot read the table for late work, late.txt: it is neither a table nor a file .No such file"),
        ("x" * 5000, "cannot read the table for late work"),
        (":" * 5000, "is no row"),
    ],
)
def test_a_bad_table_is_one_sentence(table, said):
    with pytest.raises(UserError, match=said):
        factor(1, table)


@pytest.mark.parametrize(
    ("deadline", "said"),
    [
        ("tomorrow", "the deadline 'tomorrow' is no time; write it as in 2026-"),
        ("2026-02-30T12:00", "is no time"),
        ("", "is no time"),
        ("2026-03-01", "the deadline '2026-03-01' is a day; add the time, as in 2026-03-01T23:59"),
    ],
)
def test_a_bad_deadline_is_one_sentence(deadline, said):
    with pytest.raises(UserError, match=said):
        Late(deadline, TABLE)


def test_a_deadline_without_a_zone_is_local_and_says_so(berlin):
    winter, summer = Late("2026-03-01T12:00", TABLE), Late("2026-07-01 12:00", TABLE)
    assert winter.deadline == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert summer.deadline == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert winter.assumed == "The deadline names no time zone; taken as UTC+01:00 (CET)."
    assert "UTC+02:00 (CEST)" in summer.assumed
    assert Late(datetime(2026, 3, 1, 12), TABLE) == winter


def test_a_deadline_with_a_zone_assumes_nothing(berlin):
    for deadline in (DEADLINE, "2026-03-01T12:00Z", moment(DEADLINE)):
        assert Late(deadline, TABLE).assumed == ""
    assert Late("2026-03-01T12:00Z", TABLE).deadline == datetime(2026, 3, 1, 12, tzinfo=UTC)
