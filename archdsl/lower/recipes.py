"""Recipes: the statements of a text to a `Recipe`, each mistake at its word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.arguments import reason
from archdsl.lower.recipe_paths import is_bound, read_freeze, read_rates
from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.contradictions import contradictions
from archdsl.recipes.images import ImageChange
from archdsl.recipes.recipe import CHANGES_BY_WORD, IMAGES, PHASE_WORDS, STATEMENTS, Phase, Recipe
from archdsl.recipes.updates import Freeze, Rates
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.files import SUFFIX, read_source, recipe_folder
from archdsl.semantics.library import Library
from archdsl.semantics.mistakes import inexact
from archdsl.semantics.module import Module
from archdsl.semantics.values import as_word, describe
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix, Label, Reporter
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

S = TypeVar("S", bound=RecipeStatement)
_PARTS = ("train", "eval")
_MOST_BASES = 100
_MOST_PHASES = 100


@dataclass(slots=True)
class _Draft:
    """What the statements of a recipe and of those that it builds on have given so far."""

    fields: dict[str, object] = field(default_factory=dict[str, object])
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    """Of statements by their words; of the second phase's, `phase 2 epochs`."""
    phases: list[Phase] = field(default_factory=list[Phase])


def check_recipes(module: Module, report: Reporter) -> int:
    """Report what is wrong with a file's own recipes; return how many it declares."""
    own = [declaration for declaration in module.file.declarations if isinstance(declaration, tree.RecipeText)]
    for declaration in own:
        build_recipe(declaration, module, report)
    return len(own)


def find_recipe_text(name: str, module: Module | None) -> tuple[tree.RecipeText, Module] | None:
    """Return the recipe that a name means in a file: one of its own or of those that it uses, or a bundled one."""
    found = module.recipes.get(name) if module is not None else None
    return found or bundled_recipe_texts().get(name)


@cache
def bundled_recipe_texts() -> Mapping[str, tuple[tree.RecipeText, Module]]:
    """Return the recipes that come with archdsl, by name."""
    found: dict[str, tuple[tree.RecipeText, Module]] = {}
    folder = recipe_folder()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        module = Library(Reporter()).load(read_source(path, path.name), folder)
        if module is not None:
            found.update(module.recipes)
    return found


def build_recipe(declaration: tree.RecipeText, module: Module, report: Reporter) -> Recipe | None:
    """Make a recipe of its text, or report what is wrong with it and return None."""
    parts = Parts()
    try:
        draft = _draft(declaration, module, parts, (declaration.name.text,))
        parts.settle()
    except Trouble as trouble:
        trouble.tell(report)
        return None
    except Reported:
        return None
    fields: dict[str, Any] = draft.fields
    recipe = Recipe(name=declaration.name.text, phases=tuple(draft.phases), **fields)
    found = list(contradictions(recipe))
    for one in found:
        within = f"{Phase.keyword} {one.phase}"
        places = (f"{within} {one.keyword}", within, one.keyword) if one.phase else (one.keyword,)
        spans = [draft.spans[place] for place in places if place in draft.spans]
        # What stands in this recipe's own file can be changed there.
        spans.sort(key=lambda span: span.source != declaration.span.source)
        span = spans[0] if spans else declaration.name.span
        labels: list[Label] = []
        if span.source != declaration.span.source:  # what it builds on stands in another file
            labels, span = [Label(span, "said here")], (declaration.base or declaration.name).span
        report.error("E127", one.message, span, labels=labels, help=one.help)
    return None if found else recipe


def _draft(declaration: tree.RecipeText, module: Module, parts: Parts, seen: tuple[str, ...]) -> _Draft:
    draft = _Draft()
    if declaration.base is not None:
        with parts:
            base, home = _base(declaration.base, module, seen)
            draft = _draft(base, home, parts, (*seen, base.name.text))
    env = Env(module, file_context(module, Context(), Budget(), Parts()), Budget())
    own: dict[str, Span] = {}
    inherited, draft.phases = draft.phases, []
    for statement in declaration.body.statements:
        with parts:
            if isinstance(statement, tree.Let):
                env = env.bind_written(statement.name.text, evaluate(statement.value, env), statement.value)
                continue
            if isinstance(statement, tree.Broken):
                raise Reported
            _take(_call(statement, "a recipe"), env, draft, own)
    if Phase.keyword not in own:
        draft.phases = inherited
        for word in PHASE_WORDS:
            with parts:
                _check_counts(word, draft, own)
    return draft


def _check_counts(word: str, draft: _Draft, own: Mapping[str, Span]) -> None:
    """Check that a statement beside phases of another recipe has a phase that it counts for."""
    # What a phase freezes comes to what the recipe freezes.
    if word in own and word != Freeze.keyword and draft.phases and all(word in phase.said() for phase in draft.phases):
        message = f"`{word}` counts for no phase of the run, since each says its own"
        help = f"change it in a phase: `--set recipe.{Phase.keyword}.1.{word}=…`, or write the phases anew"
        raise Trouble("E127", message, own[word], help=help)


def _base(name: tree.Name, module: Module, seen: tuple[str, ...]) -> tuple[tree.RecipeText, Module]:
    found = find_recipe_text(name.text, module)
    if found is not None and name.text in seen:
        bundled = bundled_recipe_texts().get(name.text)
        # A recipe may build on the bundled one of its own name.
        found = bundled if bundled is not None and name.text == seen[-1] and bundled != found else None
        if found is None:
            raise Trouble("E108", f"the recipe `{name.text}` builds on itself", name.span, help="build it on another")
    if len(seen) > _MOST_BASES:
        raise Trouble("E108", f"recipes build on recipes more than {_MOST_BASES} times", name.span)
    if found is None:
        known = [*module.recipes, *bundled_recipe_texts()]
        near = nearest(name.text, known)
        help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{other}`' for other in known)}"
        message = f"no recipe is called `{name.text}`"
        raise Trouble("E126", message, name.span, help=help, fix=renamed(name.span, name.text, near))
    return found


def _call(statement: tree.Statement | tree.Allow, where: str) -> tree.Call:
    if isinstance(statement, tree.Step) and statement.label is None and statement.repeat is None:
        action = statement.action
        if isinstance(action, tree.Call):
            return action
    help = "a statement is its word with its settings, such as `epochs 90`"
    raise Trouble("E126", f"{where} holds no such statement", statement.span, help=help)


def _take(call: tree.Call, env: Env, draft: _Draft, own: dict[str, Span]) -> None:
    """Read a statement into the draft; `own` are the words that this recipe has given."""
    word = call.name.text
    if word == IMAGES:
        part, changes = _images(call, env)
        _once(f"{IMAGES} {part}", call.span, own)
        draft.fields[part] = changes
        draft.spans[f"{IMAGES} {part}"] = call.span
        return
    if word == Phase.keyword:
        own.setdefault(word, call.name.span)
        draft.phases.append(_phase(call, env, draft, len(draft.phases) + 1))
        return
    kinds = STATEMENTS.get(word)
    if kinds is None:
        raise _unknown_word(call)
    if call.body is not None:
        raise Trouble("E126", f"`{word}` takes no braces", call.body.span, help=f"write `{kinds[0].example}`")
    _once(word, call.span, own)
    draft.fields[word] = _read_kind(kinds, call, env)
    draft.spans[word] = call.span


def _phase(call: tree.Call, env: Env, draft: _Draft, number: int) -> Phase:
    """Read a phase, whose number counts from 1."""
    place = f"{Phase.keyword} {number}"
    if number == 1:  # phases take the place of those of what the recipe builds on
        draft.spans = {name: span for name, span in draft.spans.items() if not name.startswith(f"{Phase.keyword} ")}
    draft.spans[place] = call.name.span
    if call.body is None or call.arguments:
        span = call.arguments[0].span if call.arguments else call.name.span
        message = f"`{Phase.keyword}` needs its statements in braces, and nothing else"
        raise Trouble("E126", message, span, help=f"write `{Phase.example}`")
    if number > _MOST_PHASES:
        message = f"a recipe has at most {_MOST_PHASES} phases"
        raise Trouble("E126", message, call.name.span, help="join those that do alike", is_fatal=True)
    inner, own, parts = _Draft(), dict[str, Span](), Parts()
    for statement in call.body.statements:
        with parts:
            if isinstance(statement, tree.Broken):
                raise Reported
            found = _call(statement, "a phase")
            word = found.name.text
            if word in STATEMENTS and word not in PHASE_WORDS:
                help = f"put it behind the `}}` of the phase; a phase has {', '.join(f'`{w}`' for w in PHASE_WORDS)}"
                raise Trouble("E126", f"`{word}` is the whole run's, and no phase's", found.name.span, help=help)
            if word in (IMAGES, Phase.keyword):
                help = "put it behind the `}` of the phase"
                raise Trouble("E126", f"`{word}` has no place in a phase", found.name.span, help=help)
            _take(found, env, inner, own)
    parts.settle()
    draft.spans |= {f"{place} {word}": span for word, span in own.items()}
    fields: dict[str, Any] = inner.fields
    return Phase(**fields)


def _once(word: str, span: Span, own: dict[str, Span]) -> None:
    if word in own:
        label = Label(own[word], "given here first")
        help = "remove one of the two"
        raise Trouble("E106", f"`{word}` is given twice", span, labels=(label,), help=help)
    own[word] = span


def _unknown_word(call: tree.Call) -> Trouble:
    word = call.name.text
    if word in CHANGES_BY_WORD:
        written = " ".join(call.span.text.split())
        help = f"put it into a list: `{IMAGES} train {{ {written} }}`"
        return Trouble("E126", f"`{word}` is what is done to images, and no statement", call.name.span, help=help)
    near = nearest(word, [*STATEMENTS, IMAGES, Phase.keyword])
    of = next((name for name, kinds in STATEMENTS.items() for kind in kinds if word in kind.settings()), None)
    kind = next((kind for kinds in STATEMENTS.values() for kind in kinds if kind.kind == word), None)
    help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{name}`' for name in STATEMENTS)}"
    if not near and kind is not None:
        help = f"write `{kind.head()}`"
    elif not near and of is not None:
        help = f"it is a setting of `{of}`: `{_kind_with(of, word).example}`"
    fix = renamed(call.name.span, word, near)
    return Trouble("E126", f"a recipe has no statement `{word}`", call.name.span, help=help, fix=fix)


def _kind_with(keyword: str, setting: str) -> type[RecipeStatement]:
    return next(kind for kind in STATEMENTS[keyword] if setting in kind.settings())


def _read_kind(kinds: Sequence[type[RecipeStatement]], call: tree.Call, env: Env) -> RecipeStatement:
    """Read a statement; where its word has kinds, the first value says which."""
    if kinds[0] is Freeze:
        return read_freeze(call, env)
    if kinds[0] is Rates:
        return read_rates(call, env)
    if not kinds[0].kind:
        return _read(kinds[0], call, call.arguments, env)
    names = [kind.kind for kind in kinds]
    first = call.arguments[0] if call.arguments else None
    listed = ", ".join(f"`{name}`" for name in names)
    if first is None or first.key is not None:
        help = f"write one of {listed} behind it: `{kinds[0].example}`"
        raise Trouble("E103", f"`{call.name.text}` needs its kind", call.name.span, help=help)
    kind = next((kind for kind in kinds if kind.kind == first.span.text), None)
    if kind is None:
        near = nearest(first.span.text, names)
        help = f"the nearest is `{near}`" if near else f"there is {listed}"
        message = f"no {call.name.text.replace('_', ' ')} is called `{first.span.text}`"
        fix = renamed(first.span, first.span.text, near)
        raise Trouble("E126", message, first.span, help=help, fix=fix)
    return _read(kind, call, call.arguments[1:], env)


def _images(call: tree.Call, env: Env) -> tuple[str, tuple[ImageChange, ...]]:
    words = [argument.span.text for argument in call.arguments]
    if call.body is None or len(words) != 1 or words[0] not in _PARTS:
        span = call.arguments[-1].span if call.body is not None and words else call.name.span
        help = f"write `{IMAGES} train {{ flip 0.5 }}` or `{IMAGES} eval {{ test_crop 0.875 }}`"
        message = f"`{IMAGES}` needs `train` or `eval` and a list in braces"
        raise Trouble("E126", message, span, help=help)
    found: list[ImageChange] = []
    parts = Parts()
    for statement in call.body.statements:
        with parts:
            if isinstance(statement, tree.Broken):
                raise Reported
            found.append(_change(_call(statement, f"a list of `{IMAGES}`"), env))
    parts.settle()
    return words[0], tuple(found)


def _change(call: tree.Call, env: Env) -> ImageChange:
    word = call.name.text
    cls = CHANGES_BY_WORD.get(word)
    if cls is None:
        near = nearest(word, CHANGES_BY_WORD)
        help = f"the nearest is `{near}`" if near else f"there is {', '.join(f'`{name}`' for name in CHANGES_BY_WORD)}"
        if word in STATEMENTS:
            help = f"it is a statement of its own: put it behind the `}}` of `{IMAGES}`"
        message = f"nothing that is done to images is called `{word}`"
        raise Trouble("E126", message, call.name.span, help=help, fix=renamed(call.name.span, word, near))
    if call.body is not None:
        raise Trouble("E126", f"`{word}` takes no braces", call.body.span, help=f"write `{cls.example}`")
    return _read(cls, call, call.arguments, env)


def _read(cls: type[S], call: tree.Call, arguments: Sequence[tree.Argument], env: Env) -> S:
    """Read the settings of a statement."""
    settings = cls.settings()
    free, values, spans = list(settings), dict[str, Any](), dict[str, Span]()
    parts = Parts()
    for argument in arguments:
        with parts:
            key = _key(cls, argument, free)
            if key in spans:
                label = Label(spans[key], "given here first")
                help = "remove one of the two"
                raise Trouble("E106", f"`{key}` is given twice", argument.span, labels=(label,), help=help)
            spans[key] = argument.span
            if key in free:
                free.remove(key)
            values[key] = _named(argument, cls, env) if key == cls.naming else _value(argument, cls, key, env)
    parts.settle()
    return _validated(cls, values, spans, call)


def _key(cls: type[RecipeStatement], argument: tree.Argument, free: Sequence[str]) -> str:
    if argument.key is not None:
        if argument.key.text not in cls.settings():
            raise _unknown_setting(cls, argument.key)
        return argument.key.text
    if not free:
        count = len(cls.settings())
        most = f"at most {count} settings" if count > 1 else "one setting" if count else "no settings"
        message = f"`{cls.head()}` takes {most}"
        raise Trouble("E107", message, argument.span, help=f"write `{cls.example}`")
    return free[0]


def _named(argument: tree.Argument, cls: type[RecipeStatement], env: Env) -> tuple[object, ...]:
    """Return the parts of a network that an argument names: a word or a string, or a list of such."""
    written = argument.value.items if isinstance(argument.value, tree.ListOf) else (argument.value,)
    found = [_value(tree.Argument(None, item, item.span), cls, cls.naming, env, is_name=True) for item in written]
    parts: list[object] = []
    for item in found:
        parts.extend(item if isinstance(item, tuple) else (item,))  # pyright: ignore[reportUnknownArgumentType] -- whatever a list holds
    return tuple(parts)


def _unknown_setting(cls: type[RecipeStatement], key: tree.Name) -> Trouble:
    near = nearest(key.text, cls.settings())
    listed = ", ".join(f"`{name}`" for name in cls.settings())
    help = f"the nearest is `{near}`" if near else f"it takes {listed}" if listed else "it takes none"
    message = f"`{cls.head()}` has no setting `{key.text}`"
    return Trouble("E102", message, key.span, help=help, fix=renamed(key.span, key.text, near))


def _value(argument: tree.Argument, cls: type[RecipeStatement], key: str, env: Env, *, is_name: bool = False) -> object:
    """Return a setting's value; a word that it takes is one whatever else is called that."""
    value = argument.value
    words = cls.words(key)
    if isinstance(value, tree.Interpolated):
        return value.span.text[1:-1]  # a file's name, of which braces are part
    if isinstance(value, tree.Variable) and (value.name in words or (is_name and not is_bound(value.name, env))):
        return value.name
    try:
        found = as_word(evaluate(value, env))
    except Trouble as trouble:
        if isinstance(value, tree.Variable) and trouble.code == "E101" and words:
            near = nearest(value.name, words)
            listed = ", ".join(f"`{word}`" for word in sorted(words))
            trouble.help = f"the nearest word is `{near}`" if near else f"`{key}` takes {listed}"
            trouble.fix = renamed(value.span, value.name, near) if near else None
        raise
    if isinstance(found, tuple):
        return tuple(float(item) if isinstance(item, Fraction) else item for item in found)
    return found


def _validated(cls: type[S], values: Mapping[str, Any], spans: Mapping[str, Span], call: tree.Call) -> S:
    try:
        return cls(**{key: float(value) if isinstance(value, Fraction) else value for key, value in values.items()})
    except ValidationError as error:
        problems = error.errors()
    parts = Parts()
    for problem in {problem["loc"][:1]: problem for problem in reversed(problems)}.values():
        key = str(problem["loc"][0]) if problem["loc"] else ""
        with parts:
            if problem["type"] == "missing" and len(problem["loc"]) == 1:
                message, help = f"`{cls.head()}` needs `{key}`", f"write `{cls.example}`"
                raise Trouble("E103", message, call.name.span, help=help)
            value, span = values.get(key), spans.get(key, call.span)
            whole = problem["type"] in ("int_type", "int_from_float")
            if whole and isinstance(value, Fraction):
                raise inexact(f"`{key}`", value, span)
            shown = "empty" if value == () else describe(value) if value is not None else "missing"
            fix = None
            if whole and isinstance(value, float) and value.is_integer() and "=" not in span.text:
                fix = Fix.at(span, str(int(value)), is_safe=True, title=f"write `{int(value)}`")
            message = f"`{key}` of `{cls.head()}` is {shown}, but {reason(problem, is_input=False)}"
            raise Trouble("E104", message, span, help=f"write `{cls.example}`", fix=fix)
    parts.settle()
    raise AssertionError("what is not valid is a mistake")
