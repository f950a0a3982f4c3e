"""The walls: which stand at each level, what is seen through them, and that a missing one is never passed over."""

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pluggy
import pytest
from inside import HIDDEN, SECRET, inside

from minilm.errors import UserError
from minilm.grading import course
from minilm.grading.isolated import landlock, supplies, views, walls
from minilm.grading.isolated.frames import Gone
from minilm.grading.isolated.levels import LEVELS, REQUIRED, STRONG, NoSandbox
from minilm.grading.isolated.opening import Opening
from minilm.grading.isolated.walls import Sandbox

linux = pytest.mark.skipif(sys.platform != "linux", reason="walls of Linux")
SITE = Path(pytest.__file__).resolve().parents[1]  # site-packages
REFUSED = ("PermissionError", "FileNotFoundError")


# ---- which walls stand ---------------------------------------------------------------------------


def test_a_level_has_all_its_walls_or_is_not_there(sandbox, level):
    one = sandbox(level)
    assert set(REQUIRED[level]) <= set(one.walls)
    assert (level in STRONG) == ("namespaces" in one.walls)


@linux
def test_a_level_has_more_walls_than_it_needs_where_the_kernel_has_them(sandbox, level):
    assert ("landlock" in sandbox(level).walls) == (landlock.abi() > 0 and level != "bare")


def broken(monkeypatch, **files):
    """Let functions of the kit fail on the other side as on a system without them: kernel="unshare", ..."""
    kit = supplies.kit_files()
    for module, function in files.items():
        kit[f"minilm/grading/isolated/{module}.py"] += (
            f"\n\ndef {function}(*arguments):\n    raise OSError(1, 'no {function} on this system')\n".encode()
        )
    monkeypatch.setattr(supplies, "kit_files", lambda: kit)


# where bubblewrap is missing, a socket stays open until the sandbox that did not come to be is forgotten
leaky = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def opened(wish):
    """What came of a wish: the level, or the sentence about it."""
    try:
        one = Opening(wish, imports=()).ready()
    except UserError as error:
        return str(error)
    one.close()
    return one.level


@linux
@leaky
def test_without_bubblewrap_strong_means_namespaces(sandbox, monkeypatch):
    sandbox("namespaces")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert opened("strong") == "namespaces"
    assert "bubblewrap: it is not installed" in opened("bubblewrap")


@linux
@leaky
def test_without_namespaces_strong_is_refused_and_says_why_and_what_to_do(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    broken(monkeypatch, kernel="unshare")
    said = opened("strong")
    assert "no isolation that counts as 'strong'" in said and "\n" not in said
    assert "bubblewrap: it is not installed" in said and "namespaces: " in said and "no unshare on this system" in said
    assert "install bubblewrap" in said and "--isolation any" in said


@linux
def test_without_namespaces_bubblewrap_alone_is_no_strong_wall(monkeypatch):
    broken(monkeypatch, kernel="unshare")
    assert "no isolation that counts as 'bubblewrap'" in opened("bubblewrap")


@linux
@leaky
def test_any_falls_through_to_what_there_is(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    broken(monkeypatch, kernel="unshare")
    if landlock.abi():
        assert opened("any") == "landlock"
    broken(monkeypatch, kernel="unshare", landlock="restrict")
    assert opened("any") == "bare"
    assert "no landlock here" in opened("landlock")


@linux
@pytest.mark.parametrize("missing", [{"landlock": "restrict"}, {"seccomp": "install"}])
def test_namespaces_by_our_own_hand_need_both_other_walls(sandbox, monkeypatch, missing):
    sandbox("namespaces")
    broken(monkeypatch, **missing)
    assert f"no {next(iter(missing))} here" in opened("namespaces")


def test_an_unknown_wish_is_refused():
    assert "there is no isolation 'storng'; choose strong, any, or one of bubblewrap" in opened("storng")


def test_what_could_not_be_opened_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(walls.tempfile, "tempdir", str(tmp_path))
    broken(monkeypatch, cell="enter")
    with pytest.raises(NoSandbox, match="no enter on this system"):
        Sandbox("bare", imports=()).ready()
    assert not list(tmp_path.iterdir())


# ---- what is seen through them -------------------------------------------------------------------


def test_answers_and_tests_are_not_seen_and_the_kit_is(sandbox, level):
    if level == "bare":
        pytest.skip("bare hides no file")
    secrets = [supplies.PACKAGE / "lora.py", course.root() / "tests" / "exercises" / "test_ch01_tokenizer.py"]
    secrets += [course.root() / "solutions" / "ch01_tokenizer.py", course.root() / "tests" / "conftest.py"]
    with inside(one := sandbox(level)) as cell:
        kit = "/kit" if level in STRONG else str(one.folder / "kit")
        assert cell.ask("read", f"{kit}/minilm/grading/worker.py").startswith(b'"""')
        for path in secrets:
            assert path.is_file() and any(name in cell.ask("read", str(path)) for name in REFUSED), path


def test_a_hidden_package_is_seen_through_no_wall_but_bare_and_its_neighbours_are(sandbox, level):
    with inside(sandbox(level)) as cell:
        for folder, is_seen in ((HIDDEN, level == "bare"), (Path(pluggy.__file__).parent, True)):
            assert (folder / "__init__.py").is_file()
            assert isinstance(seen := cell.ask("read", str(folder / "__init__.py")), bytes) == is_seen, seen
            assert ("__init__.py" in cell.ask("folder", str(folder))) == is_seen


def test_an_answer_finds_no_minilm_to_import(sandbox, level):
    with inside(sandbox(level)) as cell:
        assert "an answer stands alone" in cell.ask("find", "minilm.lora")
        assert "No module named 'minilm.grading.expect'" in cell.ask("find", "minilm.grading.expect")
        assert cell.ask("find", "numpy") is None


def test_nothing_of_the_judge_s_environment_comes_along(sandbox, level):
    with inside(sandbox(level)) as cell:
        found = cell.ask("environment")
        assert set(found) <= {*walls.CLEAN, "HOME", "TMPDIR", "PWD", "LC_CTYPE"} and SECRET not in found.values()
        assert found["OMP_NUM_THREADS"] == "1"


def test_a_cell_has_its_own_pipes_and_no_other_descriptor(sandbox, level):
    with inside(sandbox(level)) as cell:
        assert cell.ask("descriptors") == [0, 1, 2, 3, 4]


def test_a_cell_of_root_can_never_have_a_capability_again(sandbox, level):
    if os.getuid() != 0 or level == "bare":
        pytest.skip("only root has any to lose, and bare has no such wall")
    with inside(sandbox(level)) as cell:
        assert cell.ask("capabilities") == []


def test_cells_share_nothing(sandbox, level):
    one = sandbox(level)
    with inside(one) as first, inside(one) as second:
        assert first.ask("leave", "note") == ["note"] and first.ask("around") == ["note"]
        assert second.ask("around") == []
        assert (first.ask("mark"), first.ask("mark"), second.ask("mark")) == (1, 2, 1)
        assert (first.ask("number") == 1) == (one.level in STRONG)


@pytest.mark.parametrize("of", ["numpy", "python"])
def test_each_cell_draws_the_same_random_numbers(sandbox, of):
    one = sandbox("bare")
    with inside(one) as first, inside(one) as second:
        numbers = [cell.ask("chance", of) for cell in (first, second, first)]
    assert numbers[0] == numbers[1] != numbers[2]


# ---- how they end --------------------------------------------------------------------------------


def test_the_judge_is_told_how_a_cell_ended(sandbox, level):
    one = sandbox(level)
    with inside(one) as cell:
        with pytest.raises(Gone):
            cell.ask("stop", 7)
        assert cell.cell.how_it_ended() == {"code": 7, "why": ""}
    with inside(one) as cell:
        os.close(cell.cell.life)
        cell.cell.life = None
        assert cell.cell.how_it_ended() == {"code": -9, "why": ""}
    assert one.alive()


def test_a_closed_sandbox_takes_its_cells_its_folder_and_its_sockets_with_it(new_sandbox, level):
    one = new_sandbox(level)
    with inside(one) as cell:
        assert cell.ask("number") > 0 and one.folder.is_dir() and one.control.fileno() >= 0
        one.close()
        assert not one.alive() and not one.folder.exists() and one.control.fileno() == -1 and one.errors.closed
        with pytest.raises(Gone):
            cell.ask("number")
    with pytest.raises((Gone, OSError)):
        one.open()


# ---- the kit -------------------------------------------------------------------------------------


def test_the_kit_holds_the_files_on_the_list_and_no_other(tmp_path):
    supplies.lay_out(tmp_path / "kit", tmp_path / "kit")
    found = {
        path.relative_to(tmp_path / "kit").as_posix() for path in (tmp_path / "kit").rglob("*.*") if path.is_file()
    }
    modules = {f"isolated/{name}.py" for name in supplies.HERE} | {f"{name}.py" for name in supplies.ABOVE}
    packages = {"minilm/__init__.py", "minilm/grading/__init__.py", "minilm/grading/isolated/__init__.py"}
    base = {name for name in found if name.startswith("minilm/pretrained/base/")}
    assert found - base == {"start.py", *packages, *(f"minilm/grading/{name}" for name in modules)}
    assert not any(name.endswith(".py") for name in base)


def test_the_kit_holds_no_answer():
    from minilm import bundle

    kit = {f"kit/{name}": data for name, data in supplies.kit_files().items()}
    assert bundle.leaks(kit, course.root()) == []
    solution = (course.root() / "solutions" / "ch01_tokenizer.py").read_bytes()
    assert bundle.leaks({**kit, "kit/more.py": solution}, course.root())


# ---- small helpers -------------------------------------------------------------------------------


def test_below_is_about_folders_and_not_about_the_beginning_of_a_name():
    assert views.below("/a/b", ["/a"]) and views.below("/a", ["/a"]) and views.below(Path("/a/b/c"), [Path("/a/b/")])
    assert not views.below("/ab", ["/a"]) and not views.below("/a", ["/a/b"]) and not views.below("/a", [])
    assert views.below("/a", ["/"])


def test_visible_drops_what_is_not_there_and_what_lies_in_another(tmp_path):
    for name in ("a/b", "ab"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("nowhere")
    wanted = [tmp_path / name for name in ("ab", "a/b", "a", "gone", "link", "a")]
    assert views.visible(wanted) == [str(tmp_path / name) for name in ("a", "ab", "link")]


def test_without_keeps_everything_but_the_hidden(tmp_path):
    for name in ("a/keep", "a/hide/in", "a/deep/hide", "a/deep/keep", "b"):
        (tmp_path / name).mkdir(parents=True)
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    hidden = [f"{a}/hide", f"{a}/deep/hide"]
    assert views.without([a, b], hidden) == [f"{a}/deep/keep", f"{a}/keep", b]
    assert views.without([a, b], []) == [a, b] and views.without([a], [a]) == []


def test_a_course_below_tmp_is_not_covered_by_the_scratch_folder(sandbox, level, monkeypatch):
    assert views.scratch(["/usr", "/opt/tmp"]) == Path("/tmp")
    assert views.scratch(["/usr", "/tmp/course/.venv"]) == Path("/cell")
    if level not in STRONG:
        return
    sandbox(level)  # can be had here, and so it can with another folder
    monkeypatch.setattr(views, "scratch", lambda readable: Path("/cell"))
    one = Sandbox(level, imports=()).ready()
    with closing(one), inside(one) as cell:
        assert cell.ask("environment")["TMPDIR"] == "/cell"
        assert cell.ask("leave", "note") == ["note"] == cell.ask("folder", "/cell")


def test_the_folders_of_this_python_hold_its_packages_and_none_lies_in_another():
    found = views.pythons()
    assert views.below(SITE, found) and views.below(os.path.realpath(sys.executable), found)
    assert views.visible(found) == found and "/" not in found
    assert not any(views.below(path, found) for path in (course.root() / "tests", course.root() / "solutions"))


@linux
def test_a_judge_that_was_killed_leaves_a_folder_that_the_next_one_takes_away(monkeypatch, tmp_path):
    monkeypatch.setattr(walls.tempfile, "tempdir", str(tmp_path))
    gone, alive = tmp_path / f"{walls.PREFIX}{2**22 + 1}-x", tmp_path / f"{walls.PREFIX}{os.getpid()}-x"
    for folder in (gone, alive, tmp_path / "other"):
        folder.mkdir()
    walls.sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive.name, "other"])


def test_levels_are_named_from_strong_to_weak():
    assert LEVELS[: len(STRONG)] == STRONG and set(REQUIRED) == set(LEVELS)
    assert all("namespaces" in REQUIRED[level] for level in STRONG)
