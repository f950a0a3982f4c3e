"""`minilm grade-export TARGET`: what another system needs in order to grade this course.

What this file does not do: read options (cli.py does).
"""

import inspect

from ...errors import UserError
from . import classroom, cluster, container, gradescope

TARGETS = {
    "gradescope": gradescope.export_gradescope,
    "classroom": classroom.export_classroom,
    "cluster": cluster.export_cluster,
    "container": container.export_container,
}


def grade_export(to, out="", **options):
    """Write the export `to`, to `out` or where it is usually written.

    Arguments: options: secret, late, pip_args, chapters, each "" for none, and for what a target does not know.
    """
    if to not in TARGETS:
        raise UserError(f"there is no export {to!r}; choose {', '.join(TARGETS)}")
    export = TARGETS[to]
    given = {name: value for name, value in {"out": out, **options}.items() if value}
    for name in given.keys() - inspect.signature(export).parameters.keys():
        raise UserError(f"the export {to} takes no --{name.replace('_', '-')}; leave it out")
    export(**given)
