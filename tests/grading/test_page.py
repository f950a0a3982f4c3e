"""The class page: everything on it is escaped, it needs nothing from elsewhere, and it says what a teacher asks."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from handmade import BARE, entry, record, wrong

from minilm.grading.classroom.findings import findings
from minilm.grading.classroom.grades import Graded
from minilm.grading.classroom.page import class_page
from minilm.grading.registry import exercise

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "' onmouseover='alert(3)",
    "&lt;b&gt;",
    "</pre>",
)
VOID = ("meta", "rect")


class Page(HTMLParser):
    """A page taken apart: tags with their attributes, the text, and the cells of the table."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.rows, self.open, self.said = [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, "every tag is closed where it was opened"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.said.append(data)
        if self.rows and {"th", "td"} & set(self.open):
            self.rows[-1][-1] += data

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.said))


def page(graded, **how):
    return Page(class_page("The class", graded, **how))


def a_class(number, id, outcome, means=None, **more):
    """`number` submissions of one chapter that all fare alike in one exercise."""
    tests = [wrong(id, means)] if outcome == "fail" else []
    one = {"e" + id.replace(".", "_"): entry(id, outcome, *tests)}
    return [(f"{outcome}{k:02d}", {int(id[0]): record(int(id[0]), **one, **more)}) for k in range(number)]


# ---- safety --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_came_from_a_submission_is_markup(text):
    quiet = page([("name", {1: record(1, note="note", e1_2=entry("1.2", "fail", wrong("1.2")))})])
    told = wrong("1.2", seen=text, call=text, printed=text)
    loud = page([(text, {1: record(1, note=text, e1_2=entry("1.2", "fail", told))})])
    assert [tag for tag, _ in loud.tags] == [tag for tag, _ in quiet.tags]
    assert loud.rows[1][0] == text and loud.text.count(text) >= 6
    assert not any(key.startswith("on") for _, attrs in loud.tags for key in attrs)


def test_a_title_is_not_markup_either():
    assert [tag for tag, _ in Page(class_page(HOSTILE[0], [])).tags].count("script") == 1


def test_no_name_turns_the_line_around_it():
    source = class_page("The class", [("a\u202eb", {}), ("علي", {})])
    assert "\u202e" not in source and source.count("<bdi>علي</bdi>") == 2


def test_nothing_is_loaded_from_anywhere():
    found = page(a_class(3, "1.2", "fail"))
    links = [attrs[key] for _, attrs in found.tags for key in ("src", "href", "action", "data") if key in attrs]
    assert links and all(re.fullmatch(r"#s\d+", link) for link in links)
    source = class_page("The class", a_class(3, "1.2", "fail"))
    assert "http:" not in source and "https:" not in source and "url(" not in source and "@import" not in source


def test_only_the_style_and_the_script_of_the_page_are_let_through():
    source = class_page("The class", [])
    (policy,) = [attrs["content"] for tag, attrs in Page(source).tags if attrs.get("http-equiv")]
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)[1]
        hashed = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert " style=" not in source, "the policy would leave it out"


# ---- the table -----------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_submission():
    records = {0: record(0), 1: record(1, e1_2=entry("1.2", "fail", wrong("1.2")))}
    found = page([Graded("bob", records, None, 0.9), Graded("alice", {0: record(0, isolation=BARE)})])
    assert found.rows[0] == ["Name", "Points", "Late", "Final", "0", "1", "Status", "Isolation"]
    assert found.rows[1] == ["alice", "2", "1", "", "2", "", "not graded: chapter 1", "bare (weak)"]
    assert found.rows[2] == ["bob", "12", "0.9", "10.80", "2", "10", "complete", "bubblewrap"]


def test_every_head_is_a_button_and_says_how_it_is_sorted():
    tags = page(a_class(2, "1.2", "fail")).tags
    heads = [attrs for tag, attrs in tags if tag == "th" and attrs["scope"] == "col"]
    assert [head["aria-sort"] for head in heads] == ["ascending"] + ["none"] * (len(heads) - 1)
    after = [tags[place + 1][0] for place, (_, attrs) in enumerate(tags) if attrs.get("scope") == "col"]
    assert after == ["button"] * len(heads)


def test_a_name_leads_to_the_messages_of_its_submission():
    found = page([("bob", {0: record(0)}), ("alice", {0: record(0)})])
    targets = [attrs["id"] for tag, attrs in found.tags if tag == "details"]
    links = [attrs["href"] for tag, attrs in found.tags if tag == "a"]
    assert targets == ["s1", "s2"] and links == ["#s1", "#s2"]


# ---- what is said --------------------------------------------------------------------------------


def test_what_the_grader_could_not_finish_comes_before_everything_else():
    found = page(a_class(2, "1.2", "pass") + a_class(1, "1.2", "infra"))
    assert "The grader could not finish 1 submission" in found.text and "infra00: 1.2" in found.text
    assert found.text.index("could not finish") < found.text.index("Points of 12")
    assert "100% solved it (2 of 2, 2 points)" in found.text, "and it counts as no failure"
    assert "could not finish" not in page(a_class(2, "1.2", "pass")).text


def test_weak_isolation_is_said():
    assert "Weak isolation does not keep" in page(a_class(2, "1.2", "pass", isolation=BARE)).text
    assert "Weak isolation" not in page(a_class(2, "1.2", "pass")).text


def test_the_three_most_common_misconceptions_have_the_words_of_the_course():
    keys = list(exercise("1.2").misconceptions)
    graded = [one for count, key in zip((4, 3, 2, 1), keys, strict=False) for one in a_class(count, "1.2", "fail", key)]
    (found,) = [one for one in findings([Graded(*one) for one in graded]) if one.exercise.id == "1.2"]
    assert found.mistakes == tuple(zip(keys, (4, 3, 2, 1), strict=False))
    text = page(graded).text
    for count, key in zip((4, 3, 2), keys, strict=False):
        assert f"{count} × {key}: {exercise('1.2').misconceptions[key].replace('`', '')}" in text
    assert f"1 × {keys[3]}" not in text and "1 × another known mistake" in text


def test_mistakes_that_the_course_does_not_know_are_counted_by_kind():
    begun = record(1, e1_2=entry("1.2", "missing", wrong("1.2", kind="waits")))
    stub = record(1, e1_2=entry("1.2", "missing", wrong("1.2", kind="todo", function="merge_pair")))
    graded = a_class(4, "1.2", "fail") + a_class(2, "1.2", "missing") + a_class(1, "1.2", "not_run")
    graded += [("begun", {1: begun}), ("stub", {1: stub}), *a_class(5, "1.2", "timeout")]
    (found,) = [one for one in findings([Graded(*one) for one in graded]) if one.exercise.id == "1.2"]
    counted = [
        ("wrong value", 4),
        ("not started or not handed in", 3),
        ("not run", 1),
        ("waits for another exercise", 1),
    ]
    assert found.others == tuple(counted), "what ran out of time is listed by name"
    assert found.mistakes == ()


def test_who_stands_out_is_named():
    lost = page(a_class(9, "1.2", "pass") + a_class(1, "1.2", "fail")).text
    assert "Lost it, when nearly all solved it: fail00" in lost and "Solved it, when hardly" not in lost
    won = page(a_class(1, "1.2", "pass") + a_class(9, "1.2", "fail")).text
    assert "Solved it, when hardly anybody did: pass00" in won and "Lost it, when nearly" not in won


def test_nobody_stands_out_in_a_small_class_or_one_that_is_divided():
    for graded in (
        a_class(8, "1.2", "pass") + a_class(1, "1.2", "fail"),
        a_class(8, "1.2", "pass") + a_class(2, "1.2", "fail"),
    ):
        assert "when nearly all" not in page(graded).text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("timeout", "Out of time"),
        ("memory", "Out of memory"),
        ("crash", "Crashed"),
        ("protocol", "Answered with nonsense"),
    ],
)
def test_unusual_outcomes_are_named(outcome, said):
    text = page(a_class(2, "1.2", outcome)).text
    assert f"{said}: {outcome}00, {outcome}01" in text
    assert said not in page(a_class(2, "1.2", "fail")).text


def test_a_long_list_of_names_ends_with_a_number():
    assert "crash11, and 3 more" in page(a_class(15, "1.2", "crash")).text


def test_a_submission_shows_its_messages_once():
    same = {f"e1_{number}": entry(f"1.{number}", "error", wrong(f"1.{number}", kind="syntax")) for number in (2, 3)}
    idle = {"e1_4": entry("1.4", "fail", wrong("1.4", kind="todo", function="encode"))}
    ch0 = record(0, note="Ignored: x.py.", e0_1=entry("0.1", "missing"))
    graded = [("bob", {1: record(1, note="Ignored: x.py.", **same, **idle), 0: ch0})]
    text = page(graded).text
    assert "bob: 5 of 14 points Ignored: x.py. Passed: 1.1, 1.5, 1.6, 1.7. Not started: 1.4. No file: 0.1." in re.sub(
        r"(?<=[.s])(?=[A-Z])", " ", text
    )
    assert text.count("1.2, 1.3: syntax error") == 1


def test_a_submission_shows_when_it_was_handed_in():
    when = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    text = page([Graded("bob", {0: record(0)}, when, 0.9)]).text
    assert "Handed in 2026-03-01 12:30:00 UTC; 90 % of the points count." in text
    text = page([Graded("bob", {0: record(0)}, when, 1.0)]).text
    assert "Handed in 2026-03-01 12:30:00 UTC." in text and "of the points count" not in text


def test_the_same_class_gives_the_same_page():
    graded = a_class(3, "1.2", "fail") + a_class(3, "1.2", "pass")
    assert class_page("x", graded) == class_page("x", graded[::-1]) != class_page("x", graded[1:])


def test_a_class_without_submissions_is_a_page_too():
    assert "There are no submissions." in page([]).text
    assert "not graded: chapter 0" in page([("bob", {})], chapters=[0]).text
