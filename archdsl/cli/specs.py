"""The specs that commands take: by path, `path:model`, bundled name or from stdin, with settings."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from archdsl import compiler
from archdsl.cli.console import complain
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import STDIN
from archdsl.ir.freezing import Freezing
from archdsl.network import Network
from archdsl.specs import find_spec
from archdsl.syntax.parser import MAX_CHARACTERS
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source

FREEZE_OPTION = "--freeze"
"""What messages call the text of the option."""


def load(
    spec: str,
    model: str | None = None,
    input: str | None = None,
    settings: Sequence[str] | None = None,
    freeze: str | None = None,
) -> Network:
    """Compile a model of a spec, with its warnings on stderr.

    Errors: Failure where the spec cannot be read; SystemExit with code 1 after its mistakes are shown
    """
    source, folder, named = find(spec)
    if model and named and model != named:
        raise Failure(f"two models are asked for: `{named}` and `{model}`")
    network = compile_network(source, folder, model or named, input=input, settings=settings)
    return network if freeze is None else frozen(network, freeze)


def frozen(network: Network, freeze: str) -> Network:
    """Return a network with the parts frozen that `--freeze` names.

    Errors: SystemExit with code 1 after it is shown what is wrong with them
    """
    try:
        return network.frozen(Freezing.read(freeze, FREEZE_OPTION))
    except SpecError as error:
        complain(error.diagnostics)
        raise SystemExit(FINDINGS) from None


def drawn_anew(network: Network, new: str) -> tuple[Freezing, ...]:
    """Return the parts of a network that `--new` names.

    Errors: SystemExit with code 1 after it is shown what is wrong with them
    """
    try:
        return network.anew([Freezing.read(new, "--new")])
    except SpecError as error:
        complain(error.diagnostics)
        raise SystemExit(FINDINGS) from None


def compile_network(
    source: Source,
    folder: Path,
    model: str | None,
    *,
    input: str | None = None,
    settings: Sequence[str] | None = None,
) -> Network:
    """Compile a model of a source, with its warnings on stderr.

    Errors: SystemExit with code 1 after its mistakes are shown
    """
    values, shape = parse_settings(settings), parse_shape(input)
    compilation = compiler.compile(source, model, values, shape, folder)
    complain(compilation.diagnostics)
    if has_errors(compilation.diagnostics):
        raise SystemExit(FINDINGS)
    return Network(compilation)


def find(spec: str) -> tuple[Source, Path, str | None]:
    """Return a spec's source, the folder that it may use files of, and the model its name means, if any.

    Errors: Failure
    """
    if spec == "-":
        return _read_stdin(), Path.cwd(), None
    try:
        return find_spec(spec)
    except SpecError as error:
        first = error.diagnostics[0]
        raise Failure(first.message, first.help, first.code) from None


def _read_stdin() -> Source:
    content = sys.stdin.buffer.read(4 * MAX_CHARACTERS + 4)
    try:
        return Source(content.decode("utf-8-sig").replace("\r\n", "\n"), STDIN, Path("/dev/stdin"))
    except UnicodeDecodeError as error:
        raise Failure(f"stdin is no UTF-8 text: {error.reason} at byte {error.start}", code="E004") from None


def parse_pairs(words: Sequence[str] | None, option: str, example: str) -> Mapping[str, str]:
    """Read the `name=value` words of an option.

    Errors: Failure for a word without `=`, and for a name given twice
    """
    found: dict[str, str] = {}
    for word in words or ():
        name, sign, value = (part.strip() for part in word.partition("="))
        if not (name and sign and value):
            raise Failure(f"`{option} {word}` sets nothing", f"write NAME=VALUE, as in {option} {example}")
        if name in found:
            raise Failure(f"`{name}` is set twice: to `{found[name]}` and to `{value}`")
        found[name] = value
    return found


def parse_settings(words: Sequence[str] | None) -> Mapping[str, str]:
    """Read the words of `--set`.

    Errors: Failure
    """
    return parse_pairs(words, "--set", "classes=10")


def parse_shape(text: str | None) -> tuple[int, ...] | None:
    """Read `3x224x224`.

    Errors: Failure
    """
    if text is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,8}([x×,][1-9]\d{0,8})*", text):
        raise Failure(f"`--input {text}` is no shape", "write channels, height and width, as in --input 3x224x224")
    return tuple(int(size) for size in re.split("[x×,]", text))


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Return whether a diagnostic is more than a warning."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
