"""Mutations that know the language's tokens: bytes alone hardly ever make a spec that gets past the parser."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from archdsl.ops import OPS
from archdsl.specs import bundled_models
from tests.conftest import ROOT

TOKEN = re.compile(r'\w+|"[^"\n]*"|#[^\n]*|[ \t]+|//|\*\*|[=!<>]=|\.\.|.', re.S)
LARGEST = 6000
"""Characters; longer texts are slow to run and seldom do anything new."""

NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "7",
    "8",
    "64",
    "1000",
    "-1",
    "0.5",
    "1e308",
    "999999999999",
    "1000000000",
    "2**62",
    "1K",
)
VALUES = (
    "true",
    "false",
    "none",
    "same",
    "in",
    "cin",
    "c",
    "[1, 2]",
    "[]",
    "[[1, 2], [3, 4]]",
    '"a"',
    '"layer{i}"',
    "@a",
    "[@a, @b]",
    "H",
    "W",
)
PIECES = (
    "conv 64 k=3 s=2\n", "residual { conv in; norm; act }\n", "concat { pass; conv 8 }\n", "add { pass; pass }\n",
    "mul { pass; { gap; fc in; sigmoid } }\n", "split 2 concat { pass; act }\n",
    "stages [1, 2] double c=8 { conv c }\n",
    "if in == 3 { act } else { pass }\n", "for i in 0..3 { a{i}: conv 8 }\n", "let a = in * 2\n", "@a\n", "reuse a\n",
    "output out { gap }\n", "defaults { norm=group(8) act=gelu }\n", "assert params < 1M\n", "gap; flatten; fc 10\n",
    "block b(c=in, stride s=1) { conv c s=s }\n", "fn f(n) = f(n - 1) if n > 0 else 1\n", "b x 3\n",
    "maxpool k=2 s=2\n",
    "model m { input [3, 32, 32]; conv 8; b }\n", "variant v of m { set \"b\" c=3 }\n", "use resnet\n", "norm; act\n",
    "add @a\n", "concat @a @b\n", "concat [@a, @a] @b\n", "let v = @a\n", "let vs = [@a, @b.o]\n", "@vs[0]\n",
    "for v in vs { @v; act }\n", "upsample like=@a\n", "block cell(value before, int c) { conv c; add @before }\n",
    "cell @a 8\n", "output o{i}\n", "@a.o{i}\n", "twice { conv 8; add @v }\n",
    "block twice(body inner) { inner; inner }\n",
    "attention heads=2\n", "deconv 8 k=2 s=2\n", "shuffle 2\n", "allow W401\n", "reshape [in, -1]\n",
)  # fmt: skip


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the words of the grammar and the names of the operators and their attributes."""
    grammar = (ROOT / "grammars" / "archdsl.lark").read_text("utf-8")
    words = re.findall(r'"(\S+?)"', grammar)
    attributes = {name for op in OPS.values() for name in op.attribute_names()}
    keywords = set(OPS)
    return tuple(sorted({*words, *attributes, *keywords}))


@cache
def corpus() -> tuple[str, ...]:
    """Return the text of every bundled spec and of every example in the documentation."""
    files = sorted({path for _, path in bundled_models()})
    pages = sorted((ROOT / "docs").rglob("*.md"))
    examples = [
        text for page in pages for text in re.findall(r"```arch\b[^\n]*\n(.*?)```", page.read_text("utf-8"), re.S)
    ]
    return (*(path.read_text("utf-8") for path in files), *examples)


SETTINGS = ("norm=group(8)", "act=gelu", "conv.bias=true", "classes=10", "norm=none", "width=0.5", "norm=layer(eps=1)")


def mutate(text: str, other: str, random: Random) -> str:
    """Change a few tokens or lines of a text, some of them to pieces of another text."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        text = _mutate_lines(text, other, random) if random.random() < 0.35 else _mutate_tokens(text, other, random)
    if random.random() < 0.02:
        text = f"{text.partition(chr(0))[0]}\0{random.choice(SETTINGS)}"
    return text[:LARGEST]


KINDS = ("token", "line", "byte")


def mutate_once(kind: str, text: str, other: str, random: Random) -> str:
    """Change a text once, by tokens, lines or bytes."""
    if kind == "token":
        return _mutate_tokens(text, other, random)
    return _mutate_lines(text, other, random) if kind == "line" else _mutate_bytes(text, random)


def _mutate_bytes(text: str, random: Random) -> str:
    content = bytearray(text.encode("utf-8")) or bytearray(b" ")
    for _ in range(random.choice((1, 2, 5, 20))):
        here, there = random.randrange(len(content)), random.randrange(len(content))
        match random.randrange(4):
            case 0:
                content[here] = random.randrange(256)
            case 1:
                content[here], content[there] = content[there], content[here]
            case 2:
                content.insert(here, content[there])
            case _:
                del content[here : here + random.choice((1, 1, 8))]
                content = content or bytearray(b" ")
    return content.decode("utf-8", "replace")


def _mutate_lines(text: str, other: str, random: Random) -> str:
    lines, others = text.splitlines(keepends=True) or ["\n"], other.splitlines(keepends=True) or ["\n"]
    here, there = random.randrange(len(lines)), random.randrange(len(others))
    count = random.choice((1, 1, 2, 5))
    match random.randrange(5):
        case 0:
            del lines[here : here + count]
        case 1:
            lines[here:here] = others[there : there + count]
        case 2:
            lines[here:here] = lines[here : here + count]
        case 3:
            lines.insert(here, random.choice(PIECES))
        case _:
            lines.append(lines.pop(here))
    return "".join(lines)


def _mutate_tokens(text: str, other: str, random: Random) -> str:
    tokens, others = TOKEN.findall(text) or [" "], TOKEN.findall(other) or [" "]
    here = random.randrange(len(tokens))
    match random.randrange(8):
        case 0:
            del tokens[here : here + random.choice((1, 1, 3))]
        case 1:
            tokens[here] = random.choice(others)
        case 2:
            tokens.insert(here, random.choice(others))
        case 3:
            tokens[here] = random.choice(vocabulary())
        case 4:
            tokens.insert(here, f" {random.choice(vocabulary())} ")
        case 5:
            numbers = [i for i, token in enumerate(tokens) if token[0].isdigit()] or [here]
            tokens[random.choice(numbers)] = random.choice(NUMBERS)
        case 6:
            tokens[here] = random.choice(VALUES)
        case _:
            tokens[here] = (
                chr(random.randrange(1, 0x3000)) if random.random() < 0.5 else tokens[here] * random.choice((2, 50))
            )
    return "".join(tokens)
