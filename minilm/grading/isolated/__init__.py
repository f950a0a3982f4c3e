"""Isolated grading: a judge that holds tests and expected values, and cells behind walls that hold a learner's code.

    lane.py       the clock outside; one judge, kept for many files
      judge.py    a process with pytest and the graded tests; forks for each file
        remote.py   looks like worker.Worker to a test; asks a cell
    ------------- pipes: frames.py, wire.py; nothing but plain values ------------
        cell.py     one process per test: walls up, the learner's file loaded, requests answered (by worker.Worker)
      zygote.py   forks cells; numpy and torch are loaded in it, learners' code never

Reading order: wire, frames | kernel, landlock, seccomp, rooms | imports, book, cell, zygote | supplies, views, levels,
ends, walls, opening, remote | seeds, environment | judge, lane. The first three groups and worker, limits, plain and
problem are the kit: all that the other side can see of this package (supplies.py lists it).

Whatever happens in a cell, the worst it can do is to lose its own test. What this does not do: tell how a value was
computed, or stand against a hole in the kernel, which all cells share with the judge.
"""
