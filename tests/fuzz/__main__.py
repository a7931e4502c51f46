"""Fuzz the compiler, guided by coverage: `python -m tests.fuzz --minutes 60 WORK_FOLDER`.

Needs `pip install atheris`. Inputs that reach new code are kept in WORK_FOLDER/corpus; a text that raises, takes too
long or too much memory is written to WORK_FOLDER as `crash-…`. What is found belongs, made small, into
tests/fuzz/findings, which the quick tests replay.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path
from random import Random

import atheris  # pyright: ignore[reportMissingImports, reportMissingModuleSource] - installed by whoever fuzzes

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDERS = ("text", "syntax", "ops", "ir", "semantics", "lower", "passes", "backends/picture", "backends/torch")

with atheris.instrument_imports(include=["archdsl", "lark"]):  # pyright: ignore[reportAttributeAccessIssue] - lazy
    # Much is imported only when it is needed; what is imported here is instrumented.
    for folder in FOLDERS:
        for path in (ROOT / "archdsl" / folder).rglob("*.py"):
            if path.stem not in ("__init__", "runtime", "build"):
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    from tests.fuzz.mutate import LARGEST, mutate
    from tests.fuzz.target import PATIENCE, examine

MOST_MEMORY = 500  # MiB
INSTRUMENTED = 3
"""How many times longer instrumented code takes, at most."""


def main() -> None:
    """Fuzz for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    corpus = options.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(_seeds()):
        (corpus / f"seed-{number}").write_text(text, "utf-8")
    arguments = [
        sys.argv[0], str(corpus), f"-max_total_time={round(options.minutes * 60)}", f"-rss_limit_mb={MOST_MEMORY}",
        f"-artifact_prefix={options.folder}/", "-timeout=60", f"-max_len={LARGEST}", f"-seed={options.seed}",
        "-report_slow_units=1000",
    ]  # fmt: skip
    atheris.Setup(arguments, _run, custom_mutator=_mutate, custom_crossover=_cross)
    atheris.Fuzz()


def _seeds() -> list[str]:
    """Return the examples in the documentation, the wrong specs among the tests, and what earlier runs kept."""
    pages = [path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]
    examples = [text for page in pages for text in re.findall(r"```arch\b[^\n]*\n(.*?)```", page, re.S)]
    files = [*(ROOT / "tests").rglob("*.arch"), *(ROOT / "specs").glob("*.arch")]
    return examples + [text for path in sorted(files) if len(text := path.read_text("utf-8", "replace")) < LARGEST]


def _run(data: bytes) -> None:
    examine(data.decode("utf-8", "replace"), INSTRUMENTED * PATIENCE)


def _mutate(data: bytes, largest: int, seed: int) -> bytes:
    return _encode(mutate(data.decode("utf-8", "replace"), "", Random(seed)), largest)


def _cross(data: bytes, other: bytes, largest: int, seed: int) -> bytes:
    return _encode(mutate(data.decode("utf-8", "replace"), other.decode("utf-8", "replace"), Random(seed)), largest)


def _encode(text: str, largest: int) -> bytes:
    return text.encode("utf-8", "replace")[:largest]


if __name__ == "__main__":
    main()
