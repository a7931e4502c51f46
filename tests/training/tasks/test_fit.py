from __future__ import annotations

import pytest

from archdsl import load
from archdsl.recipes.images import Flip, Grey
from archdsl.recipes.measures import (
    AbsoluteError,
    Auxiliary,
    Best,
    BinaryCrossEntropy,
    CrossEntropy,
    SquaredError,
)
from archdsl.recipes.recipe import Recipe
from archdsl.training.error import TrainingError
from archdsl.training.tasks.build import task_of
from archdsl.training.tasks.fit import check_trainable, image_size
from tests.training.tasks.facts import Kind, facts, network

pytestmark = pytest.mark.torch

IMAGE = "input [3, 8, 8]; conv 4"
FLAT = f"{IMAGE}; gap; flatten"


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("class", f"{FLAT}; fc 3"),
        ("classes", f"{FLAT}; fc 3"),
        ("number", f"{FLAT}; fc 1"),
        ("mask", f"{IMAGE}; conv 3"),
        ("image", f"{IMAGE}; conv 3"),
        ("image", f"{IMAGE}; conv 1"),
    ],
)
def test_an_output_of_the_right_shape_is_trained(kind: Kind, steps: str) -> None:
    task = task_of(network(steps), facts(kind), Recipe())
    assert task.kind == kind
    assert task.figures[0] == "loss"
    assert (task.auxiliary, task.unused) == ((), ())


@pytest.mark.parametrize(
    ("kind", "steps", "message", "help"),
    [
        ("class", f"{FLAT}; fc 5", "net gives [5], and pets has 3 classes, which needs [3]", "3 channels: `fc 3`"),
        ("class", IMAGE, "net gives [4, 8, 8], and pets has 3 classes", "end it in `gap; flatten; fc 3`"),
        ("classes", f"{FLAT}; fc 1", "net gives [1]", "`fc 3`"),
        ("number", f"{FLAT}; fc 2", "one number an image, which needs [1]", "`fc 1`"),
        ("number", f"{IMAGE}; conv 1; gap", "net gives [1, 1, 1]", "`gap; flatten; fc 1`"),
        ("mask", f"{FLAT}; fc 3", "masks of 3 classes, which need [3, 8, 8]", "`unet_padded`"),
        ("mask", f"{IMAGE}; conv 5", "net gives [5, 8, 8]", "end it in `conv 3 k=1`"),
        ("mask", f"{IMAGE}; conv 3 p=0", "net gives [3, 6, 6]", "pad the convolutions"),
        ("mask", f"{IMAGE}; conv 3 s=4", "net gives [3, 2, 2]", "resize it to the input"),
        ("image", f"{IMAGE}; conv 5", "need [1, 8, 8] or [3, 8, 8]", "end it in `conv 3 k=1`"),
        ("image", f"{FLAT}; fc 3", "net gives [3]", "a value for each pixel"),
    ],
)  # fmt: skip
def test_an_output_of_another_shape_is_told_with_what_to_write(kind: Kind, steps: str, message: str, help: str) -> None:
    with pytest.raises(TrainingError) as caught:
        task_of(network(steps), facts(kind), Recipe())
    assert caught.value.code == "E361"
    assert message in caught.value.message
    assert help in caught.value.help


def test_a_parameter_that_gives_the_classes_is_named() -> None:
    with pytest.raises(TrainingError) as caught:
        task_of(load("resnet18"), facts(classes=10), Recipe())
    assert caught.value.message == "resnet18 gives [1000], and pets has 10 classes, which needs [10]"
    assert caught.value.help == "say `--set classes=10`, or end it in 10 channels"
    with pytest.raises(TrainingError) as caught:
        task_of(load("unet", channels=3), facts("mask"), Recipe())
    assert caught.value.help == "say `--set classes=3`, and say `--set padding=same`"


def test_outputs_of_training_alone_have_the_loss_and_others_have_none() -> None:
    steps = f"{IMAGE}; output side {{ conv 2 }}; output aux training {{ gap; flatten; fc 3 }}; gap; flatten; last: fc 3"
    net = network(steps)
    assert list(net.outputs) == ["output", "side", "aux"]
    task = task_of(net, facts(), Recipe())
    assert (task.auxiliary, task.unused) == ((2,), ("side",))
    outputs = net.module()(__import__("torch").zeros(2, 3, 8, 8))
    assert [tuple(outputs[place].shape) for place in task.auxiliary] == [(2, 3)]


def test_an_output_of_training_behind_the_place_of_others_keeps_its_place_in_what_the_module_gives() -> None:
    steps = f"{IMAGE}; output aux training {{ gap; flatten; fc 3 }}; output side {{ conv 2 }}; gap; flatten; last: fc 3"
    net = network(steps)
    task = task_of(net, facts(), Recipe())
    outputs = net.module()(__import__("torch").zeros(2, 3, 8, 8))
    assert outputs._fields[task.auxiliary[0]] == "aux"


def test_outputs_that_the_recipe_names_have_the_loss_too() -> None:
    side = "{ gap; flatten; fc 3 }"
    steps = f"output late training {side}; output one {side}; output two {side}; gap; flatten; last: fc 3"
    net = network(f"{IMAGE}; {steps}")
    for names, unused in ((("two",), ("one",)), (("two", "one"), ()), ((), ("one", "two"))):
        task = task_of(net, facts(), Recipe(auxiliary=Auxiliary(outputs=names)))
        outputs = net.module()(__import__("torch").zeros(2, 3, 8, 8))
        assert {outputs._fields[place] for place in task.auxiliary} == {*names, "late"}
        assert task.unused == unused


@pytest.mark.parametrize(
    ("name", "message", "help"),
    [
        ("sid", "has none beside the main one of that name", "name one of these: side"),
        ("output", "has none beside the main one of that name", "name one of these: side"),
        ("side", "the output `side` of net gives [2, 8, 8]", "leave it out of the recipe's `auxiliary`"),
    ],
)
def test_an_output_that_the_recipe_names_wrongly_is_told(name: str, message: str, help: str) -> None:
    net = network(f"{IMAGE}; output side {{ conv 2 }}; gap; flatten; last: fc 3")
    with pytest.raises(TrainingError) as caught:
        task_of(net, facts(), Recipe(auxiliary=Auxiliary(outputs=(name,))))
    assert caught.value.code == "E361"
    assert message in caught.value.message
    assert help in caught.value.help


def test_an_output_of_training_of_another_shape_is_refused() -> None:
    net = network(f"{IMAGE}; output aux training {{ gap; flatten; fc 7 }}; gap; flatten; last: fc 3")
    with pytest.raises(TrainingError) as caught:
        task_of(net, facts(), Recipe())
    assert caught.value.code == "E361"
    assert "the training output `aux` of net gives [7]" in caught.value.message
    assert caught.value.help == "end it in 3 channels: `fc 3`, or leave out `training`, so that it has no loss"


@pytest.mark.parametrize(
    ("kind", "steps"), [("class", f"{FLAT}; fc 3; softmax"), ("classes", f"{FLAT}; fc 3; sigmoid")]
)
def test_a_network_that_ends_in_what_the_loss_has_in_it_is_refused(kind: Kind, steps: str) -> None:
    with pytest.raises(TrainingError) as caught:
        task_of(network(steps), facts(kind), Recipe())
    assert caught.value.code == "E362"
    assert "leave out the last" in caught.value.help


@pytest.mark.parametrize(
    ("kind", "loss", "is_possible"),
    [
        ("class", CrossEntropy(), True),
        ("class", BinaryCrossEntropy(), False),
        ("classes", BinaryCrossEntropy(), True),
        ("classes", CrossEntropy(), False),
        ("number", AbsoluteError(), True),
        ("number", CrossEntropy(), False),
        ("mask", CrossEntropy(), True),
        ("mask", SquaredError(), False),
        ("image", SquaredError(), True),
        ("image", BinaryCrossEntropy(), False),
    ],
)
def test_a_loss_suits_the_data_or_is_refused(kind: Kind, loss: object, is_possible: bool) -> None:
    ends = {"class": f"{FLAT}; fc 3", "classes": f"{FLAT}; fc 3", "number": f"{FLAT}; fc 1"}
    net, recipe = network(ends.get(kind, f"{IMAGE}; conv 3")), Recipe.model_validate({"loss": loss})
    if is_possible:
        assert task_of(net, facts(kind), recipe).statement == loss
        return
    with pytest.raises(TrainingError) as caught:
        task_of(net, facts(kind), recipe)
    assert caught.value.code == "E362"
    assert "leave the statement out" in caught.value.help


def test_the_best_epoch_is_chosen_by_a_figure_that_the_data_has() -> None:
    net = network(f"{FLAT}; fc 3")
    assert task_of(net, facts(), Recipe()).best_by == "accuracy"
    assert task_of(net, facts(), Recipe(best=Best(by="f1"))).best_by == "f1"
    with pytest.raises(TrainingError) as caught:
        task_of(net, facts(), Recipe(best=Best(by="psnr")))
    assert caught.value.code == "E363"
    assert caught.value.help == "write `best by=accuracy`; there is loss, accuracy, balanced_accuracy, f1"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("a: input [3, 8, 8]; b: input [3, 8, 8]; concat { @a; @b }; conv 4", "has 2 inputs"),
        ("input [12]; fc 3", "which is no image"),
        ("input [4, 8, 8]; conv 3; gap; flatten; fc 3", "images of 4 channels"),
    ],
)
def test_what_takes_no_image_is_refused(steps: str, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        image_size(network(steps), facts(), Recipe())
    assert caught.value.code == "E360"
    assert message in caught.value.message


def test_grey_images_go_into_colour_networks_and_colour_ones_are_made_grey_where_the_recipe_says_so() -> None:
    colour, grey = network(f"{FLAT}; fc 3"), network("input [1, 8, 8]; conv 4; gap; flatten; fc 3")
    assert image_size(colour, facts(channels=1), Recipe()) == (3, 8, 8)
    assert image_size(grey, facts(channels=1), Recipe()) == (1, 8, 8)
    assert image_size(grey, facts(), Recipe(train=(Grey(), Flip()), eval=(Grey(),))) == (1, 8, 8)
    for recipe, missing in (
        (Recipe(), "`images train { grey }` and `images eval { grey }`"),
        (Recipe(eval=(Grey(),)), "by `images train { grey }` in"),
    ):
        with pytest.raises(TrainingError) as caught:
            image_size(grey, facts(), recipe)
        assert caught.value.code == "E360"
        assert missing in caught.value.help
        assert "input [3, 8, 8]" in caught.value.help


def test_a_network_needs_weights_and_a_batch_norm_more_than_one_value() -> None:
    with pytest.raises(TrainingError) as caught:
        check_trainable(network("input [3, 8, 8]; gap; flatten"), 8)
    assert caught.value.code == "E364"
    net = network(f"{FLAT}; fc 3; norm", "")
    check_trainable(net, 2)
    with pytest.raises(TrainingError) as caught:
        check_trainable(net, 1)
    assert caught.value.code == "E365"
    check_trainable(network(f"{IMAGE}; norm; gap; flatten; fc 3"), 1)
