"""`python -m minilm.grading.exports.passed 5.2`: exit 0 when the exercise is passed, else 1, with the message.

`minilm grade` ends with 0 whatever the points, since a score is no error. Whatever asks for yes or no (a step of a
workflow, a script, a hook of git) asks here.

What this file does not do: isolate. It grades the exercises of whoever runs it, on their own machine or runner.
"""

import sys

from ...errors import UserError
from .. import course, show, supervise
from ..registry import exercise


def main(id, say=print):
    """Grade exercise `id` in exercises/; returns the exit status: 0 passed, 1 not passed, 2 no such exercise."""
    try:
        report = supervise.grade(course.implementation("exercises"), [exercise(id)])
    except UserError as error:
        say(f"Error: {error}")
        return 2
    (result,) = report.results
    say(show.text(result))
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # a workflow gives its commands no locale
    if len(sys.argv) != 2:
        sys.exit("name one exercise: python -m minilm.grading.exports.passed 5.2")
    sys.exit(main(sys.argv[1]))
