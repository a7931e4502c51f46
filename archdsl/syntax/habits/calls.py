"""Calls of PyTorch and Keras, read as Python: the steps that they perform, in the order in which data flows."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from archdsl.syntax.habits.absent import nearest_to
from archdsl.syntax.habits.foreign import Foreign, Ported, Translation, say
from archdsl.syntax.habits.functions import FUNCTIONS, METHODS, SHARED, spread
from archdsl.syntax.habits.keras_layers import DENSE_NOTE
from archdsl.syntax.habits.layers import join_of, join_step, layer_of, translate
from archdsl.syntax.habits.values import STEPS
from archdsl.text.labels import objection

TORCHES = frozenset({"nn", "torch", "F", "functional", "timm", "torchvision"})
PACKAGES = TORCHES | {"keras", "layers", "tf", "tfl", "L", "K", "ops"}
CONTAINERS = frozenset({"Sequential", "ModuleList"})
# Along which axis a join stacks there by itself, and which are the channels.
_AXES = {"torch": ("0", ("1",)), "keras": ("-1", ("-1", "3")), "": ("-1", ("-1", "1", "3"))}


class Untranslated(Exception):
    """Something that has no translation, and what comes nearest to it where that is known."""

    def __init__(self, name: str = "", advice: str = "") -> None:
        super().__init__(name)
        self.name, self.advice = name, advice


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known where a call is read, and what is learned on the way: the names and labels that it uses."""

    maker: str = ""
    settled: frozenset[str] = frozenset()
    names: set[str] = field(default_factory=set[str])
    labels: set[str] = field(default_factory=set[str])

    def within(self, maker: str) -> Reading:
        """Return this as it is inside a call whose maker is known."""
        return replace(self, maker=maker or self.maker)

    def unbound(self, step: str, text: str) -> bool:
        """Return whether a step uses a name or a label that a text does not seem to have."""
        names = [name for name in self.names if name not in STEPS and re.search(rf"(?<!\w){name}(?![\w=])", step)]
        bindings = r"\blet\s+|\bfor\s+|[(,]\s*(?:[a-z]+\s+)?"
        return not (
            all(re.search(rf"(?:{bindings}){name}\b", text) for name in names)
            and all(re.search(rf"(?<![\w@.]){label}\s*:", text) for label in self.labels)
        )


def steps_of(call: ast.Call, reading: Reading) -> list[Translation]:
    """Return the steps that an expression performs."""
    name = last_name(call.func).rstrip("_")
    if isinstance(call.func, ast.Call):
        return _applied(call, call.func, reading)
    root = _root(call.func) if isinstance(call.func, ast.Attribute) else ""
    is_packaged = root in PACKAGES
    reading = reading.within(("torch" if root in TORCHES else "keras") if is_packaged and root != "ops" else "")
    if name in CONTAINERS:
        return [_container(name, call.args, reading)]
    if name == "add" and not is_packaged and isinstance(call.func, ast.Attribute) and len(call.args) == 1:
        (inner,) = call.args
        return steps_of(inner, reading.within("keras")) if isinstance(inner, ast.Call) else _refuse(name)
    if (join := join_of(name)) and is_packaged and call.args:
        return [_join(join, call.args, call.keywords, reading)]
    if isinstance(call.func, ast.Attribute) and not is_packaged:
        if name not in METHODS:
            return _refuse(name)
        values = spread(name, [value_of(argument, reading) for argument in call.args])
        return [*_before([call.func.value], reading), _say(METHODS[name], name, values, call.keywords, reading)]
    is_alike = reading.maker != "keras" or (name in SHARED and len(call.args) == 1 and not call.keywords)
    if is_packaged and name in FUNCTIONS and call.args and is_alike:
        values = tuple(value_of(argument, reading) for argument in call.args[1:])
        return [*_before(call.args, reading), _say(FUNCTIONS[name], name, values, call.keywords, reading)]
    if layer_of(name) is not None and (layer_of(name) == name or not name.islower()):
        return [_layer(name, call, reading)]
    return _refuse(name)


def _applied(call: ast.Call, layer: ast.Call, reading: Reading) -> list[Translation]:
    """Return the steps of a layer that is made and called at once."""
    reading = reading.within("" if _root(layer.func) in TORCHES else "keras")
    join = join_of(last_name(layer.func))
    if join:
        return [_join(join, call.args, layer.keywords, reading)]
    return [*_before(call.args, reading), *steps_of(layer, reading)]


def _refuse(name: str) -> list[Translation]:
    raise Untranslated(name, nearest_to(name) or "")


def own_module(node: ast.expr) -> str | None:
    """Return the module that `self.conv1(x)` applies."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("self"), attr=name)):
            return f"self.{name}"
        case _:
            return None


def last_name(node: ast.expr) -> str:
    """Return the last name of a dotted one."""
    match node:
        case ast.Attribute(attr=name):
            return name
        case ast.Name(name):
            return name
        case _:
            return ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_of_package(function: ast.expr) -> bool:
    """Return whether a function is one of another tool's, by the package that it is called by."""
    while isinstance(function, ast.Call | ast.Attribute) and not _root(function):
        function = function.func if isinstance(function, ast.Call) else function.value
    return isinstance(function, ast.Attribute) and _root(function) in PACKAGES


def _before(arguments: Sequence[ast.expr], reading: Reading) -> list[Translation]:
    """Return the steps that make what a layer is applied to."""
    first = arguments[0] if arguments else None
    if first is None or isinstance(first, ast.Name | ast.Attribute):
        return []
    if not isinstance(first, ast.Call):
        return [Translation("", left=(f"`{ast.unparse(first)}`, which it is applied to,",))]
    if (called := own_module(first)) is not None:
        note = f"write the layer that `{called}` stands for before it"
        return [*_before(first.args, reading), Translation("", note=note)]
    return steps_of(first, reading)


def _container(name: str, arguments: Sequence[ast.expr], reading: Reading) -> Translation:
    match arguments:
        case [ast.List(elts=items)]:
            is_list = True
        case [ast.Call(func=function, args=[ast.List(elts=items)])] if last_name(function) == "OrderedDict":
            is_list = False
        case items:
            is_list = False
    if reading.maker == "":
        reading = reading.within("keras" if is_list and name == "Sequential" else "torch")
    steps = list[Translation]()
    for item in items:
        steps += _item(name, item, reading)
    if not steps:
        raise Untranslated(name, nearest_to(name) or "")
    note = next((step.note for step in steps if DENSE_NOTE in step.note), "")
    note = note or next((step.note for step in steps if step.note), "")
    left = tuple(item for step in steps for item in step.left)
    if name == "ModuleList":
        left = (*left, "the order in which a `ModuleList` is used")
    other = next((step.other for step in steps if step.other), "")
    inside = "; ".join(labelled(replace(step, step=_numbered(step.step))) for step in steps)
    return Translation(f"{{ {inside} }}", "steps in braces follow one another", note, left, other and inside)


def _numbered(step: str) -> str:
    """Write a layer's steps as one item, so that those behind it have the numbers that they have there."""
    if step == "pass":
        return "none"
    return f"{{ {step} }}" if ";" in step and not is_group(step) else step


def _item(container: str, item: ast.expr, reading: Reading) -> list[Translation]:
    """Return the steps of an item of a container, whose name is a label."""
    match item:
        case ast.Call():
            return steps_of(item, reading)
        case ast.Tuple(elts=[ast.Constant(value=str(label)), ast.Call() as layer]) if label.isidentifier():
            steps = steps_of(layer, reading)
            return [under(steps[0], label)] if len(steps) == 1 else steps
        case _:
            return _refuse(container)


def under(step: Translation, label: str) -> Translation:
    """Give a step a label, or say why a module cannot bear it."""
    why = objection(label.strip('"')) if label else ""
    if not why:
        return replace(step, label=label)
    return replace(step, left=(*step.left, f"the name `{label}` ({why})"))


def labelled(step: Translation) -> str:
    """Write a step with its label."""
    if not step.label:
        return step.step
    if is_group(step.step):
        return f"{step.label}: {step.step}"
    return f"{step.label}: {{ {step.step} }}" if ";" in step.step else f"{step.label}: {step.step}"


def is_group(step: str) -> bool:
    """Return whether a step is one pair of braces, which a label makes a level of its own."""
    depth = 0
    for match in re.finditer(r"[{}]", step if step.startswith("{") else ""):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end() == len(step)
    return False


def _join(join: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword], reading: Reading) -> Translation:
    first = arguments[0] if arguments else None
    if isinstance(first, ast.List | ast.Tuple):
        parts, rest = first.elts, arguments[1:]
    elif len(arguments) == 2:
        parts, rest = [*arguments], list[ast.expr]()
    else:
        raise Untranslated(join)
    reading.labels.update(filter(None, map(last_name, parts)))
    branches = [f"@{last_name(item)}" if last_name(item) else "{ … }" for item in parts]
    left = list[str]()
    usual, channels = _AXES[reading.maker]
    given = {keyword.arg: value_of(keyword.value, reading) for keyword in keywords}
    axis = value_of(rest[0], reading) if rest else given.pop("dim", given.pop("axis", usual))
    if join == "concat" and axis not in channels:
        left.append(f"`dim={axis}` (`concat` stacks the channels)")
    left.extend(f"`{key}={value}`" for key, value in given.items() if key != "name")
    why = "a join puts values together, and `@name` is that of a labelled step"
    return Translation(join_step(join, branches), why, left=tuple(left))


def _layer(name: str, call: ast.Call, reading: Reading) -> Translation:
    named, label = _named(call.keywords, reading)
    values = tuple(value_of(argument, reading) for argument in call.args)
    found = translate(Foreign(name, values, named, reading.maker), settled=reading.settled)
    if found is None:
        raise Untranslated(name)
    return under(replace(found, label=""), label) if found.step.partition(" ")[0] != "input" else found


def _say(
    layer: Ported, name: str, values: tuple[str, ...], keywords: Sequence[ast.keyword], reading: Reading
) -> Translation:
    named, _ = _named(keywords, reading)
    return say(layer, Foreign(name, values, named), reading.settled)


def _named(keywords: Sequence[ast.keyword], reading: Reading) -> tuple[dict[str, str], str]:
    """Return the arguments by name, and the one that is a label here."""
    named = {f"**{ast.unparse(k.value)}" if k.arg is None else k.arg: value_of(k.value, reading) for k in keywords}
    label = named.pop("name", "")
    return named, label if label.isidentifier() else f'"{label}"' if re.fullmatch(r"[\w./-]+", label) else ""


def value_of(node: ast.expr, reading: Reading) -> str:
    """Write an argument as here: lists in brackets, and words without quotes."""
    match node:
        case ast.Constant(value=bool() | None as value):
            return str(value).lower()
        case ast.Constant(value=str(value)):
            return value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return f"[{', '.join(value_of(item, reading) for item in items)}]"
        case ast.Attribute(attr=name):
            reading.names.add(name)
            return name
        case ast.Starred():
            raise Untranslated
        case _:
            reading.names.update(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
            return ast.unparse(node)
