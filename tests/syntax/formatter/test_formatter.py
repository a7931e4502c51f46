"""The formatter's laws, on random specs in random layouts, and its style, by example."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.cli.new import STARTER
from archdsl.syntax import formatter
from archdsl.syntax.damage import Parsed
from archdsl.syntax.formatter import FormatterBug, format_source
from archdsl.syntax.formatter.lines import WIDTH
from archdsl.syntax.parser import MAX_CHARACTERS, parse, tokenise
from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.source import Source, Span
from tests.conftest import ROOT
from tests.fuzz.mutate import corpus, mutate_once
from tests.patience import in_time
from tests.strategies import Spec, specs
from tests.test_docs import BLOCKS
from tests.test_mutilated import WORDS

FILES = sorted((ROOT / "specs").rglob("*.arch"))
# A failing example is as good as the smallest, which takes minutes to find.
ANY = settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def fmt(text: str) -> str:
    report = Reporter()
    formatted = format_source(Source(text), report)
    if report.has_errors:
        raise SpecError(report.diagnostics)
    assert formatted is not None
    return formatted


def parsed(text: str) -> Parsed | None:
    report = Reporter()
    result = parse(Source(text), report)
    return None if report.has_errors else result


def bare(node: Any) -> Any:
    """Return a tree without its places in the text."""
    if isinstance(node, Span | Source):
        return None
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    if is_dataclass(node):
        return type(node).__name__, *(bare(getattr(node, field.name)) for field in fields(node))
    return node


def comments(found: Parsed) -> list[str]:
    return [span.text.rstrip(" \t\f") for span in found.comments]


def check_laws(text: str) -> None:
    """Hold a text and what it is formatted to against the promises: the guard inside the formatter is not asked."""
    before = parsed(text)
    if before is None:
        with pytest.raises(SpecError):
            fmt(text)
        return
    once = fmt(text)
    after = parsed(once)
    assert after is not None, once
    assert bare(after.file) == bare(before.file), once
    assert comments(after) == comments(before), once
    assert fmt(once) == once
    newline = "\r\n" if "\r\n" in once else "\n"
    lines = once.split(newline)
    assert lines[-1] == ""
    assert not once or lines[0] != ""
    assert lines[-2:] != ["", ""] or not once
    assert not re.search(r"\n\n\n", once)
    assert all(line == line.rstrip(" \t\f") for line in lines), once


GAPS = (" ", "   ", "\t", "\f", " \t ")
BREAKS = ("\n", "\n\n", "\r\n", "\n\n\n\n", " # note\n", "\n#x\n", "\n  ## two \n\n", "\r\n# three\t\r\n", "\r")
OPENERS = ("LPAR", "LSQB", "_INDEX", "LBRACE")


def relaid(text: str, random: Random) -> str:
    """Give a legal text other blanks, line ends, comments and `;`, wherever the language leaves the choice."""
    tokens = tokenise(Source(text))
    open_: list[str] = []
    parts: list[str] = []
    rate = random.choice((0.02, 0.1, 0.5))
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind, after = token.type, following.type if following is not None else "end"
        is_inside = bool(open_) and open_[-1] != "LBRACE"
        if kind == "COMMENT":
            parts += [str(token), random.choice(("\n", "\n\n\n", "\n # more\n"))]
        elif kind == "_SEPARATOR" and is_inside:
            parts.append(random.choice(("\n", " ", "\n\n")))
        elif kind == "_SEPARATOR" and after in ("_ELSE", "_SHORTCUT"):
            parts.append(random.choice(("\n", " ")))
        elif kind == "_SEPARATOR":
            parts.append(random.choice((";", ";;", " ; \n", "\n;", "\n", "\n", *BREAKS)) + " ")
        else:
            parts.append(str(token))
            if kind in OPENERS:
                open_.append(kind)
            elif kind in ("RPAR", "RSQB", "RBRACE"):
                open_.pop()
            is_apart = following is None or token.end_pos != following.start_pos
            # These see what stands directly before or behind them.
            is_loose = kind not in ("CALL_NAME", "LABEL") and after not in ("_INDEX", "DOTTED", "LPAR", "LSQB", "end")
            is_free = bool(open_) and open_[-1] != "LBRACE"
            if is_loose and is_free and random.random() < rate:
                parts.append(random.choice(BREAKS))
            elif is_loose and after != "COMMENT" and (kind == "LBRACE" or after == "RBRACE") and random.random() < rate:
                parts.append(random.choice((";", *BREAKS)))
            if is_apart:
                parts.append(" ")
            if (is_apart or is_loose) and random.random() < rate:
                parts.append(random.choice(GAPS))
    return "".join(parts)


@ANY
@given(specs(), st.integers(0, 2**32))
def test_random_specs_in_any_layout_keep_tree_and_comments_and_settle_at_once(spec: Spec, seed: int) -> None:
    check_laws(spec.text)
    text = relaid(spec.text, Random(seed))
    assert parsed(text) is not None, text
    check_laws(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_bundled_specs_in_any_layout_keep_tree_and_comments_and_settle_at_once(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for seed in range(6):
        changed = relaid(text, Random(seed))
        assert parsed(changed) is not None, changed
        check_laws(changed)


def test_mutilated_specs_are_formatted_or_refused() -> None:
    for seed in range(120):
        random = Random(seed)
        check_laws(mutate_once("token", random.choice(corpus()), random.choice(corpus()), random))


@ANY
@given(st.lists(WORDS | st.just("\n"), max_size=30))
def test_words_in_any_order_are_formatted_or_refused(words: list[str]) -> None:
    check_laws(f"model m {{\ninput [3, 8, 8]\n{' '.join(words)}\n}}")


@ANY
@given(st.text(st.characters(exclude_categories=()), max_size=100))
def test_any_text_is_formatted_or_refused(text: str) -> None:
    check_laws(text)
    check_laws(f"# {text}")


def test_bundled_specs_and_what_new_writes_are_formatted() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert fmt(text) == text, f"run `archdsl fmt {path.relative_to(ROOT)}`"
    assert fmt(STARTER) == STARTER


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "arch"], ids=str)
def test_specs_on_pages_are_formatted(block: Any) -> None:
    text = f"block b {{\n{block.text}}}\n" if "fragment" in block.info else block.text
    if parsed(text) is None:
        return
    formatted = fmt(text)
    if "fragment" in block.info:
        formatted = re.sub(r"(?m)^  ", "", formatted.removeprefix("block b {\n").removesuffix("}\n"))
    assert formatted == block.text


# The style, by example: what is written, and what comes of it. A body stands for a file where there is no `model`.

STYLE = {
    "lines that the author joined or broke stay so": (
        "conv 3 ;norm;  act\n conv 5 ;\nnorm",
        "conv 3; norm; act\nconv 5\nnorm",
    ),
    "runs of blank lines become one, and none stands beside a brace": (
        "{\n\n\nact\n\n\n\nact\n\n}\n\nact",
        "{\n  act\n\n  act\n}\n\nact",
    ),
    "what a broken brace holds has lines of its own": (
        "a: { conv 3\nact }\nconcat { { pass }\n}",
        "a: {\n  conv 3\n  act\n}\nconcat {\n  { pass }\n}",
    ),
    "brackets that open together are indented once": (
        "a: { concat {\npass\nconv 3\n} }",
        "a: { concat {\n  pass\n  conv 3\n} }",
    ),
    "else and shortcut follow their brace": (
        "if a {\nact\n}\nelse if b { act }\nelse { act }\nresidual { act }\nshortcut { act }",
        "if a {\n  act\n} else if b { act } else { act }\nresidual { act } shortcut { act }",
    ),
    "empty braces are closed at once": ("a: {\n\n}\nb: { }\nc: {;}", "a: {}\nb: {}\nc: {}"),
    "arguments of a step are tight, and what stands in brackets is not": (
        "conv 2 * c k = 3 s=( 1+2*3 ) p=[1+1,- 1]\nconv c -1 x 2*n",
        "conv 2*c k=3 s=(1 + 2 * 3) p=[1 + 1, -1]\nconv c-1 x 2*n",
    ),
    "expressions of statements have room": (
        "let a=b+1 if -c<2 else max( 1,k = 2 )\nif a==1 and not (b) { act }\nassert macs<2*M,a>=1",
        "let a = b + 1 if -c < 2 else max(1, k=2)\nif a == 1 and not (b) { act }\nassert macs < 2 * M, a >= 1",
    ),
    "powers and ranges are tight": (
        "let a = 2 ** -i + b\nfor i in 0 .. n - 1 { act }\nlet b = d[ 0..2 * (n - 1) ] + 1",
        "let a = 2**-i + b\nfor i in 0..n-1 { act }\nlet b = d[0..2*(n - 1)] + 1",
    ),
    "a space that makes an argument stays": (
        "conv (a) [1] a [0] a[0] f(1) (in) (- 1)",
        "conv (a) [1] a [0] a[0] f(1) (in) (-1)",
    ),
    "numbers and strings are as they were written": (
        'let a = 1e-05 + 1.50 + 2K\n"a  {i}" :act',
        'let a = 1e-05 + 1.50 + 2K\n"a  {i}": act',
    ),
    "a comma before a closing bracket goes": ("let a = [1,2,]\nlet b = f(1,\n)", "let a = [1, 2]\nlet b = f(\n  1\n)"),
    "items keep the lines that the author put them on": (
        "let a = [[1,2],[3,4],\n[5,6]]\nlet b = f([\n1,2], 3)",
        "let a = [\n  [1, 2], [3, 4],\n  [5, 6]\n]\nlet b = f([\n  1, 2\n], 3)",
    ),
    "statements of neighbouring lines that do the same share columns": (
        "conv1: conv 4*c k=1; bn1: norm; act\nconv2: dw; bn2: norm; act\nconv3: conv 3; act",
        "conv1: conv 4*c k=1; bn1: norm; act\nconv2: dw;           bn2: norm; act\nconv3: conv 3; act",
    ),
    "a column ends at a blank line, a comment and another kind of line": (
        "conv 10; act\nconv 1; act\n\nconv 100; act\n# note\nconv 1; act\n{ act }; act\nconv 100; act",
        "conv 10; act\nconv 1;  act\n\nconv 100; act\n# note\nconv 1; act\n{ act }; act\nconv 100; act",
    ),
    "labelled bodies that begin alike share columns too": (
        "a: { conv 3; norm }\nb: { conv 3 k=1; norm }\nc: { dw; norm }\n{ conv 3; norm }",
        "a: { conv 3;     norm }\nb: { conv 3 k=1; norm }\nc: { dw; norm }\n{ conv 3; norm }",
    ),
    "labelled and unlabelled lines are no table": (
        "a: maxpool; conv 3\nmaxpool 3; conv 3",
        "a: maxpool; conv 3\nmaxpool 3; conv 3",
    ),
    "comments stay where they are, and neighbours share a column": (
        "conv 3   #one\nact  # two\n    # own\nact\n{ # brace\nact\n# last\n}",
        "conv 3  #one\nact     # two\n# own\nact\n{  # brace\n  act\n  # last\n}",
    ),
    "a comment that goes on below keeps its column": (
        "conv 3      # it\n            # goes on\nact # and\n    # on",
        "conv 3  # it\n        # goes on\nact     # and\n        # on",
    ),
    "a comment inside brackets breaks them": (
        "let a = [1, # one\n2 # two\n, 3]",
        "let a = [\n  1,  # one\n  2,  # two\n  3\n]",
    ),
    "a line that is too long ends between statements where it can": (
        f"{'; '.join(['conv 32'] * 14)}",
        f"{'; '.join(['conv 32'] * 13)}\nconv 32",
    ),
    "else its outermost bracket is broken, and filled": (
        f"let a = [{', '.join(['[10, 20]'] * 13)}]",
        f"let a = [\n  {', '.join(['[10, 20]'] * 11)},\n  [10, 20], [10, 20]\n]",
    ),
    "of several brackets that which holds the most is broken": (
        f"a: residual when (a) {{ {'; '.join(['conv 32'] * 12)} }} shortcut {{ act }}; act",
        f"a: residual when (a) {{\n  {'; '.join(['conv 32'] * 12)}\n}} shortcut {{ act }}\nact",
    ),
}


@pytest.mark.parametrize("name", STYLE)
def test_style(name: str) -> None:
    written, expected = STYLE[name]
    inside = re.sub(r"(?m)^(?=.)", "  ", expected)
    assert fmt(f"block b {{\n{written}\n}}") == f"block b {{\n{inside}\n}}\n"


FILE_STYLE = {
    "declarations are set as statements are": (
        'use  "a"\nuse r ( a,b )\nfn f (a, b=1 )=a+b\ninline  block b ( c ) { act }\n'
        'variant v of m ([1 ], k = 2){ n=3/4 }\nkeys t { "a"="b" }\nkeys u in o'.replace("f (", "f("),
        'use "a"\nuse r (a, b)\nfn f(a, b=1) = a + b\ninline block b(c) { act }\n'
        'variant v of m([1], k=2) { n=3/4 }\nkeys t { "a" = "b" }\nkeys u in o\n',
    ),
    "blank lines at both ends go": ("\n\n## a\n\n\nlet a = 1\n\n\n", "## a\n\nlet a = 1\n"),
    "nothing stays nothing": (" \n\n\t ;", ""),
    "a text of comments alone stays": ("  # a  \n\n\n# b", "# a\n\n# b\n"),
    "comments that begin a file are no comments behind code": (
        "# a\n# b\nlet a = 1  # c",
        "# a\n# b\nlet a = 1  # c\n",
    ),
    "a byte order mark goes": ("\ufefflet a = 1", "let a = 1\n"),
    "lines end as the first one does": ("let a = 1\r\nlet b = 2\n", "let a = 1\r\nlet b = 2\r\n"),
    "LF stays LF whatever follows": ("let a = 1\nlet b = 2\r\n", "let a = 1\nlet b = 2\n"),
    "a carriage return ends a line": ("let a = 1\rlet b = 2\r", "let a = 1\nlet b = 2\n"),
    "tabs and form feeds are blanks, but in comments and strings": (
        'let\ta\f=\t1\f\n#\ta\f\nlet b = "\t"',
        'let a = 1\n#\ta\nlet b = "\t"\n',
    ),
    "a no-break space in a comment stays": ("# a\u00a0b\u00a0", "# a\u00a0b\u00a0\n"),
    "parameters with a line each may be blocks": (
        "model m(\nblock a,\nblock b) { act }",
        "model m(\n  block a,\n  block b\n) { act }\n",
    ),
}


@pytest.mark.parametrize("name", FILE_STYLE)
def test_style_of_files(name: str) -> None:
    written, expected = FILE_STYLE[name]
    assert fmt(written) == expected


def test_a_no_break_space_in_code_is_a_mistake_and_not_mended() -> None:
    with pytest.raises(SpecError, match="E002"):
        archdsl.format(archdsl.Source("let a =\u00a01"))


def test_format_refuses_what_is_broken_with_every_mistake() -> None:
    with pytest.raises(SpecError) as caught:
        archdsl.format(archdsl.Source("model m { conv 3, 4\nconv = }"))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E001", "E001"]


def test_a_statement_is_broken_as_far_as_the_width_asks() -> None:
    items = ", ".join(f"[{i}, {i + 1}, {i + 2}]" for i in range(200))
    lines = fmt(f"model m {{ let a = f([{items}], 3); for a, b, c in [{items}] {{ conv a k=b; conv c }} }}").split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) < 70


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("conv 64", "conv 46", "what it says"),
        ("conv 64", "conv (64", "a bracket"),
        ("# note", "# not", "a comment"),
        ("k=(3)", "k=3", "what it says"),
        ("conv (c)", "conv(c)", "what it says"),
        ("t[0]", "t [0]", "what it says"),
        ("; norm", " norm", "what it says"),
    ],
)
def test_a_fault_of_the_formatter_is_found(
    before: str, after: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "block b(c, t) {\n  conv 64; norm  # note\n  conv (c) t[0] k=(3)\n}\n"
    assert fmt(text) == text
    assert before in text
    monkeypatch.setattr(formatter, "write_lines", lambda *_: text.replace(before, after))
    with pytest.raises(FormatterBug, match=fault):
        fmt(text)


def test_a_format_that_does_not_settle_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter(["let a = 1\n", "let a =  1\n"])
    monkeypatch.setattr(formatter, "write_lines", lambda *_: next(results))
    with pytest.raises(FormatterBug, match="twice"):
        fmt("let a = 1")


@pytest.mark.parametrize(
    "text",
    [
        f"model m {{ {'conv 3; ' * 16_000}}}",
        f"model m {{ conv {'(a + b*c - d) ' * 5_000}}}",
        f"let a = {'[' * 98}{'1, ' * 24_000}{']' * 98}",
        f"let a = ({'b and ' * 24_000}b)",
        f"model m {{ {'if a { act } else ' * 8_000}{{ act }} }}",
        "model m {" + "\na #b" * 24_000 + "\n}",
    ],
    ids=["statements", "arguments", "lists", "conditions", "branches", "comments"],
)
def test_hostile_layouts_take_no_longer_than_their_length_asks(text: str) -> None:
    assert len(text) <= MAX_CHARACTERS
    with in_time():
        fmt(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("cell   @x0   32", "cell @x0 32"),
        ("fuse [ @a ,@b.o{i} ]  8", "fuse [@a, @b.o{i}] 8"),
        ("@xs[ i+1 ]", "@xs[i + 1]"),
        ("add @xs[0]  @xs [0]", "add @xs[0] @xs [0]"),
        ("up like = @x0", "up like=@x0"),
        ("for v in  @xs{@v}", "for v in @xs { @v }"),
        ("output   o{i}   training {gap}", "output o{i} training { gap }"),
        ("output aux{gap}", "output aux{gap}"),
        ("residual {act} shortcut   d{i}  {conv 8}", "residual { act } shortcut d{i} { conv 8 }"),
        ('cells "cell_{ i }"  k="a"+"b"', 'cells "cell_{ i }" k="a"+"b"'),
    ],
)
def test_values_are_set_as_other_arguments_are(written: str, expected: str) -> None:
    assert fmt(f"model m {{\n  {written}\n}}\n") == f"model m {{\n  {expected}\n}}\n"
