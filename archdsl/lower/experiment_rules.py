"""What the rules of an experiment say of its measures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import TypeAlias

from archdsl.ir.experiment import Axis, Comparison, Measure, Rule, RuleSide, RuleTerm, Training
from archdsl.ir.measures import MEASURES
from archdsl.ir.trouble import Parts, Trouble
from archdsl.lower.experiment_axes import as_written
from archdsl.lower.experiment_measures import AskedMeasure, asked_for, no_axis, values_of
from archdsl.lower.recipe_paths import is_bound
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import describe, kind_of
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Label
from archdsl.text.suggest import nearest

RULE = 'rule "faster" (steps_to(loss, 0.5, norm=batch) < steps_to(loss, 0.5, norm=none))'
_MULTIPLE = RULE.replace("(steps", "(2 * steps")


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """What rules need of a point: its options, what is measured there, and what names mean there."""

    choices: Mapping[str, str]
    training: Training
    measures: Sequence[Measure]
    env: Env


_Match: TypeAlias = tuple[MeasuredPoint, Measure]


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Reads rules, whose terms each speak of one point, or of one for each option of the tuned axis."""

    axes: Mapping[str, Axis]
    points: Sequence[MeasuredPoint]
    tuned: str | None

    def read(self, call: tree.Call) -> Rule:
        """Read `rule "title" (LEFT < RIGHT and …)`."""
        values = [argument.value for argument in call.arguments if argument.key is None]
        first = values[0] if values else None
        if len(values) != 2 or len(call.arguments) != 2 or not isinstance(first, tree.Literal):
            span = call.arguments[-1].span if len(call.arguments) > 2 else call.name.span
            message = "a rule has a title in quotes and what it says in parentheses"
            raise Trouble("E137", message, span, help=f"write `{RULE}`")
        if not isinstance(first.value, str) or not first.value.strip():
            raise Trouble("E137", "the title of a rule stands in quotes", first.span, help=f"write `{RULE}`")
        parts, comparisons = Parts(), list[Comparison]()
        for node in _conjuncts(values[1]):
            with parts:
                comparisons.append(self._comparison(node))
        parts.settle()
        return Rule(first.value, tuple(comparisons), call.span)

    def _comparison(self, node: tree.Expression) -> Comparison:
        if not isinstance(node, tree.Binary) or node.operator not in ("<", ">"):
            message = f"`{as_written(node.span)}` compares nothing by `<` or `>`"
            raise Trouble("E137", message, node.span, help=f"write `{RULE}`, with `and` between several")
        parts, sides = Parts(), list[RuleSide]()
        for side in (node.left, node.right):
            with parts:
                sides.append(self._side(side))
        parts.settle()
        if not any(isinstance(side, RuleTerm) for side in sides):
            raise Trouble("E137", "both sides are numbers", node.span, help="compare what is measured")
        return Comparison(sides[0], "<" if node.operator == "<" else ">", sides[1])

    def _side(self, node: tree.Expression) -> RuleSide:
        name = node.name if isinstance(node, tree.Variable) else node.name.text if isinstance(node, tree.Apply) else ""
        env = self.points[0].env
        if name and not is_bound(name, env) and not (isinstance(node, tree.Apply) and env.module.find(name)):
            return self._term(node)
        if isinstance(node, tree.Binary) and node.operator == "*":
            sides = self._side(node.left), self._side(node.right)
            match sides:
                case (RuleTerm() as term, float() as factor) | (float() as factor, RuleTerm() as term):
                    return _times(term, factor, node)
                case _:
                    pass
        if any(_is_measure(inner, env) for inner in nodes_of(node)):
            message = "a side of a rule is a number, a measure, or a number times a measure, and this is more"
            raise Trouble("E137", message, node.span, help=f"write `{_MULTIPLE}`")
        value = evaluate(node, env)
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
            message = f"a side of a rule is {describe(value)}, {kind_of(value)}, but is a measure or a number"
            raise Trouble("E137", message, node.span, help=f"write `{RULE}`")
        return float(value)

    def _term(self, node: tree.Expression) -> RuleTerm:
        asked = asked_for(node)
        where = dict(self._options(asked))
        parts, matches = Parts(), list[_Match]()
        there = [point for point in self.points if where.items() <= point.choices.items()]
        if not there:
            listed = " and ".join(f"{axis}={option}" for axis, option in where.items())
            raise Trouble("E137", f"no point has {listed}", asked.span, help="these options never meet")
        for point in there:
            values = values_of(asked, point.env, self.axes)
            same = (m for m in point.measures if (m.name, m.values) == (asked.kind.name, values))
            matches += [(point, measure) for measure in same]
        parts.settle()
        if not matches:
            values = ", ".join(as_written(argument.span) for argument in asked.values)
            written = f"{asked.kind.name}({values})" if values else asked.kind.name
            message = f"`{written}` is not measured"
            raise Trouble("E137", f"{message} there" if where else message, asked.span, help=f"add `measure {written}`")
        given = zip(asked.kind.arguments, matches[0][1].values, strict=True)
        over = {str(value) for argument, value in given if argument.kind == "axis"}
        if over & where.keys():
            message = f"`{asked.kind.name}` goes over all options of `{next(iter(over))}`"
            raise Trouble("E137", message, asked.span, help="leave its option out")
        left_open = _left_open(matches, {self.tuned, *over})
        if left_open:
            axis = self.axes[left_open[0]]
            listed = " and ".join(f"`{name}`" for name in left_open)
            message = f"this speaks of several points, since {listed} may be any option"
            labels = (Label(axis.span, "its options"),)
            help = f"say which: `{axis.name}={axis.options[0]}`"
            raise Trouble("E137", message, asked.span, help=help, labels=labels)
        return RuleTerm(matches[0][1], tuple(where.items()))

    def _options(self, asked: AskedMeasure) -> Iterator[tuple[str, str]]:
        """Yield the options that a term names."""
        seen: set[str] = set()
        for argument in asked.options:
            assert argument.key is not None
            key, written = argument.key.text, as_written(argument.value.span)
            axis = self.axes.get(key)
            if axis is None:
                raise no_axis(key, argument.key.span, self.axes)
            if key == self.tuned:
                message = f"`{key}` is tuned, so that a rule is about the option that was chosen"
                raise Trouble("E137", message, argument.span, help="leave it out")
            if key in seen:
                raise Trouble("E106", f"`{key}` is given twice", argument.span, help="remove one of the two")
            seen.add(key)
            yield key, _option(axis, argument, written)


def _is_measure(node: object, env: Env) -> bool:
    if isinstance(node, tree.Apply):
        return node.name.text in MEASURES
    return isinstance(node, tree.Variable) and node.name in MEASURES and not is_bound(node.name, env)


def _times(term: RuleTerm, factor: float, node: tree.Binary) -> RuleTerm:
    if not 0 < factor < inf or not 0 < term.factor * factor < inf:
        message = f"a measure is multiplied by {factor:g}, but only by numbers above 0 and within reason"
        raise Trouble("E137", message, node.span, help=f"write `{_MULTIPLE}`")
    return replace(term, factor=term.factor * factor)


def _left_open(matches: Sequence[_Match], ignored: Collection[str | None]) -> list[str]:
    """Return the axes of which matches have several options, as far as these make a difference to what is measured."""
    kept = [{axis: option for axis, option in point.choices.items() if axis not in ignored} for point, _ in matches]
    groups: dict[frozenset[tuple[str, str]], set[tuple[Training, Measure]]] = {}
    for (point, measure), own in zip(matches, kept, strict=True):
        groups.setdefault(frozenset(point.choices.items() - own.items()), set()).add((point.training, measure))
    if all(len(found) == 1 for found in groups.values()):
        return []
    varying = [axis for axis in dict.fromkeys(a for own in kept for a in own) if len({o.get(axis) for o in kept}) > 1]
    return [axis for axis in varying if _matters(axis, matches)] or varying


def _matters(axis: str, matches: Sequence[_Match]) -> bool:
    """Return whether what is measured differs between points that differ in the option of one axis alone."""
    found: dict[frozenset[tuple[str, str]], tuple[Training, Measure]] = {}
    for point, measure in matches:
        others = frozenset(item for item in point.choices.items() if item[0] != axis)
        if found.setdefault(others, (point.training, measure)) != (point.training, measure):
            return True
    return False


def _option(axis: Axis, argument: tree.Argument, written: str) -> str:
    """Return the option of an axis that is written, perhaps as another form of the same number."""
    if written in axis.options:
        return written
    value = argument.value
    if isinstance(value, tree.Literal) and axis.numbers and not isinstance(value.value, str | bool):
        for option, number in zip(axis.options, axis.numbers, strict=True):
            if number == value.value:
                return option
    near = nearest(written, axis.options)
    listed = ", ".join(f"`{option}`" for option in axis.options[:_MOST_LISTED])
    help = f"the nearest is `{near}`" if near else f"it has {listed}"
    labels = (Label(axis.span, "its options"),)
    raise Trouble("E137", f"`{axis.name}` has no option `{written}`", argument.value.span, help=help, labels=labels)


_MOST_LISTED = 12


def _conjuncts(node: tree.Expression) -> list[tree.Expression]:
    """Return what `and` joins, in order."""
    left, found = [node], list[tree.Expression]()
    while left:
        node = left.pop()
        if isinstance(node, tree.Binary) and node.operator == "and":
            left += [node.right, node.left]
        else:
            found.append(node)
    return found
