"""The words for one problem: what was seen, and what that usually means.

What this file does not do: colours and boxes (show.py).
"""

from .problem import KINDS


def meaning(exercise, record):
    """What a problem usually means: the exercise's own words for the misconception, or those for its kind."""
    own = exercise.misconceptions.get(record["means"])
    return own or KINDS[record["kind"]][1]


def kind_of(record):
    return KINDS[record["kind"]][0]


def seen(record):
    """The call and what came of it, as lines."""
    call = [record["call"]] if record.get("call") else []
    return "\n".join([*call, *("    " + line if call else line for line in record["seen"].splitlines())])


def as_text(exercise, record):
    """The whole message, as a failing test prints it.

    1.2 Merge a pair: wrong value
        merge_pair([b'a', b'a', b'a'], (b'a', b'a'))
            gave      [b'aa', b'aa']
            expected  [b'aa', b'a']
        Usually: ...
    """
    lines = [f"{exercise.id} {exercise.title}: {kind_of(record)}"]
    lines += ["    " + line for line in seen(record).splitlines()]
    lead = "To do" if record["kind"] in ("todo", "begun") else "Usually"
    lines.append(f"    {lead}: {meaning(exercise, record)}")
    return "\n".join(lines)
