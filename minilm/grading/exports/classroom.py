"""`.github/workflows/classroom.yml`: points after every push, for learners who keep their copy at GitHub.

One step per exercise, and a last one that adds up. Whoever can push can edit this file, the tests and minilm/, and the
steps run in the learner's own runner: it is quick feedback, and official grades come from the teacher's clone.

GitHub has ended the Classroom application that collected such points, and calls its actions deprecated. As steps of a
workflow they need no application: the table of points stands in the log of each push.

What this file does not do: grade (passed.py does, one exercise at a time).
"""

import json
import math
from pathlib import Path

from .. import supervise
from ..registry import chapters
from . import NEEDED

OUT = ".github/workflows/classroom.yml"
PYTHON = "3.11"
GRADER = "classroom-resources/autograding-command-grader@v1"
REPORTER = "classroom-resources/autograding-grading-reporter@v1"


def export_classroom(out=OUT, say=print):
    """Write the workflow; put it into the template repository that learners copy, beside what `minilm bundle` packs."""
    from ...files import write_text  # it imports torch

    out = Path(out).expanduser()
    out = out / Path(OUT).name if out.is_dir() else out
    write_text(out, workflow())
    exercises = every()
    say(f"wrote {out}: {len(exercises)} exercises, {sum(one.points for one in exercises)} points")


def every():
    """All exercises, in the order of the course."""
    return [one for chapter in chapters().values() for one in chapter.exercises]


def workflow():
    """The text of the workflow."""
    exercises = every()
    steps = "\n".join(map(step, exercises))
    results = "\n".join(map(result, exercises))
    return f"""{HEAD}
{steps}
      - name: Points
        if: always()
        uses: {REPORTER}
        env:
{results}
        with:
          runners: {",".join(map(name, exercises))}
"""


def step(one):
    """One exercise as a step; a step never fails, it hands its result to the last one."""
    return f"""\
      - name: {json.dumps(f"{one.id} {one.title}", ensure_ascii=False)}
        id: {name(one)}
        uses: {GRADER}
        with:
          test-name: {json.dumps(f"{one.id} {one.title}", ensure_ascii=False)}
          command: python -m minilm.grading.exports.passed {one.id}
          timeout: {minutes(one)}
          max-score: {one.points}"""


def result(one):
    """Where the last step finds what a step came to."""
    return f"          {name(one).upper()}_RESULTS: ${{{{ steps.{name(one)}.outputs.result }}}}"


def name(one):
    """A step's name, of letters and digits only, as the reporter wants it: exercise502 for 5.2."""
    chapter, number = one.id.split(".")
    return f"exercise{chapter}{int(number):02d}"


def minutes(one):
    """After how long a step is ended: longer than our own clock needs, whose message says more."""
    return math.ceil((2 * supervise.STARTUP + one.tests * (one.seconds + supervise.GRACE)) / 60)


HEAD = f"""\
# Quick feedback, not grades: whoever can push here can change this file, the tests and minilm/. Official grades come
# from the teacher's clone (minilm grade-class), which takes exercises/ and nothing else from this repository.
#
# GitHub has ended the Classroom application, which collected such points. The workflow runs without it: the points
# stand in the log of the last step. Its name, and that of its only job, are those that Classroom asks for.
#
# Made by minilm. The variable MINILM_PIP_ARGS of the repository or the organisation may point pip to an index with CPU
# builds of torch, which saves several GB in each run.
name: Autograding Tests
on:
  push:
  workflow_dispatch:
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-24.04
    if: github.actor != 'github-classroom[bot]'
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "{PYTHON}"
          cache: pip
          cache-dependency-path: constraints.txt
      - name: What grading needs
        run: python -m pip install ${{{{ vars.MINILM_PIP_ARGS }}}} -c constraints.txt {" ".join(NEEDED)}"""
