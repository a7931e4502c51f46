"""Initial values as code: a loop for what holds of a kind of module, and lines for the exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.backends.torch.layout import literal
from archdsl.backends.torch.modules import has_class
from archdsl.ir.graph import Node
from archdsl.ops.base import Init, Op
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True)
class _Place:
    """A tensor in the code: the class that owns it ("" for the network itself), its path there, and how it begins."""

    owner: str
    path: str
    target: str
    tensor: str
    init: Init | None


def initial_lines(root: Shapes, owners: Mapping[Shapes, str]) -> list[str]:
    """Write the statements that draw the initial values which the spec asks for.

    `owners` maps body tables that are classes to the names of those. Statements are for the network's constructor, not
    indented.
    """
    counted = list(_places(root, owners, is_written_out=False))
    usual: dict[str, dict[str, Init]] = {}
    common: dict[tuple[str, str], Init | None] = {}
    for kind in dict.fromkeys((place.target, place.tensor) for place, _ in counted):
        counts = Counter[Init | None]()
        for place, times in counted:
            if (place.target, place.tensor) == kind:
                counts[place.init] += times
        found = None if None in counts else counts.most_common(1)[0][0]
        common[kind] = found
        if found is not None:
            usual.setdefault(kind[0], {})[kind[1]] = found
    lines: list[str] = []
    for target, values in usual.items():
        tensors = Counter[str]()
        for place, times in counted:
            if place.target == target:
                tensors[place.tensor] += times
        may_lack_bias = tensors["bias"] < tensors["weight"] or target.startswith("nn.Conv")
        lines += _kind_lines(target, values, may_lack_bias)
    lines = ["for module in self.modules():", *(f"    {line}" for line in lines)] if lines else []
    exceptions = [times for place, times in counted if place.init != common[place.target, place.tensor]]
    if not exceptions:
        return lines
    # Only lines for single tensors ask for every repetition of what is no class.
    places = counted if max(exceptions) == 1 else _places(root, owners, is_written_out=True)
    kinds = list(common)
    kept = [place for place, _ in places if place.init != common[place.target, place.tensor]]
    kept.sort(key=lambda place: kinds.index((place.target, place.tensor)))
    return lines + _exception_lines(kept, root, owners)


def _kind_lines(target: str, values: Mapping[str, Init], may_lack_bias: bool) -> list[str]:
    """Write what holds of all modules of a kind, for the body of a loop over modules."""
    lines = [f"if isinstance(module, {target}):"]
    lines += [f"    {_call(f'module.{name}', init)}" for name, init in values.items() if name != "bias"]
    if "bias" not in values:
        return lines
    bias = f"    {_call('module.bias', values['bias'])}"
    if not may_lack_bias:
        return [*lines, bias]
    guarded = [f"if isinstance(module, {target}) and module.bias is not None:", bias]
    return [*lines, *guarded] if len(lines) > 1 else guarded


def _exception_lines(exceptions: Sequence[_Place], root: Shapes, owners: Mapping[Shapes, str]) -> list[str]:
    """Write exceptions: for all instances of a class where they agree, else parameter by parameter."""
    instances = Counter(owners.values())
    inits: dict[tuple[str, str, str], list[Init | None]] = {}
    for place in exceptions:
        inits.setdefault((place.owner, place.path, place.tensor), []).append(place.init)
    lines: list[str] = []
    loop: dict[str, list[str]] = {}
    single: set[tuple[str, str, str]] = set()
    for (owner, path, tensor), found in inits.items():
        init = found[0]
        if not owner and init is not None:
            lines.append(_call(_access("self", path, tensor), init))
        elif len(set(found)) == 1 and len(found) == instances[owner]:
            loop.setdefault(owner, []).extend([_call(_access("module", path, tensor), init)] if init else [])
        else:
            single.add((owner, path, tensor))
    if any(loop.values()):
        lines.append("for module in self.modules():")
    for owner, calls in loop.items():
        if calls:
            lines += [f"    if isinstance(module, {owner}):", *(f"        {call}" for call in calls)]
    return lines + _single_lines(single, root, owners)


def _single_lines(single: set[tuple[str, str, str]], root: Shapes, owners: Mapping[Shapes, str]) -> list[str]:
    """Write what differs between instances of a class, by the parameters' full names."""
    names: dict[Init, list[str]] = {}
    if single:
        for path, place in _written_out(root, "", owners):
            if place.init is not None and (place.owner, place.path, place.tensor) in single:
                names.setdefault(place.init, []).append(f"{path}.{place.tensor}")
    lines: list[str] = []
    for init, paths in names.items():
        if len(paths) == 1:
            lines.append(_call(f'self.get_parameter("{paths[0]}")', init))
        else:
            lines += ["for name in [", *(f'    "{path}",' for path in paths), "]:"]
            lines.append(f"    {_call('self.get_parameter(name)', init)}")
    return lines


def _written_out(
    shapes: Shapes, path: str, owners: Mapping[Shapes, str], owner: str = "", inside: str = ""
) -> Iterator[tuple[str, _Place]]:
    """Yield the tensors of the written-out network: each one's module by full path, and its place in the code."""
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        inner = shapes.inner.get(node.id)
        for name in node.names:
            if inner is None:
                for place in _operator(node, shapes, owner, f"{inside}{name}"):
                    yield f"{path}{name}", place
            elif not has_class(inner.graph):
                yield from _written_out(inner, f"{path}{name}.", owners, owner, f"{inside}{name}.")
            else:
                yield from _written_out(inner, f"{path}{name}.", owners, owners[inner])


def _access(root: str, path: str, tensor: str) -> str:
    """Write a tensor's place in Python: as an attribute where type checkers can follow, else by its name."""
    return f"{root}.{path}.{tensor}" if path.isidentifier() else f'{root}.get_parameter("{path}.{tensor}")'


def _call(target: str, init: Init) -> str:
    arguments = "".join(f", {name}={literal(value)}" for name, value in init.arguments)
    return f"nn.init.{init.function}({target}{arguments})"


def _places(root: Shapes, owners: Mapping[Shapes, str], *, is_written_out: bool) -> Iterator[tuple[_Place, int]]:
    """Yield the tensors in the code, each with the number that it stands for: one, or all repetitions of its step.

    The tensors of a class are those of one of its instances for each of its body tables.
    """
    seen: set[Shapes] = set()

    def walk(shapes: Shapes, owner: str, path: str, times: int) -> Iterator[tuple[_Place, int]]:
        for node in shapes.graph.topological():
            if node.is_input or node.reuses is not None:
                continue
            inner = shapes.inner.get(node.id)
            if inner is not None and has_class(inner.graph):
                if inner not in seen:
                    seen.add(inner)
                    yield from walk(inner, owners[inner], "", 1)
                continue
            names, each = (node.names, times) if is_written_out else (node.names[:1], times * node.repeat)
            for name in names:
                if inner is None:
                    yield from ((place, each) for place in _operator(node, shapes, owner, f"{path}{name}"))
                else:
                    yield from walk(inner, owner, f"{path}{name}.", each)

    return walk(root, "", "", 1)


def _is_own_default(op: Op, tensor: str, init: Init) -> bool:
    """Return whether torch's norms begin with these values anyway."""
    return op.category == "norm" and (tensor, init.function) in (("weight", "ones_"), ("bias", "zeros_"))


def _operator(node: Node, shapes: Shapes, owner: str, path: str) -> Iterator[_Place]:
    assert node.op is not None
    if node.op.is_parameter:
        return
    inputs = shapes.inputs_of(node)
    tensors = node.op.state(inputs)
    if not tensors:
        return
    target = node.op.to_torch(inputs).target
    initial = {key: init for key, init in node.op.initial().items() if not _is_own_default(node.op, key, init)}
    for tensor in tensors:
        if tensor.kind == "parameter":
            yield _Place(owner, path, target, tensor.name, initial.get(tensor.name))
