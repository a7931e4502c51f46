"""How fast an edited spec is checked again: `python -m bench.workspace` prints Markdown, and writes a file of it.

All times are processor time on one thread. Collections of garbage are put off, as they would hit whatever happens to
run.
"""

from __future__ import annotations

import gc
import platform
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from archdsl.checking import check
from archdsl.semantics.files import SUFFIX, bundled_folder
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from archdsl.workspace import Workspace

RESULTS = Path(__file__).with_name("results") / "workspace.md"
PATH = "all.arch"
SPECS = (
    "resnet", "densenet", "vgg", "googlenet", "regnet", "inception_v3", "dla", "nasnet", "ghostnet", "mobilenet_v3",
    "shufflenet_v2", "efficientnet",
)  # fmt: skip
DEFAULTS = "defaults { conv init=kaiming_normal(mode=fan_out, nonlinearity=relu); zero_init=false v1=false }"
GOAL = 30
"""Milliseconds."""
ROUNDS, FULL_ROUNDS = 7, 1
EDITS: Sequence[tuple[str, str, str]] = (
    ("a comment between declarations", "\n\nblock bottleneck", "\n\n# edit @\nblock bottleneck"),
    ("a number in a variant", "vgg([1, 1, 2, 2, 2])", "vgg([1, 1, 2, 2, @])"),
    (
        "a line in a block of one model",
        "conv1: conv c s=s; bn1: norm; act\n  conv2",
        "conv1: conv c s=s k=@; act\n  conv2",
    ),
    ("a line in a block of a larger model", "cbr t[1]; cbr t[2] k=3", "cbr t[1]; cbr t[2] k=@"),
    ("a line in a block of two models", "  act\n}", "  act; conv c k=@\n}"),
    ("a line in a block of many models", "conv 4*c k=1;  ", "conv 4*c k=1 bias=true; conv 4*c k=@; "),
    ("`defaults`, which all models read", "v1=false }", "v1=false; fc init=normal(0.0@) }"),
    ("a syntax mistake in a block", "conv1: conv c s=s; bn1: norm; act\n  conv2", "conv1: conv c s= @; act(\n  conv2"),
)
"""What is edited, the text that is replaced where it stands first, and what by, with another odd number each time."""


def spec() -> str:
    """Return the declarations of some bundled files as one text; a name that two of them declare gets its file's."""
    seen: set[str] = set()
    parts = [DEFAULTS]
    for file in SPECS:
        parsed = parse(Source((bundled_folder() / f"{file}{SUFFIX}").read_text(encoding="utf-8")), Reporter())
        assert parsed is not None
        own = [d for d in parsed.file.declarations if not isinstance(d, tree.Defaults | tree.Use | tree.Keys)]
        names = {declaration.name.text for declaration in own}
        for declaration in own:
            text = declaration.span.text
            for name in names & seen:
                text = re.sub(rf"\b{name}\b", f"{file}_{name}", text)
            parts.append(text)
        seen |= names
    return "\n\n".join(parts) + "\n"


def measure(workspace: Workspace, before: str, after: str, text: str) -> tuple[list[float], list[float], int]:
    """Return the milliseconds of checks after each edit and of a first check of the same text.

    The last is how many models were compiled again.
    """
    again: list[float] = []
    full: list[float] = []
    changed = 0
    for turn in range(ROUNDS):
        models = workspace.check(PATH).models
        edited = text.replace(before, after.replace("@", str(2 * turn + 5)), 1)
        assert edited != text
        workspace.change(PATH, edited)
        again.append(_milliseconds(lambda: workspace.check(PATH)))
        later = workspace.check(PATH).models
        changed = sum(later[name].graph is not models[name].graph for name in later)
        if turn < FULL_ROUNDS:
            full.append(_milliseconds(lambda edited=edited: check(Source(edited, PATH), Path())))
        workspace.change(PATH, text)
    return again, full, changed


def _milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return (time.process_time() - start) * 1000
    finally:
        gc.enable()


def _spread(times: Sequence[float]) -> str:
    return f"{median(times):,.0f} ms ({min(times):,.0f} to {max(times):,.0f})"


def report() -> str:
    """Return what was measured as Markdown."""
    text = spec()
    workspace = Workspace()
    workspace.open(PATH, text)
    models = len(workspace.check(PATH).models)
    rows = ["| edit | models compiled again | checked again | first check |", "| --- | ---: | ---: | ---: |"]
    reached: list[str] = []
    for name, before, after in EDITS:
        again, full, changed = measure(workspace, before, after, text)
        rows.append(f"| {name} | {changed} | {_spread(again)} | {median(full):,.0f} ms |")
        reached += [name] if median(again) < GOAL else []
    lines = text.count("\n")
    blocks = len(re.findall("^(?:inline )?block ", text, re.M))
    return f"""# An edited spec, checked again

Python {platform.python_version()}, one thread. `python -m bench.workspace` measures again.

The spec holds what {len(SPECS)} files of `specs/` declare ({", ".join(SPECS)}),
but for what they use, their key maps and their `defaults`, in whose place it has one: {lines} lines, {blocks} blocks
and {models} models. Each edit changes one line; a workspace checks it, and so does a check that knows nothing of it.
Median processor times of {ROUNDS} rounds, with the least and the most, beside one first check of the same text.
Collections of garbage come on top: with so many graphs in memory a full one takes 0.2 seconds, now and then.

{chr(10).join(rows)}

Goal: under {GOAL} ms where few models depend on the line. Met by: {"; ".join(reached)}.
"""


def main() -> None:
    """Measure, print and write."""
    found = report()
    print(found)
    RESULTS.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
