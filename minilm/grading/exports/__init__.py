"""Grading elsewhere: what Gradescope, GitHub, a cluster and a container engine need in order to grade this course.

    export_gradescope   autograder.zip: gradescope.py; what it does there: autograde.py
    export_classroom    .github/workflows/classroom.yml: classroom.py; its one command: passed.py
    export_cluster      a Snakemake workflow: cluster.py; from its records to grades: collect.py
    export_container    a Containerfile for a throw-away container: container.py

`minilm grade-export TARGET` (command.py) writes them. None of them grades by itself: all run what a teacher runs at
home, `minilm grade-one` and `minilm grade-class`; GitHub's runs what a learner runs.
"""

from importlib import import_module

_WHERE = {
    "export_gradescope": "gradescope",
    "export_classroom": "classroom",
    "export_cluster": "cluster",
    "export_container": "container",
}
__all__ = [*_WHERE, "NEEDED"]

NEEDED = ("numpy", "torch", "tiktoken", "regex", "safetensors", "tqdm", "typer", "rich", "pytest")  # to grade, no more


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
