"""exercises/ is made from solutions/, and stays in step with it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("strip_solutions", ROOT / "tools" / "strip_solutions.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

PAIRS = list(tool.exercises())


def solution(*lines):
    return "\n".join(lines) + "\n"


def test_a_marked_block_becomes_a_line_that_names_the_exercise():
    source = solution(
        "def f(x):", '    # BEGIN SOLUTION 9.1: add "one"', "    return x + 1", "    # END SOLUTION", "", "y = 2"
    )
    assert tool.strip(source) == solution(
        "def f(x):", '    raise NotImplementedError("Exercise 9.1: add \\"one\\"")', "", "y = 2"
    )


def test_a_block_without_an_exercise_leaves_nothing_behind():
    source = solution("import math", "# BEGIN SOLUTION", "import secret", "# END SOLUTION", "x = 1")
    assert tool.strip(source) == solution("import math", "x = 1")


def test_what_is_not_marked_stays_as_it_is():
    source = solution('"""Text."""', "", "# a comment", "x = 1")
    assert tool.strip(source) == source


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["# BEGIN SOLUTION 9.1: a", "# BEGIN SOLUTION 9.2: b", "# END SOLUTION"], "line 2: a solution begins inside"),
        (["x = 1", "# BEGIN SOLUTION 9.1: a", "y = 2"], "line 2: this solution never ends"),
        (["# END SOLUTION"], "line 1: a solution ends that never began"),
        (["# BEGIN SOLUTION 9.1", "# END SOLUTION"], "line 1: write"),
        (["# Begin solution 9.1: a", "# END SOLUTION"], "line 1: write"),
        (["x = 1  # BEGIN SOLUTION", "# END SOLUTION"], "line 1: write"),
        (["# BEGIN SOLUTION 9.1: a", "# END SOLUTION 9.1"], "line 2: write"),
    ],
)
def test_a_wrong_marker_is_refused_with_its_line(lines, said):
    with pytest.raises(tool.MarkerError, match=said):
        tool.strip(solution(*lines), "solutions/ch09.py")


def test_nothing_of_a_solution_is_left_in_an_exercise():
    for path, stub in PAIRS:
        source = (ROOT / "solutions" / path.name).read_text(encoding="utf-8")
        assert "SOLUTION" not in stub
        for block in re.findall(r"# BEGIN SOLUTION[^\n]*\n(.*?) *# END SOLUTION", source, re.DOTALL):
            assert block.strip() not in stub
        assert stub.count("raise NotImplementedError(") == source.count("# BEGIN SOLUTION ")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].stem)
def test_an_exercise_is_in_step_with_its_solution(pair):
    path, stub = pair
    if path.exists() and path.read_text(encoding="utf-8") == stub:
        return
    if edited_here(path):
        pytest.skip(f"exercises/{path.name} holds your own work")
    pytest.fail(f"exercises/{path.name} is out of step; run python tools/strip_solutions.py")


def edited_here(path):
    """Whether the exercise differs from the committed one: a learner's own work, which nobody must complain about."""
    command = ["git", "diff", "--quiet", "HEAD", "--", str(path)]
    return path.exists() and subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 1


def test_the_tool_reports_what_is_out_of_step_and_writes_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "solutions").mkdir()
    source = solution("def f():", "    # BEGIN SOLUTION 9.1: f", "    return 1", "    # END SOLUTION")
    (tmp_path / "solutions" / "ch09_x.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(tool, "exercises", lambda root=tmp_path, original=tool.exercises: original(root))
    assert tool.main(["--check"]) == 1 and not (tmp_path / "exercises").exists()
    assert tool.main([]) == 0 and "wrote: exercises/ch09_x.py" in capsys.readouterr().out
    assert tool.main(["--check"]) == 0


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].stem)
def test_an_exercise_compiles_and_imports(pair):
    path, stub = pair
    program = f"import runpy; runpy.run_path({str(path)!r})"
    compile(stub, path.name, "exec")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
