"""Weights that torchvision and timm know the addresses of: the name of each file, where it is, and its images."""

# What these libraries publish is partly untyped, and what is not of theirs may be absent.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pydantic import ValidationError

from archdsl.text.failure import require
from archdsl.text.suggest import nearest
from archdsl.weights.error import WeightsError
from archdsl.weights.fetch import AbsentError, UnreachableError, fetch, probe
from archdsl.weights.preprocessing import Preprocessing

_DIGEST = re.compile(r"-([0-9a-f]{8,64})\.")
"""What torch.hub takes from a file's name: the beginning of its SHA-256."""
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
_MOST_LISTED = 12
_BY_HAND = "fetch it where there is a network, and put it there; or give it by itself: `--weights FILE`"


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A file of weights: in the cache of the library that knows it, or fetched into it."""

    path: Path
    preprocessing: Preprocessing | None


def torchvision_weights(name: str) -> PublishedWeights:
    """Find weights of torchvision by `resnet50`, which are its default ones, or `ResNet50_Weights.IMAGENET1K_V2`.

    Errors: WeightsError where there are none of that name, or they are neither here nor reached; Failure without it
    """
    require("torch", "torchvision", extra="train")
    from archdsl.weights.vision import import_torchvision

    models = _imported("torchvision", lambda: import_torchvision().models)
    entry = _entry(models, name)
    known = f"torchvision:{type(entry).__name__}.{entry.name}"
    path = _from_address(known, str(entry.url))
    return PublishedWeights(path, _torchvision_images(known, entry))


def timm_weights(name: str) -> PublishedWeights:
    """Find weights of timm by `resnet50.a1_in1k`, or `resnet50` for its default ones.

    Errors: WeightsError as above; Failure without timm
    """
    require("torch", "torchvision", extra="train")
    from archdsl.weights.vision import import_torchvision

    _imported("torchvision", import_torchvision)  # timm imports it too, and has no way round
    timm = _imported("timm", lambda: import_module("timm"))
    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        config = None
    if config is None:
        model, _, tag = name.partition(".")
        tagged = timm.list_pretrained(f"{model}.*") if tag and timm.is_model(model) else []
        _unknown("timm", name, tagged or timm.list_models(), "timm.list_pretrained()")
    tagged = ".".join(part for part in (config.architecture, config.tag) if part)
    known = f"timm:{tagged}"
    if config.custom_load or not (config.hf_hub_id or config.url):
        fact = (
            f"`{known}` is in a form that only timm reads" if config.custom_load else f"timm has no weights `{known}`"
        )
        help = "load them by timm, and save them: `torch.save(model.state_dict(), path)`"
        raise WeightsError(fact, help if config.custom_load else "`timm.list_pretrained()` lists those it has")
    path = _from_hub(known, tagged, config) if config.hf_hub_id else _from_address(known, str(config.url))
    return PublishedWeights(path, _timm_images(known, config))


def _imported(package: str, load: Any) -> Any:
    """Import a package, which beside another build of torch may fail in any way."""
    try:
        return load()
    except ImportError as error:
        reason, help = f"{error}", f"run `pip install {package}`"
    except Exception as error:  # noqa: BLE001 -- whatever its own code raises
        reason, help = f"{type(error).__name__}: {error}", f"install a {package} that goes with this torch"
    told = " ".join(reason.split())
    raise WeightsError(f"{package}, which knows these weights, cannot be imported: {told}", f"{help}; or {_GIVE}")


_GIVE = "give the file by itself: `--weights FILE`"


def _entry(models: Any, name: str) -> Any:
    """Return a member of one of torchvision's WeightsEnum."""
    first, _, second = name.partition(".")
    try:
        if first.endswith("_Weights"):
            return models.get_weight(name if second else f"{name}.DEFAULT")
        every = models.get_model_weights(first)
    except (ValueError, KeyError, AttributeError):
        listed = [one for model in models.list_models() for one in (model, *map(str, models.get_model_weights(model)))]
        _unknown("torchvision", name, listed, "torchvision.models.list_models()")
    try:
        return every[second or "DEFAULT"]
    except KeyError:
        _unknown("torchvision", name, [f"{first}.{one}" for one in every.__members__], f"list({every.__name__})")


def _unknown(library: str, name: str, known: Iterable[str], listing: str) -> NoReturn:
    listed = list(known)
    near = nearest(name, listed)
    few = ", ".join(f"`{library}:{one}`" for one in listed) if 0 < len(listed) <= _MOST_LISTED else ""
    help = f"the nearest is `{library}:{near}`" if near else f"there is {few}" if few else f"`{listing}` lists them"
    raise WeightsError(f"{library} knows no weights `{name}`", help)


def _from_address(known: str, url: str) -> Path:
    """Return the file of an address in torch's cache, fetched if it is not there."""
    target = _torch_cache() / Path(urlsplit(url).path).name
    if target.is_file():
        return target
    digest = _DIGEST.search(target.name)
    try:
        fetch(url, target, digest[1] if digest else "")
    except UnreachableError as error:
        raise _unreached(known, url, error, target) from None
    return target


def _from_hub(known: str, tagged: str, config: Any) -> Path:
    """Return a file of the Hugging Face hub: from its cache, torch's, or fetched by its own library."""
    own = [_torch_cache() / f"{tagged}{Path(name).suffix}" for name in _HUB_FILES]
    own += [_torch_cache() / Path(urlsplit(str(config.url)).path).name] if config.url else []
    names = [config.hf_hub_filename] if config.hf_hub_filename else list(_HUB_FILES)
    hub = _imported("huggingface_hub", lambda: import_module("huggingface_hub"))
    cached = [Path(found) for name in names if isinstance(found := _in_cache(hub, config, name), str)]
    here = next((path for path in (*cached, *own) if path.is_file()), None)
    if here is not None:
        return here
    url = str(hub.hf_hub_url(config.hf_hub_id, names[0]))
    if hub.constants.HF_HUB_OFFLINE:
        raise _unreached(known, url, UnreachableError("HF_HUB_OFFLINE is set"), own[0])
    try:
        for name in names:
            url = str(hub.hf_hub_url(config.hf_hub_id, name))
            try:
                probe(url)  # for the library tries six times, in half a minute, and says so in its own words
            except AbsentError:
                if name == names[-1]:
                    raise
                continue
            return _checked(Path(hub.hf_hub_download(config.hf_hub_id, name, library_name="archdsl")), url)
    except UnreachableError as error:
        raise _unreached(known, url, error, own[0]) from None
    except WeightsError:
        raise
    except Exception as error:  # noqa: BLE001 -- what goes wrong in the hub's library has many types
        raise _unreached(known, url, UnreachableError(" ".join(str(error).split())[:200]), own[0]) from None
    raise AssertionError("there is always a last name")


def _in_cache(hub: Any, config: Any, name: str) -> object:
    return hub.try_to_load_from_cache(config.hf_hub_id, name)


def _checked(path: Path, url: str) -> Path:
    """Check a file of the hub, which keeps large ones under their SHA-256."""
    from hashlib import file_digest

    stored = path.resolve()
    if re.fullmatch(r"[0-9a-f]{64}", stored.name):
        with stored.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != stored.name:
            stored.unlink()
            raise WeightsError(f"what `{url}` gives is damaged: its SHA-256 is another", "try again")
    return path


def _torch_cache() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"


def _unreached(known: str, url: str, error: Exception, target: Path) -> WeightsError:
    fact = f"the weights `{known}` are not here, and `{url}` cannot be reached: {error}"
    return WeightsError(fact, f"the file is to be `{target}`; {_BY_HAND}")


def _torchvision_images(known: str, entry: Any) -> Preprocessing | None:
    """Return what torchvision does to images before these weights; None where its networks do it themselves."""
    made = entry.transforms()
    mean, deviation = getattr(made, "mean", None), getattr(made, "std", None)
    if mean is None or deviation is None:
        return None
    cut, whole = _sides(getattr(made, "crop_size", None)), _sides(getattr(made, "resize_size", None))
    share = cut[0] / whole[0] if cut and whole and 0 < cut[0] <= whole[0] else None
    interpolation = getattr(getattr(made, "interpolation", None), "value", None)
    facts = {"mean": tuple(mean), "deviation": tuple(deviation), "size": cut or None, "share": share}
    return _made({"origin": known, **facts, "interpolation": interpolation})


def _sides(size: Any) -> tuple[int, int] | None:
    """Return a height and width: of a number, or of one or two in a list."""
    numbers = [size] if isinstance(size, int) else list(size or ())
    return (int(numbers[0]), int(numbers[-1])) if numbers else None


def _timm_images(known: str, config: Any) -> Preprocessing | None:
    cut = config.crop_mode == "center" and 0 < config.crop_pct <= 1
    facts = {"mean": tuple(config.mean), "deviation": tuple(config.std), "size": tuple(config.input_size[1:])}
    share = config.crop_pct if cut else None
    return _made({"origin": known, **facts, "share": share, "interpolation": config.interpolation})


def _made(facts: Mapping[str, object]) -> Preprocessing | None:
    try:
        return Preprocessing.model_validate(facts)
    except ValidationError:
        return None  # of another library's making, and of no use here
