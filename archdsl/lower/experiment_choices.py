"""What the points of an experiment are made of: models and recipes with their settings, and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archdsl.ir.data_names import wrong_name
from archdsl.ir.experiment import INPUT, DataChoice, ModelChoice, RecipeChoice
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.experiment_axes import as_written
from archdsl.lower.plan import plan_model
from archdsl.lower.recipe_paths import is_bound
from archdsl.lower.recipes import bundled_recipe_texts, find_recipe_text
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate, evaluate_bool, evaluate_int, evaluate_list
from archdsl.semantics.files import bundled_file_of, bundled_names, read_source
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.semantics.values import Setting, as_word, describe, kind_of, write_value
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Label, Reporter
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

MOST_STEPS = 10_000_000
_MOST_SHOTS = 1_000_000
_MOST_CLASSES = 10_000


@dataclass(frozen=True, slots=True)
class NamedChoice:
    """A name with settings, as in `resnet_cifar(8, width=8)`, once it is known which is meant."""

    name: str
    name_span: Span
    arguments: tuple[tree.Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class SettingSpans:
    """Where a model or recipe and its settings are written."""

    span: Span
    keys: Mapping[str, Span]


def read_named(expression: tree.Expression, env: Env, example: str) -> NamedChoice:
    """Return the name that stands somewhere, which may be one of several, or be bound by a `let`."""
    if isinstance(expression, tree.Choose) and env.chooser is not None:
        return read_named(env.chooser.pick(expression), env, example)
    if isinstance(expression, tree.Conditional):
        is_first = evaluate_bool(expression.condition, env)
        return read_named(expression.then if is_first else expression.otherwise, env, example)
    match expression:
        case tree.Variable(word, span):
            return NamedChoice(_meant(word, span, env), smallest(expression, env), (), span)
        case tree.Apply(name, arguments, span):
            variable = tree.Variable(name.text, name.span)
            return NamedChoice(_meant(name.text, name.span, env), smallest(variable, env), arguments, span)
        case _:
            message = f"`{as_written(expression.span)}` is no name"
            raise Trouble("E104", message, expression.span, help=f"write `{example}`")


def _meant(word: str, span: Span, env: Env) -> str:
    """Return the word that a name stands for."""
    if word not in env.names:
        return word
    value = as_word(evaluate(tree.Variable(word, span), env))
    if not isinstance(value, str):
        message = f"`{word}` is {describe(value)}, {kind_of(value)}, and no name"
        raise Trouble("E104", message, span, help="bind it to a word, as in `let way = choose {short, long}`")
    return value


def smallest(expression: tree.Expression, env: Env) -> Span:
    """Return the smallest text that a value comes from, as far as `let` hands on choices."""
    taken: Mapping[int, tree.Expression] = env.chooser.options() if env.chooser is not None else {}
    for _ in range(_MOST_HANDED_ON):
        if isinstance(expression, tree.Variable) and expression.name in env.origins:
            expression, env = env.origins[expression.name]
        elif isinstance(expression, tree.Choose) and id(expression) in taken:
            expression = taken[id(expression)]
        else:
            break
    return expression.span


_MOST_HANDED_ON = 20
_HANDED_ON = (tree.Variable, tree.Choose)


class ModelHome(NamedTuple):
    """The file that a model is compiled from, and the names of its parameters in order."""

    module: Module
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelHomes:
    """Finds models by name: those of the experiment's file and of what it uses, then bundled ones."""

    module: Module
    _known: dict[str, ModelHome] = field(default_factory=dict[str, "ModelHome"])

    def find(self, name: str, span: Span) -> ModelHome:
        """Return where a model is compiled.

        Errors: Trouble with E120 at the span where no model is called that
        """
        if name not in self._known:
            home = _home_of(name, span, self.module)
            parameters = plan_model(home, name).declaration.parameters
            self._known[name] = ModelHome(home, tuple(parameter.name.text for parameter in parameters))
        return self._known[name]


def _home_of(name: str, span: Span, module: Module) -> Module:
    found = module.find(name)
    if found is not None and isinstance(found[0], tree.Model | tree.Variant):
        return module
    path = bundled_file_of(name)
    home = Library(Reporter()).load(read_source(path, path.name), path.parent) if path is not None else None
    if home is None:
        if module.expects(name):
            raise Reported
        own = [n for n, (item, _) in module.declarations.items() if isinstance(item, tree.Model | tree.Variant)]
        near = nearest(name, [*own, *bundled_names()])
        help = f"the nearest is `{near}`" if near else "declare it, `use` its file, or take a bundled one"
        fix = renamed(span, name, near, own=own)
        raise Trouble("E120", f"no model is called `{name}`", span, help=help, fix=fix)
    return home


def read_model(expression: tree.Expression, env: Env, homes: ModelHomes) -> tuple[ModelChoice, SettingSpans]:
    """Read a model with its settings; those without names are its parameters in their order."""
    named = read_named(expression, env, "model resnet_cifar(8, width=8)")
    home = homes.find(named.name, named.name_span)
    settings, spans = _settings(named, home.parameters, env)
    shapes = [a.value for a in named.arguments if a.key is not None and a.key.text == INPUT]
    image = _shape(shapes[0], env) if shapes else None
    settings = tuple(setting for setting in settings if setting[0] != INPUT)
    return ModelChoice(named.name, settings, image), SettingSpans(named.span, spans)


def _shape(expression: tree.Expression, env: Env) -> tuple[int, ...]:
    """Return the sizes of an image."""
    items = evaluate_list(expression, env, f"`{INPUT}`")
    sizes = tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool) and item > 0)
    if len(sizes) != len(items) or not sizes:
        message = f"`{INPUT}` is {_short(items)}, but has the sizes of an image"
        help = f"write channels, height and width: `{INPUT}=[3, 32, 32]`"
        raise Trouble("E104", message, smallest(expression, env), help=help)
    return sizes


def read_recipe_choice(expression: tree.Expression, env: Env) -> tuple[RecipeChoice, SettingSpans]:
    """Read a recipe with the values that are changed in it."""
    named = read_named(expression, env, "recipe small(lr=0.1)")
    if find_recipe_text(named.name, env.module) is None:
        known = [*env.module.recipes, *bundled_recipe_texts()]
        near = nearest(named.name, known)
        help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{other}`' for other in known)}"
        fix = renamed(named.name_span, named.name, near)
        raise Trouble("E126", f"no recipe is called `{named.name}`", named.name_span, help=help, fix=fix)
    settings, spans = _settings(named, (), env)
    seeds = [argument for argument in named.arguments if argument.key is not None and argument.key.text == "seed"]
    if seeds:
        message = "the seed of a recipe is that of each run"
        raise Trouble("E134", message, seeds[0].span, help="leave it out; how many there are says `seeds 5`")
    return RecipeChoice(named.name, settings), SettingSpans(named.span, spans)


def _settings(
    named: NamedChoice, positional: Sequence[str], env: Env
) -> tuple[tuple[tuple[str, str], ...], Mapping[str, Span]]:
    """Return the settings' texts by their names, and where they come from."""
    settings, spans, written = dict[str, str](), dict[str, Span](), dict[str, Span]()
    parts = Parts()
    for place, argument in enumerate(named.arguments):
        with parts:
            if argument.key is None and place >= len(positional):
                count = (
                    f"takes {len(positional)} values without names" if positional else "takes no value without a name"
                )
                help = f"name it: `{named.name}(NAME={as_written(argument.span)})`"
                raise Trouble("E107", f"`{named.name}` {count}", argument.span, help=help)
            key = argument.key.text if argument.key is not None else positional[place]
            if key in written:
                label = Label(written[key], "given here first")
                help = "remove one of the two"
                raise Trouble("E106", f"`{key}` is given twice", argument.span, labels=(label,), help=help)
            written[key] = argument.span
            settings[key] = _text(argument.value, env)
            spans[key] = smallest(argument.value, env) if isinstance(argument.value, _HANDED_ON) else argument.span
    parts.settle()
    return tuple(settings.items()), spans


def _text(expression: tree.Expression, env: Env) -> str:
    """Return a setting as a text that means the same in the file of what it is handed to."""
    if isinstance(expression, tree.Choose) and env.chooser is not None:
        return _text(env.chooser.pick(expression), env)
    is_own = any(
        isinstance(node, tree.Choose)
        or (isinstance(node, tree.Variable) and is_bound(node.name, env))
        or (isinstance(node, tree.Apply) and _is_own_function(node.name.text, env))
        for node in nodes_of(expression)
    )
    return write_value(evaluate(expression, env)) if is_own else as_written(expression.span)


def _is_own_function(name: str, env: Env) -> bool:
    found = env.module.declarations.get(name)
    return found is not None and isinstance(found[0], tree.Function)


def read_data(call: tree.Call, env: Env, example: str) -> DataChoice:
    """Read `data NAME classes=[…] shots=N`."""
    name: str | None = None
    classes, shots = tuple[int, ...](), None
    seen: dict[str, Span] = {}
    parts = Parts()
    for argument in call.arguments:
        with parts:
            key = argument.key.text if argument.key is not None else "name"
            if key in seen:
                code, what = ("E106", "is given twice") if argument.key is not None else ("E107", "takes one name")
                what = f"`{key}` {what}" if argument.key is not None else f"`data` {what}"
                raise Trouble(code, what, argument.span, help=f"write `{example}`")
            seen[key] = argument.span
            if argument.key is None:
                name = _word(argument.value, env, example)
                if (wrong := wrong_name(name)) is not None:
                    help = f'write `data "{wrong.form}"`' if wrong.form else wrong.help
                    raise Trouble("E340", wrong.message, smallest(argument.value, env), help=help)
            elif key == "classes":
                classes = _classes(argument.value, env)
            elif key == "shots":
                shots = whole(argument.value, env, "`shots`", _MOST_SHOTS)
            else:
                near = nearest(key, ("classes", "shots"))
                help = f"the nearest is `{near}`" if near else "it takes `classes` and `shots`"
                fix = renamed(argument.key.span, key, near)
                raise Trouble("E102", f"`data` has no setting `{key}`", argument.key.span, help=help, fix=fix)
    if "name" not in seen:
        with parts:
            raise Trouble("E103", "`data` needs the name of a data set", call.name.span, help=f"write `{example}`")
    parts.settle()
    assert name is not None
    return DataChoice(name, classes, shots)


def _word(expression: tree.Expression, env: Env, example: str) -> str:
    """Return a word or a text; a name that nothing binds is a word."""
    if isinstance(expression, tree.Choose) and env.chooser is not None:
        return _word(env.chooser.pick(expression), env, example)
    if isinstance(expression, tree.Variable) and not is_bound(expression.name, env):
        return expression.name
    if isinstance(expression, tree.Interpolated):
        return expression.span.text[1:-1]  # a file's name, of which braces are part
    value = as_word(evaluate(expression, env))
    if not isinstance(value, str) or not value:
        message = f"{describe(value) or 'an empty text'} is no name of a data set"
        raise Trouble("E104", message, expression.span, help=f"write `{example}`")
    return value


def _classes(expression: tree.Expression, env: Env) -> tuple[int, ...]:
    items = evaluate_list(expression, env, "`classes`")
    numbers = tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool) and item >= 0)
    help = "write `classes=[5, 6, 7]`; the first class is class 0"
    if len(numbers) != len(items) or not 2 <= len(items) <= _MOST_CLASSES:
        message = f"`classes` is {_short(items)}, but lists the numbers of at least two classes"
        raise Trouble("E104", message, expression.span, help=help)
    if len({*numbers}) < len(numbers):
        twice = next(number for place, number in enumerate(numbers) if number in numbers[:place])
        raise Trouble("E104", f"`classes` has {twice} twice", expression.span, help="leave one of them out")
    return numbers


def whole(expression: tree.Expression, env: Env, what: str, most: int) -> int:
    """Return a whole number from 1 on."""
    number = evaluate_int(expression, env, what)
    if not 1 <= number <= most:
        span = smallest(expression, env)
        raise Trouble(
            "E104", f"{what} is {number:,}, but must be from 1 to {most:,}", span, help="write a number between these"
        )
    return number


_LONGEST = 60


def _short(value: Setting) -> str:
    text = describe(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
