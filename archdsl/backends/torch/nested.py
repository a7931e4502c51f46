"""Modules whose names are dotted paths: they lie in containers, so that the state_dict has these paths as keys."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from archdsl.backends.torch.code import PyCall, PyDict, PyExpression, PyList, PyLiteral, PyName, mapped
from archdsl.backends.torch.fold import folded
from archdsl.backends.torch.modules import ordered
from archdsl.backends.torch.names import self_attribute
from archdsl.backends.torch.statements import Members, rewritten

Tree: TypeAlias = "dict[str, PyExpression | Tree]"

# What an nn.ModuleDict answers to itself.
_TAKEN = frozenset(("clear", "items", "keys", "pop", "update", "values"))


def nested(members: Members, keys: Callable[[], Iterable[str]]) -> Members:
    """Return members whose modules lie in containers as far as their names are paths, and are called there.

    Containers are in the order of the state_dict's keys, which `keys` lists where there are any; what has no state
    stands behind what has. Numbers from 0 on make a list. Tensors keep their paths, since they are registered apart.
    """
    modules = members.modules
    if not any("." in name for name in modules):
        return members
    tree: Tree = {}
    has_state = [name for name in dict.fromkeys(_prefixes(keys())) if name in modules]
    for name in dict.fromkeys([*has_state, *modules]):
        *outer, last = name.split(".")
        level = tree
        for part in outer:
            inner = level.setdefault(part, {})
            assert isinstance(inner, dict), "no module stands below another"
            level = inner
        if not outer or not is_owned(modules[name]):
            level[last] = modules[name]
    bare = {name for name in modules if "." in name and is_owned(modules[name])}
    lists = dict(_lists(tree, "", has_state, {name.rpartition(".")[0] for name in bare}))
    containers = {
        name: _container(code, name, lists) if isinstance(code, dict) else code for name, code in tree.items()
    }
    calls = {self_attribute(name): _place(name, tree, lists) for name in modules if "." in name and name not in bare}
    forward = tuple(rewritten(statement, lambda code: _called(code, calls)) for statement in members.forward)
    return Members(
        {**containers, **{name: modules[name] for name in modules if name in bare}}, members.arguments, forward
    )


def _lists(tree: Tree, path: str, has_state: Sequence[str], with_tensors: Container[str]) -> Iterator[tuple[str, bool]]:
    """Yield for each container whether it is a list: its names are the numbers from 0 on, in the state's order."""
    for name, inner in tree.items():
        if not isinstance(inner, dict):
            continue
        own = f"{path}{name}"
        numbers = [int(key) for key in inner if key.isdecimal()]
        ordered_ = [n for n in numbers if isinstance(inner[str(n)], dict) or f"{own}.{n}" in has_state]
        is_list = [*map(str, range(len(inner)))] == sorted(inner, key=_number) and ordered_ == sorted(ordered_)
        yield own, is_list and own not in with_tensors
        yield from _lists(inner, f"{own}.", has_state, with_tensors)


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else -1


def _container(tree: Tree, path: str, lists: Mapping[str, bool]) -> PyExpression:
    items = {
        name: _container(code, f"{path}.{name}", lists) if isinstance(code, dict) else code
        for name, code in tree.items()
    }
    if lists[path] and items:
        return PyCall("nn.ModuleList", (PyList(folded([items[name] for name in sorted(items, key=_number)])),))
    if _TAKEN.isdisjoint(items):
        return PyCall("nn.ModuleDict", (PyDict(tuple(items.items())),) if items else ())
    return PyCall("nn.Sequential", (ordered(items),))


def _place(name: str, tree: Tree, lists: Mapping[str, bool]) -> str:
    """Return the code of a module in containers: `self.convs[0]`."""
    head, *segments = name.split(".")
    code, path, level = self_attribute(head), head, tree[head]
    for segment in segments:
        assert isinstance(level, dict)
        if not _TAKEN.isdisjoint(level):
            return self_attribute(name)
        code += f"[{segment}]" if lists[path] else f'["{segment}"]'
        path, level = f"{path}.{segment}", level[segment]
    return code


def _called(code: PyExpression, calls: Mapping[str, str]) -> PyExpression:
    """Return code in which modules are called by their places in containers."""
    inner = mapped(code, lambda part: _called(part, calls))
    if isinstance(inner, PyCall) and inner.function in calls:
        return PyCall(calls[inner.function], inner.arguments, inner.keywords)
    return inner


def register(name: str, code: PyExpression) -> tuple[str, PyCall]:
    """Return the function and the arguments that register a module or tensor whose name is no plain word."""
    outer, _, last = name.rpartition(".")
    if not outer:
        return "setattr", PyCall("", (PyName("self"), PyLiteral(last), code))
    if isinstance(code, PyCall) and code.function == "nn.Buffer":
        given = PyCall("", (PyLiteral(last), *code.arguments), code.keywords)
        return f'self.get_submodule("{outer}").register_buffer', given
    function = "register_parameter" if is_owned(code) else "add_module"
    return f'self.get_submodule("{outer}").{function}', PyCall("", (PyLiteral(last), code))


def is_owned(code: PyExpression) -> bool:
    """Return whether code makes a tensor instead of a module."""
    return isinstance(code, PyCall) and code.function in ("nn.Parameter", "nn.Buffer")


def _prefixes(keys: Iterable[str]) -> Iterable[str]:
    for key in keys:
        parts = key.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
