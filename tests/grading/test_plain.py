"""Plain data: what may pass between a test and a learner's code, and how it is shown."""

from collections import Counter, OrderedDict, namedtuple

import numpy as np
import pytest
import torch

from minilm.grading.plain import describe, plain, same, show


def copy(value):
    return plain(value, refer=lambda thing: f"<{type(thing).__name__}>")


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "é", b"\xff", [1, [2]], (1, ()), {"a": 1, (b"x", 2): [None]}, np.ones((2, 3)), torch.ones(2)],
)
def test_plain_data_passes_as_an_equal_copy(value):
    assert same(copy(value), value)


def test_a_copy_is_independent():
    array, inner = np.zeros(2), [1]
    copied = copy([array, inner])
    array[0], inner[0] = 5, 5
    assert copied[0][0] == 0 and copied[1] == [1]


def test_a_subclass_arrives_as_its_base():
    class Liar(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__

    Point = namedtuple("Point", "x y")
    for value, base in ((Liar(3), int), (Counter("aab"), dict), (OrderedDict(a=1), dict), (Point(1, 2), tuple),
                        (np.float64(0.5), float), (np.int32(4), int), (np.bool_(True), bool)):  # fmt: skip
        assert type(copy(value)) is base
    assert (copy(Liar(3)) == 4) is False


def test_a_subclass_of_an_array_arrives_as_a_plain_array():
    assert type(copy(np.ma.masked_array([1.0, 2.0]))) is np.ndarray
    assert type(copy(torch.nn.Parameter(torch.ones(2)))) is torch.Tensor


def test_anything_else_stays_behind_and_a_reference_goes():
    assert copy([object(), {1, 2}, np.array([object()])]) == ["<object>", "<set>", "<ndarray>"]


def test_a_list_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="hold itself"):
        copy(loop)


def test_same_sees_types_shapes_and_nan():
    assert same([float("nan"), np.array([np.nan])], [float("nan"), np.array([np.nan])])
    for one, other in ((1, 1.0), ([1], (1,)), (np.ones(2), np.ones(3)), (np.ones(2), np.ones(2, dtype=np.float32)),
                       ({"a": 1}, {"a": 2}), (1, True), (torch.ones(2), np.ones(2))):  # fmt: skip
        assert not same(one, other)


def test_same_sees_whether_a_tensor_asks_for_gradients():
    one, other = torch.ones(2), torch.ones(2).requires_grad_()
    assert not same([one], [other]) and same([other], [torch.ones(2).requires_grad_()])
    kept = plain([{"a": other}], None, grad=True)
    assert same(kept, [{"a": other}]) and kept[0]["a"] is not other
    assert same(plain([{"a": other}], None), [{"a": one}]), "what a test gets asks for none"


def test_values_are_shown_short_and_the_same_everywhere():
    assert show([0.1 + 0.2, 1.0, 1, None, b"a"]) == "[0.3, 1.0, 1, None, b'a']"
    assert show({("a", "b"): (1,)}) == "{('a', 'b'): (1,)}"
    assert show(1e-9) == "1e-09" and show(float("nan")) == "nan"
    assert len(show(list(range(1000)))) < 200
    assert show(torch.tensor([1.0, 2.5])) == show(np.array([1.0, 2.5]))


def test_kinds_are_named_in_words():
    assert describe(torch.ones(2, 3)) == "a torch tensor of shape (2, 3), float32"
    assert describe([1, 2]) == "a list of 2" and describe(None) == "None"
