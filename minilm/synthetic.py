"""Made-up texts whose every line can be checked: sums, copies, reversals.

A line is a question that ends in "=", and its answer. No question occurs twice, so a model that answers the
validation lines has learned the task and not the lines.

What this file does not do: split the lines (corpus.py).
"""

import random

from .errors import UserError

TASKS = ("sums", "copy", "reverse")
LARGEST = 5000


def synthetic_lines(task, seed=0, n=2000):
    """`n` different lines of a task, in random order; the same seed gives the same lines everywhere.

    Raises UserError for an unknown task, a negative seed, or n outside 20 to 5,000.

    >>> synthetic_lines("sums", seed=0, n=20)[:2]
    ['84+75=159', '42+25=67']
    """
    if task not in TASKS:
        raise UserError(f"there is no synthetic task {task!r}; choose one of {', '.join(TASKS)}")
    if not 20 <= n <= LARGEST or seed < 0:
        raise UserError(f"synthetic:{task} needs n from 20 to {LARGEST} and a seed of 0 or more")
    rng = random.Random(seed)
    questions = {}  # a dict keeps the order in which the questions came
    while len(questions) < n:
        questions[_question(task, rng)] = None
    return [question + answer(question) for question in questions]


def answer(question):
    """The right answer to a question, as a string.

    >>> answer("23+58="), answer("copy(tale)="), answer("reverse(tale)=")
    ('81', 'tale', 'elat')
    """
    task, _, word = question.removesuffix(")=").partition("(")
    if task == "copy":
        return word
    if task == "reverse":
        return word[::-1]
    left, right = question.removesuffix("=").split("+")
    return str(int(left) + int(right))


def _question(task, rng):
    if task == "sums":
        return f"{_below(100, rng)}+{_below(100, rng)}="
    letters = [chr(ord("a") + _below(26, rng)) for _ in range(3 + _below(6, rng))]
    return f"{task}({''.join(letters)})="


def _below(limit, rng):
    return int(rng.random() * limit)  # of all its methods, Python promises only random() to stay the same
