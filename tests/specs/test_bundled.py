"""What holds for every bundled spec: it compiles, stays readable, and its settings change what they name."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.checking import check
from archdsl.ops import OPS
from archdsl.semantics.files import bundled_folder, read_source
from archdsl.specs import bundled_models

FILES = sorted(bundled_folder().glob("*.arch"))
NAME_MAPS = sorted((bundled_folder() / "keys").glob("*.arch"))
# The classifiers of torchvision that consist of convolutions.
TORCHVISION_FAMILIES = (
    "alexnet", "convnext", "densenet", "efficientnet", "efficientnet_v2", "googlenet", "inception_v3", "mnasnet",
    "mobilenet_v2", "mobilenet_v3", "regnet", "resnet", "shufflenet_v2", "squeezenet", "vgg",
)  # fmt: skip
CLASSIFIERS = {
    "alexnet", "convnext", "densenet", "efficientnet", "efficientnet_v2", "googlenet", "inception_v3", "mnasnet",
    "mobilenet_v2", "mobilenet_v3", "plain", "preresnet", "regnet", "resnet", "resnet_cifar", "shufflenet_v2",
    "squeezenet", "vgg",
}  # fmt: skip
# Those of thousands of steps say nothing that their smaller kin do not.
DEEP = {"resnet1202_cifar", "preresnet1001_cifar"}
NAMES = [name for name, path in bundled_models() if path.stem in CLASSIFIERS and name not in DEEP]
every = pytest.mark.parametrize("name", NAMES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_reads_on_one_screen_and_says_where_it_comes_from(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("## ")
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120


def test_torchvisions_families_take_less_than_600_lines_together() -> None:
    texts = [(bundled_folder() / f"{name}.arch").read_text(encoding="utf-8") for name in TORCHVISION_FAMILIES]
    assert sum(len(text.splitlines()) for text in texts) < 600


@pytest.mark.parametrize("path", [*FILES, *NAME_MAPS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_file_has_a_diagnostic(path: Path) -> None:
    assert check(read_source(path, path.name), bundled_folder()) == ()


@pytest.mark.parametrize("path", NAME_MAPS, ids=lambda path: path.stem)
def test_a_family_has_the_name_maps_of_the_file_called_after_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    origins = {line.split()[1] for line in lines if line.startswith("keys ")}
    name = next(name for name, home in bundled_models() if home.stem == path.stem)
    assert {key_map.origin for key_map in archdsl.load(name).key_maps} == origins != set()
    assert max(map(len, lines)) <= 120


@every
def test_classes_and_channels_change_the_ends_alone(name: str) -> None:
    usual = archdsl.load(name)
    (image,) = usual.inputs.values()
    other = archdsl.load(name, classes=7, channels=1)
    assert other.outputs["output"] == (7,)
    assert next(iter(other.inputs.values())) == (1, *image[1:])
    pairs = zip(usual.costs.nodes, other.costs.nodes, strict=True)
    nodes = [(a.path, a.op) for a, b in pairs if a.parameters != b.parameters]
    first = next(node.path for node in usual.costs.nodes if node.parameters)
    assert {path for path, _ in nodes} >= {first}
    assert len(nodes) <= 4
    assert {op for _, op in nodes} <= {"conv", "fc"}


NORMS = {word for word, op in OPS.items() if op.category == "norm"} - {"lrn"}


@every
def test_another_norm_replaces_every_one(name: str) -> None:
    before = archdsl.load(name).costs.nodes
    if not any(node.op in NORMS for node in before):
        with pytest.raises(archdsl.SpecError, match="E125"):
            archdsl.load(name, norm="group(1)")
        return
    after = archdsl.load(name, norm="group(1)").costs.nodes
    assert [node.path for node in before] == [node.path for node in after]
    swapped = {a.op for a, b in zip(before, after, strict=True) if a.op != b.op}
    assert swapped <= {"batch", "layer"}
    assert not any(node.op == "batch" for node in after)
