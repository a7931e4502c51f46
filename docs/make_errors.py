"""Write docs/errors.md from the registry of codes and the examples below: python docs/make_errors.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import archdsl
from archdsl.text.codes import CODES, Code
from archdsl.text.render import RENDERERS

PAGE = Path(__file__).resolve().parent / "errors.md"
WIDTH = 100
FAMILIES = {
    "E0": "Syntax",
    "E1": "Names and values",
    "E2": "Shapes and settings",
    "E3": "Backends",
    "W": "Warnings",
}
INTRODUCTION = """\
# Errors

<!-- Written by docs/make_errors.py from archdsl/text/codes.py and its own examples; edit those. -->

Every mistake has a code, which keeps its meaning for ever; `archdsl explain E210` prints its explanation. A message
says what is wrong with the values at hand, marks the smallest text to change, and names the calls that led there.
Independent mistakes are reported in one run, each once.
"""

# What fails, and the same corrected: whole files, or steps of a model whose input is [3, 32, 32].
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "E001": ("conv 8, k=3", "conv 8 k=3"),
    "E002": ("conv 8 $", "conv 8"),
    "E005": ("model example {\n  input [3, 32, 32]\n  conv 8", "model example {\n  input [3, 32, 32]\n  conv 8\n}"),
    "E101": ("conv 8\nnrom", "conv 8\nnorm"),
    "E102": ("conv 8 kernle=3", "conv 8 kernel=3"),
    "E103": ("conv k=3", "conv 8 k=3"),
    "E104": ("conv 8 stride=0", "conv 8 stride=1"),
    "E105": ("conv in/2", "conv ceil(in/2)"),
    "E106": ("a: conv 8\na: conv 16", "a: conv 8\nb: conv 16"),
    "E107": ("norm; act 0.1 true", "norm; act"),
    "E108": (
        "block b(n) { conv n; b n }\nmodel example { input [3, 32, 32]; b 4 }",
        "block b(n) { conv n; if n > 1 { b n-1 } }\nmodel example { input [3, 32, 32]; b 4 }",
    ),
    "E109": ("conv 8 x 1000000", "conv 8 x 10"),
    "E110": ("stages [2, 2] double c=16 { conv c }", "stages [2, 2] double c=16 { cna c }"),
    "E111": ("for c, s in [[8, 1], [16]] { conv c s=s }", "for c, s in [[8, 1], [16, 2]] { conv c s=s }"),
    "E112": ("forward: conv 8", "body: conv 8"),
    "E113": ("stem: conv 8\nadd { pass; @stm }", "stem: conv 8\nadd { pass; @stem }"),
    "E114": (
        "use resnett (basic)\nmodel example { input [3, 32, 32]; conv 8 }",
        "use resnet (basic)\nmodel example { input [3, 32, 32]; basic 8 }",
    ),
    "E115": (
        'use resnet\nvariant example of resnet18 { set "conv2" k=3 }',
        'use resnet\nvariant example of resnet18 { set "conv1" k=3 }',
    ),
    "E116": ("let xs = [8, 16]\nconv xs[2]", "let xs = [8, 16]\nconv xs[1]"),
    "E117": ("conv 8 k=(choose {3, 5})", "conv 8 k=5"),
    "E118": ("flatten; fc in", "gap; flatten; fc in"),
    "E119": ("conv 64\nassert parameters < 1K", "conv 32\nassert parameters < 1K"),
    "E120": (
        "use resnet\nvariant example of resnet81",
        "use resnet\nvariant example of resnet18",
    ),
    "E121": ("model example { conv 8 }", "model example { input [3, 32, 32]; conv 8 }"),
    "E122": ("{ if in == 8 { conv 8 } }", "{ if in == 3 { conv 8 } }"),
    "E123": (
        'keys other { "layer{i" = "block{i}" }\nmodel example { input [3, 32, 32]; layer1: conv 8 }',
        'keys other { "layer{i}" = "block{i}" }\nmodel example { input [3, 32, 32]; layer1: conv 8 }',
    ),
    "E210": ("conv 8\nconv 64 groups=3", "conv 8\nconv 64 groups=4"),
    "E211": ("conv 8 s=8\nmaxpool 5 p=0", "conv 8 s=4\nmaxpool 5 p=0"),
    "E212": ("gap; flatten; conv 8", "conv 8; gap; flatten"),
    "E213": ("add { conv 8; conv 16 }", "add { conv 16; conv 16 k=1 }"),
    "E214": ("conv 10; group 4", "conv 12; group 4"),
    "E215": ("maxpool 2 p=2", "maxpool 2 p=1"),
    "E216": ("permute [1, 2, 2]", "permute [1, 2, 0]"),
    "E217": ("slice 2 2", "slice 1 2"),
    "E218": ("conv 8 s=2 padding=same padding_mode=reflect", "conv 8 s=2 padding=1 padding_mode=reflect"),
    "E219": ("conv 8 init=kaiming_normal(fan=fan_out)", "conv 8 init=kaiming_normal(mode=fan_out)"),
    "E220": ("residual { conv 8 }", "residual { conv 8 } shortcut { conv 8 k=1 }"),
    "E221": ("deconv 8 output_padding=2", "deconv 8 output_padding=1"),
    "E222": ("add { conv 3 }", "add { conv 3; pass }"),
    "E223": ("upsample factor=2 size=48", "upsample size=48"),
    "E224": ("gap; instance", "instance; gap"),
}


def page() -> str:
    """Give the page's text."""
    parts = [INTRODUCTION]
    for prefix, title in FAMILIES.items():
        codes = [code for code in CODES.values() if code.code.startswith(prefix)]
        parts += [f"## {title}\n", *map(_section, codes)] if codes else []
    return "\n".join(parts)


def _section(code: Code) -> str:
    lines = [f"### {code.code}", "", f"**{code.title}**", "", code.explanation, ""]
    if code.code in EXAMPLES:
        failing, corrected = map(_whole, EXAMPLES[code.code])
        lines += [
            f"```arch error {code.code}",
            *failing,
            "```",
            "",
            "```text",
            *_message("\n".join(failing)),
            "```",
            "",
        ]
        lines += ["Corrected:", "", "```arch", *corrected, "```", ""]
    return "\n".join(lines)


def _whole(text: str) -> list[str]:
    """Give an example's lines, steps put into a model."""
    if re.search(r"^(model|variant) ", text, re.M):
        return text.splitlines()
    return ["model example {", "  input [3, 32, 32]", *(f"  {line}" for line in text.splitlines()), "}"]


def _message(text: str) -> list[str]:
    return RENDERERS["terminal"](archdsl.check_text(text + "\n", "example.arch"), width=WIDTH).rstrip().splitlines()


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
