"""Grading: `check("1.2")` in a notebook, `minilm grade` in a shell, and what lies under both.

Reading order: registry, chapters/ | plain, problem, limits, worker, answers, expect | course, plugin, child, supervise
| records, explain, show | notebook, command | support, isolated/, classroom/, exports/.

How one check runs:

    check("1.2")  ->  supervise.py starts a Python process (child.py) and keeps the clock
                  ->  pytest runs tests/exercises/test_ch01_tokenizer.py in it (plugin.py)
                  ->  a test calls answers.merge_pair(...) (answers.py), plain data in, plain data out
                  ->  worker.py loads exercises/ch01_tokenizer.py and calls the learner's function
                  ->  what went wrong becomes a Problem (problem.py), the problem a record, the records points

The list of exercises and points is declared (chapters/) and never read from what a learner wrote; a declared
test that did not report counts as failed. There is no protection here against code that cheats on purpose; that is
what isolated/ is for: the same tests, with worker.py in another process behind walls (`minilm grade --isolated`), and
classroom/ on top of it, for whole classes.


How to add a chapter
--------------------
Only new files, so that chapters can be written side by side. For chapter 5, called "lora" in registry.PLAN:

1. `minilm/grading/chapters/ch05.py` declares CHAPTER: exercises with id, title, functions, points (their sum is
   fixed in registry.PLAN), difficulty 1 to 3, minutes, the number of graded tests, two or three hints, and
   misconceptions (key -> what the mistake usually is; never the answer). `uses` names earlier exercises that a
   solution calls, `seconds` a longer limit per test, `imports` what a check should load ahead ("torch"). Read
   chapters/ch01.py first.
2. `solutions/ch05_lora.py` holds the solutions. What the learner writes stands between `# BEGIN SOLUTION 5.2:
   what to do` and `# END SOLUTION`; a block without an id (a helper, an import) just disappears from the exercise.
   Each docstring: what, arguments with shapes and units, returns, one tiny `>>>` example, source.
3. `python tools/strip_solutions.py` writes `exercises/ch05_lora.py`.
4. `tests/exercises/test_ch05_lora.py` holds the graded tests: plain functions with one argument, `answers`, and
   no fixture or parameters besides (loop inside the test).

       @graded("5.2", "gamma forgotten")              # exercise, and the misconception that a failure points to
       def test_the_update_is_scaled_by_gamma(answers):
           seen = answers.forward(x, W, A, B, 2.0)    # plain data in, plain data out; a test needs no torch.nn
           close(seen, expected, known={"gamma is alpha": wrong})   # a known wrong value names its own mistake

   `equal`, `close` and `require` are in expect.py; `case="v, the second of the three"` says which part of a result
   they look at. An object that stays with the learner (a module, an optimizer, a tokenizer) comes back as a handle:
   `layer(x)`, `layer.state_dict()`, `layer.get("rank")`. Objects of torch or minilm for the learner's code to work on
   are made beside it: `answers.make("torch.nn.Linear", 5, 7)`; gradients come from `answers.gradients(...)`. Never
   isinstance, monkeypatch or dig: these tests also run with the learner's code in another process. Break symmetry (no
   two sizes alike, alpha != r, B != 0), and put the test for the most specific misconception first: a learner sees
   the first failure. The last test of each exercise draws its inputs from `answers.random`, which starts anew for every
   file of a class, so that answers learned by heart fail. What stands beside an answer must not be one: declare it as
   `support` (support.py).
5. `tests/mutants/ch05/` holds, per exercise, a file with at least four wrong answers and one or more other right ones
   (tests/mutants/bank.py says how). Every declared misconception must be drawn by one of them; beside them,
   tests/mutants/auto.py changes each operator and constant of the solution, and the graded tests must notice.
6. `tests/grading/test_solutions_ch05.py` holds each solution equal to minilm's own version.

Then `python -m pytest tests/grading tests/mutants -q -k ch05`, and without `-k` before handing it in.
"""

from importlib import import_module

_WHERE = {"check": "notebook", "hint": "notebook", "grade": "command"}
__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module 'minilm.grading' has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
