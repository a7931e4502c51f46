"""Modules whose names are dotted paths: they lie in containers, so that the state_dict has these paths as keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from archdsl.backends.torch.code import PyCall, PyDict, PyExpression, PyLiteral, PyName
from archdsl.backends.torch.modules import ordered

Tree: TypeAlias = "dict[str, PyExpression | Tree]"

# What an nn.ModuleDict answers to itself.
_TAKEN = frozenset(("clear", "items", "keys", "pop", "update", "values"))


def nest(modules: Mapping[str, PyExpression], keys: Iterable[str]) -> Mapping[str, PyExpression]:
    """Return the containers of modules by attribute, beside the modules that need none.

    Containers are in the order of the state_dict's `keys`; what has no state stands behind what has. Learned tensors
    keep their paths, since they are registered apart.
    """
    if not any("." in name for name in modules):
        return modules
    tree: Tree = {}
    has_state = [name for name in dict.fromkeys(_prefixes(keys)) if name in modules]
    for name in dict.fromkeys([*has_state, *modules]):
        *outer, last = name.split(".")
        level = tree
        for part in outer:
            inner = level.setdefault(part, {})
            assert isinstance(inner, dict), "no module stands below another"
            level = inner
        if not outer or not is_parameter(modules[name]):
            level[last] = modules[name]
    containers = {name: _container(code) if isinstance(code, dict) else code for name, code in tree.items()}
    return {**containers, **{name: code for name, code in modules.items() if "." in name and is_parameter(code)}}


def register(name: str, code: PyExpression) -> tuple[str, PyCall]:
    """Return the function and the arguments that register a module or tensor whose name is no plain word."""
    outer, _, last = name.rpartition(".")
    if not outer:
        return "setattr", PyCall("", (PyName("self"), PyLiteral(last), code))
    function = "register_parameter" if is_parameter(code) else "add_module"
    return f'self.get_submodule("{outer}").{function}', PyCall("", (PyLiteral(last), code))


def is_parameter(code: PyExpression) -> bool:
    """Return whether code makes a learned tensor instead of a module."""
    return isinstance(code, PyCall) and code.function == "nn.Parameter"


def _prefixes(keys: Iterable[str]) -> Iterable[str]:
    for key in keys:
        parts = key.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _container(tree: Tree) -> PyExpression:
    items = {name: _container(code) if isinstance(code, dict) else code for name, code in tree.items()}
    if _TAKEN.isdisjoint(items):
        return PyCall("nn.ModuleDict", (PyDict(tuple(items.items())),) if items else ())
    return PyCall("nn.Sequential", (ordered(items),))
