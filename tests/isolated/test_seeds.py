"""Where hidden inputs come from: the same for the same file, others for anything else, and nobody else's business."""

import os

import pytest

from minilm.errors import UserError
from minilm.grading.isolated import seeds


def seed(secret_=b"s" * 16, exercise="1.1", test="test_a", digest="0f"):
    return seeds.seed(secret_, exercise, test, digest)


def test_the_same_file_test_and_secret_give_the_same_seed():
    assert seed() == seed()
    assert 0 <= seed() < 2**128


def test_this_seed_stays_what_it_is():
    """Grades of last year must not change: HMAC-SHA256 of the three texts with a zero between, its first 16 bytes."""
    assert seed() == 235592058286228244097388673551801462788


@pytest.mark.parametrize("change", [{"secret_": b"t" * 16}, {"exercise": "1.2"}, {"test": "test_b"}, {"digest": "10"}])
def test_anything_else_gives_another_seed(change):
    assert seed(**change) != seed()


def test_the_borders_between_the_texts_count():
    assert seed(exercise="1.1", test="0test_a") != seed(exercise="1.10", test="test_a")


def test_many_seeds_are_all_different():
    assert len({seed(digest=str(number)) for number in range(10_000)}) == 10_000


def test_a_missing_secret_is_made_and_kept_for_its_owner_alone(tmp_path):
    path = tmp_path / "secret"
    old = os.umask(0)
    try:
        made = seeds.read(path)
    finally:
        os.umask(old)
    assert len(made) == 64 and path.stat().st_mode & 0o777 == 0o600
    assert seeds.read(path) == made == path.read_bytes().strip()
    assert seeds.read(tmp_path / "other") != made


def test_a_secret_of_one_s_own_is_taken_as_it_is(tmp_path):
    (tmp_path / "mine").write_bytes(b"  correct horse battery\n")
    assert seeds.read(tmp_path / "mine") == b"correct horse battery"


@pytest.mark.parametrize("text", [b"", b"\n", b"123456789012345", b"short" + b" " * 20])
def test_a_secret_that_is_too_short_is_refused(tmp_path, text):
    (tmp_path / "short").write_bytes(text)
    with pytest.raises(UserError, match="too few for a secret; delete it"):
        seeds.read(tmp_path / "short")
    assert (tmp_path / "short").read_bytes() == text


def test_sixteen_bytes_are_enough(tmp_path):
    (tmp_path / "enough").write_bytes(b"1234567890123456")
    assert seeds.read(tmp_path / "enough") == b"1234567890123456"


def test_a_place_where_nothing_can_be_kept_is_refused(tmp_path):
    with pytest.raises(UserError, match="name another file with --secret"):
        seeds.read(tmp_path / "no" / "such" / "folder" / "secret")


def test_a_folder_is_no_secret(tmp_path):
    with pytest.raises(UserError):
        seeds.read(tmp_path)
