"""The file of published accuracies, against torchvision's own and against itself."""

from __future__ import annotations

import json
from math import isnan

import pytest

from archdsl.cli.published import IMAGENET, Published, best_of, read_published
from archdsl.semantics.files import bundled_folder
from archdsl.specs import bundled_models


def test_every_result_is_of_a_bundled_network_and_every_source_is_used() -> None:
    content = json.loads((bundled_folder() / "published.json").read_text(encoding="utf-8"))
    assert content["networks"].keys() <= {name for name, _ in bundled_models()}
    used = {entry["source"] for entries in content["networks"].values() for entry in entries}
    assert used == content["sources"].keys()


def test_every_result_is_an_accuracy() -> None:
    for name, results in read_published().items():
        assert results, name
        for one in results:
            assert 50 < one.top1 < (one.top5 or 100) <= 100, name
            assert one.data in (IMAGENET, "CIFAR-10")
            assert (one.weights is None) == (one.file is None)
            assert one.input >= 32


@pytest.mark.torch
def test_torchvisions_results_are_those_of_its_metadata() -> None:
    from tests.peers import torchvision

    published = read_published()
    checked = 0
    for name, _ in bundled_models():
        if name not in torchvision.models.list_models(module=torchvision.models):
            continue
        ours = {one.weights: one for one in published[name]}
        for weights in torchvision.models.get_model_weights(name):
            metrics = weights.meta["_metrics"]["ImageNet-1K"]
            if isnan(metrics["acc@1"]):
                continue  # weights for another task
            one = ours[weights.name]
            assert (one.top1, one.top5) == (metrics["acc@1"], metrics["acc@5"])
            assert one.file == weights.url.rpartition("/")[2]
            assert one.input == weights.transforms.keywords["crop_size"]
            assert (one.pretrained_on is not None) == ("SWAG" in weights.name)
            checked += 1
    assert checked > 80


def test_the_best_is_of_the_same_images_and_of_training_on_them_alone() -> None:
    plain = Published(80.0, IMAGENET, 224, "a")
    better = Published(81.0, IMAGENET, 224, "a")
    larger = Published(90.0, IMAGENET, 384, "a")
    helped = Published(85.0, IMAGENET, 224, "a", pretrained_on="more")
    assert best_of([plain, better, larger, helped], 224) is better
    assert best_of([larger, helped], 224) is helped
    assert best_of([larger], 224) is larger
    assert best_of([], 224) is None
