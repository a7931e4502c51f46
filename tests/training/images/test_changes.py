"""The changes of recipes, held against torchvision's, and one image against many."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from archdsl.recipes.images import (
    CHANGES,
    Color,
    Erase,
    Flip,
    Grey,
    ImageChange,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Rotate,
    ShiftPixels,
    TestCrop,
    VerticalFlip,
)
from archdsl.training.data.dataset import BadSampleError
from archdsl.training.images.changes import Together, _box, carry_out, numbers_needed, resized
from archdsl.training.images.randomness import epoch_seed, mixed, uniform
from archdsl.training.vision import functional

pytestmark = pytest.mark.torch
RANDOM = [
    RandomResizedCrop(), RandomCrop(pad=0.25), Flip(), VerticalFlip(), ShiftPixels(most=0.25), Rotate(degrees=45),
    Color(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2), Erase(probability=0.7),
]  # fmt: skip
FIXED = [Resize(ratio=1.3), TestCrop(), Grey()]
SIZE = (12, 10)


def images(count: int = 16, channels: int = 3, height: int = 14, width: int = 18) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator)


def numbers(change: ImageChange, count: int = 16) -> Tensor:
    return uniform(0, 1, torch.arange(count), 0, numbers_needed(change))


def done(change: ImageChange, tensor: Tensor, rows: Tensor | None = None, joint: Tensor | None = None) -> Together:
    return carry_out(change, Together(tensor, joint), numbers(change, len(tensor)) if rows is None else rows, SIZE)


def test_every_change_of_the_recipes_is_carried_out() -> None:
    for change in CHANGES:
        found = done(change(), images())
        assert (found.images.dtype, len(found.images)) == (torch.uint8, 16)


@pytest.mark.parametrize("change", [*RANDOM, *FIXED], ids=lambda change: type(change).__name__)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_changed_in_company_as_it_is_alone(change: ImageChange, channels: int) -> None:
    whole, rows = images(channels=channels), numbers(change)
    together = done(change, whole, rows).images
    alone = [done(change, whole[i : i + 1], rows[i : i + 1]).images for i in range(len(whole))]
    assert together.equal(torch.cat(alone))


@pytest.mark.parametrize("change", RANDOM, ids=lambda change: type(change).__name__)
def test_random_changes_differ_between_images(change: ImageChange) -> None:
    same = images(1).expand(16, -1, -1, -1)
    assert len(torch.unique(done(change, same).images, dim=0)) > 1


@pytest.mark.parametrize("change", RANDOM[:6] + FIXED[:2], ids=lambda change: type(change).__name__)
def test_masks_keep_the_geometry_of_their_images(change: ImageChange) -> None:
    # Blocks large enough that most pixels are of one block, whatever the interpolation.
    blocks = torch.randint(0, 3, (8, 1, 4, 4), generator=torch.Generator().manual_seed(1))
    mask = blocks.repeat_interleave(16, 2).repeat_interleave(16, 3)
    found = carry_out(change, Together((mask * 100 + 20).to(torch.uint8), mask), numbers(change, 8), (64, 64))
    assert found.joint is not None
    assert found.joint.shape == found.images.shape
    inside = found.joint != 255
    near = (found.images.long() - (found.joint * 100 + 20)).abs() <= 1
    assert float((near | ~inside).float().mean()) > 0.85
    assert set(found.joint.unique().tolist()) <= {0, 1, 2, 255}
    if not isinstance(change, RandomCrop | ShiftPixels | Rotate):
        assert inside.all()


def test_colours_are_changed_as_torchvision_changes_them() -> None:
    image = images(1, height=40, width=40)
    # The last number chooses the order; the first four the factors.
    for place, (setting, way) in enumerate(
        (
            ("brightness", functional.adjust_brightness),
            ("contrast", functional.adjust_contrast),
            ("saturation", functional.adjust_saturation),
        )
    ):
        for share in (0.0, 0.3, 0.9):
            row = torch.zeros(1, 5, dtype=torch.float64)
            row[0, place] = share
            found = done(Color(**{setting: 0.4}), image, row).images
            assert (found.int() - way(image, 0.6 + 0.8 * share).int()).abs().max() <= 1
    row = torch.full((1, 5), 0.75, dtype=torch.float64)
    assert done(Color(hue=0.2), image, row).images.equal(functional.adjust_hue(image, 0.1))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.77])
def test_images_are_turned_as_torchvision_turns_them(share: float) -> None:
    image = images(3)
    row = torch.full((3, 1), share, dtype=torch.float64)
    mode = functional.InterpolationMode.BILINEAR
    theirs = functional.rotate(image, (2 * share - 1) * 30, interpolation=mode)
    assert (done(Rotate(degrees=30), image, row).images.int() - theirs.int()).abs().max() <= 1


def test_a_box_has_the_area_and_the_shape_asked_for() -> None:
    change = RandomResizedCrop(area=(0.2, 0.5), shape=(0.5, 2.0))
    for row in uniform(0, 1, torch.arange(300), 0, 40).tolist():
        top, left, height, width = _box(change, (100, 140), row)
        assert 0 <= top <= 100 - height
        assert 0 <= left <= 140 - width
        assert 0.17 <= height * width / 14000 <= 0.53
        assert 0.45 <= width / height <= 2.1
    assert _box(RandomResizedCrop(area=(5.0, 6.0)), (10, 30), [0.5] * 40) == (0, 8, 10, 13)


def test_a_resize_covers_the_networks_size_and_keeps_the_shape() -> None:
    assert done(Resize(), images(height=40, width=20)).images.shape[-2:] == (20, 10)
    assert done(Resize(ratio=2.0), images(height=24, width=40)).images.shape[-2:] == (24, 40)
    with pytest.raises(BadSampleError):
        done(Resize(), images(1, height=1, width=10_000_000 // 12))


def test_a_test_crop_is_the_middle() -> None:
    image = images(height=24, width=20)
    assert done(TestCrop(share=0.5), image).images.equal(image[:, :, 6:18, 5:15])
    assert done(TestCrop(share=1.0), image[:, :, :12, :10]).images.equal(image[:, :, :12, :10])


def test_a_shift_moves_by_whole_pixels_and_zeros_come_in() -> None:
    image = images(1)
    row = torch.tensor([[0.0, 0.999]], dtype=torch.float64)
    found = done(ShiftPixels(most=0.25), image, row).images
    reach = (round(14 * 0.25), round(18 * 0.25))
    moved = torch.zeros_like(image)
    moved[:, :, reach[0] :, : -reach[1]] = image[:, :, : -reach[0], reach[1] :]
    assert found.equal(moved)


def test_a_random_crop_of_a_small_image_enlarges_it_first() -> None:
    assert done(RandomCrop(pad=0.1), images(height=5, width=5)).images.shape[-2:] == SIZE


def test_random_numbers_are_even_and_depend_on_all_that_they_should() -> None:
    found = uniform(1, 2, torch.arange(20_000), 3, 2)
    assert (found.dtype, found.shape) == (torch.float64, (20_000, 2))
    assert 0 <= float(found.min()) < float(found.max()) < 1
    counts = np.histogram(found.numpy().ravel(), bins=20, range=(0, 1))[0]
    assert counts.min() > 1800
    assert abs(float(torch.corrcoef(found.T)[0, 1])) < 0.03
    assert abs(float(torch.corrcoef(torch.stack([found[:-1, 0], found[1:, 0]]))[0, 1])) < 0.03
    row = torch.tensor([5])
    others = [
        (1, 2, row, 3),
        (2, 2, row, 3),
        (1, 3, row, 3),
        (1, 2, row + 1, 3),
        (1, 2, row, 4),
        (2**63 - 1, 2, row, 3),
    ]
    assert len({float(uniform(*given, 1)) for given in others}) == len(others)
    assert uniform(1, 2, torch.tensor([7, 5]), 3, 2)[1].equal(uniform(1, 2, row, 3, 2)[0])
    assert len({epoch_seed(seed, epoch) for seed in range(50) for epoch in range(50)}) == 2500
    assert mixed(0) == 0xE220A8397B1DCDAF


@pytest.mark.parametrize("size", [(1, 1), (7, 1), (30, 1), (1, 7), (2, 1)])
@pytest.mark.parametrize("before", [(20, 20), (2, 20), (20, 1)])
def test_a_single_column_or_row_is_resized_as_all_else(before: tuple[int, int], size: tuple[int, int]) -> None:
    """Torch has other ways for bytes, which are wrong there."""
    images = torch.randint(0, 256, (2, 3, *before), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    floats = functional.resize(images.float(), list(size), antialias=True)
    assert resized(Together(images), size).images.sub(floats).abs().max() <= 0.51
    change = RandomResizedCrop(area=(1, 1), shape=(0.01, 100))
    numbers = torch.full((2, numbers_needed(change)), 0.5, dtype=torch.float64)
    assert carry_out(change, Together(images), numbers, size).images.shape == (2, 3, *size)
