"""The syntax tree: what was written, with its place in the text, and nothing worked out yet."""

from __future__ import annotations

from typing import TypeAlias

from archdsl.text.record import record
from archdsl.text.source import Source, Span


@record
class Name:
    """A word and its place: a binding occurrence, a key, or the name of a declaration."""

    text: str
    span: Span


@record
class Literal:
    """A number, a string, or `true` or `false`."""

    value: int | float | str | bool
    span: Span


@record
class Variable:
    """A name whose value is meant."""

    name: str
    span: Span


@record
class Apply:
    """`name(argument, key=argument)`: a function's value, or an operator or block with some arguments given."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@record
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@record
class ComprehensionFor:
    """`for targets in source if condition`, with any number of conditions."""

    targets: tuple[Name, ...]
    source: Expression
    conditions: tuple[Expression, ...]
    span: Span


@record
class Comprehension:
    """`[item for …]`: each `for` goes through its items once for each of those before it."""

    item: Expression
    clauses: tuple[ComprehensionFor, ...]
    span: Span


@record
class Unary:
    """`-a` or `not a`."""

    operator: str
    operand: Expression
    span: Span


@record
class Binary:
    """`a + b`, a comparison, or `a and b`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@record
class Conditional:
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression
    span: Span


@record
class Index:
    """`base[index]`."""

    base: Expression
    index: Expression
    span: Span


@record
class Range:
    """`first..last`, both ends included."""

    first: Expression
    last: Expression
    span: Span


@record
class Choose:
    """`choose {a, b}`: one of its options, each in its turn; an experiment's axis."""

    options: tuple[Expression, ...]
    span: Span


@record
class LabelText:
    """A label: literal pieces and the expressions interpolated between them, in order."""

    pieces: tuple[str | Expression, ...]
    span: Span


@record
class Reference:
    """`@label`, or `@label.output` of a step that has named outputs: a value, which as a step flows on."""

    label: LabelText
    outputs: tuple[LabelText, ...]
    span: Span


@record
class Interpolated:
    """`"cell_{i}"`: a string with the values of what is interpolated."""

    text: LabelText
    span: Span


Expression: TypeAlias = (
    Literal
    | Variable
    | Reference
    | Interpolated
    | Apply
    | ListOf
    | Comprehension
    | Unary
    | Binary
    | Conditional
    | Index
    | Range
    | Choose
)


@record
class Argument:
    """An argument of a call; `key` is None for a positional one."""

    key: Name | None
    value: Expression
    span: Span


@record
class Allow:
    """`allow W400`: warnings that are not wanted in the body or file that this stands in."""

    codes: tuple[Name, ...]
    span: Span


@record
class Body:
    """What stands in braces. `allows` are kept apart, since they build nothing."""

    statements: tuple[Statement, ...]
    span: Span
    allows: tuple[Allow, ...] = ()

    def in_order(self) -> list[Statement | Allow]:
        """Return everything in the order of the text."""
        return sorted((*self.statements, *self.allows), key=_start)


@record
class Let:
    """`let name = value`."""

    name: Name
    value: Expression
    span: Span


@record
class Parameter:
    """`type name=default`."""

    name: Name
    type: Name | None
    default: Expression | None
    span: Span


@record
class Function:
    """`fn name(parameters) = value`."""

    name: Name
    parameters: tuple[Parameter, ...]
    value: Expression
    span: Span


@record
class Defaults:
    """`values` bind context names such as `norm`; `arguments` give a callable's arguments new defaults."""

    values: tuple[Argument, ...]
    arguments: tuple[tuple[Name, tuple[Argument, ...]], ...]
    span: Span


@record
class If:
    """`if condition { … } else { … }`."""

    condition: Expression
    then: Body
    otherwise: Body | None
    span: Span


@record
class For:
    """`for targets in source { … }`."""

    targets: tuple[Name, ...]
    source: Expression
    body: Body
    span: Span


@record
class Assert:
    """`assert condition, condition`."""

    conditions: tuple[Expression, ...]
    span: Span


@record
class OutputStatement:
    """A named output: the value at this point, or the result of a side branch that starts here."""

    name: LabelText
    is_training_only: bool
    condition: Expression | None
    body: Body | None
    span: Span


@record
class Broken:
    """The text of a statement that holds a syntax mistake, which is reported already."""

    span: Span


@record
class Step:
    """One step of a chain: an action, perhaps labelled, perhaps repeated."""

    label: LabelText | None
    action: Action
    repeat: Expression | None
    span: Span


@record
class Call:
    """`name argument key=argument { … }`: an operator, a block, or a parameter that is one."""

    name: Name
    arguments: tuple[Argument, ...]
    body: Body | None
    span: Span


@record
class Group:
    """`{ … }`: steps as one."""

    body: Body
    span: Span


@record
class Residual:
    """`residual when condition { … } shortcut label { … }`."""

    condition: Expression | None
    body: Body
    shortcut_label: LabelText | None
    shortcut: Body | None
    span: Span


@record
class Split:
    """`split parts join { … }`: the channels in parts, a branch for each; `axis=…` says where another axis is meant."""

    parts: Expression
    arguments: tuple[Argument, ...]
    join: Call
    span: Span


@record
class Doubled:
    """`double c=64`: c in the first stage, twice as much in each stage after it."""

    name: Name
    first: Expression
    span: Span


@record
class Stages:
    """Stages of repeated blocks; a clause doubles a name, lists its values stage by stage, or gives the strides."""

    depths: Expression
    clauses: tuple[Doubled | Argument, ...]
    body: Body
    span: Span


@record
class Reuse:
    """`reuse label`: the labelled module once more, with the same weights."""

    label: LabelText
    span: Span


Action: TypeAlias = Call | Group | Residual | Split | Stages | Reference | Index | Reuse
Statement: TypeAlias = Step | Let | Function | Defaults | If | For | Assert | OutputStatement | Broken


@record
class Block:
    """A block; an inline one leaves no level of its own in paths."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    is_inline: bool
    span: Span


@record
class Model:
    """`model name(parameters) { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@record
class VariantEdit:
    """A variant's change below the paths that match `pattern`: new arguments, another body, or removal (neither)."""

    pattern: Name
    arguments: tuple[Argument, ...]
    body: Body | None
    span: Span


@record
class Settings:
    """New values of context names or of the model's parameters."""

    arguments: tuple[Argument, ...]
    span: Span


@record
class Variant:
    """`variant name of base(arguments) { edits }`."""

    name: Name
    base: Name
    arguments: tuple[Argument, ...]
    edits: tuple[Settings | VariantEdit | Call, ...]
    """Those that begin with a word of their own, `freeze` and `weights`, are calls."""
    span: Span


@record
class Use:
    """Names taken over from another spec; `names` is None for all, `alias` is set for a Python class."""

    target: Name
    names: tuple[Name, ...] | None
    alias: Name | None
    span: Span


@record
class KeyRule:
    """`"ours" = "theirs"`: the beginning of a state_dict's keys here, and in files of another origin."""

    ours: LabelText
    theirs: LabelText
    span: Span


@record
class KeyWord:
    """`drop "segments"` or `adapt "ours"`: what is to be done with certain keys."""

    word: Name
    text: LabelText
    span: Span


@record
class Keys:
    """How files of some origin name the file's weights; `order` is the word behind `in`, if any."""

    origin: Name
    order: Name | None
    rules: tuple[KeyRule | KeyWord, ...]
    span: Span


@record
class RecipeText:
    """`recipe name of base { statements }`: how a network is trained; statements are steps that call words."""

    name: Name
    base: Name | None
    body: Body
    span: Span


@record
class ExperimentText:
    """`experiment name { statements }`: a claim's test; statements are steps that call words, `let` and `if`."""

    name: Name
    body: Body
    span: Span


Declaration: TypeAlias = Function | Block | Model | Variant | Use | Defaults | Let | Keys | RecipeText | ExperimentText


@record
class File:
    """A whole spec. `allows` are kept apart, since they declare nothing."""

    source: Source
    declarations: tuple[Declaration, ...]
    allows: tuple[Allow, ...] = ()

    def in_order(self) -> list[Declaration | Allow]:
        """Return everything in the order of the text."""
        return sorted((*self.declarations, *self.allows), key=_start)


def _start(node: Statement | Declaration | Allow) -> int:
    return node.span.start
