"""W403 and W417: what follows a classifier's last layer and spoils what its loss is made for."""

from __future__ import annotations

import math

from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import without
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Label, Reporter


def lint_softmax_at_the_end(facts: Facts, report: Reporter) -> None:
    """Report a softmax, log_softmax or sigmoid over several classes as the last step of a vector output."""
    for step in _last_steps(facts):
        source = facts.wiring.sole_source(step)
        is_score = step.op.makes_probabilities and len(step.output) == 1
        if source is None or source.op.category == "input":
            continue
        name, classes = step.op.keyword, step.output.numbers()[0]
        if not is_score or classes < 2 or _is_input_again(facts, step):
            continue
        report.warning(
            "W403",
            f"the {classes} class scores go through `{name}` before a loss that applies its own softmax",
            facts.place(step),
            notes=["cross-entropy, as in `archdsl train` and `nn.CrossEntropyLoss`, takes the scores as they are"],
            help=f"remove `{name}`; apply it to the network's output where shares are wanted",
            fix=without(step.node, is_same_network=False),
        )


def _is_input_again(facts: Facts, step: OperatorUse) -> bool:
    """Return whether a sigmoid, say, gives as many values as the input has, so that it may be the input made again."""
    values = {math.prod(shape.numbers()) for shape in facts.shapes.inputs}
    return step.op.is_bounded() and math.prod(step.output.numbers()) in values


def lint_dropout_at_the_end(facts: Facts, report: Reporter) -> None:
    """Report dropout behind the last layer, which sets class scores to zero at random in training."""
    for step in _last_steps(facts):
        source = facts.wiring.sole_source(step)
        is_noise = step.op.acts_in_training_only and not step.op.changes_nothing()
        if not is_noise or source is None or source.linear_map is None:
            continue
        report.warning(
            "W417",
            f"{shown(step.node.span)} sets outputs of the network to zero while it trains",
            facts.place(step),
            labels=[Label(facts.place(source), "the last layer")],
            help="put the dropout before the last layer",
            fix=without(step.node, is_same_network=False),
        )


def _last_steps(facts: Facts) -> list[OperatorUse]:
    """Return the steps that make the main output and those of training alone, looking through mere reshaping."""
    found: list[OperatorUse] = []
    for step in facts.wiring.given_out:
        while _keeps_values(step) and (source := facts.wiring.sole_source(step)) is not None:
            step = source
        found.append(step)
    return found


def _keeps_values(step: OperatorUse) -> bool:
    """Return whether a step hands on all that it reads, as it is or as a vector."""
    if not step.op.shares_memory:
        return step.op.changes_nothing()
    return len(step.output) == 1 and step.output.numbers()[0] == math.prod(step.inputs[0].numbers())
