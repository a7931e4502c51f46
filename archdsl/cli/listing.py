"""The list of bundled networks, written in each of its formats."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import StringIO

from archdsl.cli.published import IMAGENET, Published, best_of


@dataclass(frozen=True, slots=True)
class ListedNetwork:
    """A bundled network; costs are for one image. `field` is the receptive field's side in pixels, if bounded."""

    name: str
    file: str
    about_file: str
    doc: str
    input: tuple[int, ...]
    parameters: int
    macs: int
    field: int | None
    published: tuple[Published, ...] = ()

    @property
    def family(self) -> str:
        return self.file.partition(".")[0]

    @property
    def about(self) -> str:
        return self.doc or self.about_file

    @property
    def best(self) -> Published | None:
        """The published result that is shown."""
        return best_of(self.published, self.input[-1])

    @property
    def top1(self) -> float | None:
        """Accuracy on ImageNet in percent; results on other data do not compare."""
        return self.best.top1 if self.best is not None and self.best.data == IMAGENET else None

    @property
    def top5(self) -> float | None:
        return self.best.top5 if self.best is not None and self.best.data == IMAGENET else None


def to_json(entries: Sequence[ListedNetwork]) -> str:
    """Write all that is known of networks as JSON."""
    from archdsl.backends.summary import write_json

    return write_json([_record(entry) for entry in entries])


def _record(entry: ListedNetwork) -> dict[str, object]:
    return {
        "name": entry.name,
        "file": entry.file,
        "input": list(entry.input),
        "parameters": entry.parameters,
        "macs": entry.macs,
        "receptive_field": entry.field,
        "published": [{k: v for k, v in asdict(one).items() if v is not None} for one in entry.published],
        "doc": entry.about,
    }


def to_csv(entries: Sequence[ListedNetwork]) -> str:
    """Write a row for each network, after one of names."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    figures = ("parameters", "macs", "receptive_field", "top1", "data", "source")
    writer.writerow(("name", "file", "input", *figures, "doc"))
    for e in entries:
        shape, best = "x".join(map(str, e.input)), e.best
        result = (best.top1, best.data, best.label) if best is not None else ("", "", "")
        writer.writerow((e.name, e.file, shape, e.parameters, e.macs, e.field or "", *result, e.about))
    return written.getvalue()


def to_markdown(entries: Sequence[ListedNetwork]) -> str:
    """Write a table for a page."""
    lines = [
        "| network | parameters | MACs | input | receptive field | top-1 | source | about |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- | --- |",
    ]
    for e in entries:
        top1, label = _result(e)
        cells = (e.name, f"{e.parameters:,}", f"{e.macs:,}", "×".join(map(str, e.input)), str(e.field or ""))
        line = " | ".join(cell.replace("|", "\\|") for cell in (*cells, top1, label, e.about))
        lines.append(f"| {line} |")
    return "\n".join(lines) + "\n"


def to_text(entries: Sequence[ListedNetwork], width: int, *, color: bool, by_family: bool) -> str:
    """Write a table; with `by_family`, under what each file says of itself."""
    from archdsl.backends.table import Column, crop, lay_out
    from archdsl.backends.words import amount

    if not entries:
        return ""
    indent = "  " if by_family else ""
    name = Column("network", [f"{indent}{entry.name}" for entry in entries], can_shrink=True)
    parameters = Column("parameters", [f"{entry.parameters:,}" for entry in entries], True)
    macs = Column("MACs", [amount(entry.macs) for entry in entries], True)
    shape = Column("input", ["×".join(map(str, entry.input)) for entry in entries])
    field = Column("field", [str(entry.field or "") for entry in entries], True)
    top1 = Column("top-1", [_result(entry)[0] for entry in entries], True)
    label = Column("source", [_result(entry)[1] for entry in entries], can_shrink=True)
    whole = (name, parameters, macs, shape, field, top1)
    header, *rows = lay_out([(*whole, label), whole, (name, parameters, macs, top1), (name, parameters, macs)], width)
    bold, plain = ("\x1b[1m", "\x1b[0m") if color else ("", "")
    lines = [f"{bold}{header}{plain}"]
    file = ""
    for entry, row in zip(entries, rows, strict=True):
        if by_family and entry.file != file:
            file = entry.file
            lines.append(f"{bold}{crop(entry.about_file or file, width, at_start=False)}{plain}")
        lines.append(row)
    return "\n".join(lines) + "\n"


def _result(entry: ListedNetwork) -> tuple[str, str]:
    best = entry.best
    return (f"{best.top1:.1f}", best.label) if best is not None else ("", "")
