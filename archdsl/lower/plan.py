"""Which model of a file is meant, and what variants make of it: the plan that lowering follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archdsl.ir.freezing import Freezing
from archdsl.ir.start import WeightsSource
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.said import Said, take_edit
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate, match_arguments
from archdsl.semantics.library import Library
from archdsl.semantics.mistakes import unknown_argument
from archdsl.semantics.module import Module
from archdsl.semantics.types import check_type
from archdsl.semantics.values import Setting
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter
from archdsl.text.edits import renamed
from archdsl.text.record import record
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

MAX_VARIANTS = 40
_MOST_NAMES_LISTED = 12


@record
class Plan:
    """A model to lower: its declaration, its parameters' values, and what variants change in it."""

    module: Module
    declaration: tree.Model
    name: str
    values: Mapping[str, Setting]
    context: Context
    edits: tuple[tuple[tree.VariantEdit, Module], ...]
    doc: str
    freezings: tuple[Freezing, ...] = ()
    """What variants say of frozen parts."""
    weights: WeightsSource | None = None
    """The file that the outermost variant which names one does."""


def models_of(source: Source, folder: Path | None = None) -> tuple[str, ...]:
    """List the models of a spec that need no further arguments, in the order of the text."""
    module = Library(Reporter()).load(source, folder)
    return tuple(complete_models(module)) if module is not None else ()


def complete_models(module: Module) -> Iterator[str]:
    """Yield a spec's own models and variants that need no further arguments, in the order of the text."""
    for name, (declaration, home) in module.declarations.items():
        if home is not module:
            continue
        is_model = isinstance(declaration, tree.Model)
        if is_model and any(parameter.default is None for parameter in declaration.parameters):
            continue
        if is_model or isinstance(declaration, tree.Variant):
            yield name


def plan_model(module: Module, model: str | None) -> Plan:
    """Find the model meant, and follow its variants to it; raise what is wrong with the choice or with them."""
    return _resolve(module, _choose(module, model), (), Context())


def _open_model(module: Module) -> tree.Model | None:
    """Return a file's first model."""
    own = (declaration for declaration, home in module.declarations.values() if home is module)
    return next((declaration for declaration in own if isinstance(declaration, tree.Model)), None)


def _choose(module: Module, model: str | None) -> str:
    """Return the model meant: the one named, the only one, or the one called like its file."""
    source = module.file.source
    end = Span(0, 0, source)
    if model is None:
        complete = list(complete_models(module))
        stem = Path(source.name).stem
        if len(complete) == 1 or stem in complete:
            return stem if stem in complete else complete[0]
        listed = _listed(complete)
        if module.broken:
            raise Reported
        if not complete and (open_model := _open_model(module)) is not None:
            needed = ", ".join(f"`{p.name.text}`" for p in open_model.parameters if p.default is None)
            help = f"give them defaults, or declare `variant NAME of {open_model.name.text}(…)`"
            raise Trouble(
                "E120", f"every model of this spec needs arguments: {needed}", open_model.name.span, help=help
            )
        if not complete:
            raise Trouble(
                "E120", "this spec has no model", end, help="declare one: `model name { input [3, 224, 224]; … }`"
            )
        raise Trouble("E120", f"this spec has {len(complete)} models", end, help=f"name one of {listed}")
    found = module.declarations.get(model)
    if found is None and model in module.broken:
        raise Reported
    if found is None or not isinstance(found[0], tree.Model | tree.Variant):
        complete = list(complete_models(module))
        near = nearest(model, complete)
        listed = f"it has {_listed(complete)}" if complete else "it has none: declare `model name { … }`"
        help = f"the nearest is `{near}`" if near else listed
        raise Trouble("E120", f"`{source.name}` has no model `{model}`", end, help=help)
    return model


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES_LISTED])
    return shown if len(names) <= _MOST_NAMES_LISTED else f"{shown} and {len(names) - _MOST_NAMES_LISTED} more"


def _resolve(module: Module, name: str, seen: tuple[str, ...], context: Context) -> Plan:
    """Follow a variant to the model that it varies."""
    found = module.find(name)
    assert found is not None
    declaration, home = found
    if isinstance(declaration, tree.Model):
        return Plan(home, declaration, name, {}, context, (), home.doc(declaration))
    assert isinstance(declaration, tree.Variant)
    base = home.find(declaration.base.text)
    if base is None or not isinstance(base[0], tree.Model | tree.Variant):
        models = [key for key, (item, _) in home.declarations.items() if isinstance(item, tree.Model | tree.Variant)]
        near = nearest(declaration.base.text, models)
        help = f"the nearest is `{near}`" if near else "a base is a model of this file, or of one that it uses"
        fix = renamed(declaration.base.span, declaration.base.text, near, own=models)
        message = f"no model is called `{declaration.base.text}`"
        raise Trouble("E120", message, declaration.base.span, help=help, fix=fix)
    if declaration.base.text in (*seen, name):
        help = "let one of them vary a model"
        # All in a circle have one mistake, which is told at the last of them.
        raise Trouble("E108", f"`{min(*seen, name)}` is a variant of itself", _circle(home, (*seen, name)), help=help)
    if len(seen) >= MAX_VARIANTS:
        # Told at one place, whichever of the chain is asked for.
        last = home.find(_last_variant(home, name))
        span = last[0].name.span if last is not None else declaration.base.span
        help = "vary the model itself"
        raise Trouble("E108", f"variants vary variants more than {MAX_VARIANTS} times", span, help=help)
    plan = _resolve(home, declaration.base.text, (*seen, name), context)
    return _varied(plan, declaration, home)


def _last_variant(home: Module, name: str) -> str:
    """Follow a chain of variants to the one that varies a model, as far as it goes without coming back."""
    seen = {name}
    while (found := home.find(name)) is not None and isinstance(found[0], tree.Variant):
        base = home.find(found[0].base.text)
        if base is None or not isinstance(base[0], tree.Variant) or found[0].base.text in seen:
            break
        name = found[0].base.text
        seen.add(name)
    return name


def _circle(home: Module, names: Sequence[str]) -> Span:
    """Return the base that the first variant of a circle names."""
    declarations = (home.declarations[name][0] for name in names if name in home.declarations)
    spans = [item.base.span for item in declarations if isinstance(item, tree.Variant)]
    return min(spans, key=lambda span: span.start)


def _varied(plan: Plan, variant: tree.Variant, home: Module) -> Plan:
    budget = Budget()
    env = Env(home, file_context(home, Context(), budget, Parts()), budget)
    parameters = plan.declaration.parameters
    values = match_arguments(plan.declaration.name.text, parameters, variant.arguments, variant.base.span, env)
    spans = {argument.key.text: argument.span for argument in variant.arguments if argument.key is not None}
    for parameter in parameters:
        if parameter.name.text in values:
            check_type(parameter, values[parameter.name.text], spans.get(parameter.name.text, variant.base.span))
    orders: dict[str, Setting] = {}
    names = {parameter.name.text: parameter for parameter in parameters}
    given: set[str] = set()
    said = Said()
    for settings in variant.edits:
        if isinstance(settings, tree.Call):
            take_edit(settings, said, env)
        if isinstance(settings, tree.Settings):
            for argument in settings.arguments:
                assert argument.key is not None
                key = argument.key.text
                value = evaluate(argument.value, env)
                if key in given:
                    raise Trouble("E106", f"`{key}` is given twice", argument.span, help="remove one of the two")
                given.add(key)
                if key in names:
                    check_type(names[key], value, argument.value.span)
                    values[key] = value
                elif env.context.get(key) is not None or _own_context(plan).get(key) is not None:
                    orders[key] = value
                else:
                    known = [*names, *_own_context(plan).names()]
                    raise unknown_argument(plan.name, key, known, argument.key.span)
    edits = (*plan.edits, *((edit, home) for edit in variant.edits if isinstance(edit, tree.VariantEdit)))
    doc = home.doc(variant) or plan.doc
    return Plan(
        plan.module,
        plan.declaration,
        variant.name.text,
        {**plan.values, **values},
        plan.context.order(orders),
        edits,
        doc,
        (*plan.freezings, *said.freezings),
        said.weights or plan.weights,
    )


def _own_context(plan: Plan) -> Context:
    return file_context(plan.module, Context(), Budget(), Parts())
