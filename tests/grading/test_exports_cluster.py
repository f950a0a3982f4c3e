"""The Snakemake workflow: what it is told, when it grades again, and what becomes of the records.

Snakemake is no dependency of the course. The tests that run it are skipped where it is not installed; MINILM_SNAKEMAKE
may name one that is not on the PATH.
"""

import csv
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from minilm.cli import app
from minilm.errors import UserError
from minilm.grading import exports
from minilm.grading.classroom import intake, record
from minilm.grading.exports import cluster, collect, roster
from minilm.grading.isolated import seeds
from minilm.grading.registry import chapters

SNAKEMAKE = os.environ.get("MINILM_SNAKEMAKE") or shutil.which("snakemake")
needs_snakemake = pytest.mark.skipif(not SNAKEMAKE, reason="snakemake is not installed here")
STRONG = {"level": "bubblewrap", "strong": True, "walls": ["namespaces"]}


@pytest.fixture(autouse=True)
def course_hash(monkeypatch):
    """The hash of the course as a name: the real one reads every file of it."""
    from minilm.grading.isolated import supplies

    monkeypatch.setattr(supplies, "fingerprint", lambda: "this course")


@pytest.fixture
def folder(tmp_path):
    """submissions/ with two learners, and a secret."""
    for name in ("alice", "an{n}e o'hara"):
        (tmp_path / "submissions" / name).mkdir(parents=True)
        (tmp_path / "submissions" / name / "ch00_welcome.py").write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "secret").write_bytes(b"a secret of more than sixteen letters")
    return tmp_path


# ---- the roster ----------------------------------------------------------------------------------


def listed(folder):
    return roster.roster(folder / "submissions", folder / "secret")


def test_the_roster_names_everybody_in_letters_that_no_engine_takes_for_its_own(folder):
    found = listed(folder)
    assert {plain: entry["name"] for plain, entry in found.items()} == {
        "alice": "alice",
        "an%7Bn%7De%20o%27hara": "an{n}e o'hara",
    }
    assert found["alice"]["path"] == str(folder / "submissions" / "alice")
    assert len({roster.plain(name) for name in ("a b", "a%20b", "a_b", "a/b", "a{b}")}) == 5


def test_a_key_changes_with_the_submission_the_course_and_the_secret_and_with_nothing_else(folder, monkeypatch):
    before = listed(folder)
    answer = folder / "submissions" / "alice" / "ch00_welcome.py"
    os.utime(answer, (1, 1))
    assert listed(folder) == before
    answer.write_text("# another answer\n", encoding="utf-8")
    after = listed(folder)
    assert [plain for plain in before if after[plain] != before[plain]] == ["alice"]
    (folder / "secret").write_bytes(b"another secret of more than sixteen letters")
    other_secret = listed(folder)
    monkeypatch.setattr("minilm.grading.isolated.supplies.fingerprint", lambda: "another course")
    keys = [[entry["key"] for entry in found.values()] for found in (after, other_secret, listed(folder))]
    assert len({*keys[0], *keys[1], *keys[2]}) == 6


# ---- what is written -----------------------------------------------------------------------------


def test_the_workflow_is_written_beside_a_secret_and_what_is_the_teachers_stays(tmp_path):
    out, said = tmp_path / "cluster", []
    exports.export_cluster(out, say=said.append)
    assert yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))["python"] == sys.executable
    secret = (out / "secret").read_bytes()
    assert len(secret.strip()) == 64 and "snakemake --profile profiles/local" in said[0]
    if os.name == "posix":
        assert stat.S_IMODE((out / "secret").stat().st_mode) == 0o600
    (out / "config.yaml").write_text("submissions: mine\n", encoding="utf-8")
    (out / "Snakefile").write_text("old", encoding="utf-8")
    exports.export_cluster(out, say=said.append)
    assert (out / "config.yaml").read_text(encoding="utf-8") == "submissions: mine\n"
    assert (out / "secret").read_bytes() == secret
    assert (out / "Snakefile").read_text(encoding="utf-8") == cluster.SNAKEFILE


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "cluster").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is a file; name the folder to write"):
        exports.export_cluster(tmp_path / "cluster")


def test_the_profiles_grade_again_when_a_parameter_changes_and_go_on_after_a_failure():
    for name, text in cluster.PROFILES.items():
        profile = yaml.safe_load(text)
        assert profile["keep-going"] is True and profile["rerun-incomplete"] is True, name
        assert "params" in profile["rerun-triggers"] and "code" not in profile["rerun-triggers"], name
    assert yaml.safe_load(cluster.PROFILES["slurm"])["executor"] == "slurm"


def test_no_submission_shares_a_job_with_another_whose_failure_would_be_its_own():
    assert "group-components" not in yaml.safe_load(cluster.PROFILES["slurm"])
    assert not re.search(r"^ *group:", cluster.SNAKEFILE, re.MULTILINE)


def test_the_rule_asks_grade_one_for_options_that_it_has():
    asked = set(re.findall(r"(--[a-z]+)=", cluster.SNAKEFILE.split("minilm grade-one")[1].split("localrules")[0]))
    help = CliRunner().invoke(app, ["grade-one", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert asked == {"--submission", "--name", "--secret", "--isolation", "--out", "--chapters"}
    assert not [option for option in asked if option not in help]


# ---- collecting ----------------------------------------------------------------------------------


def grade_one(folder, name, infra="", only=()):
    """What `minilm grade-one` would write of a submission in which every exercise is missing."""
    one = intake.submission(folder / "submissions" / name)
    course = record.course_key(seeds.read(folder / "secret"))
    records = [
        record.record(one, number, record.key(one.name, one.files[number], number, course), STRONG, [], infra)
        for number in only or chapters()
    ]
    place = folder / "grades" / "submissions" / f"{roster.plain(name)}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"version": 1, "submission": name, "records": records}), encoding="utf-8")
    return place


def status(folder, **options):
    """name -> its status in grades.csv, after collecting; and who is not graded."""
    missing = collect.collect(folder / "submissions", folder / "grades", folder / "secret", **options)
    with (folder / "grades" / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["status"] for row in csv.DictReader(file)}, missing


def test_records_become_the_grades_of_a_class_and_who_has_none_is_named(folder, capsys):
    grade_one(folder, "alice")
    found, missing = status(folder)
    assert found["alice"] == "complete" and found["an{n}e o'hara"].startswith("not graded: chapters 0, 1")
    assert missing == ["an{n}e o'hara"] and "not graded yet, and no zero: an{n}e o'hara" in capsys.readouterr().out
    assert (folder / "grades" / "class.html").is_file() and (
        folder / "grades" / "records" / "alice" / "ch05.json"
    ).is_file()
    grade_one(folder, "an{n}e o'hara")
    assert status(folder) == ({"alice": "complete", "an{n}e o'hara": "complete"}, [])


def test_a_record_of_an_earlier_submission_is_not_a_grade(folder):
    grade_one(folder, "alice")
    status(folder)
    (folder / "submissions" / "alice" / "ch00_welcome.py").write_text("# better\n", encoding="utf-8")
    assert status(folder)[0]["alice"] == "not graded: chapter 0"


@pytest.mark.parametrize("text", ["", "[]", '{"records": 1}', '{"records": [1]}'])
def test_a_record_that_cannot_be_read_is_not_a_grade(folder, text):
    grade_one(folder, "alice").write_text(text, encoding="utf-8")
    assert "alice" in status(folder)[1]


def test_what_the_grader_could_not_finish_is_not_a_grade(folder):
    grade_one(folder, "alice", infra="Grading did not finish.")
    assert status(folder)[0]["alice"] != "complete"


def test_only_the_chapters_that_were_asked_for_have_to_be_there(folder):
    grade_one(folder, "alice", only=[0, 2])
    assert status(folder)[0]["alice"] == "not graded: chapters 1, 3, 4, 5, 6, 7"
    assert status(folder, chapters="0,2") == (
        {"alice": "complete", "an{n}e o'hara": "not graded: chapters 0, 2"},
        ["an{n}e o'hara"],
    )
    assert status(folder, chapters="0-2")[0]["alice"] == "not graded: chapter 1"
    kept = folder / "grades" / "records" / "alice" / "ch05.json"
    kept.write_text("of another session", encoding="utf-8")
    status(folder, chapters="0")
    assert kept.exists(), "what is not asked for is neither read nor taken away"
    status(folder)
    assert not kept.exists()


def test_a_deadline_needs_its_table(folder):
    with pytest.raises(UserError, match="--deadline and --late belong together"):
        status(folder, deadline="2026-03-01T12:00Z")


# ---- running it ----------------------------------------------------------------------------------

FAKE = """\
#!{python}
import json, pathlib, sys
words = sys.argv[5:]
options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
here = pathlib.Path({here!r})
if words[0].endswith("roster"):
    pathlib.Path(words[3]).parent.mkdir(exist_ok=True)
    pathlib.Path(words[3]).write_text((here / "roster.json").read_text())
elif words[0] == "minilm":
    name = options["name"]
    with (here / "asked").open("a") as file:
        file.write(json.dumps([words[1], name, options["submission"], options["chapters"]]) + "\\n")
    pathlib.Path(options["out"]).write_text(name)
    sys.exit(3 if (here / f"infra {{name}}").exists() else 0)
else:
    made = sorted(path.read_text() for path in pathlib.Path(words[2], "submissions").glob("*.json"))
    pathlib.Path(words[2], "grades.csv").write_text(" ".join([*made, *words[3:]]))
"""


@pytest.fixture
def run(tmp_path):
    """run() starts Snakemake with a stand-in for Python; returns (exit status, what was graded, grades.csv)."""
    exports.export_cluster(tmp_path, say=lambda said: None)
    fake = tmp_path / "fake-python"
    fake.write_text(FAKE.format(python=sys.executable, here=str(tmp_path)), encoding="utf-8")
    fake.chmod(0o755)
    config = tmp_path / "config.yaml"
    config.write_text(
        re.sub("(?m)^python: .*", f"python: {fake}", config.read_text(encoding="utf-8")), encoding="utf-8"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def start():
        (tmp_path / "asked").write_text("", encoding="utf-8")
        command = [*shlex.split(SNAKEMAKE), "--profile", "profiles/local", "--cores", "2"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        asked = [json.loads(line) for line in (tmp_path / "asked").read_text(encoding="utf-8").splitlines()]
        grades = tmp_path / "grades" / "grades.csv"
        return done.returncode, asked, grades.read_text(encoding="utf-8") if grades.exists() else done.stderr

    return start


def enrol(tmp_path, **keys):
    people = {roster.plain(name): {"name": name, "path": f"/class/{name}", "key": key} for name, key in keys.items()}
    (tmp_path / "roster.json").write_text(json.dumps(people), encoding="utf-8")


@pytest.mark.slow
@needs_snakemake
def test_snakemake_grades_each_once_then_only_what_has_changed_and_repeats_what_was_not_finished(run, tmp_path):
    odd = "an{n}e o'hara"
    enrol(tmp_path, alice="1", **{odd: "1"})
    code, asked, grades = run()
    assert (code, grades) == (0, f"alice {odd} --secret=secret --chapters=")
    assert sorted(asked) == [["grade-one", name, f"/class/{name}", ""] for name in ("alice", odd)]

    assert run()[:2] == (0, []), "nothing has changed, so nothing is graded"

    enrol(tmp_path, alice="2", bob="1", **{odd: "1"})
    (tmp_path / "infra bob").touch()
    code, asked, grades = run()
    assert code != 0 and grades == f"alice {odd} --secret=secret --chapters=", "bob is not finished, and has no grade"
    assert sorted(name for _, name, _, _ in asked) == ["alice", "bob", "bob"]

    (tmp_path / "infra bob").unlink()
    code, asked, grades = run()
    assert (code, grades) == (0, f"alice {odd} bob --secret=secret --chapters=")
    assert [name for _, name, _, _ in asked] == ["bob"]

    config = tmp_path / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('chapters: ""', "chapters: 1"), encoding="utf-8")
    code, asked, grades = run()
    assert (code, grades) == (0, f"alice {odd} bob --secret=secret --chapters=1")
    assert sorted(asked) == [["grade-one", name, f"/class/{name}", "1"] for name in ("alice", odd, "bob")]

    config.write_text(re.sub("(?m)^chapters: .*\n", "", text), encoding="utf-8")
    assert run()[2] == f"alice {odd} bob --secret=secret --chapters=", "a config.yaml of before has no such line"
