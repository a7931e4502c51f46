"""The pipeline in one place: a spec's source to a network's graph, facts and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from archdsl.ir.graph import Graph
from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.lowerer import Lowered, Lowerer
from archdsl.lower.survey import survey
from archdsl.ops import OPS
from archdsl.ops.norm import GroupNorm
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.passes.bounds import check_weights
from archdsl.passes.costs import Costs, count_costs
from archdsl.passes.groups import misfit, name_divisors
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import (
    FACTS,
    Budget,
    Env,
    bind_defaults,
    evaluate,
    evaluate_bool,
    find_callable,
    match_arguments,
    unknown_argument,
)
from archdsl.semantics.keymap import KeyMap, build_key_maps
from archdsl.semantics.library import (
    SUFFIX,
    Library,
    Module,
    bundled_folder,
    declared_models,
    file_context,
    read_source,
)
from archdsl.semantics.refute import refute
from archdsl.semantics.types import check_type
from archdsl.semantics.values import UNKNOWN, Partial, Setting, Unknown
from archdsl.syntax import tree
from archdsl.syntax.allowances import report_unused
from archdsl.syntax.parser import parse_expression
from archdsl.text.allow import Allowances
from archdsl.text.diagnostic import Diagnostic, Reporter, SpecError
from archdsl.text.edits import renamed
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

# What a user may write in Python for a setting: a value, or the text that a spec would have.
UserValue: TypeAlias = "bool | int | float | str | Sequence[UserValue]"


MAX_VARIANTS = 40
MAX_STEPS_OF_FILE = 100_000
_MOST_NAMES_LISTED = 12
# What checking a model costs beside its steps.
_STEPS_OF_MODEL = 50


@dataclass(frozen=True, slots=True)
class Compilation:
    """One model of a spec, compiled: its graph and facts as far as the spec's mistakes leave any."""

    name: str
    graph: Graph | None
    shapes: Shapes | None
    costs: Costs | None
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    source: Source
    key_maps: tuple[KeyMap, ...] = ()
    allowances: Allowances | None = None
    """Which warnings the source wants left out; None where it has no tree."""
    again: Callable[[Mapping[str, UserValue]], Compilation] | None = field(default=None, compare=False, repr=False)
    """Compiles the same model once more, with some of the settings changed."""

    def find_warnings(self) -> tuple[Diagnostic, ...]:
        """Give what is suspicious about the model, as far as it stands in the source's own text; none with mistakes."""
        report = Reporter()
        if self.allowances is not None and self.shapes is not None and self.costs is not None:
            report.leave_out(self.allowances.drops)
            _lint(self.shapes, self.costs, self.allowances.source, report)
        return report.diagnostics


@dataclass(frozen=True, slots=True)
class _Plan:
    """A model to lower: its declaration, its parameters' values, and what variants change in it."""

    module: Module
    declaration: tree.Model
    name: str
    values: Mapping[str, Setting]
    context: Context
    edits: tuple[tuple[tree.Edit, Module], ...]
    doc: str


def compile(
    source: Source,
    model: str | None = None,
    settings: Mapping[str, UserValue] | None = None,
    image: Sequence[int] | None = None,
    folder: Path | None = None,
) -> Compilation:
    """Compile one model of a spec. Never raises for what the spec says: mistakes are in `diagnostics`.

    `settings` give the model's parameters, context names such as `norm`, or arguments such as `conv.bias` other values;
    `image` replaces the input's shape. Files that the spec uses are looked for in `folder` and among the bundled ones.
    """
    report = Reporter()
    graph = shapes = costs = None
    key_maps: tuple[KeyMap, ...] = ()
    name = model or ""
    library = Library(report)
    module = library.load(source, folder)
    if module is not None:
        report.leave_out(module.allowances.drops)
    digest = _digest(library.texts(source), model, settings, image)
    _check_image(image, report)
    plan = _plan(module, model, settings or {}, report) if module is not None else None
    if (
        plan is not None
        and module is not None
        and not any(d.span.source.name == "<settings>" for d in report.diagnostics)
    ):
        name = plan.name
        lowered = _lower(plan, Lowerer(report, image))
        if lowered is not None:
            graph = lowered.graph
            key_maps = _key_maps(plan, module, report)
            shapes, costs = _analyse(lowered, report)

    def again(changed: Mapping[str, UserValue]) -> Compilation:
        return compile(source, model, {**(settings or {}), **changed}, image, folder)

    allowances = module.allowances if module is not None else None
    found = report.diagnostics if plan is None else _with_divisors(report.diagnostics, plan, image)
    return Compilation(name, graph, shapes, costs, found, digest, source, key_maps, allowances, again)


def _check_image(image: object, report: Reporter) -> None:
    """Report an input size that is none."""
    if image is None:
        return
    sizes: list[object] = [*image] if isinstance(image, list | tuple) else []  # pyright: ignore[reportUnknownArgumentType] -- tested below
    is_size = all(type(size) is int and 0 < size <= LARGEST_TENSOR for size in sizes)
    if not is_size or not 1 <= len(sizes) <= _MOST_AXES:
        written = Source(f"input={image!r}", "<settings>")
        help = "give channels, height and width: (3, 224, 224)"
        report.error(
            "E104", "an input size is 1 to 4 positive whole numbers", Span(0, len(written.text), written), help=help
        )


_MOST_AXES = 4


def _digest(
    texts: Sequence[str], model: str | None, settings: Mapping[str, UserValue] | None, image: Sequence[int] | None
) -> str:
    parts = (*texts, model, sorted((settings or {}).items()), tuple(image) if image is not None else None)
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _lower(plan: _Plan, lowerer: Lowerer) -> Lowered | None:
    return lowerer.model(plan.module, plan.declaration, plan.name, plan.values, plan.context, plan.edits, plan.doc)


def _key_maps(plan: _Plan, module: Module, report: Reporter) -> tuple[KeyMap, ...]:
    """Give the name maps of the file compiled and of the one that the model stands in, with those that they use."""
    homes = list(dict.fromkeys([*module.key_homes(), *plan.module.key_homes()]))
    if report.has_errors or not homes:
        return ()
    budget, declaration = Budget(), plan.declaration
    env = Env(plan.module, file_context(plan.module, plan.context, budget), budget)
    env = bind_defaults(env, declaration.parameters, plan.values, declaration.name)
    return build_key_maps([(home.keys, replace(env, module=home)) for home in homes], report)


def _analyse(lowered: Lowered, report: Reporter) -> tuple[Shapes | None, Costs | None]:
    """Run the passes over a lowered model, shapes and assertions as far as mistakes leave anything of it."""
    inputs = [node.op.infer_shape([]) for node in lowered.graph.inputs if node.op is not None]
    shapes = infer_shapes(lowered.graph, inputs, report)
    for diagnostic in lowered.deferred:
        report.add(diagnostic)
    if report.has_errors:
        _check_assertions(lowered, dict.fromkeys(FACTS, UNKNOWN), report)
        return None, None
    costs = count_costs(shapes)
    total = costs.total
    if total.parameters > LARGEST_TENSOR:
        check_weights(shapes, report)
        if report.has_errors:
            return None, None
    facts = (total.parameters, total.macs, total.flops, total.activation_bytes)
    _check_assertions(lowered, dict(zip(FACTS, facts, strict=True)), report)
    return shapes, costs


def _lint(shapes: Shapes, costs: Costs, file: Source, report: Reporter) -> None:
    from archdsl.passes.lint import lint_network  # only checking needs it
    from archdsl.passes.lint.facts import Facts

    lint_network(Facts(shapes, costs, file), report)


def _with_divisors(
    diagnostics: tuple[Diagnostic, ...], plan: _Plan, image: Sequence[int] | None = None
) -> tuple[Diagnostic, ...]:
    """Say which numbers of groups would do where one that a setting or default gives the norms does not."""
    groups = misfit(diagnostics)
    if groups is None:
        return diagnostics
    norm = Partial("group", GroupNorm, (("groups", 1),))
    report = Reporter()
    lowered = _lower(replace(plan, context=plan.context.order({"norm": norm})), Lowerer(report, image))
    shapes, _ = _analyse(lowered, report) if lowered is not None else (None, None)
    return name_divisors(diagnostics, groups, shapes) if shapes is not None else diagnostics


def _check_assertions(lowered: Lowered, facts: Mapping[str, Setting | Unknown], report: Reporter) -> None:
    for condition, env in lowered.assertions:
        try:
            if not evaluate_bool(condition, env.bind(**facts)):
                span, message = refute(condition, env.bind(**facts))
                report.error("E119", message, span)
        except Trouble as trouble:
            _tell(trouble, report)
        except Reported:
            pass


def _tell(trouble: Trouble, report: Reporter) -> None:
    for one in trouble.all():
        report.add(one.diagnostic())


def models_of(source: Source, folder: Path | None = None) -> tuple[str, ...]:
    """List the models of a spec that need no further arguments, in the order of the text."""
    module = Library(Reporter()).load(source, folder)
    return tuple(_complete(module)) if module is not None else ()


def _complete(module: Module) -> Iterator[str]:
    for name, (declaration, home) in module.declarations.items():
        if home is not module:
            continue
        is_model = isinstance(declaration, tree.Model)
        if is_model and any(parameter.default is None for parameter in declaration.parameters):
            continue
        if is_model or isinstance(declaration, tree.Variant):
            yield name


def _plan(module: Module, model: str | None, settings: Mapping[str, UserValue], report: Reporter) -> _Plan | None:
    try:
        name = _choose(module, model)
        plan = _resolve(module, name, (), Context())
        return _with_settings(plan, settings)
    except Trouble as trouble:
        _tell(trouble, report)
    except Reported:
        pass
    return None


def _open_model(module: Module) -> tree.Model | None:
    """Give a file's first model."""
    own = (declaration for declaration, home in module.declarations.values() if home is module)
    return next((declaration for declaration in own if isinstance(declaration, tree.Model)), None)


def _choose(module: Module, model: str | None) -> str:
    """Give the model meant: the one named, the only one, or the one called like its file."""
    source = module.file.source
    end = Span(0, 0, source)
    if model is None:
        complete = list(_complete(module))
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
        complete = list(_complete(module))
        near = nearest(model, complete)
        listed = f"it has {_listed(complete)}" if complete else "it has none: declare `model name { … }`"
        help = f"the nearest is `{near}`" if near else listed
        raise Trouble("E120", f"`{source.name}` has no model `{model}`", end, help=help)
    return model


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES_LISTED])
    return shown if len(names) <= _MOST_NAMES_LISTED else f"{shown} and {len(names) - _MOST_NAMES_LISTED} more"


def _resolve(module: Module, name: str, seen: tuple[str, ...], context: Context) -> _Plan:
    """Follow a variant to the model that it varies."""
    found = module.find(name)
    assert found is not None
    declaration, home = found
    if isinstance(declaration, tree.Model):
        return _Plan(home, declaration, name, {}, context, (), home.doc(declaration))
    assert isinstance(declaration, tree.Variant)
    base = home.find(declaration.base.text)
    if base is None or not isinstance(base[0], tree.Model | tree.Variant):
        models = [key for key, (item, _) in home.declarations.items() if isinstance(item, tree.Model | tree.Variant)]
        near = nearest(declaration.base.text, models)
        help = f"the nearest is `{near}`" if near else "a base is a model of this file, or of one that it uses"
        fix = renamed(declaration.base.span, declaration.base.text, near)
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
    """Give the base that the first variant of a circle names."""
    declarations = (home.declarations[name][0] for name in names if name in home.declarations)
    spans = [item.base.span for item in declarations if isinstance(item, tree.Variant)]
    return min(spans, key=lambda span: span.start)


def _varied(plan: _Plan, variant: tree.Variant, home: Module) -> _Plan:
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
    for settings in variant.edits:
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
    edits = (*plan.edits, *((edit, home) for edit in variant.edits if isinstance(edit, tree.Edit)))
    doc = home.doc(variant) or plan.doc
    return _Plan(
        plan.module,
        plan.declaration,
        variant.name.text,
        {**plan.values, **values},
        plan.context.order(orders),
        edits,
        doc,
    )


def _own_context(plan: _Plan) -> Context:
    return file_context(plan.module, Context(), Budget(), Parts())


def _with_settings(plan: _Plan, settings: Mapping[str, UserValue]) -> _Plan:
    """Apply settings from outside: parameters of the model, context names, or `operator.argument`."""
    budget = Budget()
    context = file_context(plan.module, Context(), budget, Parts())
    env = Env(plan.module, context, budget)
    parameters = {parameter.name.text: parameter for parameter in plan.declaration.parameters}
    values = dict(plan.values)
    orders: dict[str, Setting] = {}
    argument_orders: dict[tuple[str, str], Setting] = {}
    body_context = _context_names(plan.declaration.body)
    for key, given in settings.items():
        written = Source(f"{key}={given if isinstance(given, str) else _write(given)}", "<settings>")
        value = _setting(written, len(key) + 1, env)
        target, _, argument = key.partition(".")
        key_span = Span(0, len(key), written)
        if key in parameters:
            check_type(parameters[key], value, Span(len(key) + 1, len(written.text), written))
            values[key] = value
        elif argument and (found := find_callable(target, plan.module)) is not None:
            resolved = argument if not isinstance(found.target, type) else found.target.resolve(argument)
            if resolved is None:
                assert isinstance(found.target, type)
                raise unknown_argument(target, argument, found.target.attribute_names(), key_span)
            argument_orders[target, resolved] = value
        elif context.get(key) is not None or key in body_context:
            orders[key] = value
        else:
            known = [*parameters, *context.names(), *body_context]
            near = nearest(key, known)
            listed = ", ".join(f"`{name}`" for name in known)
            operator = nearest(target, OPS) if argument else None
            help = f"the nearest is `{near}`" if near else f"it has {listed}"
            if operator is not None:
                help = f"the nearest operator is `{operator}`: `{operator}.{argument}`"
            raise Trouble("E102", f"`{plan.name}` has no setting `{key}`", key_span, help=help)
    context = plan.context.order(orders, argument_orders)
    return _Plan(plan.module, plan.declaration, plan.name, values, context, plan.edits, plan.doc)


def _context_names(body: tree.Body) -> set[str]:
    """List the names that a body's own `defaults` bind."""
    found: set[str] = set()
    for statement in body.statements:
        if isinstance(statement, tree.Defaults):
            found |= {argument.key.text for argument in statement.values if argument.key is not None}
    return found


def _write(value: UserValue) -> str:
    """Write a Python value as a spec would."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value
    items: object = value
    return "[" + ", ".join(map(_write, value)) + "]" if isinstance(items, list | tuple) else str(items).lower()


_QUOTES = "'`\u201c\u201d\u2018\u2019"
_AS_IN_A_SPEC = "write it as in a spec: a number, a list `[1, 2]`, or an operator such as `group(32)`"


def _setting(written: Source, offset: int, env: Env) -> Setting:
    """Evaluate the text of a setting, which starts at `offset`."""
    report = Reporter()
    padded = Source(" " * offset + written.text[offset:], written.name)
    expression = parse_expression(padded, report)
    if expression is None or report.has_errors:
        given = written.text[offset:]
        message = f"`{given}` is no value" if given.strip() else f"`{written.text[: offset - 1]}` is given no value"
        help = f"write {given.strip(_QUOTES)}, without quotes" if given.strip(_QUOTES) != given else _AS_IN_A_SPEC
        raise Trouble("E104", message, Span(offset, len(written.text), written), help=help)
    try:
        return evaluate(expression, env)
    except Trouble as trouble:
        span = Span(trouble.span.start, trouble.span.end, written)
        raise Trouble(trouble.code, trouble.message, span, help=trouble.help) from None


def find_spec(spec: str | Path) -> tuple[Source, Path, str | None]:
    """Find a spec by path, by bundled name (of a file or of a model in one), or as a file's model, `file:model`.

    Gives its source, its folder, and the model that the name means, if it means one. Raises SpecError if there is
    none, or if it cannot be read.
    """
    text = str(spec)
    path, model = Path(text), None
    if len(text) > _LONGEST_PATH:
        raise _failure("E114", "no path and no name is that long", f"{text[:40]}…")
    if not path.is_file() and ":" in text:
        head, _, model = text.rpartition(":")
        path = Path(head)
        if not model:
            raise _failure("E114", f"no model is named behind the colon of `{text}`", text, f"write `{head}:NAME`")
    if path.is_file() or path.suffix == SUFFIX or "/" in str(path):
        return _read(path), path.parent, model
    name = str(path)
    own = bundled_folder() / f"{name}{SUFFIX}"
    if own.is_file():
        return _read(own, own.name), own.parent, model
    for candidate in sorted(bundled_folder().glob(f"*{SUFFIX}")):
        if name in _declared(candidate, candidate.stat().st_mtime_ns):
            if model is not None:
                help = f"the file that declares it is `{candidate.stem}`"
                raise _failure("E114", f"`{name}` is a model, and no file that has any", text, help)
            return _read(candidate, candidate.name), candidate.parent, name
    if path.is_dir():
        raise _failure("E114", f"`{name}` is a folder", text, f"name the files in it: `{name}/*{SUFFIX}`")
    bundled = bundled_models()
    near = nearest(name, [*(name for name, _ in bundled if model is None), *(path.stem for _, path in bundled)])
    help = f"the nearest bundled one is `{near}`" if near else "`archdsl list` shows the bundled ones"
    raise _failure("E114", f"no file and no bundled spec is called `{name}`", text, help)


_LONGEST_PATH = 1000


@lru_cache(maxsize=256)
def _declared(path: Path, _changed: int) -> frozenset[str]:
    """Give the names of a file's models, read again when it has changed."""
    return frozenset(declared_models(_read(path).text))


def _read(path: Path, name: str | None = None) -> Source:
    try:
        return read_source(path, name)
    except UnicodeDecodeError as error:
        raise _failure("E004", f"`{path}` is no UTF-8 text: {error.reason} at byte {error.start}", str(path)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _failure("E114", f"`{path}` cannot be read: {reason}", str(path), _beside(path)) from None


def _beside(path: Path) -> str:
    """Offer the spec beside a path whose name is nearest."""
    try:
        near = nearest(path.name, [other.name for other in path.parent.glob(f"*{SUFFIX}")])
    except (OSError, ValueError):
        return ""
    return f"the nearest file is `{path.with_name(near)}`" if near and near != path.name else ""


def _failure(code: str, message: str, name: str, help: str = "") -> SpecError:
    report = Reporter()
    report.error(code, message, Span(0, 0, Source("", name)), help=help)
    return SpecError(report.diagnostics)


def bundled_models() -> list[tuple[str, Path]]:
    """List the models of the bundled specs that need no further arguments, with their files."""
    found: list[tuple[str, Path]] = []
    for path in sorted(bundled_folder().glob(f"*{SUFFIX}")):
        found += [(name, path) for name in models_of(_read(path, path.name), path.parent)]
    return found


def check(source: Source, folder: Path | None = None, model: str | None = None) -> tuple[Diagnostic, ...]:
    """Give the diagnostics of a model, or of every model and the rest of a file."""
    report = Reporter()
    module = Library(report).load(source, folder)
    if module is None:
        return report.diagnostics
    report.leave_out(module.allowances.drops)
    loading = report.diagnostics
    steps = 0
    built: set[Span] = set()
    visited: set[int] = set()
    for name in (model,) if model is not None else tuple(_complete(module)):
        own = Reporter()
        own.leave_out(module.allowances.drops)
        for diagnostic in loading:
            own.add(diagnostic)
        lowerer = Lowerer(own, visited=visited)
        plan = _plan(module, name, {}, own)
        lowered = _lower(plan, lowerer) if plan is not None else None
        if plan is not None and lowered is not None:
            _key_maps(plan, module, own)
            shapes, costs = _analyse(lowered, own)
            if shapes is not None and costs is not None and not own.has_errors:
                _lint(shapes, costs, module.file.source, own)
            built |= {*lowerer.built, plan.declaration.span}
        for diagnostic in own.diagnostics if plan is None else _with_divisors(own.diagnostics, plan):
            report.add(diagnostic)
        steps += lowerer.steps + _STEPS_OF_MODEL
        if steps > MAX_STEPS_OF_FILE:
            message = f"the models of this spec have more than {MAX_STEPS_OF_FILE:,} distinct steps together"
            report.error("E109", message, Span(0, 0, source), help="check them one by one, or split the spec")
            break
    else:
        if model is None:
            survey(module, visited, report)
    if not (module.file.declarations or report.has_errors):
        help = "declare a model: `model name { input [3, 224, 224]; … }`"
        report.error("E120", "this spec is empty", Span(0, 0, module.file.source), help=help)
    if model is None and not report.has_errors:
        _lint_names(module, report)
        bodies = {d.span for d in module.file.declarations if isinstance(d, tree.Block | tree.Model)}
        report_unused(module.allowances, built, is_complete=bool(built) and bodies <= built, report=report)
    return report.diagnostics


def _lint_names(module: Module, report: Reporter) -> None:
    from archdsl.passes.lint.names import lint_names

    lint_names(module, report)
