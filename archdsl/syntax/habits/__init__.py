"""Habits from elsewhere: what a mistake was meant to be, where it is how another language or tool is written.

Nothing here runs before a mistake is found. A habit is recognised by the text around the mistake, one function for
each; the first in `_ALL` that knows the text speaks for it, and for all mistakes that follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from archdsl.syntax.habits import (
    bindings,
    bodies,
    brackets,
    caffe,
    choices,
    configs,
    darknet,
    python,
    references,
    signs,
    steps,
    timm_strings,
    ultralytics,
    words,
)
from archdsl.syntax.habits.calls import is_group
from archdsl.syntax.habits.layers import own_in
from archdsl.syntax.habits.scan import Habit, HabitSite, is_too_long, line_bounds, place_of, words_of
from archdsl.syntax.habits.trial import Reparse, Trials
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.source import Source, Span

_ALL: Sequence[Callable[[HabitSite], Habit | None]] = (
    ultralytics.ultralytics,
    darknet.darknet,
    caffe.caffe,
    timm_strings.timm,
    configs.json,
    python.imports,
    python.classes_and_functions,
    signs.comment,
    brackets.unclosed_interpolation,
    references.numbered,
    steps.repeat_in_front,
    signs.foreign_letters,
    signs.character,
    bodies.header,
    bodies.elif_word,
    signs.arrow,
    words.label_behind_stages,
    words.lambda_word,
    brackets.typed_by_colon,
    choices.for_head,
    choices.conditional_argument,
    references.inner_reuse,
    words.stage_word,
    words.quoted_step,
    words.one_edit_a_line,
    words.misplaced_declaration,
    references.arithmetic,
    references.joined,
    bindings.typed_let,
    bindings.other_word,
    choices.condition,
    signs.per_cent,
    steps.counted_line,
    steps.repeated_call,
    steps.indexed_call,
    steps.steps_in_brackets,
    steps.split_without_join,
    steps.let_of_step,
    python.foreign_statement,
    ultralytics.called,
    python.own_call,
    words.augmented_assignment,
    words.doubled_equals,
    words.default_behind_binding,
    words.equals_for_label,
    words.value_without_let,
    words.colon_for_equals,
    brackets.list_commas,
    brackets.comma_between,
    brackets.doubled_comma,
    brackets.sign_for_comma,
    brackets.comma,
    words.times_sign,
    signs.size_by_size,
    signs.bare_point,
    words.chained_comparison,
    words.is_word,
    words.negative_argument,
    words.prefixed_string,
    words.dotted_file,
    brackets.brace_below,
    words.value_missing,
    words.argument_of_reuse,
    words.missing_semicolon,
    brackets.unclosed_before_brace,
    brackets.never_closed,
    brackets.unopened,
    signs.number_with_unit,
    words.outside,
)


class Told(NamedTuple):
    """What is said of a text's mistakes, and where the words of other tools' files stand in it."""

    diagnostics: Sequence[Diagnostic]
    foreign: frozenset[int]


def retell(source: Source, mistakes: Iterable[Diagnostic], parse: Reparse) -> Told:
    """Tell the mistakes of a parse with what is known of habits: one for each habit, however many it caused.

    Ensures: a fix, and so what its help says to write, ends the mistake, and is no new one.
    """
    told, foreign = list[Diagnostic](), set[int]()
    until = -1
    ordered = sorted(mistakes, key=lambda found: found.span.start)
    trials = Trials(source, ordered, parse, _count)
    calls = set[int]()
    opened = {mistake.span.start for mistake in ordered if mistake.code == "E005" and mistake.span.text == "("}
    for mistake in ordered:
        at = mistake.span.start
        # The line end behind what is told belongs to it.
        if at < until or (at == until and source.text[at : at + 1] in ("", "\n")):
            continue
        called = re.compile(r"\w+(?=\()").match(source.text, at)
        if called is not None and mistake.code == "E001" and called.end() in opened:
            calls.add(called.end())
            continue  # the bracket that is never closed is told
        found = _told_by_habit(mistake, trials) if mistake.code in ("E001", "E002", "E005") else None
        if found is not None:
            habit, diagnostic = found
            told.append(diagnostic)
            until = habit.until
            if diagnostic.code == configs.CODE:
                start = min(habit.start, *(habit.whole or ()), until)
                foreign.update(start + match.start() for match in re.finditer(r"[^\s;]+", source.text[start:until]))
            continue
        if mistake.code == "E005" and mistake.labels:
            # A bracket of the wrong kind: what the rest of the statement is depends on which one was meant.
            until = max(until, place_of(source, at).end)
        tried = trials.tried(mistake, at, until) or replace(mistake, fix=None)
        if tried.fix is not None and tried.fix.is_safe and not trials.is_certain_close(mistake):
            tried = replace(tried, fix=replace(tried.fix, is_safe=False))
        if mistake.code == "E005" and at in calls:
            help = f"{tried.help}, or write what the step takes behind a space, without parentheses"
            tried = replace(tried, help=help, fix=None)
        told.append(tried)
    return Told(told, frozenset(foreign))


def _told_by_habit(mistake: Diagnostic, trials: Trials) -> tuple[Habit, Diagnostic] | None:
    """Return the first habit that helps with a mistake, and what to say; where none does, the first says what it is."""
    refused: tuple[Habit, Diagnostic] | None = None
    for habit in _habits(trials.source, mistake.span.start):
        diagnostic = _diagnostic(trials.source, habit, mistake)
        tried = trials.tried(diagnostic, mistake.span.start, habit.until)
        if tried is not None:
            return habit, tried
        refused = refused or (habit, replace(diagnostic, help="", fix=None))
    return _stray(mistake, trials) or refused


def _stray(mistake: Diagnostic, trials: Trials) -> tuple[Habit, Diagnostic] | None:
    """Take out what nothing is known of and nothing is said about, where the rest is a statement."""
    at = mistake.span.start
    stray = signs.stray(place_of(trials.source, at)) if not mistake.help and mistake.code == "E001" else None
    tried = trials.tried(_diagnostic(trials.source, stray, mistake), at, stray.until) if stray is not None else None
    return (stray, tried) if stray is not None and tried is not None else None


def _count(source: Source, mistakes: Sequence[Diagnostic]) -> int:
    """Count the mistakes that are told, if the first habit that knows one speaks for it."""
    count, until = 0, -1
    for mistake in sorted(mistakes, key=lambda found: found.span.start):
        at = mistake.span.start
        if at < until or (at == until and source.text[at : at + 1] in ("", "\n")):
            continue
        count += 1
        habit = next(_habits(source, at), None)
        if habit is not None:
            until = habit.until
        elif mistake.code == "E005" and mistake.labels:
            until = max(until, place_of(source, at).end)
    return count


def _habits(source: Source, offset: int) -> Iterator[Habit]:
    """Yield the habits that a mistake at a place may come from."""
    if is_too_long(source, offset):
        return
    place = place_of(source, offset)
    yield from (habit for know in _ALL if (habit := know(place)) is not None)


def _diagnostic(source: Source, habit: Habit, mistake: Diagnostic) -> Diagnostic:
    habit = _labelled_behind(source, habit)
    own = _own_meaning(source, habit)
    if own:
        note = f"this file gives a meaning of its own to `{own}`, which may be another step"
        habit = replace(habit, replacement=None, notes=(*habit.notes, note))
    return replace(
        mistake,
        code=habit.code or mistake.code,
        message=habit.message,
        span=Span(habit.start, habit.end, source),
        help=habit.help,
        notes=habit.notes,
        labels=(),
        fix=habit.fix(source),
    )


_LABEL = r'(?:[A-Za-z_]\w*(?:\{[^{}\n"]*\}\w*)*|"[^"\n]*")[ \t]*:[ \t]*'


def _labelled_behind(source: Source, habit: Habit) -> Habit:
    """Put a label behind what takes up others in braces: a labelled step is one step, and not a level of several.

    So `c: add(@a, relu)` is `add { @a; relu }; c: pass`.
    """
    written, text = habit.replacement, source.text
    if written is None or "@" not in written or "{" not in written:
        return habit
    start, end = habit.whole or (habit.start, habit.end)
    before = re.search(rf"(?<![^\s;{{]){_LABEL}\Z", text[line_bounds(text, start)[0] : start])
    inside = re.match(_LABEL, written)
    if (before is None) is (inside is None) or text[end:].lstrip(" \t").startswith("x "):
        return habit
    step = written[inside.end() :] if inside is not None else written
    label = (inside or before or [""])[0]
    if is_group(step):
        step = step[1:-1].strip()
    step = f"{step}; {label.strip()} pass"
    begin = start - len(before.group()) if before is not None else start
    return replace(habit, replacement=step, help=habit.help.replace(f"`{written}`", f"`{step}`"), whole=(begin, end))


def _own_meaning(source: Source, habit: Habit) -> str:
    """Return a word of a translation that may mean another step in this file; "" where there is none."""
    if habit.code != configs.CODE or habit.replacement is None:
        return ""
    start, end = habit.whole or (habit.start, habit.end)
    written = words_of(source.text[start:end])
    own = own_in(source.text, [word for word in words_of(habit.replacement) if word not in written])
    return own[0] if own else ""
