"""Notes to Python: a function that computes again, with other numbers, what a run computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

from archdsl.tracing.recorder import Recorder, Traced

Program = Callable[..., "tuple[Any, ...] | None"]


def program(
    recorder: Recorder,
    outputs: Sequence[object],
    guards: Sequence[tuple[str, tuple[int, ...]]],
    known: Sequence[int] = (),
) -> Program:
    """Return a function of the recorder's parameters that gives `outputs`, or None where a guard does not hold.

    Values are computed as late as they are needed, so that nothing is computed that a guard before it rules out. The
    function is handed those at the places `known` too, in front.
    """
    return _compiled(recorder, outputs, guards, known=known)


def replayed(recorder: Recorder, count: int) -> Program:
    """Return a function of the recorder's parameters that gives the first `count` values, whatever the guards."""
    return _compiled(recorder, [f"v{place}" for place in range(count)], (), reads=range(count))


def _compiled(
    recorder: Recorder,
    outputs: Sequence[object],
    guards: Sequence[tuple[str, tuple[int, ...]]],
    reads: Sequence[int] = (),
    known: Sequence[int] = (),
) -> Program:
    lines: list[str] = []
    done = {*recorder.parameters, *known}

    def need(place: int) -> None:
        stack = [place]
        while stack:
            place = stack[-1]
            missing = [read for read in recorder.reads[place] if read not in done] if place not in done else []
            if missing:
                stack += missing
                continue
            stack.pop()
            if place not in done:
                done.add(place)
                lines.append(f" v{place} = {recorder.lines[place]}")

    for line, read in guards:
        for place in read:
            need(place)
        lines.append(
            f" if not ({line}): return None" if not line.startswith("not (") else f" if {line[4:]}: return None"
        )
    written: list[str] = []
    for output in outputs:
        if isinstance(output, str):
            written.append(output)
            continue
        written.append(recorder.write(output))
        if isinstance(output, Traced):
            need(output.place)
    for place in reads:
        need(place)
    given = ", ".join(f"v{place}" for place in (*known, *recorder.parameters))
    text = f"def run({given}):\n" + "\n".join([*lines, f" return ({', '.join(written)}{',' if written else ''})"])
    names: dict[str, Any] = {**recorder.constants}
    exec(_code(text), names)
    return names["run"]


@lru_cache(maxsize=1024)
def _code(text: str) -> CodeType:
    return compile(text, "<traced>", "exec")
