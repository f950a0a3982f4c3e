"""What is taken from a folder of submissions, what is refused, and in which words."""

import io
import json
import os
import re
import struct
import zipfile
from datetime import UTC, datetime

import pytest

from minilm.errors import UserError
from minilm.grading.classroom import cells, shelves
from minilm.grading.classroom.intake import submission
from minilm.grading.classroom.roll import left_out, left_over, submissions
from minilm.grading.registry import PLAN, select

CODE = b"def f():\n    return 1\n"


@pytest.fixture
def hand_in(tmp_path):
    """hand_in(name, {"ch05_lora.py": bytes, ...}) -> the Submission made of these files."""

    def hand_in(files, name="alice"):
        for path, data in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return submission(tmp_path / name)

    return hand_in


@pytest.fixture
def zipped(tmp_path):
    """zipped([(name or ZipInfo, bytes), ...]) -> the Submission that such a zip makes; change(bytes) may damage it."""

    def zipped(members, change=lambda data: data, packing=zipfile.ZIP_DEFLATED):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", packing) as archive:
            for name, data in members:
                archive.writestr(name, data)
        (tmp_path / "bob.zip").write_bytes(change(held.getvalue()))
        return submission(tmp_path / "bob.zip")

    return zipped


def notebook(*codes):
    cells = [{"cell_type": "code", "source": code} for code in codes]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "x ="}, *cells], "nbformat": 4}).encode()


def refused(one, why):
    """Whether every chapter has no file and the same sentence, which says `why`."""
    sentences = {handed.why for handed in one.files.values()}
    return not one.handed and len(sentences) == 1 and why in sentences.pop()


# ---- folders -------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "exercises/", "answers/", "answers/exercises/"])
def test_a_chapter_lies_at_the_top_in_exercises_or_in_one_top_folder(hand_in, inside):
    one = hand_in({f"{inside}ch05_lora.py": CODE})
    assert (one.files[5].name, one.files[5].data, one.note) == ("ch05_lora.py", CODE, "")
    assert re.fullmatch("[0-9a-f]{64}", one.files[5].sha256)
    assert list(one.files) == list(PLAN) and list(one.handed) == [5]
    assert one.files[4].why == "There is no ch04_lowrank.py."


@pytest.mark.parametrize("inside", ["old/", "a/b/", "exercises/old/"])
def test_a_chapter_in_any_other_folder_is_not_taken(hand_in, inside):
    one = hand_in({f"{inside}ch05_lora.py": CODE, "ch04_lowrank.py": CODE})
    assert list(one.handed) == [4] and inside.split("/")[-2] in one.note or inside.split("/")[0] in one.note


def test_what_could_take_over_the_grading_is_ignored_and_named(hand_in):
    files = ("conftest.py", "numpy.py", "pytest.ini", "sitecustomize.py", "torch/__init__.py", ".hidden", "zzz.txt")
    one = hand_in({"ch05_lora.py": CODE, **dict.fromkeys(files, b"x")})
    assert one.note == "Ignored: conftest.py, numpy.py, pytest.ini, sitecustomize.py, torch/, and 1 more."
    assert list(one.handed) == [5]


def test_a_file_whose_name_is_nearly_right_is_told_about(hand_in):
    one = hand_in({"ch05_lora (1).py": CODE, "ch04_lowrank.py": CODE})
    assert one.files[5].why == "There is no ch05_lora.py; ch05_lora (1).py is not its name."
    assert one.files[6].why == "There is no ch06_memory.py."


def test_the_same_file_twice_is_one_and_two_different_ones_are_none(hand_in):
    assert hand_in({"ch05_lora.py": CODE, "exercises/ch05_lora.py": CODE}).files[5].data == CODE
    one = hand_in({"ch05_lora.py": CODE, "exercises/ch05_lora.py": CODE + b"\n"})
    assert "more than one file for this chapter (ch05_lora.py, exercises/ch05_lora.py)" in one.files[5].why


def test_nothing_that_is_no_ordinary_file_is_opened(hand_in, tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_bytes(b"secret = 1\n")
    hand_in({"ch04_lowrank.py": CODE})
    folder = tmp_path / "alice"
    (folder / "ch05_lora.py").symlink_to(secret)
    (folder / "ch06_memory.py").symlink_to("/dev/zero")
    os.mkfifo(folder / "ch07_merging.py")
    (folder / "ch03_pretraining.py").mkdir()
    os.link(secret, folder / "ch02_transformer.py")  # a hard link is an ordinary file
    one = submission(folder)
    assert list(one.handed) == [2, 4]
    assert one.files[5].why == "ch05_lora.py is a link, which is never followed; hand in the file itself."
    assert one.files[6].why == one.files[5].why.replace("ch05_lora", "ch06_memory")
    assert one.files[7].why == "ch07_merging.py is not an ordinary file."
    assert one.files[3].why == "ch03_pretraining.py is not an ordinary file."


def test_a_folder_that_is_a_link_is_not_entered(hand_in, tmp_path):
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "ch05_lora.py").write_bytes(CODE)
    hand_in({"ch04_lowrank.py": CODE})
    (tmp_path / "alice" / "exercises").symlink_to(real)
    one = submission(tmp_path / "alice")
    assert list(one.handed) == [4]
    assert one.files[5].why == "exercises is a link, which is never followed; hand in the folder itself."
    (tmp_path / "eve").symlink_to(real)
    assert refused(submission(tmp_path / "eve"), "eve is a link, which is never followed")


def test_a_file_that_became_a_link_after_the_look_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "ch05_lora.py").symlink_to("/etc/hostname")
    monkeypatch.setattr(shelves, "kind", lambda path: shelves.FILE)
    with pytest.raises(shelves.Refused, match="is a link"):
        shelves.Folder(tmp_path).read("ch05_lora.py")


def test_a_file_may_have_a_megabyte_and_no_byte_more(hand_in):
    most = b"#" * 1_000_000
    assert hand_in({"ch05_lora.py": most}).files[5].data == most
    assert hand_in({"ch05_lora.py": most + b"#"}).files[5].why == "ch05_lora.py is larger than 1 MB."


# ---- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfx = 1\ny = 2\n", b"x = 1\r\ny = 2\r\n", b"x = 1\ry = 2\r"])
def test_marks_and_line_ends_of_every_system_come_to_the_same(hand_in, data):
    same = hand_in({"ch05_lora.py": b"x = 1\ny = 2\n"}, name="carol").files[5]
    assert hand_in({"ch05_lora.py": data}).files[5] == same
    assert hand_in({"ch05_lora.py": b"x = 1\ny = 3\n"}, name="dan").files[5].sha256 != same.sha256


@pytest.mark.parametrize(
    ("above", "below"), [("", ""), ("#!/usr/bin/env python3\n", ""), ("\n", ""), ("", "# coding: cp1252\n")]
)
def test_a_character_set_that_python_would_accept_becomes_utf8(hand_in, above, below):
    source = f"{above}# -*- coding: latin-1 -*-\n{below}name = 'Müller'\n"
    data = hand_in({"ch05_lora.py": source.encode("latin-1")}).files[5].data
    assert data.decode() == source.replace("latin-1", "utf-8")
    space = {}
    exec(compile(data, "x", "exec"), space)
    assert space["name"] == "Müller"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("name = 'Müller'\n".encode("latin-1"), "save it as UTF-8"),
        (b"x = 1\n" * 9 + b"\xff\n", "is not UTF-8; save it as UTF-8"),
        ("x = 1\n".encode("utf-16"), "is saved as UTF-16; save it as UTF-8"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (b"# coding: rot13\nk = 1\n", "is not the rot13 that its first lines announce"),
        (b"# coding: idna\nk = 1\n", "is not the idna"),
        (b"# coding: unicode_escape\nk = 1\n", "is not the unicode_escape"),
        (b"# coding: utf-7\nk = 1\n", "is not the utf-7"),
        (b"# coding: ascii\nk = '\xff'\n", "is not the ascii"),
    ],
)
def test_what_is_no_text_is_told_in_a_sentence(hand_in, data, said):
    one = hand_in({"ch05_lora.py": data, "ch04_lowrank.py": CODE})
    assert one.files[5].why.startswith("ch05_lora.py ") and said in one.files[5].why
    assert list(one.handed) == [4], "it costs its own chapter and no other"


def test_a_sentence_is_short_whatever_it_is_about(hand_in):
    assert len(hand_in({"ch05_lora.py": b"# coding: " + b"k" * 99_999}).files[5].why) < 150
    assert len(hand_in({"ch05_lora" + "x" * 200 + ".py": CODE}, name="bob").note) < 150


# ---- notebooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ch04_lowrank.ipynb", "04_low_rank.ipynb"])
def test_a_notebook_counts_where_there_is_no_file(hand_in, name):
    book = notebook("def f():\n    return 1\n", ["x = 2\r\n", "y = 3"])
    one = hand_in({name: book})
    assert one.files[4].data == b"# cell 1\ndef f():\n    return 1\n\n\n# cell 2\nx = 2\ny = 3\n"
    assert one.files[4].name == name
    both = hand_in({name: book, "ch04_lowrank.py": CODE})
    assert (both.files[4].data, both.note) == (CODE, f"Ignored: {name}.")


def test_cells_keep_their_code_and_lose_what_is_for_the_notebook():
    def kept(code):
        return cells.cell(code)

    assert kept("%matplotlib inline\n!pip install \\\n  x\ny = 1") == (
        "# %matplotlib inline\n# !pip install \\\n#   x\ny = 1"
    )
    assert kept("if y:\n    !ls\n    %time y") == "if y:\n    pass  # !ls\n    pass  # %time y"
    assert kept("%%time\ny = 1") == "# %%time\ny = 1"
    assert kept("%%bash\nrm x") == "# %%bash\n# rm x"
    assert kept("f?\nf??\n?f.g\n    f?") == "# f?\n# f??\n# ?f.g\n    pass  # f?"
    question = 'x = """\n    Is it? Is it really?\n"""'
    assert kept(question) == question, "a sentence is no question to Jupyter"
    remainder = "z = (7\n    % 4\n    % b)"
    assert kept(remainder) == remainder, "a remainder is no magic"


STUB = 'def {}(x):\n    raise NotImplementedError("Exercise {}: write it")\n'
STUBS = "".join(STUB.format(one.functions[0], one.id) for one in select(["4"])).encode()


def test_a_notebook_with_answers_counts_more_than_a_file_with_nothing_but_stubs(hand_in):
    answer = notebook("def truncate(W, rank):\n    return W")
    one = hand_in({"ch04_lowrank.py": STUBS, "04_low_rank.ipynb": answer})
    assert (one.files[4].name, one.note) == ("04_low_rank.ipynb", "Ignored: ch04_lowrank.py.")
    without = notebook("# def truncate\nf(truncate)")
    for name, file, book in (
        ("a file with one answer", STUBS.replace(b"Exercise 4.1", b"?"), answer),
        ("a notebook without", STUBS, without),
        ("a broken notebook", STUBS, b"{"),
    ):
        one = hand_in({"ch04_lowrank.py": file, "04_low_rank.ipynb": book}, name=name)
        assert (one.files[4].name, one.note) == ("ch04_lowrank.py", "Ignored: 04_low_rank.ipynb."), name


def test_a_notebook_may_be_large_by_its_pictures_and_not_by_its_code(hand_in):
    def book(code, picture):
        cell = {"cell_type": "code", "source": code, "outputs": ["A" * picture]}
        return json.dumps({"cells": [cell]}).encode()

    assert hand_in({"05_lora.ipynb": book("x = 1", 4_000_000)}).files[5].data == b"# cell 1\nx = 1\n"
    assert hand_in({"05_lora.ipynb": book("x = 1", 5_000_000)}).files[5].why == "05_lora.ipynb is larger than 5 MB."
    why = hand_in({"05_lora.ipynb": book("#" * 1_000_000, 1)}).files[5].why
    assert why == "05_lora.ipynb holds more than 1 MB of code; hand in the .py file."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"cells": 3}',
        b'{"cells": [{"cell_type": "code"}]}',
        b'{"cells": [{"cell_type": "code", "source": [1]}]}',
        b'{"worksheets": []}',
        b"[" * 200_000,
        b'{"cells": [{"cell_type": "code", "source": "\\ud800"}]}',
        b"\xff\xfe",
    ],
)
def test_a_broken_notebook_is_a_sentence(hand_in, data):
    assert "hand in the .py file" in hand_in({"05_lora.ipynb": data}).files[5].why


# ---- zips ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "exercises/", "bob/", "bob/exercises/"])
def test_a_zip_is_read_as_a_folder(zipped, inside):
    junk = [("__MACOSX/._x", b""), (".DS_Store", b"")] if inside else []
    one = zipped([(f"{inside}ch05_lora.py", CODE), (f"{inside}conftest.py", b""), *junk])
    assert (one.name, one.files[5].data) == ("bob", CODE)
    assert one.note == f"Ignored: {'exercises/' if 'exercises' in inside else ''}conftest.py."


def test_a_folder_in_a_zip_that_is_called_like_a_chapter_is_no_file(zipped):
    one = zipped([("ch05_lora.py/x.txt", b""), ("ch04_lowrank.py", CODE)])
    assert one.files[5].why == "ch05_lora.py is not an ordinary file." and list(one.handed) == [4]


def odd(name, kind=0o100644, flags=0):
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    info.external_attr, info.flag_bits = kind << 16, flags
    return info


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (odd("../../ch04_lowrank.py"), "a path that leads out of the folder"),
        (odd("a/../../x.py"), "a path that leads out of the folder"),
        (odd("/etc/passwd"), "a path that leads out of the folder"),
        (odd("..\\x.py"), "a path that leads out of the folder"),
        (odd("C:x.py"), "a path that leads out of the folder"),
        (odd("link", 0o120777), "a link"),
        (odd("pipe", 0o010644), "which is not an ordinary file"),
        (odd("./"), "a file without a name"),
        (odd("./ch05_lora.py"), "more than once"),
        (odd("ch05_lora.py/inner.py"), "as a file and as a folder"),
    ],
)
def test_one_trick_costs_the_whole_zip(zipped, member, said):
    assert refused(zipped([("ch05_lora.py", CODE), (member, b"/etc/passwd")]), said)
    assert zipped([("ch05_lora.py", CODE), ("link.py", b"/etc/passwd")]).files[5].data == CODE


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(zipped):
    assert refused(zipped([("ch05_lora.py", CODE), ("ch05_lora.py", b"")]), "holds ch05_lora.py more than once")


def test_an_encrypted_zip_is_refused(zipped):
    def encrypted(data):  # the flag stands in the local head (at 6) and in the list at the end (at 8)
        data = bytearray(data)
        for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(sign) + at] |= 1
        return bytes(data)

    assert refused(zipped([("ch05_lora.py", CODE)], encrypted), "which is encrypted")


def test_too_many_members_are_refused(zipped):
    many = [(f"{number}.txt", b"") for number in range(199)]
    assert list(zipped([("ch05_lora.py", CODE), *many]).handed) == [5]
    assert refused(zipped([("ch05_lora.py", CODE), *many, ("one.txt", b"")]), "holds 201 files, and 200 are the most")


def test_a_zip_that_says_it_unpacks_to_much_is_refused(zipped):
    half = b"0" * 10_000_000
    assert list(zipped([("a", half), ("ch05_lora.py", CODE)]).handed) == [5]
    assert refused(zipped([("a", half), ("b", half), ("ch05_lora.py", CODE)]), "unpacks to more than 20 MB")


def test_a_zip_that_lies_about_its_size_is_not_believed(zipped):
    def modest(data):  # unpacked sizes: at 22 in the local head, at 24 in the list at the end
        data = bytearray(data)
        for sign, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            where = data.index(sign) + at
            data[where : where + 4] = struct.pack("<I", 10)
        return bytes(data)

    one = zipped([("ch05_lora.py", b"#" * 30_000_000), ("ch04_lowrank.py", CODE)], modest)
    assert one.files[5].why == "ch05_lora.py is damaged inside the zip; pack it again."
    assert list(one.handed) == [4]


def test_what_is_unpacked_is_counted(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a", "b", "c"):
            archive.writestr(name, b"0" * 600)
    shelf = shelves.Zip(tmp_path / "x.zip")
    shelf.left = 1000
    assert len(shelf.read("a")) == 600
    for name in ("b", "c"):
        with pytest.raises(shelves.Refused, match="that a zip may hold"):
            shelf.read(name)
    assert shelf.left == -2, "one byte more than is left tells enough"


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_cannot_be_unpacked_in_part_are_refused(zipped, packing):
    assert "in an unusual way" in zipped([("ch05_lora.py", CODE)], packing=packing).files[5].why


@pytest.mark.parametrize("change", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"PK" * 99])
def test_a_broken_zip_is_a_sentence(zipped, change):
    assert refused(zipped([("ch05_lora.py", CODE)], change), "bob.zip is not a zip that can be read; pack it again.")


def test_a_pipe_that_is_called_a_zip_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "eve.zip")
    assert refused(submission(tmp_path / "eve.zip"), "eve.zip is not an ordinary file.")


def test_a_flipped_bit_costs_its_own_chapter(zipped):
    members = [("ch05_lora.py", CODE), ("ch04_lowrank.py", CODE)]
    one = zipped(members, lambda data: data.replace(b"return 1", b"return 2", 1), zipfile.ZIP_STORED)
    assert "damaged inside the zip" in one.files[5].why and list(one.handed) == [4]


def test_no_damage_to_a_zip_stops_the_class(zipped):
    members = [("ch05_lora.py", CODE), ("exercises/ch04_lowrank.py", CODE * 50)]
    for place in range(0, 330, 3):
        one = zipped(members, lambda data, place=place: data[:place] + b"\xff\x00\x7f" + data[place + 3 :])
        assert all(handed.why or handed.data == CODE or handed.data == CODE * 50 for handed in one.files.values())


# ---- a class -------------------------------------------------------------------------------------


def test_a_class_is_sorted_by_name_and_hidden_things_are_none_of_it(hand_in, zipped, tmp_path):
    hand_in({"ch05_lora.py": CODE}, name="carol")
    hand_in({"ch05_lora.py": CODE}, name="__MACOSX")
    hand_in({"ch05_lora.py": CODE}, name=".git")
    zipped([("ch05_lora.py", CODE)])
    (tmp_path / "anton").mkdir()
    (tmp_path / "dan.rar").write_bytes(b"")
    found = submissions(tmp_path)
    assert [one.name for one in found] == ["anton", "bob", "carol"]
    assert [list(one.handed) for one in found] == [[], [5], [5]]
    assert left_out(tmp_path) == "Not a folder and not a zip, so not graded: dan.rar."
    (tmp_path / "dan.rar").unlink()
    assert left_out(tmp_path) == ""


def test_two_submissions_of_one_name_are_the_teachers_to_mend(hand_in, zipped, tmp_path):
    zipped([("ch05_lora.py", CODE)])
    hand_in({"ch05_lora.py": CODE}, name="Bob")
    with pytest.raises(UserError, match=r"Bob and .*bob\.zip would be one submission; rename one"):
        submissions(tmp_path)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ch05_lora.py": b"", "alice/x": b""}, "ch05_lora.py lies outside every submission"),
        ({"readme.txt": b""}, "holds no submission"),
        ({"times.csv": b"alice\n", "alice/x": b""}, "line 1: 'alice' has no time"),
        ({"times.csv": b"alice,soon\n", "alice/x": b""}, "line 1: the time 'soon' is no time"),
        ({"times.csv": b"\xff", "alice/x": b""}, "cannot read"),
    ],
)
def test_what_the_teacher_can_mend_is_one_sentence(tmp_path, files, said):
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=said):
        submissions(tmp_path)
    with pytest.raises(UserError, match="there is no"):
        submissions(tmp_path / "nowhere")
    with pytest.raises(UserError, match="there is no submission at"):
        submission(tmp_path / "nowhere")


def test_a_name_cannot_turn_a_line_round_or_end_it(hand_in):
    assert hand_in({"ch05_lora.py": CODE}, name="a\nb\u202ec").name == "a\ufffdb\ufffdc"
    assert hand_in({"ch05_lora.py": CODE}, name="علي بن محمد").name == "علي بن محمد"


def test_a_long_name_is_cut_and_stays_its_own(hand_in):
    one, two = (hand_in({"ch05_lora.py": CODE}, name="ж" * 120 + end).name for end in "ab")
    assert one[:80] == two[:80] == "ж" * 80 and one != two
    assert max(len(one.encode()), len(two.encode())) <= 180
    assert hand_in({"ch05_lora.py": CODE}, name="ж" * 90).name == "ж" * 90


def test_the_time_is_that_of_the_newest_file_taken(hand_in, tmp_path):
    hand_in({"ch05_lora.py": CODE, "ch04_lowrank.py": CODE, "notes.txt": b""})
    for name, when in (("ch05_lora.py", 2000.9), ("ch04_lowrank.py", 1000), ("notes.txt", 9000)):
        os.utime(tmp_path / "alice" / name, (when, when))
    alice = submission(tmp_path / "alice")
    assert alice.submitted_at(range(8)) == alice.submitted_at([5]) == datetime.fromtimestamp(2000, UTC)
    assert alice.submitted_at([3, 4]) == datetime.fromtimestamp(1000, UTC)
    assert alice.submitted_at([3]) is None
    (tmp_path / "empty").mkdir()
    assert submission(tmp_path / "empty").submitted_at(range(8)) is None


def test_the_time_of_a_zip_is_its_own(zipped, tmp_path):
    zipped([("ch05_lora.py", CODE)])
    os.utime(tmp_path / "bob.zip", (3000, 3000))
    assert submission(tmp_path / "bob.zip").submitted_at([5]) == datetime.fromtimestamp(3000, UTC)


def test_times_that_the_teacher_wrote_down_go_first(hand_in, tmp_path):
    for name in ("alice", "bob"):
        hand_in({"ch05_lora.py": CODE}, name=name)
        os.utime(tmp_path / name / "ch05_lora.py", (1000, 1000))
    (tmp_path / "times.csv").write_text("name,submitted\nalice,2026-03-01T12:00+01:00\nnobody,2026-03-01T12:00Z\n")
    alice, bob = submissions(tmp_path)
    assert alice.submitted_at([4]) == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert bob.submitted_at([5]) == datetime.fromtimestamp(1000, UTC)


@pytest.mark.parametrize("head", ["name,submitted", "Name,time", ""])
def test_who_stands_in_the_times_and_handed_nothing_in_is_named(hand_in, tmp_path, head):
    hand_in({"ch05_lora.py": CODE}, name="alice")
    times = tmp_path / "times.csv"
    assert left_over(tmp_path, submissions(tmp_path)) == ""
    times.write_text(f"{head}\nalice,2026-03-01T12:00Z\nAlice,2026-03-01T12:00Z\nzoe,2026-03-01T12:00Z\n")
    assert left_over(tmp_path, submissions(tmp_path)) == "times.csv names nobody who handed in with: Alice, zoe."
    times.write_text("alice,2026-03-01T12:00Z\n")
    assert left_over(tmp_path, submissions(tmp_path)) == ""
