"""W405 and W406: names that are bound and never read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Fix, Reporter
from archdsl.text.edits import removal
from archdsl.text.looking import Looking
from archdsl.text.source import Span

_KINDS = {tree.Function: "function", tree.Block: "block", tree.Let: "`let`"}


def lint_names(module: Module, report: Reporter, looking: Looking) -> None:
    """Report a file's names that nothing reads; those that start with `_` are meant to be left alone.

    A file without models is there for others to use, so that its declarations count as read. Only what stands in the
    file's own text counts: a block's parameters are left aside where the block is handed on as a value, because
    whoever calls it there decides on the arguments.
    """
    file = module.file
    in_maps = [rule for home in module.key_homes() for keys in home.keys for rule in keys.rules]
    everywhere = _Uses(in_maps)
    own: dict[int, _Uses] = {}
    for declaration in file.declarations:
        uses = own[id(declaration)] = looking.at(declaration, _Uses, report, lambda _, part=declaration: _Uses(part))
        everywhere.add(uses)
    for declaration in file.declarations:
        looking.at(declaration, _lint_lets, report, partial(_lint_lets, declaration))
        is_value = isinstance(declaration, tree.Block) and everywhere.values[declaration.name.text] > 0
        look = partial(_lint_parameters, declaration, is_value, in_maps)
        looking.at(declaration, _lint_parameters, report, look, is_value, *in_maps)
    if module.declares_models():
        for declaration in file.declarations:
            _lint_declaration(declaration, module, own[id(declaration)], everywhere, report)


class _Uses:
    """How often names are read in some part of a tree."""

    def __init__(self, part: object = ()) -> None:
        self.calls: Counter[str] = Counter()
        """Of steps."""
        self.values: Counter[str] = Counter()
        """Of expressions."""
        for node in nodes_of(part):
            match node:
                case tree.Variable(name=name) | tree.Reference(label=tree.LabelText(pieces=(str(name),))):
                    self.values[name] += 1
                case tree.Apply(name=tree.Name(text=name)) | tree.Variant(base=tree.Name(text=name)):
                    self.values[name] += 1
                case tree.RecipeText(base=tree.Name(text=name)):
                    self.values[name] += 1
                case tree.Call(name=tree.Name(text=name)):
                    self.calls[name] += 1
                case tree.Defaults(arguments=arguments):
                    self.calls.update(name.text for name, _ in arguments)
                case _:
                    pass

    def add(self, other: _Uses) -> None:
        self.calls.update(other.calls)
        self.values.update(other.values)

    def count(self, name: str) -> int:
        return self.calls[name] + self.values[name]

    def __contains__(self, name: str) -> bool:
        return self.count(name) > 0


def _lint_lets(declaration: tree.Declaration, report: Reporter) -> None:
    if not isinstance(declaration, tree.Model | tree.Block | tree.Variant | tree.ExperimentText):
        return
    # Without an axis an experiment is another one.
    is_safe = not isinstance(declaration, tree.ExperimentText)
    bodies = [node for node in nodes_of(declaration) if isinstance(node, tree.Body)]
    for body in bodies:
        bound = [statement for statement in body.statements if isinstance(statement, tree.Let | tree.Function)]
        if not bound:
            continue
        uses = _Uses(body)
        for each in bound:
            own = _Uses(each).count(each.name.text) if isinstance(each, tree.Function) else 0
            if uses.count(each.name.text) == own and not each.name.text.startswith("_"):
                _report_let(each, report, is_safe=is_safe)
            if isinstance(each, tree.Function):
                _lint_parameters(each, False, (), report)


def _report_let(let: tree.Let | tree.Function, report: Reporter, *, is_safe: bool) -> None:
    word = "let" if isinstance(let, tree.Let) else "fn"
    fix = Fix.at(removal(let.span), "", is_safe=is_safe, title=f"remove `{word} {let.name.text}`")
    report.warning("W405", f"nothing reads `{let.name.text}`", let.name.span, help="remove it", fix=fix)


def _lint_parameters(
    declaration: tree.Declaration, is_value: bool, in_maps: Iterable[tree.KeyRule | tree.KeyWord], report: Reporter
) -> None:
    match declaration:
        case tree.Model(body=body):
            inside: object = [body, declaration.parameters, in_maps]
        case tree.Block(body=body) if not is_value:
            inside = [body, declaration.parameters]
        case tree.Function(value=value):
            inside = [value, declaration.parameters]
        case _:
            return
    uses = _Uses(inside)
    for parameter in declaration.parameters:
        name = parameter.name.text
        if name in uses or name.startswith("_"):
            continue
        is_stride = parameter.type is not None and parameter.type.text == "stride"
        notes = ["`stages` hands it a stride that then has no effect"] if is_stride else []
        what = "parameter" if not is_stride else "stride"
        message = f"nothing in `{declaration.name.text}` reads its {what} `{name}`"
        help = f"use it, remove it, or call it `_{name}`"
        report.warning("W406", message, parameter.name.span, notes=notes, help=help)


def _lint_declaration(
    declaration: tree.Declaration, module: Module, own: _Uses, everywhere: _Uses, report: Reporter
) -> None:
    match declaration:
        case tree.Function(name=name) | tree.Block(name=name) | tree.Let(name=name):
            if everywhere.count(name.text) > own.count(name.text) or name.text.startswith("_"):
                return
            if isinstance(declaration, tree.Let):
                _report_let(declaration, report, is_safe=False)
                return
            fix = Fix.at(removal(declaration.span), "", title=f"remove `{name.text}`")
            message = f"nothing in this file uses the {_KINDS[type(declaration)]} `{name.text}`"
            report.warning("W406", message, name.span, help="remove it", fix=fix)
        case tree.Use(names=None, alias=None) if not _brings(declaration, module, everywhere):
            fix = Fix.at(removal(declaration.span), "", title=f"remove `{declaration.span.text}`")
            message = f"nothing in this file needs `{declaration.target.text}`"
            report.warning("W406", message, declaration.target.span, help="remove it", fix=fix)
        case tree.Use(names=names) if names is not None:
            for name in names:
                if name.text not in everywhere and not name.text.startswith("_") and name.text not in module.recipes:
                    _report_use(declaration, name, names, report)
        case _:
            pass


def _brings(use: tree.Use, module: Module, everywhere: _Uses) -> bool:
    """Return whether a file that is used as a whole brings a name that is read, or a name map."""
    home = module.used[use]
    names = [name for name, (_, found) in module.declarations.items() if found is home]
    lends = home in module.key_lenders or any(found is home for _, found in module.recipes.values())
    return lends or not names or any(name in everywhere for name in names)


def _report_use(use: tree.Use, name: tree.Name, names: tuple[tree.Name, ...], report: Reporter) -> None:
    if len(names) == 1:
        edit = removal(use.span)
    elif name is names[0]:
        edit = Span(name.span.start, names[1].span.start, name.span.source)
    else:
        edit = Span(names[names.index(name) - 1].span.end, name.span.end, name.span.source)
    report.warning(
        "W406",
        f"nothing in this file uses `{name.text}` of `{use.target.text}`",
        name.span,
        help="remove it",
        fix=Fix.at(edit, "", title=f"remove `{name.text}`"),
    )
