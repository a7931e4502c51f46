"""Finding specs: by path, by bundled name, as a file's model, or as a text."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten

from archdsl.lower.plan import models_of
from archdsl.semantics.files import SUFFIX, bundled_file_of, bundled_folder, read_source
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest


def read_spec(spec: str | Path | Source) -> tuple[Source, Path | None, str | None]:
    """Return a spec's source, its folder if it has one, and the model that its name means, if it means one.

    A `Source` is the spec itself, a `Path` its file, and a `str` what `find_spec` finds.
    Errors: SpecError if there is none, or if it cannot be read; TypeError for what is none of these
    """
    if isinstance(spec, Source):
        if not (_is_str(spec.text) and _is_str(spec.name)):
            raise TypeError("the text and the name of a Source are of type str")
        return spec, None, None
    if isinstance(spec, Path):
        return _read(spec), spec.parent, None
    if not _is_str(spec):
        raise TypeError(f"a spec is a str, a Path or a Source, and no {type(spec).__name__}")
    return find_spec(spec)


def _is_str(given: object) -> bool:
    """Return whether a user gave what the types ask for."""
    return isinstance(given, str)


def find_spec(text: str) -> tuple[Source, Path, str | None]:
    """Find a spec by path, by bundled name (of a file or of a model in one), or as a file's model, `file:model`.

    Returns its source, its folder, and the model that the name means, if it means one.
    Errors: SpecError if there is none, if it cannot be read, or if what should name it is a spec's text
    """
    if not text.strip():
        raise _failure("E114", "the name of a spec is empty", "<spec>", "`archdsl list` shows the bundled ones")
    path, model = Path(text), None
    is_too_long = len(text) > _LONGEST_PATH or any(
        len(part.encode(errors="replace")) > _LONGEST_NAME for part in path.parts
    )
    is_file = not is_too_long and path.is_file()
    if not is_file and ("\n" in text or "{" in text):
        help = (
            "give a text as `archdsl.Source(text)`: `archdsl.load(archdsl.Source(text))`, and on the command line `-`"
        )
        shown = shorten(text, 60, placeholder=" …")
        raise _failure("E124", "a text stands where a spec is named", "<spec>", help, shown)
    if is_too_long:
        raise _failure("E114", "no path and no name is that long", f"{text[:40]}…")
    if not is_file and ":" in text:
        head, _, model = text.rpartition(":")
        path = Path(head)
        if not head:
            raise _failure("E114", f"no spec is named before the colon of `{text}`", text, f"write `SPEC:{model}`")
        if not model:
            raise _failure("E114", f"no model is named behind the colon of `{text}`", text, f"write `{head}:NAME`")
    if path.is_file() or path.suffix == SUFFIX or "/" in str(path):
        return _read(path), path.parent, model
    name = str(path)
    own = bundled_folder() / f"{name}{SUFFIX}"
    if own.is_file():
        return _read(own, own.name), own.parent, model
    candidate = bundled_file_of(name)
    if candidate is not None:
        if model is not None:
            help = f"the file that declares it is `{candidate.stem}`"
            raise _failure("E114", f"`{name}` is a model, and no file that has any", text, help)
        return _read(candidate, candidate.name), candidate.parent, name
    if path.is_dir():
        raise _failure("E114", f"`{name}` is a folder", text, f"name the files in it: `{name}/*{SUFFIX}`")
    bundled = bundled_models()
    near = nearest(name, [*(name for name, _ in bundled if model is None), *(path.stem for _, path in bundled)])
    help = f"the nearest bundled one is `{near}`" if near else "`archdsl list` shows the bundled ones"
    raise _failure("E114", f"no file and no bundled spec is called `{name}`", text, help)


_LONGEST_PATH = 1000
# In bytes. Systems have 255 for a file's name, of which the suffix takes some.
_LONGEST_NAME = 240


def _read(path: Path, name: str | None = None) -> Source:
    try:
        return read_source(path, name)
    except UnicodeDecodeError as error:
        raise _failure("E004", f"`{path}` is no UTF-8 text: {error.reason} at byte {error.start}", str(path)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _failure("E114", f"`{path}` cannot be read: {reason}", str(path), _beside(path)) from None
    except ValueError:  # a path with a null byte, or with what its encoding has no bytes for
        raise _failure("E114", f"`{path}` cannot be read: no file is called that", str(path)) from None


def _beside(path: Path) -> str:
    """Offer the spec beside a path whose name is nearest."""
    try:
        near = nearest(path.name, [other.name for other in path.parent.glob(f"*{SUFFIX}")])
    except (OSError, ValueError):
        return ""
    return f"the nearest file is `{path.with_name(near)}`" if near and near != path.name else ""


def _failure(code: str, message: str, name: str, help: str = "", text: str = "") -> SpecError:
    report = Reporter()
    report.error(code, message, Span(0, len(text), Source(text, name)), help=help)
    return SpecError(report.diagnostics)


def bundled_models() -> list[tuple[str, Path]]:
    """List the models of the bundled specs that need no further arguments, with their files."""
    found: list[tuple[str, Path]] = []
    for path in sorted(bundled_folder().glob(f"*{SUFFIX}")):
        found += [(name, path) for name in models_of(_read(path, path.name), path.parent)]
    return found
