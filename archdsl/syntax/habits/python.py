"""Statements of Python: layers as PyTorch and Keras call them, and what is done with their results."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archdsl.syntax.habits.absent import nearest_to
from archdsl.syntax.habits.brackets import is_balanced
from archdsl.syntax.habits.calls import (
    CONTAINERS,
    PACKAGES,
    TORCHES,
    Reading,
    Untranslated,
    is_of_package,
    labelled,
    last_name,
    own_module,
    steps_of,
    under,
)
from archdsl.syntax.habits.foreign import Translation
from archdsl.syntax.habits.keras_layers import KERAS, may_be_image
from archdsl.syntax.habits.layers import advice, join_of, join_step, layer_of, own_in, settled_in, word_of
from archdsl.syntax.habits.scan import Habit, HabitSite, indented_end, line_bounds, lines_from, split_commas
from archdsl.syntax.habits.torch_layers import TORCH
from archdsl.syntax.habits.values import STEP_WORDS, STEPS
from archdsl.text.suggest import known_as

CODE = "E006"
_LONGEST_SHOWN = 70
_OURS = frozenset({"conv", "relu", "gelu", "silu", "flatten", "dropout", "softmax", "sigmoid", "tanh", "upsample"})
_KERAS_WORDS = (
    "2D",
    ")(",
    "Concatenate",
    "Dense",
    "keras",
    "BatchNormalization",
    "LayerNormalization",
    "filters=",
    ".add(",
    "Input",
)
# Functions of expressions: a call of one is a value, and no step.
FUNCTIONS = frozenset(
    [
        "abs",
        "ceil",
        "cos",
        "exp",
        "floor",
        "len",
        "log",
        "log2",
        "max",
        "min",
        "repeat",
        "reversed",
        "round",
        "sin",
        "sqrt",
        "sum",
        "tan",
        "unique",
        "zip",
    ]
)


def foreign_statement(place: HabitSite) -> Habit | None:
    """Translate an assignment or a call of PyTorch or Keras, perhaps behind a label of ours."""
    text = re.sub(r",\s*$", "", place.text)
    printed = _PRINTED.match(text)
    label = printed or re.match(r'(?P<label>(?:[A-Za-z_]\w*(?:\{[^{}\n"]*\}\w*)*|"[^"\n]*")\s*:)\s*(?=\S)', text)
    start = place.start + (label.end() if label else 0)
    statement = _parse(text[label.end() :] if label else text)
    if statement is None:
        return None
    match statement:
        case ast.Return(value=ast.Call() as value):
            name = ""
        case ast.Return(value=value):
            return _return(place, value)
        case ast.AugAssign(target=ast.Name(left), op=ast.Add(), value=ast.Name(right)):
            return _sum(place, left, right)
        case ast.Expr(value=ast.BinOp(left=ast.Name(left), op=ast.Add(), right=ast.Name(right))):
            return _sum(place, left, right)
        case ast.Assign(targets=[_], value=ast.BinOp(left=ast.Name(left), op=ast.Add(), right=ast.Name(right))):
            return _sum(place, left, right)
        case (
            ast.Expr(value=ast.BinOp(op=ast.Add()) as value)
            | ast.Assign(value=ast.BinOp(op=ast.Add()) as value)
            | ast.AugAssign(op=ast.Add(), value=ast.Call() as value)
        ) if any(isinstance(node, ast.Call) and _is_applied(node) for node in ast.walk(value)):
            message = "values have no names to compute with: they flow from step to step"
            help = "write `residual { … }` around the steps whose result is added"
            return Habit(place.start, place.end, message, help, place.end, code=CODE)
        case ast.Assign(targets=[ast.Name(target)], value=ast.BinOp() | ast.Subscript() as value) if target in _FLOWING:
            return _computed(place, value)
        case ast.Assign(targets=[target], value=value):
            name = _assigned(target, value) if label is None else ""
        case ast.Expr(value=value):
            name = ""
        case _:
            return None
    if isinstance(value, ast.Attribute) and (made := layer_of(value.attr)) == value.attr and made not in STEPS:
        value = ast.Call(func=value, args=[], keywords=[])
    calls = value.elts if isinstance(value, ast.Tuple) and not name else [value]
    if not all(isinstance(call, ast.Call) for call in calls) or not calls:
        return None
    if (called := next(filter(None, map(own_module, calls)), None)) is not None:
        message = "a step runs where it is written, and is not called again"
        help = f"write the layer `{called}` stands for here, in the order of the data, and remove the call"
        return Habit(place.start, place.end, message, help, place.end, code=CODE)
    reading = Reading("torch" if printed else _maker(place), settled_in(place.source.text))
    if printed and not printed["name"].isdigit():
        start, name = place.start, printed["name"]
    steps = list[Translation]()
    for call in calls:
        if not isinstance(call, ast.Call):
            return None
        try:
            steps += steps_of(call, reading)
        except Untranslated as unknown:
            return _absent(place, start, call, unknown) or _unknown_call(place, statement)
    return _translated(place, place.start if printed else start, name, steps, reading)


# A part of a network as torch prints it, and what its results are called in code.
_PRINTED = re.compile(r"\((?P<name>\w+)\)[ \t]*:[ \t]*(?=[A-Z]\w*\()")
_FLOWING = frozenset({"x", "out", "h", "y", "z"})
_JOINED: Mapping[type[ast.operator], str] = {ast.Mult: "mul", ast.Sub: "sub", ast.MatMult: "matmul"}


def _computed(place: HabitSite, value: ast.expr) -> Habit | None:
    """Say which step computes with what flows, at `x = x * 0.5`, `x = x * y` and `x = x[:, :4]`."""
    match value:
        case ast.BinOp(left=ast.Name(left), op=op, right=ast.Name(right)) if type(op) in _JOINED:
            step = join_step(_JOINED[type(op)], ["pass" if name == "x" else f"@{name}" for name in (left, right)])
            help = f"write `{step}` where steps are labelled so"
        case (
            ast.BinOp(left=ast.Name(), op=ast.Mult(), right=ast.Constant(value=int() | float() as factor))
            | ast.BinOp(left=ast.Constant(value=int() | float() as factor), op=ast.Mult(), right=ast.Name())
        ):
            help = f"write `times {factor}`"
        case ast.BinOp(left=ast.Name(), op=ast.Div(), right=ast.Constant(value=int() | float() as divisor)) if divisor:
            help = f"write `times (1/{divisor})`"
        case ast.Subscript(value=ast.Name()):
            help = "`slice` takes some of the channels: `slice 0 4` is the first four"
        case _:
            return None
    message = "values have no names to compute with: they flow from step to step"
    return Habit(place.start, place.end, message, help, place.end, code=CODE)


_IMPORTS = {
    "torch": re.compile(r"^\s*(?:import|from)\s+torch\b", re.M),
    "keras": re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.M),
}


def _maker(place: HabitSite) -> str:
    """Return whose layers a statement names, by words that only one has, or by what the file imports."""
    if any(word in place.text for word in _KERAS_WORDS):
        return "keras"
    makers = [maker for maker, pattern in _IMPORTS.items() if pattern.search(place.source.text)]
    return makers[0] if len(makers) == 1 else ""


def _absent(place: HabitSite, start: int, call: ast.Call, unknown: Untranslated) -> Habit | None:
    """Say what comes nearest to a call that has no counterpart."""
    is_own = re.search(rf"\bblock\s+{re.escape(unknown.name)}\b", place.source.text) if unknown.name else None
    if is_own or not (unknown.advice or is_of_package(call.func)):
        return None
    name = unknown.name or last_name(call.func)
    word = word_of(name)
    help = f"the nearest step is `{word}`" if word in STEPS else "write the steps that it is made of, one a line"
    message = f"`{name}` is no layer that is known here"
    if unknown.advice:
        help, message = unknown.advice, f"archdsl has no operator for `{name}`"
    return Habit(start, place.end, message, help, place.end, code=CODE)


def _unknown_call(place: HabitSite, statement: ast.stmt) -> Habit | None:
    """Say that results have no names, where one is assigned that has no translation."""
    is_simple = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name | ast.Attribute)
    if is_simple and not re.match(r"\w+\s*=\s*[a-z]\w*\([^()]*\)$", place.text):
        message = "values have no names to assign: they flow from step to step"
        help = "write the step alone, as in `conv 64 k=3`; a label before it, `name:`, names its result"
        return Habit(place.start, place.end, message, help, place.end, code=CODE)
    if re.match(r"(?:print|super|setattr|assert|raise|self\.\w+)\b", place.text):
        message = "functions of Python are not run here"
        return Habit(place.start, place.end, message, "remove it", place.end, "", code=CODE)
    return None


def _parse(text: str) -> ast.stmt | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return body[0] if len(body) == 1 else None


def _translated(place: HabitSite, start: int, label: str, steps: Sequence[Translation], reading: Reading) -> Habit:
    found = _chained(steps)
    whole = found.step
    before = place.source.text[: place.start]
    is_model = label in ("model", "net", "network") and before.count("{") <= before.count("}")
    if is_model:
        inside = whole.removeprefix("{ ").removesuffix(" }")
        is_guessed = not inside.startswith("input ")
        whole = f"model net {{ {'input [3, 224, 224]; ' if is_guessed else ''}{inside} }}"
        found = replace(found, why="with the shape of your images" if is_guessed else found.why)
    elif label or found.label:
        start = place.start if label else start
        found = under(found, label) if label else found
        whole = labelled(found)
    why = found.why or "a step is a word and its arguments, without parentheses"
    called = re.search(r"[\w.]+(?=\()", place.source.text[start : place.end])
    what = f"`{called.group()}(…)`" if called else "this"
    maker = "Keras" if _is_of_keras(called.group() if called else "", reading) else "PyTorch"
    outside = place.source.text[: place.start] + "\n" + place.source.text[place.end :]
    is_exact = found.is_exact and all(step.is_exact for step in steps) and not reading.unbound(whole, outside)
    first = place.source.text.find("Dense", place.start)
    is_exact = is_exact and not any(may_be_image(step.note, place.source.text[:first]) for step in steps)
    is_exact = is_exact and not (is_model and "input [3, 224, 224]; " in whole)
    return Habit(
        start,
        place.end,
        f"{what} is how {maker} writes a layer; here it is a step",
        advice(replace(found, step=_shortened(whole), why=why)),
        place.end,
        whole if is_exact else None,
        notes=tuple(dict.fromkeys(step.note for step in steps if step.note)),
        code=CODE,
    )


def _is_of_keras(called: str, reading: Reading) -> bool:
    """Return whether a layer is Keras's: by its package, by what the file imports, or by a name that only it has."""
    root, _, name = called.rpartition(".")
    if (first := root.partition(".")[0]) in PACKAGES - {"ops"}:
        return first not in TORCHES
    return reading.maker == "keras" or (name in KERAS and name not in TORCH)


def _shortened(whole: str) -> str:
    """Leave out the end of what is long, but for the braces that close it."""
    cut = whole[:_LONGEST_SHOWN].rpartition(";")[0]
    if len(whole) <= _LONGEST_SHOWN or not cut:
        return whole
    return f"{cut}; …{' }' * (cut.count('{') - cut.count('}'))}"


def _chained(steps: Sequence[Translation]) -> Translation:
    """Join steps that follow one another into one translation."""
    said = [step for step in steps if step.step]
    pieces = [labelled(step) if len(said) > 1 else step.step for step in said if step.step != "pass" or len(said) == 1]
    whole = "; ".join(pieces or ["pass"])
    left = tuple(item for step in steps for item in step.left)
    other = next((step.other for step in steps if step.other), "") if len(said) == 1 else ""
    why = next((step.why for step in steps if step.why), "")
    return Translation(whole, why, "", left, other, said[0].label if len(said) == 1 else "")


def _return(place: HabitSite, value: ast.expr | None) -> Habit:
    """Remove what only names what flows; of several results or a computation something would be lost."""
    message = "a body gives what flows at its end, without `return`"
    help = "remove the line; `output name` gives out a result on the way under a name"
    if not isinstance(value, ast.Name | ast.Constant | None):
        help = "write the steps that it stands for; `output name { @name }` gives out another result"
        return Habit(place.start, place.end, message, help, place.end, code=CODE)
    return Habit(place.start, place.end, message, help, place.end, "", code=CODE)


def _sum(place: HabitSite, left: str, right: str) -> Habit:
    message = "values have no names to compute with: they flow from step to step"
    step = join_step("add", ["pass" if name == "x" else f"@{name}" for name in (left, right)])
    help = f"write `residual {{ … }}` around the steps between, or `{step}` where steps are labelled so"
    return Habit(place.start, place.end, message, help, place.end, code=CODE)


def _is_applied(call: ast.Call) -> bool:
    """Return whether a call is of what flows, as `conv(x)` is and `max(3, 4)` is not."""
    is_of_names = any(isinstance(argument, ast.Name | ast.Call) for argument in call.args[:1])
    return is_of_names and last_name(call.func) not in FUNCTIONS


def _assigned(target: ast.expr, value: ast.expr) -> str:
    """Return the name that an assigned layer is known by; "" where a result is assigned and not a layer."""
    if isinstance(target, ast.Attribute):
        return target.attr
    made = last_name(value.func) if isinstance(value, ast.Call) else ""
    is_module = (layer_of(made) is not None or made in CONTAINERS) and not made.islower()
    return target.id if isinstance(target, ast.Name) and is_module else ""


_DECLARED = re.compile(r"^(?:inline )?(block|experiment|model|recipe|variant)\b", re.M)


def own_call(place: HabitSite) -> Habit | None:
    """Take the parentheses and commas from a step that is written as a call, such as `conv(64, 3)`."""
    match = re.fullmatch(r"(?P<head>(?:[^\s:()]+\s*:\s*)?)(?P<call>[A-Za-z_]\w*\s*\(.*\))\s*,?\s*", place.text, re.S)
    called = step_called(match["call"]) if match is not None else None
    if match is None or called is None or "\n" in match["call"]:
        return None
    step, is_certain = called
    start = place.start + match.start("call")
    opened = _DECLARED.findall(place.source.text, 0, start)
    if opened[-1:] == ["experiment"]:
        message, measure = "what is measured stands behind `measure`", f"measure {match['call'].strip()}"
        return Habit(start, place.end, message, f"write `{measure}`", place.end, measure, whole=(start, place.end))
    word = re.match(r"\w+", match["call"])
    name = word.group() if word is not None else ""
    if name == step.partition(" ")[0] and not name.islower() and not own_in(place.source.text, [name]):
        help = nearest_to(name) or f"declare it with `block`, and write `{step}`"
        return Habit(start, start + len(name), f"no operator or block is called `{name}`", help, place.end, code="E101")
    return Habit(
        start,
        start + len(name),
        "arguments of a step stand beside its name, without parentheses or commas",
        f"write `{step}`",
        place.end,
        f"{{ {step} }}" if ";" in step.partition("{")[0] and match["head"] else step,
        is_safe=is_certain,
        whole=(start, place.end),
    )


def step_called(text: str) -> tuple[str, bool] | None:
    """Write a call by its name and parentheses as a step, and say whether that is certain; None for what is no call.

    What flows need not be said: `relu(x)` is `relu`.

    >>> step_called("conv(64, k=3)"), step_called("add(@a, @b)"), step_called("relu(@a)")
    (('conv 64 k=3', True), ('add @a @b', True), ('@a; relu', False))
    """
    match = re.fullmatch(r"([A-Za-z_]\w*)(\s*)\((.*)\)\s*", text)
    if match is None or not is_balanced(match[3]):
        return None
    name, arguments = match[1], split_commas(match[3])
    if match[2] and (len(arguments) < 2 or name == "input"):
        return None  # an argument in parentheses
    if name == "input":
        sizes = match[3].strip()
        return f"input {sizes if sizes.startswith('[') else f'[{sizes}]'}", True
    if name == "residual" and len(arguments) == 1 and (body := step_called(arguments[0])) is not None:
        return f"residual {{ {body[0]} }}", False
    if (join := join_of(name)) is not None:
        return _join_called(join, arguments, is_ours=join == name and not match[2])
    source = arguments[0] if arguments and re.fullmatch(r"x|@[\w.]+", arguments[0]) else ""
    if (inner := _inner(arguments[0] if arguments else "")) and word_for(name) in STEP_WORDS:
        rest = ", ".join(arguments[1:])
        outer = step_called(f"{name}({rest})")
        return (f"{inner}; {outer[0]}", False) if outer is not None else None
    words = [_standing(_listed(argument)) for argument in arguments[bool(source) :]]
    positional = [word for word in words if not re.match(r"[A-Za-z_]\w*=", word)]
    step = " ".join([word_for(name), *words])
    # Two numbers may be the channels before and behind, and a lone name what flows.
    is_certain = not source and len(positional) < 2 and not any(re.match(r"[A-Za-z_]", word) for word in positional)
    is_certain = is_certain and word_for(name) == name and not re.search(r"\dx\d", name)
    return (f"{source}; {step}" if source.startswith("@") else step), is_certain


def _inner(argument: str) -> str:
    """Write an argument that is a step, as in `relu(conv(8))` and `relu(conv 8)`; "" where it is a value."""
    if re.match(r"[A-Za-z_]\w*[ \t]+[\w(\[]", argument) and argument.split()[0] in STEP_WORDS:
        return argument
    word = re.match(r"([A-Za-z_]\w*)\(", argument)
    called = step_called(argument) if word and word_for(word[1]) in STEP_WORDS else None
    return called[0] if called is not None else ""


def _join_called(join: str, arguments: Sequence[str], *, is_ours: bool) -> tuple[str, bool] | None:
    """Write the values that a join is called with as its branches."""
    if len(arguments) >= 1 and (listed := re.fullmatch(r"[\[(](.*)[\])]", arguments[0])) is not None:
        arguments = split_commas(listed[1])
    branches = [_branch(argument) for argument in arguments if not re.match(r"\w+\s*=", argument)]
    if not branches or None in branches:
        return None
    is_certain = is_ours and len(branches) > 1 and all(argument.startswith("@") for argument in arguments)
    return join_step(join, [branch for branch in branches if branch]), is_certain


def _branch(argument: str) -> str | None:
    if argument == "x":
        return "pass"
    if re.fullmatch(r"@?[A-Za-z_]\w*(?:\.\w+)*", argument):
        return f"@{argument.removeprefix('@')}"
    called = step_called(argument)
    return None if called is None else f"{{ {called[0]} }}" if ";" in called[0] else called[0]


def word_for(name: str) -> str:
    """Return our word for an operator of another name, or the name itself."""
    return known_as(name) or (name.casefold() if name.casefold() in _OURS else name)


def _listed(argument: str) -> str:
    """Write a tuple as a list."""
    key, equals, value = argument.rpartition("=") if re.match(r"[A-Za-z_]\w*\s*=[^=]", argument) else ("", "", argument)
    value = value.strip()
    if value.startswith("(") and value.endswith(")") and len(split_commas(value[1:-1])) > 1:
        value = f"[{value[1:-1].strip().rstrip(',')}]"
    return f"{key.strip()}{equals}{value}"


def _standing(argument: str) -> str:
    """Put an argument that cannot stand between spaces into parentheses."""
    key = re.match(r"[A-Za-z_]\w*\s*=(?!=)\s*", argument)
    head, value = (argument[: key.end()].replace(" ", ""), argument[key.end() :]) if key else ("", argument)
    is_plain = re.fullmatch(r"[\w.]+|\[.*\]|\w+\(.*\)|\"[^\"]*\"|[\w.]+(\s*(\*\*|//|[*/%+])\s*[\w.]+)*", value)
    return head + (value if is_plain else f"({value})")


_IMPORT = re.compile(r"\s*(?:from\s+[\w.]+\s+import\b|import\s+\w)")


def imports(place: HabitSite) -> Habit | None:
    """Say what imports are good for here; lines of them that follow one another are one."""
    start, end = line_bounds(place.source.text, place.offset)
    text = place.source.text
    if not _IMPORT.match(text[start:end]):
        return None
    last = end
    for begin, line in lines_from(text, start):
        if line.strip() and not _IMPORT.match(line):
            break
        last = begin + len(line) if line.strip() else last
    following = re.compile(r"\s*\n(?=class\b)").match(text, last)
    if following is not None:
        return classes_and_functions(HabitSite(place.source, following.end(), following.end(), following.end()))
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    ours = re.match(r"\s*from\s+(\w+)\s+import\s+([\w, ]+?)\s*(?:#|$)", text[start:end])
    if ours and ours[1] not in ("torch", "keras", "tensorflow", "torchvision", "timm", "typing", "math", "__future__"):
        written = f"use {ours[1]} ({ours[2]})"
        message = "names of another spec are taken by `use`"
        return Habit(first, end, message, f"write `{written}`", end, written, is_safe=True)
    help = "remove it: operators are known without; `use name` takes blocks from another spec"
    return Habit(first, end, "a spec imports nothing from Python", help, last, "", whole=(start, last), code=CODE)


_CLASS = re.compile(r"\s*class\s+(?P<name>\w+)\s*(?P<bases>\([^)\n]*\))?\s*:")
_DEF = re.compile(r"\s*(?:async\s+)?def\s+(?P<name>\w+)\s*\((?P<parameters>[^\n]*)\)\s*(?:->[^:\n]+)?:")


def classes_and_functions(place: HabitSite) -> Habit | None:
    """Say what stands for a class or a function of Python; all that is indented below belongs to it."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    line = text[start:end]
    first = start + len(line) - len(line.lstrip())
    if match := _CLASS.match(line):
        name = match["name"].lower()
        help = (
            f"write `model {name} {{ input [3, 224, 224]; … }}`, or `block {name}(c) {{ … }}` for a part, with one "
            "step a layer in the order of the data"
        )
        message = f"`{match['name']}` is a class in Python; a network is a `model` here, and its parts are blocks"
        return Habit(first, start + match.end(), message, help, indented_end(text, start), code=CODE)
    if match := _DEF.match(line):
        return _function(match, first, start, indented_end(text, start))
    return None


def _function(match: re.Match[str], first: int, start: int, until: int) -> Habit:
    name = match["name"]
    if name == "forward" or name == "call":
        message = f"`{name}` has no use here: the steps of a body are run in their order"
        help = "write the steps themselves; `residual`, `add` and `concat` join branches"
        return Habit(first, start + match.end(), message, help, until, code=CODE)
    parameters = [p.strip() for p in match["parameters"].split(",") if p.strip() and p.strip() != "self"]
    named = ", ".join(re.sub(r"\s*:\s*[\w.\[\]| ]+", "", parameter) for parameter in parameters)
    kept = f"({named})" if named and name != "__init__" else ""
    called = name if name != "__init__" else "name"
    message = "functions of Python are not run here"
    help = f"write `block {called}{kept} {{ … }}` for steps, or `fn {called}{kept or '(v)'} = …` for a number"
    return Habit(first, start + match.end(), message, help, until, code=CODE)
