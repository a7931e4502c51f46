"""What a help says to write, as a spec."""

from __future__ import annotations

import re

import archdsl
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.mend import apply_fixes

PLACEHOLDER = "conv 8; act"
"""What stands for `…`, wherever steps of the reader's own do."""


def in_model(body: str, shape: str = "[8, 16, 16]") -> str:
    """Put lines into a model."""
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return f"model m {{\n  input {shape}\n{lines}}}\n"


def told(text: str) -> Diagnostic:
    """Return the one diagnostic of a text."""
    (found,) = archdsl.check_text(text)
    return found


def advised(help: str, shape: str = "[8, 16, 16]") -> list[str]:
    """Return the specs that a help says to write: its steps, with the labels and declarations that it asks for."""
    help = help.partition("; it leaves over ")[0]
    labels = "".join(f"  {label}: pass\n" for label in re.findall(r"`(\w+):`", help))
    blocks = "".join(f"{block}\n" for block in re.findall(r"with a `(block [^`]*)`", help)).replace("…", "act")
    specs = list[str]()
    for written in re.findall(r"write `([^`]*)`", help):
        steps = written.replace("…", PLACEHOLDER)
        if steps.startswith("model "):
            specs.append(steps)
        else:
            start = "" if steps.partition(": ")[2].startswith("input ") else f"input {shape}\n{labels}"
            specs.append(f"{blocks}model m {{\n{start}{steps}\n}}\n")
    return specs


def errors(text: str) -> list[str]:
    """Return the errors of a spec, in words."""
    return [found.message for found in archdsl.check_text(text) if found.severity.value == "error"]


def mended(text: str) -> str:
    """Return a text after the fix of its one diagnostic."""
    fix = told(text).fix
    assert fix is not None
    return apply_fixes(text, [fix]).text
