"""A Containerfile for grading a class in a throw-away container: on macOS and Windows, and where namespaces are closed.

Two images come of it, one on top of the other:

    worker    Python, numpy, torch, tiktoken and an unprivileged user: all that a learner's code may count on
    grader    with bubblewrap and what the judge imports: this is the one to run

Neither holds a test, a solution, a secret or a line of minilm: the course is mounted read-only when a class is graded,
so images need not be built again when the course changes, and can be shown to anybody.

Judge and worker speak through pipes, and so both run in the one container. It keeps the learners' code away from the
machine; only walls inside it keep that code away from the judge. They are the same as elsewhere: bubblewrap, if the
engine permits namespaces in a container, else weaker ones. So a class is graded with `--isolation strong` there as
well, which refuses rather than pretends.

What this file does not do: build or run anything; no engine is needed to write it.
"""

from pathlib import Path

from ...errors import UserError
from .. import course
from . import NEEDED

WORKER = ("numpy", "torch", "tiktoken")
JUDGE = tuple(name for name in NEEDED if name not in WORKER)


def export_container(out="container", say=print):
    """Write Containerfile and constraints.txt into the folder `out`: a build sees this folder and nothing else."""
    from ...files import write_bytes, write_text  # it imports torch

    out = Path(out).expanduser()
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; name the folder to write, such as container")
    write_text(out / "Containerfile", CONTAINERFILE)
    write_bytes(out / "constraints.txt", (course.root() / "constraints.txt").read_bytes())
    say(f"wrote {out}/Containerfile: its first lines say how to build the image and grade a class in it")


CONTAINERFILE = f"""\
# Grading a class in a container. Made by minilm. Build the image in this folder, which is all that the build sees:
#
#     podman build -t minilm-grader .                 (docker build -f Containerfile -t minilm-grader .)
#
# Grade in the course folder, with the submissions in submissions/ and an empty folder grades/:
#
#     podman run --rm --userns=keep-id --network=none --read-only --tmpfs=/tmp:rw,mode=1777,size=2g \\
#         --cap-drop=all --security-opt=no-new-privileges --pids-limit=2000 --memory=8g \\
#         -v "${{PWD}}/minilm:/course/minilm:ro" -v "${{PWD}}/tests/exercises:/course/tests/exercises:ro" \\
#         -v "${{PWD}}/pyproject.toml:/course/pyproject.toml:ro" -v "${{PWD}}/data:/course/data:ro" \\
#         -v "${{PWD}}/submissions:/submissions:ro" -v "${{PWD}}/grades:/grades" \\
#         minilm-grader grade-class /submissions --out /grades --secret /grades/secret --isolation strong
#
# Docker has no --userns=keep-id: on Linux write --user "$(id -u):$(id -g)" in its place, elsewhere leave it out.
#
# What protects what. The container, and on macOS and Windows the virtual machine around it, keeps the learners' code
# from your machine and the network. It does not keep it from the judge, who sits in there too; bubblewrap inside does,
# if the engine lets a container make namespaces. If it does not, `--isolation strong` refuses and says why. Then either
#     Docker                 add --security-opt=seccomp=unconfined: its filter forbids namespaces
#     Podman with SELinux    add --security-opt=label=disable
#     any engine             write --isolation any: for a class that you trust, since each record is then marked as weak
# The first two open the container's own wall a little, in order to have one around each submission. Containers share a
# kernel: for code that is out to do harm, use a throw-away virtual machine.

ARG BASE="python:3.11-slim"
FROM $BASE AS worker
ARG PIP_ARGS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin learner
COPY constraints.txt /opt/constraints.txt
# --build-arg PIP_ARGS=... may name an index with CPU builds of torch, which saves several GB
RUN python -m pip install $PIP_ARGS -c /opt/constraints.txt {" ".join(WORKER)}
USER learner

FROM worker AS grader
ARG PIP_ARGS=""
USER root
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
RUN python -m pip install $PIP_ARGS -c /opt/constraints.txt {" ".join(JUDGE)}
USER learner
ENV PYTHONPATH=/course HOME=/tmp
WORKDIR /course
ENTRYPOINT ["python", "-B", "-X", "utf8", "-m", "minilm"]
CMD ["grade-class", "--help"]
"""
