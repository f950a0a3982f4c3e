"""Files: the whole old one or the whole new one, and damage is noticed."""

import errno
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from minilm import files
from minilm.errors import UserError
from minilm.files import (
    current,
    load_tensors,
    read_bytes,
    read_json,
    save_tensors,
    together,
    write_bytes,
    write_json,
    write_text,
)

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([1, 2]), "c": torch.tensor(0.5, dtype=torch.bfloat16)}


def fail_with(number):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def test_what_was_written_comes_back(tmp_path):
    write_text(tmp_path / "new" / "folder" / "a.txt", "naïve\nline")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == "naïve\nline".encode()
    write_json(tmp_path / "a.json", {"z": 1, "a": ["é", None, 0.1]})
    assert read_json(tmp_path / "a.json") == {"z": 1, "a": ["é", None, 0.1]}
    assert list(read_json(tmp_path / "a.json")) == ["z", "a"], "in the order given"


def test_tensors_come_back_with_their_shapes_and_types(tmp_path):
    save_tensors(tmp_path / "t.safetensors", TENSORS)
    loaded = load_tensors(tmp_path / "t.safetensors")
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(loaded[name], tensor) and loaded[name].dtype == tensor.dtype
    save_tensors(tmp_path / "t.safetensors", {**TENSORS, "a": TENSORS["a"] + 1})
    assert not torch.equal(load_tensors(tmp_path / "t.safetensors")["a"], TENSORS["a"])


def test_tensors_that_share_memory_are_saved_each_for_itself(tmp_path):
    whole = torch.arange(12.0).view(3, 4)
    save_tensors(tmp_path / "t.safetensors", {"whole": whole, "same": whole, "row": whole[1], "turned": whole.T})
    loaded = load_tensors(tmp_path / "t.safetensors")
    assert torch.equal(loaded["same"], whole) and torch.equal(loaded["row"], whole[1])
    assert torch.equal(loaded["turned"], whole.T)


@pytest.mark.parametrize("broken", ["replace", "fsync", "fdopen"])
def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, broken):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(files.os, broken, fail_with(errno.EIO))
        with pytest.raises(UserError, match="cannot write .*a.txt"):
            write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]
    write_text(path, "new")
    assert path.read_text() == "new"


def test_an_interruption_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    write_text(tmp_path / "a.txt", "old")

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_new_bytes_are_complete_before_they_take_the_old_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.bin", []
    write_bytes(path, b"old")
    replace = os.replace

    def watch(source, target):
        seen.append((Path(source).read_bytes(), Path(target).read_bytes()))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", watch)
    write_bytes(path, b"new")
    assert seen == [(b"new", b"old")]


def test_a_full_disk_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(UserError, match=f"{os.strerror(errno.ENOSPC)}; .* free some space"):
        write_text(tmp_path / "a.txt", "new")


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.txt", tmp_path / "file" / "deep" / "a.txt"):
        with pytest.raises(UserError, match="cannot write .*; choose another --out folder"):
            write_text(path, "new")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root and Windows may write everywhere")
def test_a_folder_without_permission_is_said_in_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="cannot write .*: Permission denied"):
            write_text(tmp_path / "a.txt", "new")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_saved_file_is_an_ordinary_one(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


@pytest.mark.parametrize("read", [read_bytes, read_json, load_tensors])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(UserError, match="cannot read .*nowhere"):
        read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path)  # a folder


@pytest.mark.parametrize("damage", [b"", b"{", b'{"a": 1', b'{"a": 1}}', b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_named(tmp_path, damage):
    (tmp_path / "a.json").write_bytes(damage)
    with pytest.raises(UserError, match="a.json is damaged"):
        read_json(tmp_path / "a.json")


def test_a_truncated_tensor_file_is_noticed_at_every_length(tmp_path):
    path = tmp_path / "t.safetensors"
    save_tensors(path, TENSORS)
    data = path.read_bytes()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match="t.safetensors is truncated or damaged"):
            load_tensors(path)


@pytest.mark.parametrize("damage", [b"not a tensor file at all", b"\x00" * 100, b"\xff" * 100])
def test_a_file_of_another_kind_is_noticed(tmp_path, damage):
    (tmp_path / "t.safetensors").write_bytes(damage)
    with pytest.raises(UserError, match="truncated or damaged"):
        load_tensors(tmp_path / "t.safetensors")


# Numbers that safetensors itself would take


@pytest.mark.parametrize("place", [-1, -9, -20])
def test_a_flipped_bit_among_the_numbers_is_noticed(tmp_path, place):
    path = tmp_path / "t.safetensors"
    save_tensors(path, TENSORS)
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    with pytest.raises(UserError, match="t.safetensors is damaged .its checksum does not match"):
        load_tensors(path)


def test_a_type_of_the_same_size_in_the_header_is_noticed(tmp_path):
    path = tmp_path / "t.safetensors"
    save_tensors(path, {"w": torch.ones(4, dtype=torch.bfloat16)})
    path.write_bytes(path.read_bytes().replace(b'"dtype":"BF16"', b'"dtype":"F16" '))
    with pytest.raises(UserError, match="checksum does not match"):
        load_tensors(path)


def test_a_file_without_a_checksum_as_others_write_it_is_read(tmp_path):
    path = tmp_path / "t.safetensors"
    safetensors.torch.save_file(TENSORS, path)
    assert torch.equal(load_tensors(path)["a"], TENSORS["a"])
    safetensors.torch.save_file(TENSORS, path, {"format": "pt"})
    assert torch.equal(load_tensors(path)["a"], TENSORS["a"])


def test_tensors_of_any_shape_and_type_have_a_checksum(tmp_path):
    odd = {"none": torch.zeros(0, 3), "yes": torch.tensor([True]), "turned": torch.arange(6.0).view(2, 3).T}
    save_tensors(tmp_path / "t.safetensors", odd)
    loaded = load_tensors(tmp_path / "t.safetensors")
    assert all(torch.equal(loaded[name], odd[name]) for name in odd)


# Several files as one


def write_pair(folder, word):
    with together(folder) as draft:
        write_text(draft / "a.txt", word)
        write_text(draft / "sub.txt", word)


def read_pair(folder):
    return [current(folder, name).read_text(encoding="utf-8") for name in ("a.txt", "sub.txt")]


def test_files_written_together_replace_the_old_ones_and_leave_others_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_pair(tmp_path, "old")
    assert read_pair(tmp_path) == ["old", "old"]
    write_pair(tmp_path, "new")
    assert read_pair(tmp_path) == ["new", "new"]
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "mine.txt", "sub.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, UserError])
def test_a_block_that_fails_half_way_changes_nothing(tmp_path, error):
    write_pair(tmp_path, "old")
    with pytest.raises(error), together(tmp_path) as draft:
        write_text(draft / "a.txt", "new")
        raise error("half-way")
    assert read_pair(tmp_path) == ["old", "old"]
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "sub.txt"]


def test_until_the_last_file_has_its_name_the_new_ones_are_read_where_they_wait(tmp_path, monkeypatch):
    write_pair(tmp_path, "old")
    replace, calls = os.replace, []

    def fail_late(*args):
        calls.append(args)
        if len(calls) == 5:  # two files, the folder, the first file; then the disk fails
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(*args)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", fail_late)
        with pytest.raises(UserError, match="cannot write"):
            write_pair(tmp_path, "new")
    assert (tmp_path / "sub.txt").read_text() == "old", "this test no longer stops half-way"
    assert read_pair(tmp_path) == ["new", "new"]
    write_pair(tmp_path, "newer")
    assert read_pair(tmp_path) == ["newer", "newer"] and sorted(os.listdir(tmp_path)) == ["a.txt", "sub.txt"]


def test_the_same_tensors_and_metadata_give_the_same_bytes_every_time(tmp_path):
    files = set()
    for i in range(20):
        save_tensors(tmp_path / f"{i}.safetensors", {"w": torch.ones(3)}, {"b": "1", "a": "2", "c": "3"})
        files.add((tmp_path / f"{i}.safetensors").read_bytes())
    assert len(files) == 1
