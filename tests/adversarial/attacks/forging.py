"""Code that works on the grader instead of the exercise: comparisons, pytest, its worker, built-in functions."""

from hostile import LOST, case, honest, ruins

CASES = [
    case(
        "comparisons say yes",
        "patches what a test may compare with",
        "fail",
        """
        import math, numpy, torch
        yes = lambda *args, **kwargs: True
        math.isclose = numpy.allclose = numpy.isclose = numpy.array_equal = yes
        torch.equal = torch.allclose = torch.testing.assert_close = yes
        """,
    ),
    case(
        "built-in functions lie",
        "patches len, isinstance, print and open",
        LOST,
        """
        import builtins
        builtins.isinstance = lambda *_: True
        builtins.len = lambda *_: 3
        builtins.print = builtins.open = lambda *_, **__: None
        """,
    ),
    case(
        "mocked comparisons",
        "patches by unittest.mock and never stops it",
        "fail",
        """
        from unittest import mock
        mock.patch("math.isclose", return_value=True).start()
        mock.patch("numpy.testing.assert_allclose").start()
        """,
    ),
    case("skips", "calls pytest.skip", "error|timeout", 'import pytest; pytest.skip("not today")'),
    case("expects to fail", "calls pytest.xfail", "error|timeout", 'import pytest; pytest.xfail("known")'),
    case(
        "ends pytest",
        "calls pytest.exit with code 0",
        "error|timeout",
        'import pytest; pytest.exit("done", returncode=0)',
    ),
    ruins(
        "skips the file",
        "calls pytest.skip at import",
        "error|timeout",
        'import pytest; pytest.skip("x", allow_module_level=1)',
    ),
    case(
        "reports of pytest",
        "makes every report say passed",
        "fail|timeout",
        """
        import _pytest.reports, _pytest.runner
        _pytest.reports.TestReport.outcome = property(lambda self: "passed", lambda self, value: None)
        _pytest.runner.call_and_report = lambda *_, **__: None
        """,
    ),
    case(
        "marks in the grader's own modules",
        "looks for the records and points of this process",
        "fail",
        """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("minilm.") and name.endswith(("records", "registry", "expect", "judge")): return right()
        try:
            import minilm.grading.registry
            return right()
        except ImportError: pass
        """,
    ),
    case(
        "copies that lie",
        "patches the copying of results",
        "fail|protocol|crash",
        """
        import minilm.grading.worker as worker
        class Yes:
            __eq__ = lambda self, other: True
            __hash__ = None
        worker.plain = lambda *_, **__: Yes()
        """,
    ),
    case(
        "worker that returns early",
        "patches the one door",
        "fail",
        """
        import minilm.grading.worker as worker
        worker.Worker.request = lambda self, operation, target, args=(), kwargs=None, seconds=0: ((0, 0, 0), list(args))
        """,
    ),
    case(
        "problem of its own",
        "raises what only a test may raise",
        "protocol",
        'from minilm.grading.problem import Problem; raise Problem("value", "passed")',
    ),
    case(
        "problem of no kind",
        "raises a problem that nobody knows",
        "error|protocol|crash",
        'from minilm.grading.problem import Problem; raise Problem("passed", "passed")',
    ),
    case(
        "says it is not written",
        "claims to be a stub, and hopes that those are not counted",
        "missing",
        'raise NotImplementedError("Exercise 6.1: not yet")',
    ),
    case(
        "says another one is not written",
        "claims that it waits for another exercise",
        "missing",
        'raise NotImplementedError("Exercise 6.3: not yet")',
    ),
    case(
        "its own time limit",
        "raises the clock's exception",
        "timeout",
        "from minilm.grading.problem import TooSlow; raise TooSlow",
    ),
    case(
        "modules swapped",
        "puts others in the place of loaded modules",
        LOST,
        """
        import sys, types
        for name in ("minilm.grading.plain", "minilm.grading.isolated.wire", "numpy", "json", "math"):
            sys.modules[name] = types.ModuleType(name)
        """,
    ),
    case(
        "finder of its own",
        "answers every import with a module that says yes to all",
        "fail",
        """
        import sys, importlib.abc, importlib.machinery
        class Finder(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None): raise SystemExit(0)
        sys.meta_path.insert(0, Finder())
        sys.path_hooks.clear(); sys.path_importer_cache.clear()
        """,
    ),
    case(
        "traces the grader",
        "sees each line of its worker",
        "fail",
        """
        import sys, threading
        tracer = lambda frame, event, arg: tracer
        sys.settrace(tracer); sys.setprofile(tracer); threading.settrace(tracer)
        """,
    ),
    case(
        "changes a number",
        "overwrites the 0 that all of Python shares",
        LOST,
        """
        import ctypes
        ctypes.memmove(id(0) + 24, id(1) + 24, 4)
        """,
    ),
    honest("mocks its own function", "uses unittest.mock for itself", "from unittest import mock; mock.Mock()()"),
    honest("imports unittest", "has a test of its own below", "import unittest; unittest.TestCase()"),
]
