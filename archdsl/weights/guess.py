"""Guesses of what a file calls a network's weights: by shape and order, where exactly one way fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.keymap import KeyMap, build_key_maps
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.formatter import format_source
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from archdsl.weights.error import WeightsError
from archdsl.weights.pairing import Pairing, is_to_be_guessed
from archdsl.weights.plan import transfer_from
from archdsl.weights.renames import find_rules
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import COUNTER, Needs, Transfer


def keys_block(origin: str, rules: Sequence[str]) -> str:
    """Return the `keys` declaration of some rules, in the one style."""
    text = f"keys {origin} {{\n{chr(10).join(rules)}\n}}\n"
    formatted = format_source(Source(text, "keys"), Reporter())
    assert formatted is not None, f"rules are written as text that is none: {text}"
    return formatted


def guess_renames(
    needs: Needs,
    stored: Mapping[str, Stored],
    known: Transfer,
    base: KeyMap | None = None,
    *,
    is_in_order: bool = True,
) -> Transfer | None:
    """Guess what a file calls what `known` does not load; None where nothing is left, or more than one way fits.

    In the result, what is guessed has a cause of its own, and `rules` say it. What `known` loads stays, as far as it
    loads whole modules. `base` is the name map that it was made by, of which the
    words are taken over. The result is what the rules make of the file, so that a spec that has them loads the same.
    """
    if not (known.of("new") or known.of("different")) or not is_to_be_guessed(stored):
        return None
    pairing = Pairing(needs, stored, known)
    renames = pairing.find(is_in_order=is_in_order)
    if not renames:
        return None
    apart = [key for key, _ in needs.state if key not in renames and not key.endswith(COUNTER)]
    try:
        rules = find_rules(*_by_module(renames, apart), pairing.names)
    except WeightsError:
        return None
    if not rules:
        return None
    texts = tuple(map(str, rules)) + (_words(base) if base is not None else ())
    guessed = transfer_from(_key_map(texts), needs, stored, is_in_order=is_in_order)
    found = {entry.key: entry.source for entry in guessed.entries if entry.source is not None}
    if any(found.get(key) != pairing.source_of(name) for key, name in renames.items()):
        return None
    return _marked(guessed, known, pairing, texts)


def _marked(guessed: Transfer, known: Transfer, pairing: Pairing, rules: tuple[str, ...]) -> Transfer | None:
    """Mark what is loaded by the rules alone; None where they lose what is loaded without them, or bring nothing."""
    before = {entry.key: entry.source for entry in known.entries if entry.is_loaded}
    after = {entry.key: entry.source for entry in guessed.entries if entry.is_loaded}
    if not before.keys() < after.keys():
        return None
    entries = tuple(
        replace(entry, cause="guessed", reason=pairing.reason(entry.key))
        if entry.key is not None and entry.is_loaded and before.get(entry.key) != entry.source
        else entry
        for entry in guessed.entries
    )
    return replace(guessed, entries=entries, origin=known.origin, rules=rules)


def _by_module(renames: Mapping[str, str], apart: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return renames of whole modules where all of their tensors keep their names, else of tensors."""
    modules: dict[str, list[str]] = {}
    for key in (*renames, *apart):
        modules.setdefault(key.rpartition(".")[0], []).append(key)
    found: dict[str, str] = {}
    left: list[str] = []
    for module, keys in modules.items():
        theirs = {_module_of(key, renames[key]) for key in keys if key in renames}
        name = next(iter(theirs)) if len(theirs) == 1 else None
        if not module or (theirs and (name is None or not all(key in renames for key in keys))):
            found |= {key: renames[key] for key in keys if key in renames}
            left += [key for key in keys if key not in renames]
        elif name is None:
            left.append(module)
        else:
            found[module] = name
    return found, left


def _module_of(key: str, theirs: str) -> str | None:
    """Return the module of a name of theirs, where it calls the tensor as the key does."""
    module, _, part = theirs.rpartition(".")
    return module if part == key.rpartition(".")[2] and module else None


def _words(base: KeyMap) -> tuple[str, ...]:
    words = [f"drop {pattern.span.text}" for pattern in base.drops]
    return (*words, *(f"adapt {pattern.span.text}" for pattern in base.adapts))


def _key_map(rules: Sequence[str]) -> KeyMap:
    report = Reporter()
    parsed = parse(Source(keys_block("guessed", rules), "keys"), report)
    assert parsed is not None
    env = Env(Module(parsed, None, None), Context(), Budget())
    declarations = [node for node in parsed.file.declarations if isinstance(node, tree.Keys)]
    (key_map,) = build_key_maps([(declarations, env)], report)
    assert not report.has_errors, report.diagnostics
    return key_map
