"""`experiment` is a word only where a declaration begins; `model` and `training` are names only inside of one."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.checking import check
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

BODY = "input [3, 8, 8]; relu"


@pytest.mark.parametrize(
    "text",
    [
        f"block experiment(c) {{ conv c }}\nmodel m {{ {BODY}; experiment 8 }}",
        f"model m {{ {BODY}; experiment: conv 8; relu; add {{ @experiment; pass }} }}",
        f"let experiment = 3\nmodel m {{ {BODY}; conv experiment }}",
        f"model experiment(experiment=3) {{ {BODY}; conv experiment }}",
        f"model m {{ {BODY}; let experiment = 4; conv experiment }}",
        f"fn experiment(a) = 2*a\nmodel m {{ {BODY}; conv experiment(3) }}",
    ],
)
def test_experiment_is_a_name_everywhere_else(text: str) -> None:
    assert archdsl.check_text(text) == ()
    assert archdsl.check_text(archdsl.format(Source(text))) == ()


STATEMENTS = ["model digits", "recipe small", "data digits", "measure accuracy(training)", "steps 3"]


@pytest.mark.parametrize("separator", ["\n", "; ", "\n\n", " # comment\n"])
def test_statements_of_an_experiment_need_no_indentation(separator: str) -> None:
    text = f"experiment e {{\n{separator.join(STATEMENTS)}\n}}\nmodel m {{ {BODY} }}\n"
    assert check(Source(text)) == ()
    parsed = parse(Source(text), Reporter())
    assert parsed is not None
    assert [type(declaration) for declaration in parsed.file.declarations] == [tree.ExperimentText, tree.Model]
    assert check(Source(archdsl.format(Source(text)))) == ()


@pytest.mark.parametrize("text", ["model {0}\n  relu", "relu\n  model {0}", "conv training"])
def test_words_of_the_language_stay_so_in_a_network(text: str) -> None:
    found = archdsl.check_text(f"model m {{ {BODY}\n  {text.format('n')} }}")
    assert found[0].code == "E001"


def test_a_space_before_settings_is_kept() -> None:
    """`model net (8)` is two values, and no model with a setting: formatting leaves the mistake as it is."""
    text = archdsl.format(Source(f"experiment e {{ model digits (3); {'; '.join(STATEMENTS[1:])} }}"))
    assert "model digits (3)" in text
    assert [diagnostic.code for diagnostic in archdsl.check_text(text)] == ["E107"]
    assert "model m(c)" in archdsl.format(Source(f"model m (c) {{ {BODY} }}"))


def test_a_mistake_in_an_experiment_leaves_the_others() -> None:
    text = f"experiment a {{ model = }}\nexperiment b {{ mesure macs; {'; '.join(STATEMENTS)} }}\nmodel m {{ conv 3 }}"
    codes = [diagnostic.code for diagnostic in archdsl.check_text(text)]
    assert sorted(codes)[:2] == ["E001", "E134"] or codes[0] == "E001"
    assert "E134" in codes


def test_an_unclosed_experiment_is_told() -> None:
    found = archdsl.check_text(
        f"experiment e {{\n  {'; '.join(STATEMENTS)}\n\nblock b {{ relu }}\nmodel m {{ {BODY}; b }}"
    )
    assert [diagnostic.code for diagnostic in found] == ["E005"]
