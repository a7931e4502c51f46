"""Recipes' texts: what they mean, and what is said of what means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.ir.freezing import HEAD, Freezing
from archdsl.recipe_specs import find_recipe
from archdsl.recipes.images import Flip, Normalize, ShiftPixels
from archdsl.recipes.updates import AdamW, ConstantRate, Rates, Sgd, Steps
from archdsl.text.source import Source

# What stands in the recipe, the code, the place, and a part of message or help.
WRONG = [
    ("optimizer sdg lr=0.1", "E126", "sdg", "nearest is `sgd`"),
    ("optimizer", "E103", "optimizer", "`sgd`, `adamw`, `rmsprop`"),
    ("optimizer lr=0.1", "E103", "optimizer", "needs its kind"),
    ("schedul cosine", "E126", "schedul", "nearest is `schedule`"),
    ("momentum 0.9", "E126", "momentum", "setting of `optimizer`"),
    ("sgd lr=0.1", "E126", "sgd", "write `optimizer sgd`"),
    ("flip 0.5", "E126", "flip", "images train { flip 0.5 }"),
    ("epochs 1.5", "E104", "1.5", "a whole number is needed"),
    ("epochs 0", "E104", "0", "at least 1"),
    ("epochs 3 4", "E107", "4", "one setting"),
    ("epochs number=3 number=4", "E106", "number=4", "given twice"),
    ("epochs 7/2", "E105", "7/2", "how to round"),
    ("epochs; seed 3; epochs 4", "E106", "epochs 4", "given twice"),
    ("clip", "E103", "clip", "needs `length`"),
    ("precision bf17", "E101", "bf17", "nearest word is `bf16`"),
    ("precision 3", "E104", "3", "`bf16`"),
    ("weight_decay 1e-4 norm=false", "E102", "norm", "nearest is `norms`"),
    ("weight_decay 1e-4 norms=0", "E104", "norms=0", "true or false"),
    ("schedule step", "E103", "schedule", "needs `after`"),
    ("schedule step after=[]", "E104", "after=[]", "more items are needed"),
    ("images train { flip 2 }", "E104", "2", "at most 1"),
    ("images train { epochs 3 }", "E126", "epochs", "statement of its own"),
    ("images train { flp }", "E126", "flp", "nearest is `flip`"),
    ("images test { flip }", "E126", "test", "`train` or `eval`"),
    ("images { flip }", "E126", "images", "`train` or `eval`"),
    ("images train", "E126", "images", "in braces"),
    ("epochs 3 { flip }", "E126", "{ flip }", "no braces"),
    ("a: epochs 3", "E126", "a: epochs 3", "a statement is its word"),
    ("epochs 3 x 2", "E126", "epochs 3 x 2", "a statement is its word"),
    ("if true { epochs 3 }", "E126", "if true { epochs 3 }", "a statement is its word"),
    ("seed 2**63", "E104", "2**63", "below"),
    ("optimizer sgd lr=1e30", "E104", "lr=1e30", "at most"),
    ("ema 1", "E104", "1", "below 1"),
    ("freeze", "E132", "freeze", "freezes nothing"),
    ("freeze except head", "E132", "freeze", "freezes nothing"),
    ("freeze stem except", "E132", "except", "nothing stands behind"),
    ("freeze stem except a except b", "E132", "except", "twice"),
    ("freeze stem 3", "E104", "3", "is no path"),
    ("freeze parts=3", "E102", "parts", "without names"),
    ("freeze stem { a }", "E126", "{ a }", "no braces"),
    ("rates", "E104", "rates", "changes nothing"),
    ("rates 0.1", "E104", "0.1", "no path before it"),
    ("rates stem", "E104", "stem", "no factor behind it"),
    ("rates stem 0.1 head", "E104", "head", "no factor behind it"),
    ("rates stem 0", "E104", "0", "named by `freeze`"),
    ("rates stem true", "E104", "true", "a number is needed"),
    ("rates decay=1.5", "E104", "decay=1.5", "at most 1"),
    ("rates decay=0.5 decay=0.6", "E106", "decay=0.6", "given twice"),
    ("rates stem=0.1", "E102", "stem", "without names"),
    ("phase", "E126", "phase", "in braces"),
    ("phase 1 { epochs 3 }", "E126", "1", "in braces"),
    ("phase { epochs 0 }", "E104", "0", "at least 1"),
    ("phase { epoch 3 }", "E126", "epoch", "nearest is `epochs`"),
    ("phase { epochs 3; epochs 4 }", "E106", "epochs 4", "given twice"),
    ("phase { batch_size 8 }", "E126", "batch_size", "the whole run's"),
    ("phase { images train { flip } }", "E126", "images", "no place in a phase"),
    ("phase { phase { } }", "E126", "phase", "no place in a phase"),
    ("phase { let n = 3 }", "E126", "let n = 3", "a phase holds no such statement"),
    ("phases { epochs 3 }", "E126", "phases", "nearest is `phase`"),
]


@pytest.mark.parametrize(("text", "code", "place", "words"), WRONG)
def test_a_mistake_is_told_at_its_word(text: str, code: str, place: str, words: str) -> None:
    (found,) = archdsl.check(Source(f"recipe r {{ {text} }}"))
    assert (found.code, found.span.text.strip()) == (code, place)
    assert words in f"{found.message} {found.help}"


def test_mistakes_are_told_each_once_and_all_in_one_run() -> None:
    text = (
        "recipe r {\n  optimizer sdg\n  epochs 0\n  images train { flip 2; flp }\n}\nmodel m { input [3, 8, 8]; fold }"
    )
    assert [d.code for d in archdsl.check(Source(text))] == ["E101", "E126", "E104", "E104", "E126"]


def test_a_statement_that_does_not_parse_is_told_alone() -> None:
    (found,) = archdsl.check(Source("recipe r {\n  epochs 3 = 4\n  batch_size 8\n}"))
    assert found.code.startswith("E0")


def test_recipes_build_on_others_statement_by_statement_and_list_by_list() -> None:
    text = """
let rate = 0.4
recipe base { optimizer sgd lr=rate momentum=0.5; schedule constant; images train { flip; shift 0.25 } }
recipe mine of base { optimizer adamw; images eval { normalize imagenet } }
recipe small of small { let n = 3; epochs 2*n; schedule step after=[n] }
"""
    source = Source(text)
    assert archdsl.check(source) == ()
    base, mine, small = (find_recipe(name, source) for name in ("base", "mine", "small"))
    assert base.optimizer == Sgd(lr=0.4, momentum=0.5)
    assert mine.optimizer == AdamW()
    assert mine.schedule == ConstantRate()
    assert (mine.train, mine.eval) == ((Flip(), ShiftPixels(most=0.25)), (Normalize(by="imagenet"),))
    assert (small.epochs.number, small.schedule) == (6, Steps(after=(3,)))
    assert small.train == find_recipe("small").train


def test_frozen_parts_are_words_texts_or_lists_of_them() -> None:
    for text in (
        'freeze stem "layer1.*"',
        'freeze [stem, "layer1.*"]',
        'let parts = ["stem", "layer1.*"]; freeze parts',
    ):
        found = find_recipe("r", Source(f"recipe r {{ {text} }}")).freeze
        assert found is not None
        assert found.freezing == Freezing(("stem", "layer1.*"))


@pytest.mark.parametrize(
    ("text", "freezing"),
    [
        ("freeze backbone", Freezing(("*",), (HEAD,))),
        ("freeze stem backbone", Freezing(("stem", "*"), (HEAD,))),
        ("freeze backbone except aux", Freezing(("*",), ("aux", HEAD))),
        ('freeze "*" except head "aux.*"', Freezing(("*",), (HEAD, "aux.*"))),
        ('freeze "head" "except"', Freezing(("head", "except"))),
        ("let head = \"fc\"; freeze '*' except head".replace("'", '"'), Freezing(("*",), ("fc",))),
    ],
)
def test_head_and_except_are_words_without_quotes_and_paths_with_them(text: str, freezing: Freezing) -> None:
    found = find_recipe("r", Source(f"recipe r {{ {text} }}")).freeze
    assert found is not None
    assert found.freezing == freezing


def test_a_factor_is_for_the_paths_before_it() -> None:
    text = 'recipe r { let low = 1/10; rates stem ["layer1.*", layer2] low head 2*5 decay=0.75 }'
    found = find_recipe("r", Source(text)).rates
    assert found == Rates(factors=(("stem", 0.1), ("layer1.*", 0.1), ("layer2", 0.1), (HEAD, 10.0)), decay=0.75)


def test_what_a_phase_does_not_say_is_the_recipes() -> None:
    text = """
recipe r {
  epochs 7; freeze stem; warmup 1
  phase { freeze "*" except head; epochs 2; optimizer sgd lr=0.5 }
  phase { }
}
recipe q of r { warmup 0; seed 3 }
recipe p of r { phase { epochs 4 } }
"""
    source = Source(text)
    assert archdsl.check(source) == ()
    r, q, p = (find_recipe(name, source) for name in "rqp")
    first, second = r.recipes_by_phase
    assert (first.epochs.number, second.epochs.number, r.total_epochs) == (2, 7, 9)
    assert first.optimizer == Sgd(lr=0.5)
    assert second.optimizer == Sgd()
    assert first.freeze is not None
    assert second.freeze is None
    assert (first.warmup.epochs, second.warmup.epochs) == (1, 1)
    assert q.phases == r.phases
    assert [one.warmup.epochs for one in q.recipes_by_phase] == [0, 0]
    assert p.total_epochs == 4


def test_what_counts_for_no_phase_of_another_recipe_is_told() -> None:
    text = "recipe a { phase { epochs 3 }; phase { epochs 4 } }\nrecipe b of a { epochs 9 }\nrecipe c of a { seed 3 }"
    (found,) = archdsl.check(Source(text))
    assert (found.code, found.span.text) == ("E127", "epochs 9")
    assert "phase.1.epochs" in (found.help or "")


def test_a_recipe_that_builds_on_itself_is_told() -> None:
    found = archdsl.check(Source("recipe a of b { }\nrecipe b of a { }\nrecipe c of c { }"))
    assert [(d.code, d.span.text) for d in found] == [("E108", "a"), ("E108", "b"), ("E108", "c")]


def test_recipes_of_used_files_are_known(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "shared.arch").write_text("recipe base { epochs 7 }\nrecipe other { epochs 8 }")
    (folder / "own.arch").write_text("use shared (base)\nrecipe mine of base { }\nmodel m { input [3, 8, 8]; conv 8 }")
    assert archdsl.check(folder / "own.arch") == ()
    source = Source((folder / "own.arch").read_text())
    assert find_recipe("mine", source, folder).epochs.number == 7
    (folder / "all.arch").write_text("use shared\nrecipe mine of other { }")
    assert archdsl.check(folder / "all.arch") == ()
    assert find_recipe("mine", Source((folder / "all.arch").read_text()), folder).epochs.number == 8


@pytest.mark.parametrize(
    "text",
    [
        "block recipe(c) { conv c }\nmodel m { input [3, 8, 8]; recipe 8; relu; recipe 9 }",
        "let recipe = 3\nmodel m { input [3, 8, 8]; conv recipe }",
        "model recipe(recipe=3) { input [3, 8, 8]; recipe: conv recipe; @recipe }",
        "model m(epochs=3, optimizer=4) { input [3, 8, 8]; images: conv epochs+optimizer }",
    ],
)
def test_the_words_of_recipes_are_names_elsewhere(text: str) -> None:
    assert archdsl.check(Source(text)) == ()


WORDS = st.sampled_from(
    [
        "recipe",
        "r",
        "{",
        "}",
        "of",
        "small",
        "epochs",
        "3",
        "-1",
        "optimizer",
        "sgd",
        "lr=0.1",
        "images",
        "train",
        "eval",
        "flip",
        "=",
        "[",
        "]",
        "(",
        ")",
        ";",
        '"',
        "x",
        "if",
        ":",
        "@a",
        "1e99",
        "batch_size",
        "let",
        "n",
        "model",
        "m",
        "use",
        "#",
        "shift",
        "0.1",
        "schedule",
        "step",
        "after=[1]",
        "freeze",
        "backbone",
        "except",
        "head",
        "phase",
        "rates",
        "decay=0.5",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_any_words_give_diagnostics_or_a_recipe(words: list[str]) -> None:
    archdsl.check(Source("recipe r { epochs 3; " + " ".join(words)))
