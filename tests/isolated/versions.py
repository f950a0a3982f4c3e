"""Whole files of a chapter: solved, untouched, half solved, and with other right answers in place of the solutions."""

import importlib.util
import re
from pathlib import Path

import bank

from minilm.grading.registry import PLAN, chapters, select

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("strip_solutions", ROOT / "tools" / "strip_solutions.py")
strip_solutions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(strip_solutions)

RIGHT = {one.id: [] for one in select()}  # exercise -> the other right answers to it
for answer in bank.answers():
    if answer.draws is None:
        RIGHT[answer.exercise].append(answer)
ROUNDS = range(max(map(len, RIGHT.values())))


def solved():
    return {number: bank.solution(number) for number in PLAN}


def untouched():
    return {number: strip_solutions.strip(bank.solution(number)) for number in PLAN}


def half_solved():
    """The first, third, ... exercise of each chapter as a stub, the others solved."""
    files = solved()
    for number, chapter in chapters().items():
        for one in chapter.exercises[::2]:
            block = rf"^ *# BEGIN SOLUTION {re.escape(one.id)}:.*?# END SOLUTION\n"
            strip = lambda found: strip_solutions.strip(found.group())  # noqa: E731
            files[number] = re.sub(block, strip, files[number], flags=re.MULTILINE | re.DOTALL)
    return files


def other_right_answers(turn):
    """(files, exercises): to each of these exercises its answer number `turn`, all those of a chapter in one file."""
    files, exercises = solved(), [one for one in select() if len(RIGHT[one.id]) > turn]
    for one in exercises:
        for change in RIGHT[one.id][turn].changes:
            files[one.chapter] = change(files[one.chapter], one.id)
    return files, exercises
