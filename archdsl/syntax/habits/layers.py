"""Layers as PyTorch and Keras call them, and the step that is the same here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache

from archdsl.syntax.habits.foreign import NOT_GIVEN, Foreign, Ported, Translation, parameters, say
from archdsl.syntax.habits.keras_layers import KERAS
from archdsl.syntax.habits.torch_layers import TORCH
from archdsl.syntax.habits.values import number
from archdsl.text.suggest import known_as

_TABLES: Mapping[str, Mapping[str, Ported]] = {"torch": TORCH, "keras": KERAS}
# With fewer arguments in their places torch would refuse the call.
_FEWEST = {"Conv2d": 3, "ConvTranspose2d": 3, "Linear": 2}
_LARGEST_KERNEL = 11
_JOINS = frozenset({"concat", "add", "mul", "sub", "maximum", "matmul"})


@cache
def _by_folded_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in (*KERAS, *TORCH)}


def layer_of(name: str) -> str | None:
    """Return the usual spelling of a foreign layer, whatever the case it is written in; None for what is none."""
    return name if name in TORCH or name in KERAS else _by_folded_name().get(name.casefold().replace("_", ""))


def join_of(name: str) -> str | None:
    """Return our join of a foreign name."""
    word = known_as(name) or name.casefold()
    return word if word in _JOINS else None


def join_step(join: str, branches: Sequence[str]) -> str:
    """Write a join: values stand behind its name, one by itself joins what flows; other branches are in braces.

    >>> join_step("add", ["@a", "@b"]), join_step("add", ["pass", "@a"]), join_step("add", ["@a", "conv 8"])
    ('add @a @b', 'add @a', 'add { @a; conv 8 }')
    """
    are_values = [re.fullmatch(r"@[\w.]+", branch) is not None for branch in branches]
    if len(branches) > 1 and all(are_values):
        return f"{join} {' '.join(branches)}"
    if len(branches) == 2 and branches[0] == "pass" and are_values[1]:
        return f"{join} {branches[1]}"
    return f"{join} {{ {'; '.join(branches)} }}"


def word_of(name: str) -> str:
    """Return our word for a foreign layer, or for what may be one."""
    known = layer_of(name)
    if known is not None:
        word = (TORCH.get(known) or KERAS[known]).word
        return "norm" if word == "batch" else word
    return known_as(name) or name.casefold()


def settled_in(text: str) -> frozenset[str]:
    """Return the words to which the `defaults` of a file give something, so that a bare step may mean more."""
    return frozenset(re.findall(r"\w+", " ".join(re.findall(r"\bdefaults\s*\{([^}]*)\}", text))))


def own_in(text: str, words: Collection[str]) -> Sequence[str]:
    r"""Return those of some words that a file declares or takes from others, and so may be anything there.

    >>> own_in('use "x.arch" (cna)\nblock stem(int c) { conv c }', ["cna", "conv", "stem"])
    ['cna', 'stem']
    >>> own_in("use shapes", ["conv"])  # whatever that file declares
    ['conv']
    """
    used = re.findall(r"^[ \t]*use\b([^\n(]*)(\([^)]*\))?", text, re.M)
    if any(not listed for _, listed in used):
        return [*words]
    declared = re.findall(r"\b(?:block|fn|let)\s+(\w+)", text)
    own = {*declared, *re.findall(r"\w+", " ".join(listed for _, listed in used))}
    return [word for word in words if word in own]


def translate(call: Foreign, settled: frozenset[str] = frozenset()) -> Translation | None:
    """Say a foreign call as a step; None where it is no layer that is known.

    >>> translate(Foreign("Conv2d", ("3", "64", "7"), {"stride": "2", "padding": "3", "bias": "false"})).step
    'conv 64 k=7 s=2'
    >>> translate(Foreign("Conv2D", ("64", "3"), {"padding": "same", "activation": "relu", "use_bias": "false"})).step
    'conv 64 k=3; relu'
    >>> translate(Foreign("MaxPool2d", ("2",), {"return_indices": "true"})).left
    ('`return_indices=true` (a pool gives its values only)',)
    """
    name = layer_of(call.name)
    if name is None:
        return None
    if (ours := _in_our_order(name, call, settled)) is not None:
        return ours
    said = {maker: say(table[name], call, settled) for maker, table in _TABLES.items() if name in table}
    if call.maker in said:
        return said[call.maker]
    first, *others = said.values()
    if not others or first.step == others[0].step or others[0].left:
        return first
    return others[0] if first.left else replace(first, other=others[0].step)


def _in_our_order(name: str, call: Foreign, settled: frozenset[str]) -> Translation | None:
    """Take what torch would refuse, too few arguments in their places, for our order under torch's name."""
    required = list(parameters(TORCH[name].signature))[: _FEWEST[name]] if name in _FEWEST else []
    count = len(call.positional) + sum(key in call.named for key in required)
    if count >= len(required) or required[0] in call.named or not _may_be_ours(call.positional):
        return None
    given = {**dict(zip(required[1:], call.positional, strict=False)), **call.named}
    return say(TORCH[name], Foreign(name, (), given), settled)


def _may_be_ours(values: Sequence[str]) -> bool:
    """Return whether two numbers may be channels and a kernel, and not the channels before and behind."""
    channels, size = (*map(number, values[:2]), None, None)[:2]
    return channels is None or size is None or (size < channels and size <= _LARGEST_KERNEL)


def advice(found: Translation) -> str:
    """Say what to write for a call, or what of it is left over."""
    if found.other:
        return f"write `{found.step}` if it is PyTorch's, or `{found.other}` if it is Keras's"
    if not found.left:
        return f"write `{found.step}`" + (f": {found.why}" if found.why else "")
    missing = [item.partition(",")[0] for item in found.left if item.endswith(NOT_GIVEN)]
    if len(missing) == len(found.left):
        are = "are" if len(missing) > 1 else "is"
        return f"{' and '.join(missing)} {are} not given: say all of it, as in `{found.step}`"
    without = "them" if len(found.left) > 1 else "it"
    return f"{_listed(found.left)} no counterpart here: without {without} this is `{found.step}`"


def _listed(left: Sequence[str]) -> str:
    *others, last = left
    return f"{', '.join(others)} and {last} have" if others else f"{last} has"
