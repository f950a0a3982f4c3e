"""`autograder.zip` for Gradescope: upload it as the autograder of a programming assignment.

    setup.sh         once, when Gradescope builds its image: Python, bubblewrap, the pinned libraries
    run_autograder   for every submission: starts autograde.py
    secret           the course secret, from which hidden inputs come; readable for its owner alone
    late.txt         what lateness costs, if the teacher has a table for it
    chapters.txt     the chapters that count, if not all do
    course/          what the judge needs, by a positive list: no solutions, no wrong answers, no notebooks

The zip holds the secret, so it is written readable for you alone: keep it where learners cannot get at it. The same
course and the same secret give the same bytes.

What this file does not do: grade (autograde.py runs `minilm grade-one` there).
"""

import shlex
from pathlib import Path

from ...bundle import leaks
from ...errors import UserError
from ...wheel import WHEEL, wheel
from .. import course
from ..classroom.asked import asked
from ..classroom.late import rows
from ..registry import PLAN, stem
from . import NEEDED
from .archive import course_secret, write_private, zipped

RULES = (  # patterns below the course folder; `*` does not cross a folder
    *("LICENSE", "pyproject.toml", "constraints.txt"),
    *("minilm/*.py", "minilm/pretrained/*.py", "minilm/grading/*.py", "minilm/grading/*/*.py"),
    *(f"minilm/pretrained/base/{name}" for name in ("about.json", "bpe.json", "config.json", "model.safetensors")),
    "tests/exercises/conftest.py",
    *(f"tests/exercises/test_{stem(number)}.py" for number in PLAN),
)


def export_gradescope(out="autograder.zip", secret="", late="", pip_args="", chapters="", say=print):
    """Write the zip that Gradescope takes as an autograder.

    Arguments: out: the zip to write. secret: a file with the course secret, "" for a new one; with that of your class
    runs both have the same hidden inputs, and so the same points. late: what lateness costs, such as "24:0.9, 48:0.8",
    or a file with such rows; "" costs nothing. pip_args: more for pip in setup.sh, such as an index with CPU builds of
    torch. chapters: those that count in this assignment, as in "1,2" ("": all).
    Raises UserError where the course is not complete, and when a solution would get out.
    """
    out = Path(out).expanduser()
    if out.suffix != ".zip" or out.is_dir():
        raise UserError(f"{out} is no name for a zip; name the file to write, such as autograder.zip")
    files = contents(course.root(), course_secret(secret), late, pip_args, chapters)
    write_private(out, zipped(files))
    whose = f"the course secret of {secret}" if secret else "a new course secret"
    part = f" for chapters {files['chapters.txt'][0].decode()}" if chapters else ""
    say(f"wrote {out}{part}: {len(files)} files, no solutions in it, but {whose}: keep it to yourself")


def contents(root, secret, late="", pip_args="", chapters=""):
    """Name -> (bytes, mode) of everything in the zip."""
    needed = judges_files(root)
    if found := leaks(needed, root):
        raise UserError(f"nothing was written, since {'; '.join(found)}; take that out first")
    files = {f"course/{name}": (data, 0o644) for name, data in needed.items()}
    files["setup.sh"] = (setup(pip_args).encode("utf-8"), 0o755)
    files["run_autograder"] = (RUN.encode("utf-8"), 0o755)
    files["secret"] = (secret, 0o600)
    if late:
        table = "".join(f"{float(hours):.9g}:{share}\n" for hours, share in rows(late))
        files["late.txt"] = (table.encode("utf-8"), 0o644)
    if chapters:
        files["chapters.txt"] = (",".join(map(str, asked(chapters))).encode("utf-8"), 0o644)
    return files


def judges_files(root):
    """Name -> bytes of the course files that grading needs, the plays included: 5.9 teaches one of them."""
    files = {}
    for rule in RULES:
        found = [path for path in root.glob(rule) if path.is_file() and not path.is_symlink()]
        if not found:
            raise UserError(f"the course in {root} is not complete: there is no {rule}")
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    return files | {f"data/{WHEEL}": wheel().read_bytes()}


def setup(pip_args=""):
    """The text of setup.sh."""
    named = SETUP.replace("@PACKAGES@", " ".join(NEEDED)).replace("@MODULES@", ", ".join(NEEDED))
    return named.replace("@PIP_ARGS@", shlex.quote(pip_args))


SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this as root when it builds the image (Ubuntu 22.04 or newer): everything that needs a network.
set -euo pipefail
umask 022

base="${MINILM_AUTOGRADER:-/autograder}"  # Gradescope's folder; this zip is unpacked into $base/source
home="${MINILM_HOME:-/opt/minilm}"  # the libraries: outside $base/source, since the learner's code must read them
default_pip_args=@PIP_ARGS@
pip_args="${MINILM_PIP_ARGS:-$default_pip_args}"  # an index with CPU builds of torch saves several GB
course="$base/source/course"

# A judge and a sandbox. Without user namespaces bubblewrap does not start; every record then names the weaker wall.
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends bubblewrap ca-certificates
python=""
for version in 3.13 3.12 3.11; do  # Ubuntu 22.04 has 3.11 beside its older default
  if apt-get install -y -q --no-install-recommends "python$version" "python$version-venv"; then
    python="python$version"
    break
  fi
done
if [ -z "$python" ]; then
  echo "minilm needs Python 3.11 or newer, and this image offers none: choose a newer base image" >&2
  exit 1
fi

"$python" -m venv "$home/venv"
# shellcheck disable=SC2086  # several arguments may stand in it
"$home/venv/bin/python" -m pip install -q --no-cache-dir $pip_args -c "$course/constraints.txt" @PACKAGES@

# The judge is root here. The learner's code runs as nobody, who may read Python and, whatever the wall, none of this.
chmod -R go= "$base/source"
chmod 600 "$base/source/secret"
mkdir -p "$base/results"
chmod 700 "$base/results"

# What does not start here would not start for a single submission: let the build fail, not the grading.
cd "$course"
"$home/venv/bin/python" -B -c "import @MODULES@"
"$home/venv/bin/python" -B -X utf8 -m minilm grade-one --help >/dev/null
"""

RUN = """\
#!/usr/bin/env bash
# Gradescope runs this as root for every submission.
set -euo pipefail

base="${MINILM_AUTOGRADER:-/autograder}"
home="${MINILM_HOME:-/opt/minilm}"

cd "$base/source/course"  # so that it is this minilm that runs
exec "$home/venv/bin/python" -B -X utf8 -m minilm.grading.exports.autograde "$base"
"""
