"""Valid specs with one mistake, as hands and habits make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

Edit = tuple[int, int, str]
Mutation = Callable[[str, Random], Edit | None]

_TOKEN = re.compile(r'#[^\n]*|"[^"\n]*"|@?[A-Za-z_]\w*|\d+(?:\.\d+)?|\.\.|==|<=|>=|!=|\*\*|//|[^\s\w]|\n')
_NAME = re.compile(r"(?<![\w\"{@./])[A-Za-z_]\w*")
_LETTERS = "abcdefghiklmnoprstuvw"


def tokens(text: str) -> list[re.Match[str]]:
    """Return a spec's words and signs, without its comments."""
    return [match for match in _TOKEN.finditer(text) if not match.group().startswith("#")]


def _one(pattern: str, replace: Callable[[re.Match[str]], str]) -> Mutation:
    """Return a mutation of one of the places that a pattern finds outside of comments and quotes."""
    compiled = re.compile(pattern)

    def mutate(text: str, random: Random) -> Edit | None:
        masked = re.sub(r'#[^\n]*|"[^"\n]*"', lambda found: "\0" * len(found.group()), text)
        found = list(compiled.finditer(masked))
        if not found:
            return None
        match = random.choice(found)
        return match.start(), match.end(), replace(match)

    return mutate


def _delete(text: str, random: Random) -> Edit:
    token = random.choice(tokens(text))
    return token.start(), token.end(), ""


def _double(text: str, random: Random) -> Edit:
    token = random.choice(tokens(text))
    return token.end(), token.end(), random.choice(("", " ")) + token.group()


def _insert(text: str, random: Random) -> Edit:
    here, other = random.choice(tokens(text)), random.choice(tokens(text))
    return here.start(), here.start(), f"{other.group()} "


def _swap(text: str, random: Random) -> Edit:
    all_tokens = tokens(text)
    i = random.randrange(len(all_tokens) - 1)
    first, second = all_tokens[i], all_tokens[i + 1]
    between = text[first.end() : second.start()]
    return first.start(), second.end(), f"{second.group()}{between}{first.group()}"


def _misspell(text: str, random: Random) -> Edit | None:
    found = [match for match in _NAME.finditer(text) if len(match.group()) > 2]
    match = random.choice(found)
    word = match.group()
    i = random.randrange(len(word))
    letter = random.choice(_LETTERS)
    wrong = random.choice(
        (
            word[:i] + word[i + 1 :],
            word[:i] + letter + word[i:],
            word[:i] + letter + word[i + 1 :],
            word[:i] + word[i + 1 : i + 2] + word[i : i + 1] + word[i + 2 :],
        )
    )
    return match.start(), match.end(), wrong


def _case(text: str, random: Random) -> Edit:
    match = random.choice(list(_NAME.finditer(text)))
    word = match.group()
    return match.start(), match.end(), random.choice((word.capitalize(), word.upper(), word.swapcase()))


_SYNONYMS = {
    "k": "kernel_size", "s": "strides", "p": "padding", "g": "groups", "c": "channels", "bias": "use_bias",
    "relu": "ReLU", "silu": "swish", "fc": "linear", "concat": "cat", "cna": "ConvBNReLU", "conv": "Conv2d",
    "maxpool": "MaxPool2d", "gap": "GlobalAveragePooling2D", "norm": "bn", "dw": "depthwise", "act": "activation",
    "add": "sum", "batch": "batchnorm", "dropout": "Dropout", "pass": "identity", "flatten": "Flatten",
}  # fmt: skip


def _synonym(text: str, random: Random) -> Edit | None:
    found = [match for match in _NAME.finditer(text) if match.group() in _SYNONYMS]
    if not found:
        return None
    match = random.choice(found)
    return match.start(), match.end(), _SYNONYMS[match.group()]


def _called(match: re.Match[str]) -> str:
    arguments = re.sub(r"\s+", ", ", match[2].strip())
    return f"{match[1]}({arguments})"


_OTHER = {"(": "[", "[": "(", ")": "]", "]": ")", "{": "(", "}": ")"}
_SIMPLE_CALL = r"(?<=[;{:] )([a-z]\w*)((?: (?:\w+=)?[\w.]+(?![\w.]*[ \t]*[-+*/=({\[:]))+)(?= *[;}\n])"

MUTATIONS: Mapping[str, Mutation] = {
    "delete": _delete,
    "double": _double,
    "insert": _insert,
    "swap": _swap,
    "misspell": _misspell,
    "case": _case,
    "synonym": _synonym,
    "delete bracket": _one(r"[()\[\]{}]", lambda match: ""),
    "bracket": _one(r"[()\[\]{}]", lambda match: _OTHER[match[0]]),
    "separator": _one(r";", lambda match: ","),
    "no separator": _one(r";", lambda match: ""),
    "line end": _one(r"(?<=[\w)\]}])\n(?= *\w)", lambda match: " "),
    "comma": _one(r"(?<=\w) (?=[\w]+=?[\w\[])", lambda match: ", "),
    "comma behind": _one(r"(?<=[\w)\]]) *(?=[;\n])", lambda match: ","),
    "no comma": _one(r",", lambda match: ""),
    "colon": _one(r"(?<=\w)=(?=[\w\[(])", lambda match: ": "),
    "equals": _one(r"(?<=[\w}])\s*:", lambda match: " ="),
    "doubled equals": _one(r"(?<=\w)=(?=[\w\[(])", lambda match: "=="),
    "half equals": _one(r"==", lambda match: "="),
    "no equals": _one(r"(?<=\b[a-z])=(?=\d)", lambda match: ""),
    "tuple": _one(r"\[(\d+(?:, \d+)+)\]", lambda match: f"({match[1]})"),
    "spaced list": _one(r"\[(\d+(?:, \d+)+)\]", lambda match: match[0].replace(",", "")),
    "semicolon list": _one(r"\[(\d+(?:, \d+)+)\]", lambda match: match[0].replace(",", ";")),
    "range": _one(r"(\d+)\.\.(\d+)", lambda match: f"range({match[1]}, {int(match[2]) + 1})"),
    "true": _one(r"\b(?:true|false)\b", lambda match: match[0].capitalize()),
    "times": _one(r"(?<=[\w}]) x (?=\d)", lambda match: " * "),
    "close times": _one(r"(?<=[\w}]) x (?=\d)", lambda match: " x"),
    "arrow": _one(r"(?<=\w) *; *(?=\w)", lambda match: " -> "),
    "bar": _one(r"(?<=\w) *; *(?=\w)", lambda match: " | "),
    "and": _one(r"\band\b", lambda match: "&&"),
    "not": _one(r"\bnot ", lambda match: "!"),
    "elif": _one(r"\belse if\b", lambda match: "elif"),
    "power": _one(r"\*\*", lambda match: "^"),
    "call": _one(_SIMPLE_CALL, _called),
    "empty call": _one(r"(?<=[;{:] )([a-z]\w*)(?= *[;}\n])", lambda match: f"{match[1]}()"),
    "bare reference": _one(r"@(?=[a-z])", lambda match: ""),
    "quoted value": _one(r"(?<==)([a-z]\w*)\b(?![(\w])", lambda match: f"'{match[1]}'"),
    "brace below": _one(r" \{(?=\n)", lambda match: "\n{"),
    "no let": _one(r"\blet (?=\w)", lambda match: ""),
    "point": _one(r"\b0\.(?=\d)", lambda match: "."),
    "assigned": _one(r"(?<=[;{] )(?=[a-z]+ [\w]+ *[;}\n])", lambda match: "x = "),
    "typed": _one(r"(?<=[(,] )\b(\w+)=(\d+)(?=[,)])", lambda match: f"{match[1]}: {match[2]}"),
    "size": _one(r"\bk=(\d)\b", lambda match: f"{match[1]}x{match[1]}"),
}  # fmt: skip


def mutate(text: str, random: Random, kinds: Sequence[str] = tuple(MUTATIONS)) -> tuple[str, str] | None:
    """Make one mistake of a kind; return the kind and the text, None where the text has no place for it."""
    kind = random.choice(kinds)
    edit = MUTATIONS[kind](text, random)
    if edit is None:
        return None
    start, end, new = edit
    mutant = text[:start] + new + text[end:]
    return (kind, mutant) if mutant != text else None


def mistakes(text: str, random: Random, most: int = 4) -> list[Edit]:
    """Return some mistakes in lines that do not touch."""
    found: list[Edit] = []
    lines: set[int] = set()
    for _ in range(random.randint(2, most)):
        edit = MUTATIONS[random.choice(tuple(MUTATIONS))](text, random)
        if edit is None or text[edit[0] : edit[1]] == edit[2]:
            continue
        line = text.count("\n", 0, edit[0])
        if lines.isdisjoint(range(line - 1, line + 3)):
            found.append(edit)
            lines.add(line)
    return sorted(found)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with some edits, which do not overlap."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
