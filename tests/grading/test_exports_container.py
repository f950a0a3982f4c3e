"""The Containerfile: what goes into the images, and what must not."""

import re
from pathlib import Path

import pytest

from minilm.errors import UserError
from minilm.grading import exports
from minilm.grading.exports import NEEDED, container

ROOT = Path(__file__).resolve().parents[2]
INSTRUCTIONS = [line for line in container.CONTAINERFILE.splitlines() if line and not line.startswith("#")]
WORKER, GRADER = "\n".join(INSTRUCTIONS).split("\nFROM worker AS grader\n")


def test_the_build_sees_the_constraints_and_nothing_else(tmp_path):
    said = []
    exports.export_container(tmp_path / "container", say=said.append)
    written = {path.name: path.read_bytes() for path in (tmp_path / "container").iterdir()}
    assert written == {
        "Containerfile": container.CONTAINERFILE.encode("utf-8"),
        "constraints.txt": (ROOT / "constraints.txt").read_bytes(),
    }
    assert "Containerfile: its first lines say how" in said[0]


def test_only_the_constraints_are_copied_into_an_image():
    assert [line for line in INSTRUCTIONS if re.match("COPY|ADD", line)] == [
        "COPY constraints.txt /opt/constraints.txt"
    ]
    assert not re.search("tests|solutions|secret|git", "\n".join(INSTRUCTIONS))


def test_the_worker_has_three_libraries_and_both_together_what_grading_needs():
    installed = [re.findall(r"-c /opt/constraints.txt (.+)", part) for part in (WORKER, GRADER)]
    assert installed == [["numpy torch tiktoken"], [" ".join(container.JUDGE)]]
    assert sorted(" ".join([*installed[0], *installed[1]]).split()) == sorted(NEEDED)
    assert "bubblewrap" in GRADER and "bubblewrap" not in WORKER


def test_nothing_runs_as_root():
    for part in (WORKER, GRADER):
        assert re.findall(r"^USER (.+)", part, re.MULTILINE)[-1] == "learner"


def test_the_head_asks_for_strong_walls_no_network_and_a_course_that_cannot_be_written_to():
    command = container.CONTAINERFILE.split("podman run")[1].split("#\n# Docker")[0]
    for option in ("--network=none", "--read-only", "--cap-drop=all", "no-new-privileges", "--isolation strong"):
        assert option in command
    mounts = re.findall(r'-v "[^:]+:([^"]+)"', command)
    assert [mount for mount in mounts if not mount.endswith(":ro")] == ["/grades"]
    assert not [mount for mount in mounts if "solutions" in mount or mount in ("/course", "/course:ro")]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "container").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is a file; name the folder to write"):
        exports.export_container(tmp_path / "container")
