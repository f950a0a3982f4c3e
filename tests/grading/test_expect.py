"""The three ways to expect something, and how they tell what is wrong."""

import numpy as np
import pytest
import torch

from minilm.grading.expect import close, equal, graded, is_object, like, parts, require, shaped
from minilm.grading.problem import Problem


def problem(check, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        check(*args, **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (3, 3), ((1, 2), [1, 2]), ([1, 2], (1, 2)), ({(1, 2): 3}, {(1, 2): 3}), ("a", "a"), (np.array(3), 3), (2, 2.0),
    ],
)  # fmt: skip
def test_equal_values_pass(seen, expected):
    equal(seen, expected)


@pytest.mark.parametrize(
    ("seen", "expected", "kind"),
    [
        (4, 3, "value"), (None, 3, "type"), (3.0, 3, "type"), (True, 1, "type"), ("3", 3, "type"), ([1], 1, "type"),
        ([1, "2"], [1, 2], "type"), ([1], [1, 2], "value"), ({1: 2}, {1: 3}, "value"), (b"a", "a", "type"),
    ],
)  # fmt: skip
def test_wrong_types_and_wrong_values_are_told_apart(seen, expected, kind):
    assert problem(equal, seen, expected).kind == kind


def test_a_missing_return_is_named():
    assert "Is a `return` missing?" in problem(equal, None, [1]).seen
    assert "Is a `return` missing?" in problem(parts, None, 2).seen


def test_a_wrong_value_is_shown_beside_the_right_one():
    assert problem(equal, [1, 2], [1, 3]).seen == "gave      [1, 2]\nexpected  [1, 3]"


def test_a_known_wrong_value_names_its_misconception():
    assert problem(equal, 4, 3, known={"one more": 4, "one less": 2}).means == "one more"
    assert problem(equal, 2, 3, known=[("a", 1), ("a", 2)]).means == "a"
    assert problem(equal, 9, 3, known={"one more": 4}).means is None
    assert problem(equal, "x", 3, known={"a letter": "x"}).means == "a letter", "even where the type is wrong"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (0.1 + 0.2, 0.3), (1, 1.0), (np.float32(0.1).item(), 0.1 + 1e-9), (np.array(0.5), 0.5),
        (torch.tensor(0.5), 0.5),
        (np.ones((2, 3)) + 1e-9, np.ones((2, 3))), (torch.ones(2) + 1e-6, torch.ones(2)),
        (torch.ones(2, dtype=torch.bfloat16) * 1.01, torch.ones(2)), (np.array([np.inf]), np.array([np.inf])),
    ],
)  # fmt: skip
def test_close_values_pass(seen, expected):
    close(seen, expected)


@pytest.mark.parametrize(
    ("seen", "expected", "kind"),
    [
        (0.3001, 0.3, "value"), (np.ones(2), torch.ones(2), "type"), ([1.0, 1.0], np.ones(2), "type"),
        (None, 0.5, "type"),
        (np.ones((3, 2)), np.ones((2, 3)), "shape"), (np.ones((1, 2)), np.ones(2), "shape"), (float("nan"), 0.5, "nan"),
        (np.array([np.nan, 1]), np.ones(2), "nan"), (torch.ones(2) * 1.001, torch.ones(2), "value"),
        (np.array([np.inf]), np.array([1.0]), "value"),
    ],
)  # fmt: skip
def test_wrong_type_shape_nan_and_value_are_told_apart(seen, expected, kind):
    assert problem(close, seen, expected).kind == kind


def test_the_tolerance_follows_what_was_seen():
    wrong = np.ones(3) * (1 + 1e-5)
    close(wrong.astype(np.float32), np.ones(3))
    assert problem(close, wrong, np.ones(3)).kind == "value"


def test_float64_is_not_held_to_more_digits_than_the_float32_it_is_compared_with():
    expected = torch.tensor([1.0, 3.0]) / 3
    close(expected.double() * (1 + 1e-6), expected)
    close(expected.double().numpy() * (1 + 1e-6), expected.numpy())
    assert problem(close, expected.double() * (1 + 1e-4), expected).kind == "value"
    assert problem(close, expected.double() * (1 + 1e-6), expected.double()).kind == "value"


def test_a_wrong_shape_shows_both():
    assert problem(close, np.ones((3, 2)), np.ones((2, 3))).seen == "gave      shape (3, 2)\nexpected  shape (2, 3)"


def test_in_a_large_array_the_worst_place_is_shown():
    wrong = np.zeros((5, 6))
    wrong[2, 4] = 1.5
    assert (
        "at [2, 4]  gave 1.5, expected 0, in an array of shape (5, 6)" == problem(close, wrong, np.zeros((5, 6))).seen
    )


def test_values_that_look_alike_are_shown_in_full():
    assert "0.12345678" in problem(close, np.array([0.12345678]), np.array([0.12347])).seen
    assert "0.123456" in problem(close, 0.12345678, 0.12347).seen


def test_what_the_call_does_not_show_is_added_to_a_wrong_value():
    seen = problem(close, 1.0, 3.0, case="the layer is 2x + 1").seen
    assert seen == "gave      1.0\nexpected  3.0\nthe layer is 2x + 1"
    close(3.0, 3.0, case="the layer is 2x + 1")


def test_in_a_large_array_what_looks_alike_is_shown_in_full():
    seen = problem(close, np.full(20, -20.19541), np.full(20, -20.19542), case="the loss").seen
    assert seen == "at [0]  gave -20.19541, expected -20.19542, in an array of shape (20,)\nthe loss"


def test_the_part_of_a_result_that_is_wrong_can_be_named_for_every_way_to_be_wrong():
    named = "v, the second of the two"
    for check, seen, expected in (
        (equal, 3, 4), (equal, "3", 4), (equal, ["3"], [4]), (equal, None, 4), (close, np.ones(2), np.ones(3)),
        (close, np.array(np.nan), np.array(1.0)), (close, 1.0, 2.0), (close, np.ones(20), np.zeros(20)),
    ):  # fmt: skip
        assert problem(check, seen, expected, case=named).seen.endswith(f"\n{named}")
        assert named not in problem(check, seen, expected).seen
    equal(4, 4, case=named)


def test_the_first_difference_of_two_long_lists_is_named():
    long = list(range(300))
    wrong = [*long[:250], 7, *long[251:]]
    assert problem(equal, wrong, long, case="ids").seen.endswith("at [250]  gave 7, expected 250\nids")


def test_the_rows_of_an_array_stand_below_each_other():
    eye, wrong = np.eye(2), np.full((2, 2), np.nan)
    for seen in (problem(close, wrong, eye).seen, problem(equal, wrong, eye).seen, problem(close, eye + 1, eye).seen):
        first, second, third, fourth = seen.splitlines()
        assert first.index("[[") == second.index("[") - 1 == third.index("[[") == fourth.index("[") - 1


def test_a_property_that_fails_says_what_was_seen_instead():
    require(True, "never shown")
    assert problem(require, False, "it shrank", "shrinks").means == "shrinks"


def test_the_small_helpers_return_what_they_checked():
    assert parts((1, 2), 2) == (1, 2) and like(4, 3) == 4
    assert shaped(np.ones((2, 3)), (2, 3), "B").shape == (2, 3)
    assert problem(parts, np.ones(2), 2).kind == problem(parts, (1,), 2).kind == problem(like, "4", 3).kind == "type"
    assert problem(shaped, np.ones((3, 2)), (2, 3), "B").kind == "shape"
    assert problem(shaped, None, (2, 3), "B").kind == problem(is_object, {}, "a module").kind == "type"


def test_a_test_can_only_point_to_what_is_declared():
    with pytest.raises(KeyError, match="no misconception"):
        graded("1.2", "never declared")
    with pytest.raises(KeyError, match="no misconception"):
        graded("1.2", raises={"KeyError": "never declared"})
