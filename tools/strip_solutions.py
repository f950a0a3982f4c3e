"""Make exercises/ from solutions/: what stands between the markers goes, and a line that names the exercise comes.

    python tools/strip_solutions.py            write every exercises/chNN_*.py
    python tools/strip_solutions.py --check    write nothing; exit 1 when one of them is out of step

In a solution:

    def double(x):
        \"\"\"Exercise 9.1: twice the value.\"\"\"
        # BEGIN SOLUTION 9.1: twice the value
        return 2 * x
        # END SOLUTION

In the exercise the three marked lines become

        raise NotImplementedError("Exercise 9.1: twice the value")

A block whose BEGIN SOLUTION names no exercise (a helper, an import that only the solution needs) leaves nothing behind.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN = re.compile(r"^(?P<indent> *)# BEGIN SOLUTION(?: (?P<id>\d+\.\d+): (?P<title>\S.*))?$")
END = re.compile(r"^ *# END SOLUTION$")
HEADER = """\
# Yours to edit: write a function, save the file, and check it, with check("{id}") in the notebook or with
# `minilm grade {id}` in a shell. hint("{id}") in the notebook opens the next hint.
"""
ANY = re.compile(r"(BEGIN|END)\s+SOLUTION", re.IGNORECASE)


class MarkerError(ValueError):
    """A marker that is misspelt, nested, or left open."""


def strip(source, name="the solution"):
    """The exercise (str) for a solution (str); a wrong marker is a MarkerError that names the line."""
    kept, opened = [], None
    for number, line in enumerate(source.splitlines(), start=1):
        begin, end = BEGIN.match(line), END.match(line)
        if ANY.search(line) and not (begin or end):
            raise MarkerError(f"{name}, line {number}: write `# BEGIN SOLUTION 1.2: title` or `# END SOLUTION`")
        if begin:
            if opened:
                raise MarkerError(f"{name}, line {number}: a solution begins inside the one of line {opened}")
            opened = number
            kept += _stub(begin)
        elif end:
            if not opened:
                raise MarkerError(f"{name}, line {number}: a solution ends that never began")
            opened = None
        elif not opened:
            kept.append(line)
    if opened:
        raise MarkerError(f"{name}, line {opened}: this solution never ends")
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(kept).rstrip() + "\n")


def _stub(begin):
    if begin["id"] is None:
        return []
    message = f"Exercise {begin['id']}: {begin['title']}".replace("\\", "\\\\").replace('"', '\\"')
    return [f'{begin["indent"]}raise NotImplementedError("{message}")']


def exercises(root=ROOT):
    """(path of the exercise, its text as it should be) for every solution."""
    for path in sorted((Path(root) / "solutions").glob("ch*.py")):
        source = path.read_text(encoding="utf-8")
        first = next((begin["id"] for line in source.splitlines() if (begin := BEGIN.match(line)) and begin["id"]), "")
        yield Path(root) / "exercises" / path.name, HEADER.format(id=first) + strip(source, f"solutions/{path.name}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Make exercises/ from solutions/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of step")
    check = parser.parse_args(arguments).check
    changed = 0
    for path, text in exercises():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        changed += 1
        print(f"{'out of step' if check else 'wrote'}: exercises/{path.name}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MarkerError as error:
        sys.exit(f"error: {error}")
