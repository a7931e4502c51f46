"""Whatever the text, there is a network or there are diagnostics, soon, and never another exception."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.lower.plan import models_of
from archdsl.network import Network
from archdsl.syntax.parser import MAX_CHARACTERS
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.error import SpecError
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source
from tests.patience import in_time

MOST_MEMORY = 400 * 2**20
LARGE = 5000
TOKEN = re.compile(r'\w+|"[^"\n]*"|[ \t]+|.', re.S)
ANY = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def examine(text: str) -> None:
    """Compile a text and ask everything of the network, if it is one."""
    found = archdsl.check_text(text)
    check_diagnostics(found, text)
    model = next(iter(models_of(Source(text))), None)
    try:
        network = archdsl.load_text(text, model)
    except SpecError as error:
        check_diagnostics(error.diagnostics, text)
        return
    use(network)


def use(network: Network) -> None:
    assert network.costs.parameters >= 0
    if network.graph.size <= LARGE:
        assert network.flatten().number_of_nodes() >= 1
        assert network.summary()
        assert len({key for key, _ in network.state}) == len(network.state)
        compile(network.source(), "generated", "exec")


def check_diagnostics(found: tuple[Diagnostic, ...], text: str) -> None:
    assert len(found) <= 100
    for diagnostic in found:
        assert diagnostic.code in CODES
        assert diagnostic.message
        span = diagnostic.span
        assert 0 <= span.start <= span.end <= len(span.source.text)
    for render in RENDERERS.values():
        assert render(found) is not None


def examine_soon(text: str) -> None:
    with in_time():
        examine(text)


WORDS = st.sampled_from(
    [
        "model",
        "block",
        "fn",
        "variant",
        "use",
        "let",
        "defaults",
        "if",
        "else",
        "for",
        "in",
        "of",
        "x",
        "residual",
        "shortcut",
        "split",
        "stages",
        "double",
        "output",
        "training",
        "reuse",
        "when",
        "inline",
        "set",
        "replace",
        "remove",
        "conv",
        "norm",
        "act",
        "relu",
        "concat",
        "add",
        "pass",
        "input",
        "m",
        "c",
        "k",
        "s",
        "gap",
        "flatten",
        "fc",
        "true",
        "not",
        "and",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        "==",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "..",
        "@",
        ":",
        ";",
        "#",
        '"',
        "0",
        "1",
        "3",
        "64",
        "1e9",
        "1K",
    ]
)


@ANY
@given(st.lists(WORDS | st.just("\n"), max_size=60))
def test_words_in_any_order_are_taken(words: list[str]) -> None:
    examine(" ".join(words))


@ANY
@given(st.lists(WORDS | st.just("\n"), max_size=30))
def test_words_in_any_order_are_taken_in_a_model(words: list[str]) -> None:
    examine(f"model m {{\ninput [3, 8, 8]\n{' '.join(words)}\n}}")


@ANY
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_taken(text: str) -> None:
    examine(text)


@ANY
@given(st.binary(max_size=300))
def test_any_bytes_are_taken(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "odd.arch"
    path.write_bytes(content)
    codes = load(path)
    assert all(code in CODES for code in codes)


def load(path: Path) -> tuple[str, ...]:
    """Return the codes of the mistakes in a file."""
    try:
        archdsl.load(path)
    except SpecError as error:
        return tuple(diagnostic.code for diagnostic in error.diagnostics)
    return ()


BODY = "model m { input [3, 8, 8]; conv 4 }"


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"\0" * 100_000, ("E002",)),
        (b"\xff\xfe" + BODY.encode("utf-16-le"), ("E004",)),
        (BODY.encode("utf-16-be"), ("E002",)),
        (b"\xef\xbb\xbf" + BODY.encode(), ()),
        (b"\x80" + BODY.encode(), ("E004",)),
        (b"# " + b"a" * 50_000_000, ("E004",)),
        (BODY.replace(";", "\r\n").encode(), ()),
        (BODY.replace(";", "\r").encode(), ()),
        (b"", ("E120",)),
    ],
    ids=["NULs", "UTF-16", "UTF-16 without mark", "mark", "Latin-1", "50 MB", "CRLF", "CR", "empty"],
)
def test_a_file_that_is_no_plain_text_gives_its_diagnostic(
    tmp_path: Path, content: bytes, codes: tuple[str, ...]
) -> None:
    path = tmp_path / "odd.arch"
    path.write_bytes(content)
    with in_time():
        assert load(path)[:1] == codes


@pytest.mark.parametrize(
    "target", ['"../secret"', '"/etc/passwd"', '"inner/../../secret"', '"link"', '"loop"', '"a\0b"', f'"{"a" * 5000}"']
)
def test_a_spec_reads_only_its_own_folder(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.arch").write_text("block hidden { relu }\n")
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "link.arch").symlink_to(tmp_path / "secret.arch")
    (folder / "loop.arch").symlink_to(folder / "loop.arch")
    path = folder / "own.arch"
    path.write_text(f"use {target}\n{BODY}\n")
    assert load(path) == ("E114",)


@pytest.mark.parametrize("others", [("own",), ("a", "own"), ("a", "b", "a")])
def test_files_that_use_each_other_are_refused(tmp_path: Path, others: tuple[str, ...]) -> None:
    for name, other in zip(("own", *others), others, strict=False):
        (tmp_path / f"{name}.arch").write_text(f"use {other}\n{BODY}\n")
    assert "E114" in load(tmp_path / "own.arch")


N = 40_000


def model(body: str) -> str:
    return f"model m {{ input [3, 32, 32]; {body} }}"


def levels(first: str, step: str, count: int) -> str:
    blocks = [f"block b0 {{ {first} }}", *(f"block b{i} {{ {step.format(i - 1)} }}" for i in range(1, count))]
    return "\n".join([*blocks, model(f"b{count - 1}")])


def chain(declaration: str) -> str:
    return "".join(declaration.format(i, i + 1) + "\n" for i in range(2000))


def doubled_list(count: int) -> str:
    return "let a = [1]; " + "; ".join(["let a = [a, a]"] * count)


BOMBS = {
    "repeats": (model("conv 4 x 1000000000"), "E109"),
    "nested repeats": ("block a { conv 3 x 10000 }\nblock b { a x 10000 }\n" + model("b"), "E109"),
    "nested groups": (model("{ { conv 3 x 10000 } x 10000 } x 10000"), "E109"),
    "repeats that change": ("block a { conv in+1 x 10000 }\n" + model("a x 10000"), "E109"),
    "a block that calls itself": ("block a { conv 4; a }\n" + model("a"), "E108"),
    "blocks that call each other": ("block a { b }\nblock b { a }\n" + model("a"), "E108"),
    "inline blocks that call each other": ("inline block a { b }\ninline block b { a }\n" + model("a"), "E108"),
    "a body handed on for ever": ("block a(body f) { a { f } }\n" + model("a { conv 4 }"), "E108"),
    "binary recursion": ("block a(n) { if n > 0 { a n-1; a n-1 } else { conv in+1 } }\n" + model("a 30"), "E109"),
    "inline recursion": ("inline block a(n) { if n > 0 { a n-1; a n-1 } else { conv 4 } }\n" + model("a 35"), "E109"),
    "doubling": (levels("conv 8", "b{0}; b{0}", 39), "E109"),
    "doubling deeply": (levels("conv 8", "b{0}; b{0}", 1000), "E108"),
    "doubling with changes": (levels("conv in+1", "b{0}; b{0}", 30), "E109"),
    "functions that call each other": ("fn f(v) = g(v)\nfn g(v) = f(v)\n" + model("conv f(1)"), "E108"),
    "Fibonacci": ("fn f(v) = 1 if v < 2 else f(v-1) + f(v-2)\n" + model("conv f(40)"), "E109"),
    "a constant of itself": ("let a = a\n" + model("conv a"), "E108"),
    "constants of each other": ("let a = b\nlet b = a\n" + model("conv a"), "E108"),
    "a chain of constants": (chain("let a{0} = a{1}") + "let a2000 = 1\n" + model("conv a0"), "E003"),
    "a variant of itself": ("variant v of v\n" + model("conv 4"), "E108"),
    "a chain of variants": (chain("variant v{0} of v{1}") + "variant v2000 of m\n" + model("relu"), "E108"),
    "a range": (model("for i in 0..1000000000 { conv 4 }"), "E116"),
    "nested loops": (model("for i in 0..9999 { for j in 0..9999 { for k in 0..9999 { } } }"), "E109"),
    "nested comprehensions": (model("let a = [[[1 for i in 0..9999] for j in 0..9999] for k in 0..9999]"), "E109"),
    "powers": (model("conv 10**10**10"), "E116"),
    "a large power": (model("conv 2**100000"), "E116"),
    "squares": (model("let a = 2**50; let a = a*a; let a = a*a; let a = a*a; conv a"), "E116"),
    "a number without end": (model("conv " + "9" * N), "E116"),
    "a large exponent": (model("conv 1e999"), "E116"),
    "a large channel count": (model("conv 10**30"), "E104"),
    "growing channels": (model("concat { pass; pass }; " * 80), "E109"),
    "large sizes": ("model m { input [3, 10**12, 10**12]; conv 4 }", "E109"),
    "doubled for ever": (model("stages repeat(1, 5000) double c=4 { cna c }"), "E116"),
    "parts": ("model m { input [10000000, 8, 8]; split 10000000 concat { pass } }", "E109"),
    "a list doubled": (model("let a = [1]; " + "; ".join(["let a = a + a"] * 40)), "E116"),
    "lists of lists": (model(f"{doubled_list(60)}; conv a"), "E116"),
    "lists of lists compared": (model(f"{doubled_list(40)}; if a == a {{ conv 4 }}"), "E116"),
    "lists in lists": (model("let a = [1]; " + "; ".join(["let a = [a]"] * 3000) + "; conv a"), "E116"),
    "repeated lists": (model("let a = repeat(repeat(repeat(1, 10000), 10000), 10000); conv a"), "E116"),
    "a long label": (model("a" * N + ": conv 4"), "E112"),
    "a long string": (model('"' + "a" * N + '": conv 4'), "E112"),
    "a long name": (model("a" * N + " 4"), "E101"),
    "a label of many parts": (model('"' + "{1}" * (N // 3) + '": conv 4'), "E112"),
    "a label of many sums": (model('"{' + "1+" * 100 + '1}": conv 4'), ""),
    "parentheses": (model("conv " + "(" * N + "1" + ")" * N), "E003"),
    "brackets": (model("conv " + "[" * N + "1" + "]" * N), "E003"),
    "braces": (model("{" * N + "conv 4" + "}" * N), "E003"),
    "open braces": ("{" * N, "E001"),
    "closing braces": ("}" * N, "E001"),
    "minus": (model("conv (" + "-" * N + "1)"), "E003"),
    "not": (model("if " + "not " * (N // 2) + "true { conv 4 }"), "E003"),
    "else if": (model("if false { relu } " + "else if false { relu } " * 5000), "E003"),
    "a long sum": (model("conv " + "1+" * (N // 2) + "1"), "E003"),
    "a long power": (model("conv " + "1**" * (N // 2) + "1"), "E003"),
    "conditions": (model("conv (" + "1 if false else " * 10_000 + "1)"), "E003"),
    "indices": (model("let a = [1]; conv a" + "[0]" * (N // 4)), "E003"),
    "mistakes": (model("cnov 4; " * 15_000), "E101"),
    "syntax mistakes": (model("= ;" * 40_000), "E001"),
    "foreign characters": ("$ " * 90_000, "E002"),
    "models": ("".join(f"model m{i} {{ input [3, 8, 8]; conv 4 }}\n" for i in range(3000)), "E120"),
    "parameters": ("block b(" + ",".join(f"a{i}=1" for i in range(12_000)) + ") { conv 4 }\n" + model("b"), ""),
    "arguments": (model("conv " + "k=1 " * 15_000), "E106"),
    "too large": (" " * (MAX_CHARACTERS + 1), "E004"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), BOMBS.values(), ids=BOMBS.keys())
def test_a_spec_that_asks_for_too_much_is_refused_soon(text: str, code: str) -> None:
    with in_time():
        model = "v0" if "variant v0 " in text else "v" if "variant v " in text else "m" if "model m " in text else None
        try:
            archdsl.load_text(text, model)
            found = ""
        except SpecError as error:
            found = error.diagnostics[0].code
        assert found == code
        archdsl.check_text(text)


@pytest.mark.parametrize("name", ["lists of lists", "a range", "parts", "minus", "a large exponent"])
def test_a_spec_that_asks_for_too_much_takes_little_memory(name: str) -> None:
    text, _ = BOMBS[name]
    tracemalloc.start()
    try:
        archdsl.check_text(text)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


WORDS_OF_PYTHON = (
    "__import__",
    "__init__",
    "forward",
    "class",
    "None",
    "training",
    "modules",
    "_x",
    "T_destination",
    "import",
)


@pytest.mark.parametrize("word", WORDS_OF_PYTHON)
def test_a_label_that_a_module_cannot_bear_is_refused(word: str) -> None:
    (found,) = archdsl.check_text(model(f"{word}: conv 4"))
    assert (found.code, found.span.text) == ("E112", word)


@pytest.mark.torch
@pytest.mark.parametrize("word", ["self", "torch", "nn", "F", "Tensor", "super", "print", "Net", "range", "tuple"])
def test_names_of_the_generated_code_can_be_labels_blocks_and_models(word: str) -> None:
    import torch

    text = f"""
    block {word}1(c) {{ conv c; norm }}
    block {word}(c) {{ residual {{ {word}: conv c; {word}1 c }} shortcut {{ conv c k=1 }} }}
    model {word}_ {{ input [3, 8, 8]; {word}: {word} 4; {word}2: {word} 4; gap; flatten; fc 2 }}
    """
    network = archdsl.load_text(text)
    assert network.module()(torch.zeros(2, 3, 8, 8)).shape == (2, 2)


@pytest.mark.torch
@pytest.mark.parametrize(
    "word",
    ["class", "None", "__import__", "forward", "Tensor", "nn", "torch", "self", "print", "NamedTuple", "Outputs"],
)
def test_any_word_can_name_a_model_and_a_block(word: str) -> None:
    import torch

    text = f"block {word}(c) {{ conv c; norm }}\nmodel m {{ input [3, 8, 8]; {word} 4; output a; {word} 5 }}"
    assert archdsl.load_text(text).module()(torch.zeros(1, 3, 8, 8))[0].shape == (1, 5, 8, 8)
    text = f"model {word} {{ input [3, 8, 8]; conv 4; output a; conv 5 }}"
    assert archdsl.load_text(text).module()(torch.zeros(1, 3, 8, 8))[0].shape == (1, 5, 8, 8)
