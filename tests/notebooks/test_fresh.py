"""The notebooks as they are committed, without running them: fresh, whole, linked, and built alike."""

import ast
import re
import statistics
from collections import Counter

import pytest
from lessons import ROOT, checks, code, lesson, number, pictures, prose, tool

from minilm.bundle import NOTEBOOKS
from minilm.grading.registry import chapters, stem
from minilm.lesson import card_head

each = pytest.mark.parametrize("name", NOTEBOOKS)
CARD = re.compile(r"^### ✎ Exercise (\d+\.\d+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
VERDICT = re.compile(r"""\bverdict\(\s*f?["'](A\d+)\b""")


def test_there_is_one_notebook_for_each_chapter_and_no_other():
    assert tuple(tool.every()) == NOTEBOOKS
    assert [int(name[:2]) for name in NOTEBOOKS] == list(chapters())


@each
def test_a_notebook_is_fresh_clean_and_not_too_large(name):
    assert tool.problems(ROOT / "notebooks" / f"{name}.ipynb") == []


# ---- exercise cards ------------------------------------------------------------------------------


@each
def test_each_exercise_of_the_chapter_has_one_card_and_its_check_below(name):
    cells = lesson(name).cells
    places = [place for place, cell in enumerate(cells) if cell.cell_type == "markdown" and CARD.match(cell.source)]
    ids = [CARD.match(cells[place].source)[1] for place in places]
    assert sorted(ids) == [one.id for one in chapters()[number(name)].exercises]
    for place, id in zip(places, ids, strict=True):
        assert "\n".join(cells[place].source.splitlines()[:2]) == card_head(id)
        assert f'hint("{id}")' in cells[place].source, f"the card of {id} does not name its hint"
        below = cells[place + 1]
        assert below.cell_type == "code" and f'check("{id}")' in below.source, f"no check below the card of {id}"


@each
def test_each_card_says_what_to_make_sure_of(name):
    for cell in prose(lesson(name)):
        if CARD.match(cell.source):
            items = re.findall(r"^[-*] ", cell.source, flags=re.MULTILINE)
            assert "Make sure" in cell.source and 3 <= len(items) <= 6, cell["id"]


@each
def test_the_committed_checks_show_an_exercise_that_nobody_has_begun(name):
    for id, shown in checks(lesson(name)).items():
        assert "not started" in shown and "passed" not in shown, f"{id}: {shown}"


@each
def test_no_notebook_reads_what_a_learner_wrote(name):
    for cell in code(lesson(name)):
        assert not re.search(r"^\s*(import|from) (exercises|solutions|ch0\d_)", cell.source, re.MULTILINE), cell["id"]


# ---- links ---------------------------------------------------------------------------------------


@each
def test_the_first_and_the_last_cell_lead_to_the_neighbours(name):
    here = number(name)
    first, last = prose(lesson(name))[0].source, prose(lesson(name))[-1].source
    before, after = NOTEBOOKS[here - 1 : here], NOTEBOOKS[here + 1 : here + 2]
    linked = set(re.findall(r"\]\((\d\d_\w+)\.ipynb\)", first))
    assert {*before, *after} <= linked, "the first cell links to the notebooks before and after"
    for neighbour in after:
        assert f"({neighbour}.ipynb)" in last, "the last text links to the next notebook"
    assert f"(../exercises/{stem(here)}.py)" in first
    assert first.startswith(f"# {here} · ")


@each
def test_a_link_to_a_heading_finds_it(name):
    for cell in prose(lesson(name)):
        for target in LINK.findall(cell.source):
            file, _, anchor = target.partition("#")
            if anchor and not re.match(r"[a-z]+:", target):
                there = lesson(file.removesuffix(".ipynb")) if file else lesson(name)
                titles = [line.lstrip("#").strip() for one in prose(there) for line in one.source.splitlines()
                          if line.startswith("#")]  # fmt: skip
                assert anchor in [title.replace(" ", "-") for title in titles], f"{cell['id']}: {target}"


# ---- how a lesson is built -----------------------------------------------------------------------


@each
def test_a_lesson_opens_with_what_you_will_be_able_to_do_and_how_long_it_takes(name):
    first = prose(lesson(name))[0].source
    assert len(re.findall(r"^[-*] ", first, flags=re.MULTILINE)) >= 3
    assert "minutes" in first and "point" in first


@each
def test_a_lesson_ends_with_summary_quiz_and_sources(name):
    text = "\n".join(cell.source for cell in prose(lesson(name))).lower()
    wanted = [r"summary|in short|what you can (now say|say now)", r"quiz|questions|check yourself", r"sources"]
    found = [[match.start() for match in re.finditer(rf"^##+ .*({one})", text, re.MULTILINE)] for one in wanted]
    assert all(found), "a heading is missing"
    summary, quiz, sources = (places[-1] for places in found)
    assert summary < quiz < sources


@each
def test_the_quiz_has_five_to_eight_folded_answers(name):
    text = "\n".join(cell.source for cell in prose(lesson(name)))
    answers = re.findall(r"<details>\s*<summary>Answer</summary>\n\n.+?\n\n</details>", text, flags=re.DOTALL)
    assert 5 <= len(answers) <= 8
    assert text.count("<details>") == text.count("</details>") == text.count("</summary>")


@each
def test_the_sources_have_years(name):
    text = "\n".join(cell.source for cell in prose(lesson(name)))
    sources = re.split(r"^##+ .*sources.*$", text, flags=re.MULTILINE | re.IGNORECASE)[-1]
    assert len(re.findall(r"\b(19|20)\d\d\b", sources)) >= 2


@each
def test_there_are_predictions_and_mistakes_to_learn_from(name):
    text = "\n".join(cell.source for cell in prose(lesson(name)))
    assert text.count("> **Predict.**") >= 2
    assert text.count("> **What could go wrong.**") >= (1 if number(name) == 0 else 2)


@each
def test_cells_are_small_and_pictures_frequent(name):
    notebook = lesson(name)
    lines = [len(cell.source.splitlines()) for cell in code(notebook)]
    assert statistics.median(lines) <= 8
    assert sorted(lines)[int(0.9 * (len(lines) - 1))] <= 18
    assert 45 <= len(notebook.cells) <= 150
    assert len(pictures(notebook)) >= len(notebook.cells) / 12


@each
def test_code_fits_a_page_without_scrolling(name):
    wide = {cell["id"]: max(map(len, cell.source.splitlines()), default=0) for cell in code(lesson(name))}
    assert {id: width for id, width in wide.items() if width > 100} == {}


@each
def test_every_picture_is_described_and_no_two_alike(name):
    alts = [output.metadata["image/png"]["alt"] for _, output in pictures(lesson(name))]
    assert all(len(alt) >= 40 for alt in alts), [alt for alt in alts if len(alt) < 40]
    assert [alt for alt, times in Counter(alts).items() if times > 1] == []


@each
def test_ids_are_words_and_unique(name):
    ids = [cell["id"] for cell in lesson(name).cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", id) for id in ids), ids


# ---- the notebooks together ----------------------------------------------------------------------


def defined(notebook):
    """What the functions that a notebook's cells define do, without their names and docstrings."""
    for cell in code(notebook):
        tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield "\n".join(map(ast.unparse, body))


def test_no_function_is_written_in_two_notebooks():
    where = {}
    for name in NOTEBOOKS:
        for body in set(defined(lesson(name))):
            where.setdefault(body, []).append(name)
    copied = {body: names for body, names in where.items() if len(names) > 1 and len(body) > 60}
    assert copied == {}, "what two lessons need belongs into minilm/"


def test_the_list_of_claims_in_the_welcome_is_what_the_boxes_judge():
    (table,) = [cell.source for cell in prose(lesson(NOTEBOOKS[0])) if cell.source.startswith("### The claims")]
    for row in re.findall(r"^\| (\d) \| (.+) \|$", table, flags=re.MULTILINE):
        boxes = {id for cell in code(lesson(NOTEBOOKS[int(row[0])])) for id in VERDICT.findall(cell.source)}
        assert boxes == set(re.findall(r"\*\*(A\d+)\*\*", row[1])), f"chapter {row[0]}"
