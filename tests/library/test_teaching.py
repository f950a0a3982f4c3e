"""TEACHING.md and README.md keep their word: minutes add up, exercises have their place, quotations are exact."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minilm import cli
from minilm.bundle import NOTEBOOKS
from minilm.grading import show
from minilm.grading.registry import chapters, exercise
from minilm.grading.supervise import grade

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ID = r"\d\.\d"
IDS = [one.id for chapter in chapters().values() for one in chapter.exercises]
SESSIONS = re.findall(r"^### (Session \d.*?|The day) \((\d+) minutes\)\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)
BOLD = re.compile(r"\*\*Exercises? ([^*]+)\*\*")
QUOTES = re.findall(rf"“([^”]+)” \(({ID})\)", TEXT)


def rows(body):
    return [(int(minutes), what) for minutes, what in re.findall(r"^\| (\d+) \| (.+) \|$", body, re.MULTILINE)]


def ids(text):
    return re.findall(rf"\b{ID}\b", text)


def test_there_are_six_sessions_and_a_day():
    assert len(SESSIONS) == 7 and [int(minutes) for _, minutes, _ in SESSIONS] == [90] * 6 + [480]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session[0].split(":")[0].replace(" ", "-"))
def test_the_minutes_add_up_and_the_exercises_fit_into_theirs(session):
    _, total, body = session
    assert sum(minutes for minutes, _ in rows(body)) == int(total)
    for minutes, what in rows(body):
        needed = sum(
            exercise(id).minutes for bold in re.findall(r"\*\*Exercises? ([^*]+)\*\*", what) for id in ids(bold)
        )
        assert needed <= minutes, f"{what}: the exercises take {needed} minutes"


def test_every_exercise_has_one_place_in_the_six_sessions():
    placed = []
    for _, _, body in SESSIONS[:6]:
        bold = [id for part in BOLD.findall(body) for id in ids(part)]
        home = [id for line in re.findall(r"^At home: .+$", body, re.MULTILINE) for id in ids(line)]
        placed += bold + home
    assert sorted(placed) == IDS


def test_homework_is_as_long_as_the_text_says():
    for name, _, body in SESSIONS[:6]:
        home = re.search(r"^At home: ([^M\n]+)", body, re.MULTILINE)[1]
        assert 50 <= sum(exercise(id).minutes for id in ids(home)) <= 90, name


def test_all_exercises_take_as_long_as_the_text_says():
    (hours,) = re.findall(r"take about (\d+) hours in all", TEXT)
    assert abs(sum(exercise(id).minutes for id in IDS) / 60 - int(hours)) <= 0.5


@pytest.mark.parametrize(("quote", "id"), QUOTES, ids=[f"{id}-{number}" for number, (_, id) in enumerate(QUOTES)])
def test_a_quoted_message_is_what_the_check_says(quote, id):
    assert quote in exercise(id).misconceptions.values()


def test_messages_of_every_chapter_are_quoted():
    assert {int(id[0]) for _, id in QUOTES} == set(chapters())
    assert TEXT.count("“") == len(QUOTES), "a quotation without its exercise"


def test_every_chapter_has_a_point_mistakes_and_questions_with_answers():
    for number, chapter in chapters().items():
        head = rf"^### {number} · {chapter.title.replace(' ', '.')}\n"
        (part,) = re.findall(head + "(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE | re.IGNORECASE)
        assert "**The point.**" in part and "**Usual mistakes.**" in part
        questions = re.findall(r"^\d\. \*[^*]+[?.]\* .+", part, re.MULTILINE)
        assert len(questions) >= 3, f"chapter {number}"


def test_the_example_of_a_check_is_what_a_check_prints(tmp_path):
    source = (ROOT / "solutions" / "ch00_welcome.py").read_text(encoding="utf-8")
    assert "math.log2(1 / p)" in source
    (tmp_path / "ch00_welcome.py").write_text(source.replace("math.log2(1 / p)", "math.log(1 / p)"), encoding="utf-8")
    (result,) = grade(tmp_path, [exercise("0.1")]).results
    assert show.text(result) in TEXT


@pytest.mark.skipif(not shutil.which("sh"), reason="a POSIX shell is needed")
def test_a_class_is_graded_with_the_command_of_the_text(tmp_path):
    """Two learners, one right and one wrong, and a third without a file; behind whatever walls there are here."""
    section = TEXT[TEXT.index("### Grading a class") :]
    command = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].strip()
    right = (ROOT / "solutions" / "ch00_welcome.py").read_text(encoding="utf-8")
    for name, source in (("anna", right), ("ben lee", right.replace("log2(1", "log(1")), ("cem", None)):
        (tmp_path / "submissions" / name).mkdir(parents=True)
        if source:
            (tmp_path / "submissions" / name / "ch00_welcome.py").write_text(source, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    options = {"cwd": tmp_path, "text": True, "encoding": "utf-8", "capture_output": True}
    done = subprocess.run(
        ["sh", "-e", "-c", f"{command} --isolation any --jobs 1"], env={**os.environ, "PATH": path}, **options
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO((tmp_path / "grades" / "grades.csv").read_text(encoding="utf-8"))))
    assert [(row[0], row[1]) for row in rows] == [("name", "points"), ("anna", "2"), ("ben lee", "0"), ("cem", "0")]
    assert "natural logarithm" in (tmp_path / "grades" / "class.html").read_text(encoding="utf-8")
    assert "nats" in (tmp_path / "grades" / "records" / "ben lee" / "ch00.json").read_text(encoding="utf-8")


def test_links_lead_somewhere():
    places = {"README.md": README, "": TEXT}
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT) + re.findall(r"\]\(([^)\s]+)\)", README):
        file, _, anchor = target.partition("#")
        assert not file or (ROOT / file).is_file(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", places[file], re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles], target


# ---- README --------------------------------------------------------------------------------------


def test_the_readme_lists_every_notebook_with_its_points_and_minutes():
    row = r"^\| (\d) \| \[(.+)\]\(notebooks/(\w+)\.ipynb\) \| .+ \| (\d+) \| (\d+), (\d+) \|$"
    found = re.findall(row, README, re.MULTILINE)
    assert [name for _, _, name, *_ in found] == list(NOTEBOOKS)
    for number, title, name, points, reading, working in found:
        chapter = chapters()[int(number)]
        assert (title.lower(), int(points)) == (chapter.title.lower(), chapter.points)
        assert int(working) == sum(one.minutes for one in chapter.exercises)
        first = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"][0]["source"]
        assert re.search(rf"\b{reading} minutes", "".join(first)), f"{name} names another time for reading"


def test_the_readme_names_every_file_of_the_library():
    reading = README[README.index("## How to read") : README.index("### By hand")]
    modules = [path.name for path in (ROOT / "minilm").glob("*.py") if not path.name.startswith("__")]
    folders = [f"{path.parent.name}/" for path in (ROOT / "minilm").glob("*/__init__.py")]
    assert [name for name in modules + folders if f"`{name}`" not in reading] == []


def test_the_readme_names_every_command():
    commands = README[README.index("## The command") : README.index("## What it reaches")]
    commands += README[README.index("## To and from Hugging Face") :]
    names = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
    assert [name for name in names if not re.search(rf"minilm {name}\b|`(\w+`, `)*{name}`", commands)] == []


def test_the_first_commands_of_the_readme_are_demo_and_test():
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)[1]
    assert re.findall(r"^make \w+", first, re.MULTILINE) == ["make demo", "make test"]
