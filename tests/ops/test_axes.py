"""Which axis of a shape holds the channels, and how it moves."""

from __future__ import annotations

import copy
import pickle

import pytest

from archdsl.ops.axes import agreed
from archdsl.ops.einsum import Einsum
from archdsl.ops.gather import IndexSelect
from archdsl.ops.linear import Linear, MatMul
from archdsl.ops.merge import Add, Concat
from archdsl.ops.rearrange import Flatten, Permute, Reshape
from archdsl.ops.reduce import Mean
from archdsl.ops.shape import Dim, Shape

H, W = Dim.variable("H"), Dim.variable("W")
MAP = Shape(96, H, W)


def test_shapes_are_equal_where_sizes_and_channels_are() -> None:
    shapes = [
        Shape(8, 6),
        Shape(8, 6, axis=1),
        Shape(8, 6, axis=None),
        Shape(8, 6, is_named=True),
        Shape(8, 6, axis=1, is_named=True),
        Shape(6, 8),
    ]
    again = [Shape(*x, axis=x.axis, is_named=x.is_named) for x in shapes]
    assert len({*shapes, *again}) == len(shapes)
    for i, one in enumerate(shapes):
        assert [one == other for other in again] == [i == j for j in range(len(again))]
        assert [one != other for other in again] == [i != j for j in range(len(again))]
        assert repr(one) not in [repr(other) for other in again[:i]]


def test_permute_moves_the_channels() -> None:
    last = Permute(order=(1, 2, 0)).infer_shape([MAP])
    assert last == Shape(H, W, 96, axis=2)
    assert last.channels == 96
    assert Permute(order=(2, 0, 1)).infer_shape([last]) == MAP


@pytest.mark.parametrize(
    ("x", "sizes", "axis"),
    [
        (Shape(49, 96, axis=1), (7, 7, 96), 2),
        (Shape(49, 96, axis=1), (1, 7, 7, 96), 3),
        (Shape(49, 96, axis=1), (49, 1, 96, 1), 2),
        (Shape(49, 96, axis=1), (49, 4, 24), None),
        (Shape(49, 96, axis=1), (96, 49), None),  # as many elements in an axis, but others
        (Shape(49, 96, axis=1), (49 * 96,), 0),
        (Shape(49, 96, axis=None), (7, 7, 96), None),
        (Shape(96, 49), (4, 24, 49), 0),  # channels that nothing moved or named stay first
        (Shape(96, 49), (1, 96, 49), 0),
        (Shape(96, 49, is_named=True), (1, 96, 49), 1),
        (Shape(96, 49, is_named=True), (4, 24, 49), None),
    ],
)
def test_reshape_keeps_the_channels_where_they_stay_whole(x: Shape, sizes: tuple[int, ...], axis: int | None) -> None:
    result = Reshape(sizes=sizes).infer_shape([x])
    assert result == Shape(*sizes, axis=axis, is_named=x.is_named and len(sizes) > 1)


def test_flatten_keeps_the_channels_it_does_not_merge() -> None:
    last = Shape(H, W, 96, axis=2)
    assert Flatten(end=1).infer_shape([last]) == Shape(H * W, 96, axis=1)
    assert Flatten(start=1).infer_shape([last]).axis is None
    assert Flatten().infer_shape([last]) == Shape(H * W * 96)


PLAIN, NAMED, MOVED = Shape(8, 6), Shape(8, 6, axis=1, is_named=True), Shape(8, 6, axis=1)
LOST, LOST_NAMED = Shape(8, 6, axis=None), Shape(8, 6, axis=None, is_named=True)


@pytest.mark.parametrize(
    ("inputs", "result"),
    [
        ([PLAIN, PLAIN], PLAIN),
        ([PLAIN, NAMED], NAMED),
        ([PLAIN, MOVED], MOVED),
        ([Shape(8, 6, is_named=True), MOVED], Shape(8, 6, is_named=True)),
        ([LOST_NAMED, NAMED], NAMED),
        ([LOST_NAMED, MOVED], MOVED),
        ([LOST, PLAIN], LOST),
        ([LOST, LOST_NAMED], LOST_NAMED),
    ],
)
def test_what_joins_shapes_has_the_channels_that_one_of_them_says(inputs: list[Shape], result: Shape) -> None:
    for shapes in (inputs, inputs[::-1]):
        assert agreed("add", shapes) == Add().infer_shape(shapes) == result


def test_shapes_whose_channels_were_moved_to_different_axes_have_none_together() -> None:
    x, y = Shape(6, 6, 6, axis=1), Shape(6, 6, 6, axis=2)
    assert Add().infer_shape([x, y]) == Shape(6, 6, 6, axis=None)


def test_only_a_name_or_an_axis_makes_concat_follow_the_channels() -> None:
    assert Concat().infer_shape([MOVED, MOVED]) == Shape(16, 6, axis=1)
    assert Concat(axis="channels").infer_shape([MOVED, MOVED]) == Shape(8, 12, axis=1)
    assert Concat().infer_shape([NAMED, NAMED]) == Shape(8, 12, axis=1, is_named=True)
    assert Concat(axis=0).infer_shape([NAMED, NAMED]) == Shape(16, 6, axis=1, is_named=True)


def test_a_dense_layer_makes_channels_where_there_are_none() -> None:
    assert Linear(features=5).infer_shape([LOST_NAMED]) == Shape(8, 5, axis=1, is_named=True)
    assert Linear(features=5, axis="last").infer_shape([Shape(8, 6, is_named=True)]) == Shape(8, 5, is_named=True)
    assert Linear(features=5).infer_shape([PLAIN]) == Shape(8, 5)


def test_a_reduction_leaves_no_channels_where_it_reads_them_all() -> None:
    assert Mean(axis="channels", keep=True).infer_shape([NAMED]) == Shape(8, 1, axis=1, is_named=True)
    assert Mean(axis=0).infer_shape([Shape(4, 8, 6, axis=2)]) == Shape(8, 6, axis=1)
    assert Mean(axis=2).infer_shape([Shape(4, 8, 6, axis=2)]) == Shape(4, 8, axis=None)
    assert Mean(axis="positions").infer_shape([NAMED]) == Shape(6)


def test_an_index_keeps_the_channels_behind_it_in_their_place() -> None:
    assert IndexSelect(places=((0, 1), (1, 0)), axis=0).infer_shape([NAMED]) == Shape(2, 2, 6, axis=2, is_named=True)
    assert IndexSelect(places=0, axis=0).infer_shape([NAMED]) == Shape(6)
    assert IndexSelect(places=(0, 2)).infer_shape([NAMED]) == Shape(8, 2, axis=1, is_named=True)
    assert IndexSelect(places=0, axis=1).infer_shape([Shape(4, 8, 6, axis=1)]) == Shape(4, 6, axis=None)


def test_a_product_keeps_the_channels_that_it_does_not_sum_over() -> None:
    product = MatMul()
    attention = Einsum(pattern="h n d, h m d -> h n m")
    assert attention.infer_shape([Shape(2, 9, 8, axis=None), Shape(2, 5, 8)]) == Shape(2, 9, 5, axis=None)
    assert Einsum(pattern="n c, c d -> d n").infer_shape([Shape(9, 6, axis=0, is_named=True), Shape(6, 4)]) == Shape(
        4, 9, axis=1, is_named=True
    )
    assert product.infer_shape([Shape(8, 6), Shape(6, 4)]) == Shape(8, 4)
    rows = Shape(9, 6, axis=1, is_named=True)
    columns = Shape(6, 9, is_named=True)
    assert product.infer_shape([rows, columns]) == Shape(9, 9, axis=None, is_named=True)
    assert product.infer_shape([Shape(9, 9, axis=None, is_named=True), rows]) == rows
    assert product.infer_shape([columns, rows]) == Shape(6, 6, axis=None, is_named=True)


@pytest.mark.parametrize("shape", [Shape(3, 4), Shape(5, 6, 7, axis=2), Shape(5, 6, axis=None, is_named=True)])
def test_a_shape_that_is_copied_or_pickled_is_the_same(shape: Shape) -> None:
    for again in (copy.copy(shape), copy.deepcopy(shape), pickle.loads(pickle.dumps(shape))):
        assert again == shape
        assert (again.axis, again.is_named) == (shape.axis, shape.is_named)
