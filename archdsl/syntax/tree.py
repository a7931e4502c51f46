"""The syntax tree: what was written, with its place in the text, and nothing worked out yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archdsl.text.source import Source, Span


@dataclass(frozen=True, slots=True)
class Name:
    """A word and its place: a binding occurrence, a key, or the name of a declaration."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string, or `true` or `false`."""

    value: int | float | str | bool
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A name whose value is meant."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Apply:
    """`name(argument, key=argument)`: a function's value, or an operator or block with some arguments given."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ComprehensionFor:
    """`for targets in source if condition`, with any number of conditions."""

    targets: tuple[Name, ...]
    source: Expression
    conditions: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`[item for …]`: each `for` goes through its items once for each of those before it."""

    item: Expression
    clauses: tuple[ComprehensionFor, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-a` or `not a`."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b`, a comparison, or `a and b`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`base[index]`."""

    base: Expression
    index: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`first..last`, both ends included."""

    first: Expression
    last: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """`choose {a, b}`: one of its options, each in its turn; an experiment's axis."""

    options: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class LabelText:
    """A label: literal pieces and the expressions interpolated between them, in order."""

    pieces: tuple[str | Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """`@label`, or `@label.output` of a step that has named outputs: a value, which as a step flows on."""

    label: LabelText
    outputs: tuple[LabelText, ...]
    span: Span


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call; `key` is None for a positional one."""

    key: Name | None
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Allow:
    """`allow W400`: warnings that are not wanted in the body or file that this stands in."""

    codes: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in braces. `allows` are kept apart, since they build nothing."""

    statements: tuple[Statement, ...]
    span: Span
    allows: tuple[Allow, ...] = ()

    def in_order(self) -> list[Statement | Allow]:
        """Return everything in the order of the text."""
        return sorted((*self.statements, *self.allows), key=_start)


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value`."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """`type name=default`."""

    name: Name
    type: Name | None
    default: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Function:
    """`fn name(parameters) = value`."""

    name: Name
    parameters: tuple[Parameter, ...]
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Defaults:
    """`values` bind context names such as `norm`; `arguments` give a callable's arguments new defaults."""

    values: tuple[Argument, ...]
    arguments: tuple[tuple[Name, tuple[Argument, ...]], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if condition { … } else { … }`."""

    condition: Expression
    then: Body
    otherwise: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """`for targets in source { … }`."""

    targets: tuple[Name, ...]
    source: Expression
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert condition, condition`."""

    conditions: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class OutputStatement:
    """A named output: the value at this point, or the result of a side branch that starts here."""

    name: LabelText
    is_training_only: bool
    condition: Expression | None
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Broken:
    """The text of a statement that holds a syntax mistake, which is reported already."""

    span: Span


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain: an action, perhaps labelled, perhaps repeated."""

    label: LabelText | None
    action: Action
    repeat: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`name argument key=argument { … }`: an operator, a block, or a parameter that is one."""

    name: Name
    arguments: tuple[Argument, ...]
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`{ … }`: steps as one."""

    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Residual:
    """`residual when condition { … } shortcut label { … }`."""

    condition: Expression | None
    body: Body
    shortcut_label: LabelText | None
    shortcut: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Split:
    """`split parts join { … }`: the channels in parts, a branch for each; `axis=…` says where another axis is meant."""

    parts: Expression
    arguments: tuple[Argument, ...]
    join: Call
    span: Span


@dataclass(frozen=True, slots=True)
class Doubled:
    """`double c=64`: c in the first stage, twice as much in each stage after it."""

    name: Name
    first: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Stages:
    """Stages of repeated blocks; a clause doubles a name, lists its values stage by stage, or gives the strides."""

    depths: Expression
    clauses: tuple[Doubled | Argument, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Reuse:
    """`reuse label`: the labelled module once more, with the same weights."""

    label: LabelText
    span: Span


Action: TypeAlias = Call | Group | Residual | Split | Stages | Reference | Index | Reuse
Statement: TypeAlias = Step | Let | Function | Defaults | If | For | Assert | OutputStatement | Broken


@dataclass(frozen=True, slots=True)
class Block:
    """A block; an inline one leaves no level of its own in paths."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    is_inline: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Model:
    """`model name(parameters) { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class VariantEdit:
    """A variant's change below the paths that match `pattern`: new arguments, another body, or removal (neither)."""

    pattern: Name
    arguments: tuple[Argument, ...]
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Settings:
    """New values of context names or of the model's parameters."""

    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Variant:
    """`variant name of base(arguments) { edits }`."""

    name: Name
    base: Name
    arguments: tuple[Argument, ...]
    edits: tuple[Settings | VariantEdit | Call, ...]
    """Those that begin with a word of their own, `freeze` and `weights`, are calls."""
    span: Span


@dataclass(frozen=True, slots=True)
class Use:
    """Names taken over from another spec; `names` is None for all, `alias` is set for a Python class."""

    target: Name
    names: tuple[Name, ...] | None
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class KeyRule:
    """`"ours" = "theirs"`: the beginning of a state_dict's keys here, and in files of another origin."""

    ours: LabelText
    theirs: LabelText
    span: Span


@dataclass(frozen=True, slots=True)
class KeyWord:
    """`drop "segments"` or `adapt "ours"`: what is to be done with certain keys."""

    word: Name
    text: LabelText
    span: Span


@dataclass(frozen=True, slots=True)
class Keys:
    """How files of some origin name the file's weights; `order` is the word behind `in`, if any."""

    origin: Name
    order: Name | None
    rules: tuple[KeyRule | KeyWord, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RecipeText:
    """`recipe name of base { statements }`: how a network is trained; statements are steps that call words."""

    name: Name
    base: Name | None
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class ExperimentText:
    """`experiment name { statements }`: a claim's test; statements are steps that call words, `let` and `if`."""

    name: Name
    body: Body
    span: Span


Declaration: TypeAlias = Function | Block | Model | Variant | Use | Defaults | Let | Keys | RecipeText | ExperimentText


@dataclass(frozen=True, slots=True)
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
