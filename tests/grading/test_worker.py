"""Both sides of the door: a learner's file on one, a test's `answers` on the other."""

import pickle

import bank
import numpy as np
import pytest
import torch

from minilm.grading import records
from minilm.grading.answers import Answers, Handle
from minilm.grading.plain import plain
from minilm.grading.problem import Problem
from minilm.grading.registry import chapters, exercise
from minilm.grading.worker import Reference, Worker


@pytest.fixture
def learner(tmp_path):
    """learner(source) -> the answers of a file with this source."""

    def make(source, limit=20.0):
        path = tmp_path / "ch01_tokenizer.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return Answers(Worker(path), limit)

    return make


def problem(function, *args):
    with pytest.raises(Problem) as caught:
        function(*args)
    return caught.value


def test_a_function_is_called_and_its_result_comes_back(learner):
    assert learner("def double(x): return 2 * x").double(21) == 42


def test_an_untouched_stub_is_not_started(learner):
    seen = problem(learner('def f(x): raise NotImplementedError("Exercise 1.1: f")').f, 1)
    assert (seen.kind, seen.seen) == ("todo", "Exercise 1.1: f")


def test_only_the_words_of_a_stub_say_that_something_is_not_written(learner):
    source = "import torch\ndef f(x): return torch.softmax(x, 0)\n"
    seen = problem(learner(source).f, torch.tensor([1, 2]))
    assert (seen.kind, seen.error) == ("raised", "NotImplementedError")
    assert "not implemented for" in seen.seen and "line 2, in f:" in seen.seen
    spoken = "def f(x): raise NotImplementedError('only for floats')"
    assert problem(learner(spoken).f, 1).kind == "raised"


def test_a_bare_error_is_a_stub_only_in_the_function_that_was_asked_for(learner):
    seen = problem(learner("class Box:\n    def __init__(self, x):\n        raise NotImplementedError\n").Box, 1)
    assert (seen.kind, seen.seen, seen.function) == ("todo", "", "Box.__init__")
    seen = problem(learner("def g(x):\n    raise NotImplementedError\ndef f(x): return g(x)\n").f, 1)
    assert seen.kind == "raised" and "line 2, in g:" in seen.seen


def test_a_stub_names_the_function_that_is_not_written(learner):
    source = 'def g(x): raise NotImplementedError("Exercise 1.1: g")\ndef f(x): return g(x)\n'
    assert problem(learner(source).f, 1).function == "g"


def test_a_syntax_error_shows_file_line_and_a_caret(learner):
    seen = problem(learner("x = 1\ndef f(x:\n    return x\n").f, 1)
    assert seen.kind == "syntax"
    assert seen.seen.splitlines() == ["ch01_tokenizer.py, line 2: '(' was never closed", "    def f(x:", "         ^"]


def test_a_file_that_is_not_utf8_is_a_syntax_error(learner):
    assert problem(learner(b"x = '\xff'\n").f, 1).kind == "syntax"
    assert learner(b"\xef\xbb\xbfdef f(x):\r\n    return x\r\n").f(1) == 1, "a BOM and Windows line ends are fine"


def test_an_empty_file_and_a_renamed_function_are_missing(learner, tmp_path):
    assert problem(learner("  \n").f, 1).kind == "missing"
    seen = problem(learner("def g(x): return x").f, 1)
    assert (seen.kind, seen.seen) == ("missing", "ch01_tokenizer.py has no function f.")
    assert problem(Answers(Worker(tmp_path / "nowhere.py")).f, 1).kind == "missing"


def test_a_traceback_is_cut_to_the_learners_lines(learner):
    seen = problem(learner("import json\ndef f(x):\n    return g(x)\ndef g(x):\n    return json.loads(x)\n").f, "{")
    lines = seen.seen.splitlines()
    assert lines[0] == "ch01_tokenizer.py, line 3, in f:  return g(x)"
    assert lines[1] == "ch01_tokenizer.py, line 5, in g:  return json.loads(x)"
    assert lines[2].startswith("JSONDecodeError: ") and len(lines) == 3
    assert seen.error == "JSONDecodeError"


@pytest.mark.parametrize("end", ["exit()", "raise SystemExit(0)", "import pytest; pytest.skip('x')", "assert False"])
def test_no_way_to_leave_a_function_is_a_pass(learner, end):
    assert problem(learner(f"def f(x):\n    {end}\n").f, 1).kind == "raised"


def test_an_error_while_the_file_is_loaded_is_the_learners_too(learner):
    seen = problem(learner("import math\nx = math.sqrt(-1)\ndef f(x): return x\n").f, 1)
    first, second, third = seen.seen.splitlines()
    assert seen.kind == "load"
    assert first == "ch01_tokenizer.py stops at line 2 while it is read, so nothing in it counts yet."
    assert second == "ch01_tokenizer.py, line 2:  x = math.sqrt(-1)" and third.startswith("ValueError: ")


@pytest.mark.parametrize(
    ("rest", "line", "error"),
    [
        ("print(f(1))", 2, "NotImplementedError: Exercise 1.1: f"), ("import nowhere_at_all", 2, "ModuleNotFoundError"),
        ("def g(x: Any): return x", 2, "NameError"), ("exit()", 2, "SystemExit"),
    ],
)  # fmt: skip
def test_what_stops_the_file_is_not_shown_as_a_call_that_failed(learner, rest, line, error):
    handed = learner(f'def f(x): raise NotImplementedError("Exercise 1.1: f")\n{rest}\n')
    seen = problem(handed.f, 1)
    assert seen.kind == "load" and f"stops at line {line} while it is read" in seen.seen and error in seen.seen
    assert handed.last == "" and not handed.loaded, "no call was made"


def test_a_file_that_is_never_read_to_its_end_is_slow_and_no_call_is_blamed(learner):
    handed = learner("while True:\n    pass\n", limit=0.5)
    seen = problem(handed.f, 1)
    assert (seen.kind, seen.error, handed.last) == ("slow", None, "") and "still being read" in seen.seen


def test_changed_arguments_of_the_function_are_explained(learner):
    assert "keep the arguments of the stub" in problem(learner("def f(): return 1").f, 1).seen


@pytest.mark.parametrize(
    ("change", "value"),
    [("x.append(1)", [0]), ("x[0] = 5", np.zeros(2)), ("x.add_(1)", torch.zeros(2)), ("x['b'] = 1", {"a": 1})],
)
def test_a_changed_input_is_noticed_and_the_test_keeps_its_own(learner, change, value):
    before = plain(value, None)
    seen = problem(learner(f"def f(x):\n    {change}\n    return 1\n").f, value)
    assert seen.kind == "mutated" and "changed its argument from" in seen.seen
    assert str(value) == str(before)


def test_a_tensor_that_asks_for_gradients_after_the_call_is_a_changed_input(learner):
    source = "def f(x):\n    x.requires_grad_()\n    return (2 * x).detach()\n"
    source += "def g(pair): return pair[0].clone().requires_grad_()\n"
    seen = problem(learner(source).f, torch.ones(2))
    assert seen.kind == "mutated" and "its argument: a tensor in it asks for gradients now" in seen.seen
    assert learner(source).gradients("f", torch.ones(2))["output"].tolist() == [2.0, 2.0], "there it is our own doing"
    assert not learner(source).g([torch.ones(2)]).requires_grad, "a copy may ask for them"


def test_all_rows_of_a_changed_array_stand_below_each_other(learner):
    seen = problem(learner("def f(x): x[0] = 5\n").f, np.zeros((2, 2)))
    assert seen.seen.splitlines()[1:] == ["    [[0., 0.],", "     [0., 0.]]", "to", "    [[5., 5.],", "     [0., 0.]]"]


def test_an_endless_loop_ends_and_says_where_it_was(learner):
    seen = problem(learner("def f(x):\n    while True:\n        x += 1\n", limit=0.5).f, 1)
    assert seen.kind == "slow" and ", in f:  " in seen.seen


def test_the_calls_of_one_test_share_its_time(learner):
    handed = learner("import time\ndef f(x):\n    time.sleep(x)\n    return x\n", limit=1.0)
    handed.f(0.5)
    assert problem(handed.f, 0.8).kind == "slow"


def test_each_worker_starts_from_a_fresh_module(learner):
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)\n"
    assert learner(source).f(1) == 1
    handed = learner(source)
    assert (handed.f(1), handed.f(1)) == (1, 2), "but one test sees one module"


def test_an_object_stays_and_a_handle_comes(learner):
    source = "class Box:\n    size = 3\n    def __init__(self, x): self.x = x\n    def get_x(self): return self.x\n"
    source += "    def __call__(self, y): return self.x + y\n    def __eq__(self, other): return True\n"
    handed = learner(source + "def same(box): return box\n")
    box = handed.Box(4)
    assert isinstance(box, Handle) and box.kind == "a Box object"
    assert box(1) == 5 and box.get_x() == 4 and box.get("size") == 3
    assert handed.same(box)._reference == box._reference


def test_torch_objects_are_made_beside_the_learners_code(learner):
    handed = learner("def freeze(layer):\n    layer.requires_grad_(False)\n    return layer\n")
    layer = handed.make("torch.nn.Linear", 2, 3, bias=False)
    layer.load_state_dict({"weight": torch.arange(6.0).view(3, 2)})
    assert handed.freeze(layer)(torch.ones(1, 2)).tolist() == [[1.0, 5.0, 9.0]]
    assert list(layer.state_dict()) == ["weight"]
    assert problem(handed.make, "os.system", "true").kind == "raised"


def test_minilms_own_objects_are_made_there_too(learner):
    handed = learner("def names(layer):\n    return list(layer.state_dict())\n")
    adapted = handed.make("minilm.lora.LoRALinear", handed.make("torch.nn.Linear", 5, 7, bias=False), 3, alpha=6.0)
    assert handed.names(adapted) == ["lora_A", "lora_B", "base_layer.weight"]
    assert isinstance(handed.make("minilm.corpus.load", "synthetic:copy"), Handle), "the result of a function, too"


def test_a_model_of_many_parts_is_made_at_once(learner):
    handed = learner("import torch")
    inner = handed.make("torch.nn.Linear", 4, 2)
    adapter = ("minilm.lora.LoRALinear", ("torch.nn.Linear", 3, 4, False), 2)
    model = handed.make({"up": adapter, "block": {"norm": ("torch.nn.LayerNorm", 4), "down": inner}})
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert shapes == {
        "up.base_layer.weight": (4, 3), "up.lora_A": (2, 3), "up.lora_B": (4, 2),
        "block.norm.weight": (4,), "block.norm.bias": (4,), "block.down.weight": (2, 4), "block.down.bias": (2,),
    }  # fmt: skip
    assert torch.equal(model.get_submodule("block.down")(torch.ones(1, 4)), inner(torch.ones(1, 4)))
    assert model(torch.ones(5, 3)).shape == (5, 2)


def test_a_part_of_a_model_is_no_way_around_what_may_be_made(learner):
    handed = learner("import torch")
    for recipe in ({"up": ("os.system", "true")}, {"up": {"in": ("torch.load", "x")}}, ("builtins.eval", "1")):
        assert "is not one of" in problem(handed.make, recipe).seen


def test_the_call_is_shown_in_one_short_line(learner):
    handed = learner("def f(*args): return 1")
    pairs = [(torch.ones(4, 7), 2.0), (torch.zeros(4, 7), 3.0)]
    handed.f(3, [1, 2], np.ones((9, 9)), pairs, list(range(99)))
    assert handed.last.startswith("f(3, [1, 2], a numpy array of shape (9, 9), float64, a list of 2, [0, 1, 2, ")
    assert len(handed.last) < 300 and "\n" not in handed.last


def test_what_was_asked_of_a_result_is_shown_after_the_call(learner):
    handed = learner("import torch\ndef f(layer, size): return torch.nn.Linear(size, 2)\n")
    other = handed.make("torch.nn.Linear", 3, 2)
    other.state_dict()
    assert handed.last == ".state_dict()", "no function was called yet"
    layer = handed.f(other, 3)
    handed.make("torch.nn.Linear", 3, 2)
    assert handed.last == "f(a Linear object, 3)"
    layer(torch.ones(1, 3))
    assert handed.last == "f(a Linear object, 3), then module([[1., 1., 1.]])"


COUNTER = """
class Counter:
    def __init__(self, start): self.total, self.inner = start, self
    def add(self, n): self.total += n
    def clear(self): self.total = 0
    def __call__(self, n): return self.total + n
def double(counter): counter.total *= 2
def boxed(start): return {"counter": Counter(start)}
"""


def test_an_object_is_shown_with_all_that_was_done_to_it(learner):
    counter = learner(COUNTER).Counter(3)
    handed = counter._answers
    counter.add(4)
    handed.Counter(99)  # another one, with a story of its own
    counter.get("total")
    assert handed.last == "Counter(3), then .add(...), .total", "a value is no call"
    counter.clear()
    counter(1)
    assert handed.last == "Counter(3), then .add(...), .clear(), module(1)"
    handed.double(counter)
    assert handed.last == "double(a Counter object)"
    counter.add(n=5)
    assert handed.last == "Counter(3), then .add(...), .clear(), double(...), .add(n=5)"


def test_many_steps_of_an_object_are_shown_short(learner):
    counter = learner(COUNTER).Counter(3)
    for _ in range(3):
        counter.add(1)
    counter.clear()
    assert counter._answers.last == "Counter(3), then .add(...) 3 times, .clear()"
    for _ in range(4):
        counter.add(1)
        counter.clear()
    assert counter._answers.last.startswith("Counter(3), then ..., .add(...), .clear(), ")
    assert counter._answers.last.count(".") < 40


def test_an_object_inside_a_result_or_another_object_has_a_story_too(learner):
    handed = learner(COUNTER)
    counter = handed.boxed(3)["counter"]
    handed.Counter(99)
    counter.get("inner").get("total")
    assert handed.last == "boxed(3), then .total"
    source = "import torch\ndef f(): return torch.nn.Sequential(torch.nn.Linear(2, 3))\n"
    handed = learner(source)
    handed.f().get_submodule("0").get("in_features")
    assert handed.last == "f(), then .get_submodule(...), .in_features"


def test_gradients_come_back_as_numbers(learner):
    handed = learner("def f(x, w): return (x * w).sum(-1)\n")
    seen = handed.gradients("f", torch.tensor([2.0, 3.0]), torch.tensor([5.0, 7.0]))
    assert [gradient.tolist() for gradient in seen["inputs"]] == [[5.0, 7.0], [2.0, 3.0]]
    layer = handed.make("torch.nn.Linear", 2, 1)
    seen = handed.gradients(layer, torch.tensor([[2.0, 3.0]]), upstream=torch.tensor([[10.0]]))
    assert seen["parameters"]["weight"].tolist() == [[20.0, 30.0]] and seen["parameters"]["bias"].tolist() == [10.0]


def test_a_test_cannot_pass_anything_but_plain_data(learner):
    with pytest.raises(TypeError, match="plain data"):
        learner("def f(x): return 1").f(object())


class ByteWorker(Worker):
    """A worker from which and to which only bytes pass, as between two processes."""

    def request(self, operation, target, args=(), kwargs=None, seconds=5.0):
        sent = across((operation, target, list(args), kwargs or {}))
        try:
            return across(super().request(*sent, seconds=seconds))
        except Problem as error:
            parts = across((error.kind, error.seen, error.means, error.error, error.function))
            raise Problem(*parts) from None


def across(value):
    """Refuse what is neither plain data nor a reference, then go through bytes."""
    plain(value, lambda thing: thing if isinstance(thing, Reference) else pytest.fail(f"{thing!r} cannot be sent"))
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("number", list(chapters()), ids=lambda number: f"ch{number:02d}")
def test_the_graded_tests_run_unchanged_when_only_bytes_pass(number):
    source = bank.solution(number).encode()
    for test in bank.graded_tests(number):
        test(Answers(ByteWorker(bank.SOLUTIONS / "solution.py", source), exercise(test.graded.exercise).limit))


@pytest.mark.filterwarnings("ignore")
def test_wrong_answers_draw_the_same_message_when_only_bytes_pass():
    for answer in [answer for answer in bank.answers() if not answer.endless][::10]:
        source, direct = bank.source_of(answer), bank.result_of(answer)
        for test, record in zip(
            [test for test in bank.graded_tests(direct.exercise.chapter) if test.graded.exercise == answer.exercise],
            direct.records,
            strict=False,
        ):
            handed = Answers(ByteWorker(bank.SOLUTIONS / "answer.py", source.encode()), 20.0)
            try:
                test(handed)
                assert record["passed"]
            except Exception as error:
                again = records.failed(test, error, handed.last)
                assert (again["kind"], again["means"]) == (record["kind"], record["means"])
