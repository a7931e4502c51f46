"""Where specs lie and how their text is read."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from archdsl.syntax.parser import MAX_CHARACTERS
from archdsl.text.files import open_plain
from archdsl.text.source import Source

SUFFIX = ".arch"
PRELUDE = "prelude"
"""The name of the bundled file whose names every spec knows."""
_DECLARES_RECIPE = re.compile(r"^recipe[ \t]+([A-Za-z_]\w*)", re.M)
_DECLARES_EXPERIMENT = re.compile(r"^experiment[ \t]+([A-Za-z_]\w*)", re.M)
_DECLARES = re.compile(r"^(?:model|variant)[ \t]+([A-Za-z_]\w*)", re.M)


def bundled_folder() -> Path:
    """Return the folder of the specs that come with archdsl."""
    # A wheel carries the specs inside the package; a checkout has them beside the package.
    packaged = Path(__file__).parents[1] / "_specs"
    return packaged if packaged.exists() else Path(__file__).parents[2] / "specs"


def recipe_folder() -> Path:
    """Return the folder of the recipes that come with archdsl."""
    return bundled_folder() / "recipes"


def experiment_folder() -> Path:
    """Return the folder of the experiments that come with archdsl."""
    packaged = Path(__file__).parents[1] / "_experiments"
    return packaged if packaged.exists() else Path(__file__).parents[2] / "experiments"


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a spec's text. Raises OSError, or UnicodeDecodeError for what is no UTF-8 text."""
    with open_plain(path) as file:
        content = file.read(4 * MAX_CHARACTERS + 4)
    if len(content) > 4 * MAX_CHARACTERS:
        content = content[: MAX_CHARACTERS + 1]
        return Source(content.decode("utf-8", errors="replace"), name or str(path), path)
    return Source(content.decode("utf-8-sig").replace("\r\n", "\n"), name or str(path), path)


def declared_models(text: str) -> list[str]:
    """List the names of a spec's models without parsing it."""
    return _DECLARES.findall(text)


def declared_recipes(text: str) -> list[str]:
    """List the names of a spec's recipes without parsing it."""
    return _DECLARES_RECIPE.findall(text)


def declared_experiments(text: str) -> list[str]:
    """List the names of a spec's experiments without parsing it."""
    return _DECLARES_EXPERIMENT.findall(text)


def bundled_file_of(model: str) -> Path | None:
    """Return the bundled spec that declares a model or variant."""
    return next((path for path in _bundled_specs() if model in _models_in(path, path.stat().st_mtime_ns)), None)


def bundled_names() -> list[str]:
    """List the models and variants of the bundled specs, those that need arguments too."""
    return [name for path in _bundled_specs() for name in _models_in(path, path.stat().st_mtime_ns)]


def _bundled_specs() -> list[Path]:
    """Return the paths of the bundled specs; comparing names takes a third of the time of comparing paths."""
    return sorted(bundled_folder().glob(f"*{SUFFIX}"), key=lambda path: path.name)


@lru_cache(maxsize=256)
def _models_in(path: Path, _changed: int) -> tuple[str, ...]:
    """Return the names of a file's models, read again when it has changed."""
    return tuple(declared_models(read_source(path).text))


def specs_in(folder: Path | None) -> set[str]:
    """List the specs in a folder by the names that `use` has for them."""
    try:
        return {path.stem for path in folder.glob(f"*{SUFFIX}")} - {PRELUDE} if folder is not None else set()
    except OSError:
        return set()
