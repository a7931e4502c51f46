"""What `weights --write-keys` does: the rules for guessed renames, put into the spec's own file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from archdsl import compiler
from archdsl.cli.console import say, write
from archdsl.cli.mend import Repair, own_file, write_repaired
from archdsl.cli.specs import find, has_errors, parse_settings, parse_shape
from archdsl.network import Network
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source
from archdsl.weights.guess import keys_block
from archdsl.weights.transfer import LOADED, Transfer

_NAME = "theirs"
"""What a name map is called where nobody says whose keys they are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The spec that a command was given, with the options that decide which network it is."""

    spec: str
    model: str | None
    input: str | None
    settings: list[str] | None

    def network(self, source: Source, folder: Path, named: str | None) -> Network:
        """Compile the network from another text of the spec. Errors: SpecError."""
        values, shape = parse_settings(self.settings), parse_shape(self.input)
        return Network(compiler.compile(source, self.model or named, values, shape, folder))


def write_guessed(asked: Asked, network: Network, transfer: Transfer, weights: Path, origin: str | None) -> Transfer:
    """Put the rules for what is guessed into the spec's file, and return how the weights fit with them.

    Nothing is written but a text that compiles as before, and by which the file fits as it was guessed to. The rules
    for a spec that is no file, or comes with archdsl, go to stdout.
    Errors: Failure
    """
    if not transfer.rules:
        say("no rename is guessed, and nothing is written")
        return transfer
    name = _free_name(network, origin)
    block = keys_block(name, transfer.rules)
    path = own_file(asked.spec)
    if path is None:
        write(f"\n{block}")
        say(f"`{asked.spec}` is no file of yours: put these keys into one, `variant NAME of {network.name} {{}}`")
        return transfer
    source, folder, named = find(asked.spec)
    text = source.text.rstrip()
    after = Source(f"{text}\n\n{block}" if text else block, source.name, source.path)
    try:
        again = asked.network(after, folder, named)
        found = again.compare_weights(weights, name)
        _check_others(after, folder, name)
    except SpecError as error:
        raise _unfit(path, error.diagnostics[0].message) from None
    if _sources(found) != _sources(transfer):
        raise _unfit(path, "they load something else there")
    write_repaired(path, Repair(source, after, (), 1))
    rules = "1 rule" if len(transfer.rules) == 1 else f"{len(transfer.rules)} rules"
    say(f"wrote {rules} as `keys {name}` into {path}")
    return found


def _unfit(path: Path, why: str) -> Failure:
    return Failure(f"the rules for these keys are not put into `{path}`: {why}", "write a `keys` of your own", "E123")


def _free_name(network: Network, origin: str | None) -> str:
    """Return whose keys they are said to be, by a name that no name map has yet."""
    taken = {key_map.origin for key_map in network.key_maps}
    if origin is not None and origin not in taken:
        return origin
    return next(name for name in chain([_NAME], (f"{_NAME}{number}" for number in count(2))) if name not in taken)


def _sources(transfer: Transfer) -> dict[str | None, str | None]:
    return {entry.key: entry.source for entry in transfer.entries if entry.cause in (*LOADED, "guessed")}


def _check_others(source: Source, folder: Path, name: str) -> None:
    """Check that the rules can be worked out for the file's other models too. Errors: SpecError."""
    parsed = parse(source, Reporter())
    declarations = parsed.file.declarations if parsed is not None else ()
    for declaration in declarations:
        if isinstance(declaration, tree.Model | tree.Variant):
            compilation = compiler.compile(source, declaration.name.text, folder=folder)
            if compilation.graph is None or has_errors(compilation.diagnostics):
                continue
            other = Network(compilation)
            for key_map in other.key_maps:
                if key_map.origin == name:
                    for key, _ in other.state:
                        key_map.rename(key)
