"""A safe fix is what the author certainly meant; an unsafe one ends its mistake and makes none that does not parse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.cli.mend import repair
from archdsl.lower.plan import models_of
from archdsl.specs import bundled_models
from archdsl.syntax.habits.scan import place_of
from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source
from tests.mutations import Edit, edited, mistakes, mutate
from tests.strategies import Spec, specs


@cache
def corpus() -> tuple[str, ...]:
    """Return bundled specs without most of their variants and comments, so that they are soon compiled."""
    texts = [path.read_text("utf-8") for path in sorted({path for _, path in bundled_models()})]
    trimmed = [re.sub(r"\nvariant [^{\n]*(?=\n)", "\n", text) for text in texts]
    return tuple(text for text in trimmed if not errors(text))


def errors(text: str) -> tuple[Diagnostic, ...]:
    return tuple(found for found in archdsl.check_text(text) if found.severity is Severity.ERROR)


def networks(text: str) -> tuple[str, ...]:
    """Return the networks of a spec, each as its code without the mark of the text that it comes from."""
    codes = [archdsl.load_text(text, model).source() for model in models_of(Source(text))]
    return tuple(re.sub(r"\(digest \w+\)", "", code) for code in codes)


def told(found: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    return Counter((one.code, one.message) for one in found)


def syntax_mistakes(found: tuple[Diagnostic, ...]) -> int:
    return sum(one.code.startswith("E0") for one in found)


def complain(original: str, mutant: str) -> list[str]:
    """Return what is wrong with the fixes of a spec with one mistake."""
    before = archdsl.check_text(mutant)
    wrong: list[str] = []
    if not any(found.severity is Severity.ERROR for found in before):
        return wrong
    for found in before:
        if found.fix is None or found.severity is not Severity.ERROR:
            continue
        mended = apply_fixes(mutant, [found.fix]).text
        after = archdsl.check_text(mended)
        key = (found.code, found.message)
        more = syntax_mistakes(after) - syntax_mistakes(before) + found.code.startswith("E0")
        if told(after)[key] >= told(before)[key]:
            wrong.append(f"{found.code} {found.fix.title}: not gone")
        if more > 0:
            wrong.append(f"{found.code} {found.fix.title}: more that does not parse")
        if found.fix.is_safe:
            left = [one for one in after if one.severity is Severity.ERROR]
            if left:
                wrong.append(f"{found.code} SAFE {found.fix.title}: leaves {[(d.code, d.message) for d in left]}")
            elif networks(mended) != networks(original):
                wrong.append(f"{found.code} SAFE {found.fix.title}: another network")
    return wrong


def complain_of_many(original: str, edits: Sequence[Edit]) -> list[str]:
    """Return what is wrong with the fixes of a spec with several mistakes, each of them made alone.

    A mistake that shows after a fix has to be one of the others, or to stand in the statement that was mended.
    """
    mutant = edited(original, edits)
    before = archdsl.check_text(mutant)
    wrong: list[str] = []
    expected = told(before)
    for left in range(len(edits)):
        expected |= told(archdsl.check_text(edited(original, [*edits[:left], *edits[left + 1 :]])))
    for found in before:
        if found.fix is None or found.severity is not Severity.ERROR:
            continue
        mended = Source(apply_fixes(mutant, [found.fix]).text)
        first, last = (place.span for place in (found.fix.edits[0], found.fix.edits[-1]))
        begin, end = place_of(Source(mutant), first.start).start, len(mutant) - place_of(Source(mutant), last.end).end
        for one in archdsl.check_text(mended.text):
            # What a fix that is only likely does to others may show far from it, as a list's length does in its loop.
            counts = one.severity is Severity.ERROR and (found.fix.is_safe or one.code.startswith("E0"))
            is_new = counts and not expected[one.code, one.message]
            if is_new and not begin <= one.span.start <= len(mended.text) - end:
                wrong.append(f"{found.code} {found.fix.title}: {one.code} {one.message}")
    return wrong


def check_repair(text: str) -> None:
    """See that making all fixes ends with no more mistakes, and that nothing is left to make."""
    for is_unsafe in (False, True):
        before = archdsl.check_text(text)
        done = repair(Source(text), lambda source: archdsl.check_text(source.text), unsafe=is_unsafe)
        assert syntax_mistakes(tuple(done.diagnostics)) <= syntax_mistakes(before)
        again = repair(done.after, lambda source: archdsl.check_text(source.text), unsafe=is_unsafe)
        assert again.after.text == done.after.text


def mutants(first: int, count: int, texts: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return some specs, each with the kind of its one mistake and the text that it makes."""
    found: list[tuple[str, str, str]] = []
    for seed in range(first, first + count):
        random = Random(seed)
        text = random.choice(texts)
        made = mutate(text, random)
        if made is not None:
            found.append((text, *made))
    return found


def short() -> tuple[str, ...]:
    return tuple(text for text in corpus() if len(text) < 1300 and "variant" not in text)


def test_a_fix_mends_the_one_mistake_of_a_spec() -> None:
    for text, kind, mutant in mutants(0, 150, short()):
        assert complain(text, mutant) == [], (kind, mutant)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1200, 100))
def test_a_fix_always_mends_the_one_mistake_of_a_spec(first: int) -> None:
    for text, kind, mutant in mutants(first, 100, corpus()):
        assert complain(text, mutant) == [], (kind, mutant)


def many(first: int, count: int, texts: tuple[str, ...]) -> None:
    for seed in range(first, first + count):
        random = Random(seed)
        text = random.choice(texts)
        edits = mistakes(text, random)
        assert complain_of_many(text, edits) == [], (seed, edits)
        check_repair(edited(text, edits))


def test_of_several_mistakes_a_fix_shows_only_what_another_one_hid() -> None:
    many(0, 20, short())


@pytest.mark.slow
def test_of_several_mistakes_a_fix_always_shows_only_what_another_one_hid() -> None:
    many(100, 80, short())


QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
SLOW = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def check_mutant(spec: Spec, seed: int) -> None:
    made = mutate(spec.text, Random(seed))
    if made is not None:
        assert complain(spec.text, made[1]) == []


@QUICK
@given(specs(), st.integers(0, 2**32))
def test_a_fix_mends_the_one_mistake_of_a_random_spec(spec: Spec, seed: int) -> None:
    check_mutant(spec, seed)


@pytest.mark.slow
@SLOW
@given(specs(), st.integers(0, 2**32))
def test_a_fix_always_mends_the_one_mistake_of_a_random_spec(spec: Spec, seed: int) -> None:
    check_mutant(spec, seed)
