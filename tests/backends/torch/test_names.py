"""Names and comments of a spec can neither inject code nor hide what generated code needs."""

from __future__ import annotations

import ast
import keyword
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl.ir.labels import unlabelled_name
from archdsl.ops import OPS
from archdsl.text.labels import MODULE_ATTRIBUTES, SEQUENTIAL_ATTRIBUTES, objection, path_objection
from tests.backends.torch.cases import ruff
from tests.backends.torch.interpreter import agree

pytestmark = pytest.mark.torch

HOSTILE = [
    "forward", "class", "__import__", "self", "torch", "nn", "F", "Tensor", "OrderedDict", "NamedTuple", "Outputs",
    "TrainingOutputs", "super", "range", "print", "y", "z", "i", "module", "train", "training", "Conv2dSame",
    "StochasticDepth", "Slice", "lambda", "None", "True", "match", "type", "_", "__", "__class__", "__init__", "__2",
    "in_channels", "float", "int", "bool", "init", "call", "parameters", "add_module", "isinstance", "activation",
    "size", "self_", "min", "max", "getattr", "setattr", "ValueError",
    "v_x", "x1", "Module", "M", "MNet", "count", "index", "eval", "state_dict", "T_destination",
]  # fmt: skip

# `{w}` is the hostile name; quotes let a label be any text.
PLACES = {
    "labels": "model m {{ input [3, 8, 8]; {w}: conv 4; act; output tap {{ {w}2: conv 3 }}; conv 5; gap; flatten }}",
    "labels read twice": "model m {{ input [3, 8, 8]; {w}: conv 4; a: conv 4; add {{ @{w}; @a }}; act; gap; flatten }}",
    "blocks": "block {w} {{ a: conv 4; b: act }}\n"
    "model m {{ input [3, 8, 8]; c: conv 3; {w}; add {{ pass; {w} }}; {w}; gap; flatten }}",
    "parameters": "block b({w}) {{ residual {{ c: conv {w}; act; d: conv 4 }} shortcut p {{ conv 4 k=1 }} }}\n"
    "model m {{ input [3, 8, 8]; b 4; b 6; b 8; for j in 0..5 {{ {{ b 9+j; norm }} }}; gap; flatten }}",
    "models": "model {w} {{ input [3, 8, 8]; a: conv 4 p=same s=2; drop_path 0.1; gap; flatten }}",
    "outputs": "model m {{ input [3, 8, 8]; a: conv 4; output {w}; conv 4 p=same s=2; gap; flatten }}",
    "training outputs": "model m {{ input [3, 8, 8]; a: conv 4; output {w} training {{ g: gap }}; gap; flatten }}",
    "outputs of a block": "block b {{ a: conv 4; output {w} training {{ gap }}; act; output o }}\n"
    "model m {{ input [3, 8, 8]; u: b; output more training {{ @u.{w} }}; gap }}",
    "inputs": "model m {{ {w}: input [3, 8, 8]; b: input [3, 8, 8]; add {{ @{w}; @b }}; a: conv 4; gap; flatten }}",
    "values": "block b {{ let {w} = in; residual {{ c: conv {w}; act; d: conv {w} }} }}\n"
    "model m {{ input [3, 8, 8]; b; conv 5; b; gap; flatten }}",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_name_gets_a_diagnostic_or_a_working_file(place: str, tmp_path: Path) -> None:
    built = 0
    for number, name in enumerate(HOSTILE):
        text = PLACES[place].format(w=name)
        if any(diagnostic.code.startswith("E") for diagnostic in archdsl.check_text(text)):
            continue
        net = archdsl.load_text(text)
        built += 1
        (tmp_path / f"{number}.py").write_text(net.source(), encoding="utf-8")
        module = net.module()
        assert [key for key, _ in net.state] == list(module.state_dict())
        agree(net)
    assert built > 5
    assert ruff("check", "--isolated", "--no-cache", tmp_path) == ""
    assert ruff("format", "--isolated", "--no-cache", "--check", tmp_path) == ""


LABELS = [
    "a b",
    "a..b",
    ".a",
    "a.pop",
    "a/b",
    "..",
    "",
    "a'b",
    "a\\",
    "é",
    "漢",
    "a\u202eb",
    "x" * 81,
    "a;b",
    "{",
    "__import__('os')",
    "-",
    "a-",
    "0",
]


def test_a_label_that_is_no_path_segment_gets_a_diagnostic() -> None:
    for label in LABELS:
        text = f'model m {{ input [3, 8, 8]; "{label}": conv 4; act }}'
        codes = {diagnostic.code for diagnostic in archdsl.check_text(text)}
        if path_objection(label):
            assert codes
            assert codes <= {"E001", "E002", "E112"}
        else:
            assert not codes
            agree(archdsl.load_text(text))
    assert sum(path_objection(label) == "" for label in LABELS) < 4


COMMENTS = {
    "quotes": '## He said "yes" and """no""" and "',
    "backslashes": '## \\n \\" \\x41 \\N{DIGIT ONE} \\',
    "the end of a docstring": '## """\n## import os',
    "invisible characters": "## right \u202e to left \u2066 \u200b and a \x0b tab",
    "other scripts": "## é 漢字 🙂",
    "words of torch": "## torch.cat F.relu OrderedDict( (NamedTuple) Tensor StochasticDepth(",
    "long lines": "## " + "long " * 60 + "x" * 200,
    "an empty line": "##\n## after\n##",
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
def test_a_comment_stays_a_docstring(comment: str, tmp_path: Path) -> None:
    block = f"{comment}\nblock b {{ residual {{ conv 3; act; conv 3 }} }}"
    text = f"{block}\n{comment}\nmodel m {{ input [3, 8, 8]; b; b; gap; flatten }}"
    source = archdsl.load_text(text, name='a"\\\n"""b.arch').source()
    plain = archdsl.load_text(text.replace(comment, "")).source()
    assert _without_docstrings(source) == _without_docstrings(plain)
    (tmp_path / "m.py").write_text(source, encoding="utf-8")
    assert ruff("check", "--isolated", "--no-cache", tmp_path) == ""
    assert ruff("format", "--isolated", "--no-cache", "--check", tmp_path) == ""


def _without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def test_a_quote_and_a_backslash_are_still_seen() -> None:
    source = archdsl.load_text('## a "b" \\c\nmodel m { input [3, 8, 8]; a: conv 3 }').source()
    assert "'b' \\\\c" in source
    (definition,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert ast.get_docstring(definition) == "a 'b' \\c"


def test_every_attribute_of_a_module_is_refused_as_a_label() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= MODULE_ATTRIBUTES
    assert {name for name in dir(nn.Sequential()) if not name.startswith("_")} - public == SEQUENTIAL_ATTRIBUTES
    assert all(
        objection(name)
        for name in (*MODULE_ATTRIBUTES, *SEQUENTIAL_ATTRIBUTES, *keyword.kwlist, "__init__", "_modules")
    )


def test_a_label_that_other_containers_have_a_method_for_works() -> None:
    for name in ("items", "keys", "values", "weight", "bias", "clear"):
        agree(archdsl.load_text(f"model m {{ input [3, 8, 8]; g: {{ {name}: conv 3; act }}; {name}: conv 4; act }}"))


def test_an_unlabelled_step_goes_by_its_operators_or_blocks_name() -> None:
    assert [name for name in OPS if unlabelled_name(name) != name] == []
    assert [unlabelled_name(name) for name in ("forward", "_b", "class", "type", "unit")] == ["block"] * 4 + ["unit"]


def test_the_class_of_a_network_is_called_like_it() -> None:
    names = {"resnet50": "Resnet50", "a_b": "AB", "F": "FNet", "None": "NoneNet", "_": "Network", "tensor": "TensorNet"}
    for name, expected in names.items():
        module = archdsl.load_text(f"model {name} {{ input [3, 8, 8]; a: conv 3 }}").module()
        assert type(module).__name__ == expected
        assert module(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 8, 8)


def test_labels_that_are_no_words_are_attributes_all_the_same() -> None:
    body = '"a-b": conv 4; add { pass; { "c-1": { conv 4; act } } }; "s-1": scale 0.5; "2x": { conv 3; norm }'
    net = archdsl.load_text(f"model m {{ input [4, 8, 8]; {body} }}")
    source = net.source()
    assert 'setattr(self, "a-b", nn.Conv2d(4, 4, 3, padding=1, bias=False))' in source
    assert 'getattr(self, "a-b")(x)' in source
    assert "get_submodule" not in source
    assert [key for key, _ in net.state][:3] == ["s-1", "a-b.weight", "c-1.0.weight"]
    agree(net)
