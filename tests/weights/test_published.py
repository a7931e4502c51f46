"""Weights that torchvision and timm publish: from their caches, or with the address and the place of what is absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from archdsl.weights import published
from archdsl.weights.error import WeightsError
from archdsl.weights.fetch import AbsentError, UnreachableError
from archdsl.weights.origin import is_published, resolve_weights
from archdsl.weights.published import timm_weights, torchvision_weights
from tests.peers import timm

pytestmark = pytest.mark.torch

Unreached = Callable[[str], list[str]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of torch's cache, and let no address answer."""
    import huggingface_hub.constants as constants

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def silent(*_: object) -> None:
        raise UnreachableError("name or service not known")

    monkeypatch.setattr(published, "fetch", silent)
    monkeypatch.setattr(published, "probe", silent)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def in_hub(cache: Path, repository: str, name: str) -> Path:
    """Put a file into the cache of the Hugging Face hub."""
    home = cache.parents[2] / "hub" / f"models--{repository.replace('/', '--')}"
    path = home / "snapshots" / "0" / name
    path.parent.mkdir(parents=True)
    path.touch()
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0")
    return path


@pytest.mark.parametrize(
    ("name", "file", "known", "share"),
    [
        ("resnet50", "resnet50-11ad3fa6.pth", "ResNet50_Weights.IMAGENET1K_V2", 224 / 232),
        ("resnet50.IMAGENET1K_V1", "resnet50-0676ba61.pth", "ResNet50_Weights.IMAGENET1K_V1", 224 / 256),
        ("ResNet50_Weights.IMAGENET1K_V1", "resnet50-0676ba61.pth", "ResNet50_Weights.IMAGENET1K_V1", 224 / 256),
        ("ResNet50_Weights", "resnet50-11ad3fa6.pth", "ResNet50_Weights.IMAGENET1K_V2", 224 / 232),
    ],
)
def test_torchvision_s_are_in_torch_s_cache(cache: Path, name: str, file: str, known: str, share: float) -> None:
    (cache / file).touch()
    found = torchvision_weights(name)
    assert found.path == cache / file
    told = found.preprocessing
    assert told is not None
    assert (told.origin, told.size, told.share) == (f"torchvision:{known}", (224, 224), share)
    assert (told.mean, told.deviation) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert told.interpolation == "bilinear"


def test_timm_s_are_in_the_hub_s_cache_or_torch_s(cache: Path) -> None:
    by_hand = cache / "resnet50.a1_in1k.safetensors"
    by_hand.touch()
    assert timm_weights("resnet50.a1_in1k").path == by_hand
    old = cache / "resnet50_a1_0-14fe96d1.pth"
    by_hand.rename(old)
    assert timm_weights("resnet50").path == old
    kept = in_hub(cache, "timm/resnet50.a1_in1k", "model.safetensors")
    found = timm_weights("resnet50")
    assert found.path == kept
    told = found.preprocessing
    assert told is not None
    assert (told.origin, told.size, told.share) == ("timm:resnet50.a1_in1k", (224, 224), 0.95)
    assert told.interpolation == "bicubic"


@pytest.mark.parametrize(
    ("name", "file", "address"),
    [
        ("torchvision:resnet50", "resnet50-11ad3fa6.pth", "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"),
        (
            "timm:resnet50.a1_in1k",
            "resnet50.a1_in1k.safetensors",
            "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors",
        ),
    ],
)
def test_without_a_network_the_address_and_the_place_are_told(cache: Path, name: str, file: str, address: str) -> None:
    with pytest.raises(WeightsError) as caught:
        resolve_weights(name)
    assert f"`{address}` cannot be reached: name or service not known" in caught.value.message
    assert f"`{cache / file}`" in caught.value.help
    (cache / file).touch()
    assert resolve_weights(name).path == cache / file


def test_a_file_of_torchvision_is_fetched_with_its_digest(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(published, "fetch", lambda *given: asked.append(given))  # pyright: ignore[reportUnknownLambdaType,reportUnknownArgumentType]
    torchvision_weights("resnet18")
    assert asked == [
        ("https://download.pytorch.org/models/resnet18-f37072fd.pth", cache / "resnet18-f37072fd.pth", "f37072fd")
    ]


def test_a_file_of_the_hub_is_fetched_by_its_library_under_the_first_name_it_has(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def probe(url: str) -> None:
        if url.endswith(".safetensors"):
            raise AbsentError("it answers 404")

    monkeypatch.setattr(published, "probe", probe)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda _repository, name, **_: str(cache / name))
    assert timm_weights("resnet50").path == cache / "pytorch_model.bin"


def test_a_damaged_file_of_the_hub_is_not_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    blob = cache / ("0" * 64)
    blob.write_bytes(b"others")
    monkeypatch.setattr(published, "probe", lambda _url: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: str(blob))
    with pytest.raises(WeightsError, match="SHA-256"):
        timm_weights("resnet50")
    assert not blob.exists()


def test_what_the_hub_s_library_raises_is_no_traceback(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: object, **__: object) -> str:
        raise ValueError("broken pipe")

    monkeypatch.setattr(published, "probe", lambda _url: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(WeightsError, match="cannot be reached: broken pipe"):
        timm_weights("resnet50")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("torchvision:resnet5", "the nearest is `torchvision:resnet50`"),
        ("torchvision:ResNet50_Weights.IMAGENET1K_V5", "the nearest is `torchvision:ResNet50_Weights.IMAGENET1K_V"),
        ("torchvision:resnet50.V2", "there is `torchvision:resnet50.IMAGENET1K_V1`"),
        ("torchvision:", "torchvision.models.list_models"),
        ("torchvision:../../a", "torchvision.models.list_models"),
        ("timm:resnet5x", "the nearest is `timm:resnet50`"),
        ("timm:resnet18.a2_in1kk", "the nearest is `timm:resnet18.a2_in1k`"),
        ("timm:", "timm.list_pretrained"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(cache: Path, name: str, told: str) -> None:
    with pytest.raises(WeightsError, match=told):
        resolve_weights(name)


def test_a_form_that_only_timm_reads_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimpleNamespace(architecture="a", tag="b", custom_load=True, hf_hub_id="a/b", url=None)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda *_, **__: config)
    with pytest.raises(WeightsError, match="only timm reads"):
        timm_weights("a.b")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ImportError("no _lzma"), "cannot be imported: no _lzma; run `pip install torchvision`"),
        (RuntimeError("operator torchvision::nms is odd"), "install a torchvision that goes with this torch"),
    ],
)
def test_a_library_that_does_not_import_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    from archdsl.weights import vision

    def fail() -> None:
        raise error

    monkeypatch.setattr(vision, "import_torchvision", fail)
    for name in ("torchvision:resnet50", "timm:resnet50"):
        with pytest.raises(WeightsError, match=told):
            resolve_weights(name)


def test_files_go_before_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_published("timm:resnet50")
    assert not any(map(is_published, ("a.pth", "a:b", "C:\\a.pth", "runs/a")))
    Path("timm:resnet50").touch()
    assert resolve_weights("timm:resnet50").path == Path("timm:resnet50")
    assert resolve_weights(Path("torchvision:a")).path == Path("torchvision:a")
