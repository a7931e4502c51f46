"""Experiments' texts: the points that they mean, and what is said of what means nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.compiler import compile
from archdsl.ir.experiment import DataChoice, Experiment, ModelChoice, RecipeChoice, RuleTerm, Training
from archdsl.lower.experiments import build_experiment
from archdsl.semantics.files import experiment_folder
from archdsl.semantics.library import Library
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from tests.patience import in_time

TINY = """
model tiny(width=4, depth=1) {
  input [1, 8, 8]
  stem: { conv1: conv width; norm; act }
  for i in 1..depth { "block{i}": conv in }
  gap; flatten; fc: fc 10
}
recipe short of small { epochs 2 }
recipe long of short { epochs 4 }
"""
REST = "model tiny; recipe short; data digits; measure accuracy(validation)"
TRANSFER = """
experiment transfer {
  let way = choose {scratch, head, all}
  let mode = choose {training, evaluation}
  model tiny(width=8)
  recipe short(lr=choose {0.01, 0.1})
  data digits classes=[5, 6, 7] shots=choose {1, 5}
  if way != scratch {
    before { recipe long; data digits classes=[0, 1, 2, 3]; steps 30 }
  }
  if way == all { steps 20 } else { steps 10 }
  tune lr by=accuracy(validation)
  measure accuracy(test)
  measure loss(mode, 32)
  rule "better" (accuracy(test, way=all, shots=5) > accuracy(test, way=scratch, shots=5) and
    loss(training, 32, way=head, shots=1) > 0.5)
  show tiny tiny(depth=2)
}
"""


def build(text: str) -> tuple[Experiment | None, Reporter]:
    report = Reporter()
    module = Library(report).load(Source(TINY + text, "test.arch"), None)
    assert module is not None
    (declaration,) = module.experiments.values()
    return build_experiment(declaration, module, report, compile), report


def experiment(body: str) -> Experiment:
    found, report = build(f"experiment e {{ {body} }}")
    assert [diagnostic.message for diagnostic in report.diagnostics] == []
    assert found is not None
    return found


def mistakes(body: str) -> list[tuple[str, str, str]]:
    """Return codes, places and words of what is wrong with an experiment's body."""
    found = archdsl.check_text(f"{TINY}experiment e {{ {body} }}")
    return [(d.code, d.span.text, f"{d.message}; {d.help}; {' '.join(d.notes)}") for d in found]


def test_an_experiment_is_what_its_text_says() -> None:
    found, report = build(TRANSFER)
    assert report.diagnostics == ()
    assert found is not None
    assert [(axis.name, axis.options) for axis in found.axes] == [
        ("way", ("scratch", "head", "all")),
        ("mode", ("training", "evaluation")),
        ("lr", ("0.01", "0.1")),
        ("shots", ("1", "5")),
    ]
    assert [axis.numbers for axis in found.axes] == [(), (), (0.01, 0.1), (1, 5)]
    model = ModelChoice("tiny", (("width", "8"),))
    before = Training(model, RecipeChoice("long"), DataChoice("digits", (0, 1, 2, 3)), 30)
    after = Training(model, RecipeChoice("short", (("lr", "0.1"),)), DataChoice("digits", (5, 6, 7), 5), 20, before)
    assert found.points[-1].choices == (("way", "all"), ("mode", "evaluation"), ("lr", "0.1"), ("shots", "5"))
    assert found.points[-1].training == after
    assert [measure.text for measure in found.points[-1].measures] == ["accuracy(test)", "loss(mode, 32)"]
    assert found.points[-1].measures[1].values == ("evaluation", 32)
    assert {point.training.before for point in found.points if point.option("way") == "scratch"} == {None}
    # The mode of a measure makes no training of its own.
    assert (len(found.points), len({point.training for point in found.points})) == (24, 12)
    assert found.tuning is not None
    assert (found.tuning.axis, found.tuning.by.text, found.tuning.seeds) == ("lr", "accuracy(validation)", 2)
    assert (found.seeds, found.shown) == (5, (ModelChoice("tiny"), ModelChoice("tiny", (("depth", "2"),))))
    (rule,) = found.rules
    assert [comparison.relation for comparison in rule.comparisons] == [">", ">"]
    better, worse = rule.comparisons[0].left, rule.comparisons[1].left
    assert isinstance(better, RuleTerm)
    assert isinstance(worse, RuleTerm)
    assert better.where == (("way", "all"), ("shots", "5"))
    assert {point.option("lr") for point in found.points_of(better)} == {"0.01", "0.1"}
    assert {point.option("mode") for point in found.points_of(worse)} == {"training"}
    assert rule.comparisons[1].right == 0.5
    assert found.text.startswith("experiment transfer {")


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ("model tiny", ()),
        ("model tiny(8)", (("width", "8"),)),
        ("let w = 2; model tiny(4*w, depth=w)", (("width", "8"), ("depth", "2"))),
        ("model tiny(depth=1 + 1)", (("depth", "1 + 1"),)),
        ("let n = group(2); model tiny(norm=n)", (("norm", "group(groups=2)"),)),
        ("let small = 1e-7; model tiny(norm=batch(eps=small))", (("norm", "batch(eps=1e-07)"),)),
        ("model tiny(norm=batch(eps=1e-7))", (("norm", "batch(eps=1e-7)"),)),
        ("let i = normal(std=0.01); model tiny(conv.init=i)", (("conv.init", "normal(std=0.01)"),)),
        ("let big = true; model (tiny(8) if big else tiny)", (("width", "8"),)),
    ],
)  # fmt: skip
def test_settings_are_texts_that_mean_the_same_elsewhere(body: str, settings: tuple[tuple[str, str], ...]) -> None:
    found = experiment(f"{body}; recipe short; data digits; measure macs")
    assert found.points[0].training.model.settings == settings


def test_models_and_recipes_may_be_bundled_and_be_bound_to_names() -> None:
    found = experiment("""
      let net = choose {tiny, digits, plain20_cifar}
      let way = choose {long, fine_tune}
      model net; recipe way(epochs=3); data "imagefolder:a{b}"; measure memory
    """)
    trainings = [point.training for point in found.points]
    assert {training.model.name for training in trainings} == {"tiny", "digits", "plain20_cifar"}
    assert {training.recipe for training in trainings} == {
        RecipeChoice("long", (("epochs", "3"),)),
        RecipeChoice("fine_tune", (("epochs", "3"),)),
    }
    assert {training.data.name for training in trainings} == {"imagefolder:a{b}"}


def test_a_choice_of_models_is_an_axis_of_models() -> None:
    found = experiment("""
      model choose {tiny, tiny(width=choose {8, 16})}; recipe short; data digits; measure macs; steps choose {3, 4}
    """)
    assert [axis.name for axis in found.axes] == ["model", "width", "steps"]
    choices = [point.choices for point in found.points]
    assert choices[0] == (("model", "tiny"), ("steps", "3"))
    assert choices[2] == (("model", "tiny(width=choose {8, 16})"), ("width", "8"), ("steps", "3"))
    assert [point.training.steps for point in found.points] == [3, 4] * 3


@dataclass(frozen=True)
class Let:
    name: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class If:
    name: str
    value: str
    then: tuple[Let | If, ...]
    otherwise: tuple[Let | If, ...]


@st.composite
def programs(draw: st.DrawFn) -> tuple[Let | If, ...]:
    """Draw statements that choose, in branches too; each name is bound once."""
    numbers = count()

    def body(depth: int, known: tuple[str, ...]) -> tuple[Let | If, ...]:
        found: list[Let | If] = []
        for _ in range(draw(st.integers(0, 3))):
            if depth < 2 and known and draw(st.booleans()):
                name, value = draw(st.sampled_from(known)), draw(st.sampled_from("123"))
                found.append(If(name, value, body(depth + 1, known), body(depth + 1, known)))
            elif next(numbers) < MOST_CHOICES:
                options = draw(st.lists(st.sampled_from("1234"), min_size=2, max_size=3, unique=True))
                found.append(Let(f"a{next(numbers)}", tuple(options)))
                known = (*known, found[-1].name)
        return tuple(found)

    return body(0, ())


MOST_CHOICES = 14


def write(statements: tuple[Let | If, ...]) -> str:
    lines = [
        f"let {each.name} = choose {{{', '.join(each.options)}}}"
        if isinstance(each, Let)
        else f"if {each.name} == {each.value} {{ {write(each.then)} }} else {{ {write(each.otherwise)} }}"
        for each in statements
    ]
    return "; ".join(lines)


def go_through(statements: tuple[Let | If, ...], point: dict[str, str]) -> list[dict[str, str]]:
    """Return the points of statements by hand, the last choices varying fastest."""
    found = [point]
    for each in statements:
        if isinstance(each, Let):
            found = [{**p, each.name: option} for p in found for option in each.options]
        else:
            ways = [(p, each.then if p[each.name] == each.value else each.otherwise) for p in found]
            found = [q for p, way in ways for q in go_through(way, p)]
    return found


@given(programs())
@settings(max_examples=40, deadline=None)
def test_points_are_those_of_going_through_every_option_by_hand(program: tuple[Let | If, ...]) -> None:
    expected = go_through(program, {})
    found = experiment(f"{write(program)}\n{REST}")
    assert [dict(point.choices) for point in found.points] == expected
    assert {axis.name for axis in found.axes} == {name for point in expected for name in point}


# What stands in the experiment, the code, the place, and a part of message, help or notes.
GROUPS, CONV2 = "tiny(w, norm=group(2))", 'gradient_norm("stem.conv2")'
WRONG = [
    (REST.replace("model tiny; ", ""), "E134", "e", "has no `model`"),
    (f"{REST}; mesure macs", "E134", "mesure", "nearest is `measure`"),
    (f"{REST}; macs", "E134", "macs", "write `measure macs`"),
    (f"{REST}; choose {{1, 2}}", "E001", "choose", ""),
    (f"{REST}; steps 0", "E104", "0", "from 1"),
    (f"{REST}; steps 3 4", "E107", "4", "one value"),
    (f"{REST}; steps number=3", "E102", "number=3", "no named value"),
    (f"{REST}; steps", "E103", "steps", "write `steps 70`"),
    (f"{REST}; steps 7/2", "E105", "7/2", "how to round"),
    (f"{REST}; data digits", "E106", "data digits", "given twice"),
    (f"{REST}; a: steps 3", "E134", "a: steps 3", "a statement is its word"),
    (f"{REST}; for i in 0..2 {{ steps i }}", "E134", "for i in 0..2 { steps i }", "a statement is its word"),
    (f"{REST}; if true {{ seeds 3 }}", "E134", "seeds", "outside the `if`"),
    (f"let n = choose {{3, 4}}; seeds n; {REST}", "E134", "seeds n", "depends on a choice"),
    (f"seeds 0; {REST}", "E104", "0", "from 1"),
    (f"seeds 3; tune lr by=accuracy(validation) seeds=4; {REST}", "E137", "lr", "nothing is chosen"),
    (f"let w = choose {{1}}; {REST}", "E135", "choose {1}", "two options"),
    (f"let w = choose {{1, 2}} + choose {{3, 4}}; {REST}", "E135", "choose {3, 4}", "called `w`"),
    (f"let w = choose {{a, a}}; {REST}", "E135", "a", "twice"),
    (f"let w = choose {{1, 1.0}}; {REST}", "E135", "1.0", "twice"),
    (f"if 1 == choose {{1, 2}} {{ steps 3 }}; {REST}", "E135", "choose {1, 2}", "no name"),
    (f"let w = [choose {{1, 2}} for i in 0..3]; {REST}", "E135", "choose {1, 2}", "comprehension"),
    (f"rule \"a\" (macs(w=choose {{1, 2}}) > 3); {REST}", "E135", "choose {1, 2}", "once for all points"),
    (f"fn f(a) = choose {{a, 2}}; {REST}", "E135", "choose {a, 2}", "no place"),
    (REST.replace("tiny", "tinny"), "E120", "tinny", "nearest is `tiny`"),
    (REST.replace("tiny", "tiny(widht=3)"), "E102", "widht=3", "nearest is `width`"),
    (REST.replace("tiny", "tiny(width=3, width=4)"), "E106", "width=4", "given twice"),
    (REST.replace("tiny", "tiny(1, 2, 3)"), "E107", "3", "takes 2 values"),
    (REST.replace("tiny", "tiny(norm=group(3))"), "E136", "tiny(norm=group(3))", "does not compile"),
    (f"let w = choose {{4, 3}}; {REST.replace('tiny', GROUPS)}", "E136", GROUPS, "at w=3"),
    (REST.replace("tiny", "8"), "E104", "8", "no name"),
    (REST.replace("short", "shrt"), "E126", "shrt", "nearest is `short`"),
    (REST.replace("short", "short(0.1)"), "E107", "0.1", "name it"),
    (REST.replace("short", "short(lr=0)"), "E104", "lr=0", "above 0"),
    (REST.replace("short", "short(lrr=1)"), "E126", "lrr=1", "no statement `lrr`"),
    (f"let lr = choose {{1, 0}}; {REST.replace('short', 'short(lr=lr)')}", "E104", "0", "at lr=0"),
    (REST.replace("digits", "digits 3"), "E107", "3", "one name"),
    (REST.replace("digits", "digits shots=0"), "E104", "0", "from 1"),
    (REST.replace("digits", "digits classes=[1, 1]"), "E104", "[1, 1]", "has 1 twice"),
    (REST.replace("digits", "digits classes=[1]"), "E104", "[1]", "at least two"),
    (f"{REST}; measure accuracy(validation)", "E106", "accuracy(validation)", "measured twice"),
    (f"{REST}; measure accuracy", "E103", "accuracy", "needs its part"),
    (f"{REST}; measure accuracy(all)", "E137", "all", "`training` or `validation`"),
    (f"{REST}; measure loss(test, 8)", "E137", "test", "`training` or `evaluation`"),
    (f"{REST}; measure loss(training, 0)", "E104", "0", "a whole number from 1"),
    (f"{REST}; measure loss(training, w=3)", "E137", "w", "without names"),
    (f"{REST}; measure latency(1, 2)", "E107", "2", "one value"),
    (f"{REST}; measure final(loss, true)", "E104", "true", "whole number"),
    (f"{REST}; measure gradient_norm(stem)", "E137", "stem", "in quotes"),
    (f"{REST}; measure {CONV2}", "E137", '"stem.conv2"', "nearest is `stem.conv1`"),
    (f"{REST}; measure 3 + 4", "E137", "3 + 4", "no measure"),
    (f"{REST}; measure (3)", "E137", "3", "no measure"),
    (f"{REST}; before {{ recipe short }}", "E134", "before", "has no `data`"),
    (f"{REST}; before {{ measure macs; recipe short; data digits }}", "E134", "measure", "no place"),
    (f"{REST}; before {{ before {{ }}; recipe short; data digits }}", "E134", "before", "no place"),
    (f"{REST}; before 3 {{ recipe short; data digits }}", "E107", "3", "nothing beside"),
    (f"{REST}; show", "E103", "show", "needs models"),
    (f"{REST}; show tinny", "E120", "tinny", "nearest is `tiny`"),
    (f"{REST}; rule \"a\" (accuracy(validation) > 0.5) 3", "E137", "3", "a title in quotes"),
    (f"{REST}; rule \"\" (accuracy(validation) > 0.5)", "E137", "\"\"", "in quotes"),
    (f"{REST}; rule \"a\" (accuracy(test) > 0.5)", "E137", "accuracy(test)", "add `measure accuracy(test)`"),
    (f"{REST}; rule \"a\" (accuracy(validation) >= 0.5)", "E137", "accuracy(validation) >= 0.5", "compares nothing"),
    (f"{REST}; rule \"a\" (accuracy(validation, w=3) > 0.5)", "E137", "w", "nothing is chosen"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "place", "words"), WRONG)
def test_a_mistake_is_told_at_its_word(body: str, code: str, place: str, words: str) -> None:
    found = mistakes(body)
    assert [(each[0], each[1]) for each in found] == [(code, place)]
    assert words in found[0][2]


GRID = "let w = choose {4, 8}; let lr = choose {0.1, 0.2}; model tiny(w); recipe short(lr=lr); data digits"


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("measure macs; rule \"a\" (macs(w=4) < 3)", "macs(w=4)", "`lr` may be any option"),
        ("measure macs; rule \"a\" (macs(lr=0.1) < 3)", "macs(lr=0.1)", "`w` may be any option"),
        ("measure macs; tune lr by=final(loss, 5); rule \"a\" (macs(w=4, lr=0.1) < 3)", "lr=0.1", "is tuned"),
        ("measure macs; tune lr by=final(loss, 5); rule \"a\" (macs(w=5) < 3)", "5", "no option `5`"),
        ("measure macs; tune lr by=accuracy(test); rule \"a\" (macs(w=4) < 3)", "accuracy(test)", "nothing is chosen"),
        ("measure macs; tune lr by=loss(evaluation, w)", "tune lr by=loss(evaluation, w)", "depends on a choice"),
        ("measure highest(lr); rule \"a\" (highest(lr, w=4, lr=0.1) < 3)", "highest(lr, w=4, lr=0.1)", "all options"),
        ("measure highest(lr, 0.4); rule \"a\" (highest(lr, w=4) < 3)", "highest(lr, w=4)", "not measured there"),
        ("measure memory; if w == 8 { measure macs }; rule \"a\" (macs(w=4) < 3)", "macs(w=4)", "not measured there"),
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_certain_is_refused(body: str, place: str, words: str) -> None:
    found = mistakes(f"{GRID}; {body}")
    assert [each[:2] for each in found] == [("E137", place)] or [each[:2] for each in found] == [("E134", place)]
    assert words in found[0][2]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("measure macs; rule \"a\" (macs(w=4, lr=0.1) < 1e9)", (("w", "4"), ("lr", "0.1"))),
        ("measure macs; rule \"a\" (macs(w=4, lr=0.10) < 1e9)", (("w", "4"), ("lr", "0.1"))),
        ("measure highest(lr); rule \"a\" (highest(lr, w=4) < 1)", (("w", "4"),)),
        ("measure highest(lr); rule \"a\" (highest(lr, 0.5, w=4) < 1)", (("w", "4"),)),
        ("measure macs; tune lr by=final(loss, 5); rule \"a\" (macs(w=4) < 1e9)", (("w", "4"),)),
        ("if w == 4 { measure macs }; tune lr by=final(loss, 5); rule \"a\" (macs < 1e9); measure memory", ()),
        ("let L = 1; measure gap_at(loss, L); rule \"a\" (gap_at(loss, 1, w=4) < 9); tune lr by=macs", (("w", "4"),)),
    ],
)  # fmt: skip
def test_a_term_names_the_options_that_tell_its_point(body: str, where: tuple[tuple[str, str], ...]) -> None:
    found = experiment(f"{GRID}; {body}")
    term = found.rules[0].comparisons[0].left
    assert isinstance(term, RuleTerm)
    assert term.where == where
    points = found.points_of(term)
    assert {point.option("w") for point in points} == {"4"}
    assert len(points) == (1 if ("lr", "0.1") in where else 2)


@pytest.mark.parametrize(
    "body",
    [
        "; ".join(f"let a{i} = choose {{1, 2, 3, 4, 5, 6, 7, 8, 9}}" for i in range(40)),
        f"let a = choose {{{', '.join(map(str, range(12_000)))}}}",
        "; ".join(f"let a{i} = {i}" for i in range(4000)) + "; let b = choose {1, 2, 3, 4, 5, 6, 7, 8, 9}",
        "let a = choose {1, 2}; let d = [[i*j for i in 1..900] for j in 1..900]",
        f"model tiny(width=choose {{{', '.join(map(str, range(1, 9000)))}}})",
    ],
    ids=["a grid", "an axis", "names", "lists", "models"],
)  # fmt: skip
def test_too_many_points_are_refused_soon(body: str) -> None:
    with in_time():
        found = mistakes(f"{body}; {REST if 'model' not in body else REST.replace('model tiny; ', '')}")
    assert [code for code, _, _ in found] == ["E109"]


def test_expressions_that_nest_too_deep_are_refused() -> None:
    assert [code for code, _, _ in mistakes(f"let a = {'1+' * 9000}1; {REST}")] == ["E003"]


def test_a_syntax_mistake_beside_an_experiment_is_told_once() -> None:
    found = archdsl.check_text(f"{TINY}model odd {{ input [1, 8, 8]; conv = }}\nexperiment e {{ {REST} }}")
    assert [diagnostic.code for diagnostic in found] == ["E001"]


TEXTS = [
    TINY + TRANSFER,
    *(path.read_text(encoding="utf-8") for path in sorted(experiment_folder().glob("*.arch"))),
]
_TOKEN = re.compile(r'\w+|"[^"\n]*"|[ \t]+|.|\n', re.S)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12])
def test_an_experiment_is_formatted_to_the_same_experiment(text: str) -> None:
    flat = re.sub(r"\n +", "\n", text)
    formatted = archdsl.format(Source(text))
    assert archdsl.format(Source(flat)) == formatted
    assert archdsl.format(Source(formatted)) == formatted
    found: list[Experiment | None] = []
    for written in (flat, formatted):
        report = Reporter()
        module = Library(report).load(Source(written, "test.arch"), None)
        assert module is not None
        (declaration,) = module.experiments.values()
        found.append(build_experiment(declaration, module, report, compile))
    first, second = found
    assert first is not None
    assert second is not None
    assert replace(first, text="") == replace(second, text="")


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutilated_experiment_gives_diagnostics(data: st.DataObject) -> None:
    tokens = _TOKEN.findall(TEXTS[0])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(len(_TOKEN.findall(TINY)), len(tokens) - 1))
        other = data.draw(st.sampled_from([*tokens, "experiment", "}", "{", ""]))
        tokens[place : place + data.draw(st.integers(0, 2))] = [other]
    text = "".join(tokens)
    with in_time():
        for diagnostic in archdsl.check_text(text):
            assert diagnostic.code in CODES
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)


def test_a_model_takes_another_size_of_images() -> None:
    body = "let side = choose {8, 16}; model tiny(8, input=[1, side, 2*side]); recipe short; data digits; measure macs"
    found = experiment(body)
    assert [point.training.model.image for point in found.points] == [(1, 8, 16), (1, 16, 32)]
    assert {point.training.model.settings for point in found.points} == {(("width", "8"),)}
    assert str(found.points[0].training.model) == "tiny(width=8, input=[1, 8, 16])"


@pytest.mark.parametrize(
    "side", ["2 * accuracy(test, width=8)", "accuracy(test, width=8) * 2", "1/2 * accuracy(test, width=8) * 4"]
)
def test_a_side_of_a_rule_may_be_a_number_times_a_measure(side: str) -> None:
    body = "model tiny(choose {4, 8}); recipe short; data digits; measure accuracy(test)"
    found = experiment(
        f'let width = choose {{4, 8}}; {body.replace("choose {4, 8}", "width")}; rule "r" ({side} > 0.5)'
    )
    term = found.rules[0].comparisons[0].left
    assert isinstance(term, RuleTerm)
    assert (term.measure.name, term.where, term.factor) == ("accuracy", (("width", "8"),), 2.0)


@pytest.mark.parametrize(
    "text",
    ["{\n 4,\n 8\n}", "{4,\n 8,\n}", "{\n\n4 # four\n,8}", "{4, 8,}", "{\n(4),\n\n[8][0]}"],
)
def test_options_may_stand_on_lines_of_their_own(text: str) -> None:
    found = experiment(f"let width = choose {text}\n model tiny(width); recipe short; data digits; measure macs")
    assert len(found.points) == 2


@pytest.mark.parametrize(
    ("options", "wrong"),
    [("{}", "}"), ("{4 8}", "8"), ("{4, {8}}", "{"), ("{4, choose {8 16}}", "16")],
)
def test_a_mistake_among_options_hides_no_others_and_makes_none(options: str, wrong: str) -> None:
    found = mistakes(f"let width = choose {options}; model tiny(4 8); recipe short; data digits; measure macs")
    assert [place for _, place, _ in found] == [wrong, "8"]


def test_a_recipe_s_seed_is_each_run_s() -> None:
    ((code, place, said),) = mistakes("model tiny; recipe short(seed=7); data digits; measure macs")
    assert (code, place) == ("E134", "seed=7")
    assert "`seeds 5`" in said


@pytest.mark.parametrize("name", ["seed", "chosen"])
def test_an_axis_is_called_as_no_column_of_results(name: str) -> None:
    found = mistakes(f"let {name} = choose {{4, 8}}; model tiny({name}); recipe short; data digits; measure macs")
    assert [code for code, _, _ in found] == ["E135"]


def test_what_other_choices_hang_on_is_not_tuned() -> None:
    body = """
      let lr = choose {0.01, 0.1}
      if lr == 0.01 { let w = choose {4, 6}; model tiny(w) } else { model tiny }
      recipe short(lr=lr); data digits; tune lr by=final(loss, 2); measure final(loss, 2)
    """
    ((code, place, _),) = mistakes(body)
    assert (code, place) == ("E137", "tune lr by=final(loss, 2)")


@pytest.mark.parametrize(
    "side", ["macs / 2", "macs * macs", "2 + macs", "-macs", "1e-300 * (1e-300 * macs)", "0 * macs"]
)
def test_a_side_of_a_rule_is_no_other_sum(side: str) -> None:
    found = mistakes(f'model tiny; recipe short; data digits; measure macs; rule "r" ({side} < macs)')
    assert [code for code, _, _ in found] == ["E137"]


def test_a_word_with_a_typo_is_one_mistake() -> None:
    found = mistakes("modle tiny; recipe short; data digits; mesure macs")
    assert [place for _, place, _ in found] == ["modle", "mesure"]
