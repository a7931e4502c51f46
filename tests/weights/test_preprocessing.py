"""How images reached a network, as libraries and runs tell it."""

import pytest
from pydantic import ValidationError

from archdsl.weights.preprocessing import IMAGENET, Preprocessing


def test_figures_follow_for_other_channels_where_anything_follows() -> None:
    grey, one = IMAGENET.for_channels(1), Preprocessing(origin="a", mean=(0.1,), deviation=(0.3,))
    assert grey is not None
    assert (grey.mean, grey.deviation) == ((0.449,), (0.226,))
    assert IMAGENET.for_channels(3) is IMAGENET
    three = one.for_channels(3)
    assert three is not None
    assert (three.mean, three.deviation) == ((0.1,) * 3, (0.3,) * 3)
    assert IMAGENET.for_channels(4) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"mean": (), "deviation": ()},
        {"mean": (0.5,), "deviation": (0.5, 0.5)},
        {"mean": (float("nan"),), "deviation": (1.0,)},
        {"mean": (0.5,), "deviation": (0.0,)},
        {"mean": (0.5,), "deviation": (0.5,), "share": 1.5},
    ],
)
def test_what_is_no_preprocessing_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preprocessing.model_validate({"origin": "a", **facts})


def test_an_interpolation_that_is_unknown_here_is_kept_and_not_used() -> None:
    told = IMAGENET.model_copy(update={"interpolation": "lanczos"})
    assert (told.interpolation, told.filter) == ("lanczos", None)
    assert IMAGENET.model_copy(update={"interpolation": "bicubic"}).filter == "bicubic"
