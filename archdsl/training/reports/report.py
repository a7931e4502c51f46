"""The report on a part: what `test` leaves in a run's folder, and `archdsl eval -o` in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.text.files import cannot_write, write_output
from archdsl.training.data.dataset import BadSampleError
from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.reports.pictures import MOST_MISTAKES, Mistake, confusion_png, mistakes_png
from archdsl.training.reports.tables import classes_csv, confusion_csv

if TYPE_CHECKING:
    from archdsl.training.data.dataset import Samples

_LARGEST_SIDE = 160


def report(outcomes: Outcomes, samples: Samples, title: str) -> Mapping[str, bytes]:
    """Return the files of a report by their names: those of confusion.png, confusion.csv, classes.csv and mistakes.png.

    Numbers and images have no classes, and a part without a mistake no mistakes.png. Images that cannot be read are
    left out.
    """
    task, found = outcomes.task, dict[str, bytes]()
    if outcomes.table is not None:
        found["confusion.png"] = confusion_png(outcomes.table, task.classes, title)
        found["confusion.csv"] = confusion_csv(outcomes.table, task.classes)
    if task.classes:
        found["classes.csv"] = classes_csv(outcomes)
    mistakes = list(_mistakes(outcomes, samples))
    if mistakes:
        found["mistakes.png"] = mistakes_png(mistakes, f"{title}: the worst {len(mistakes)}")
    return found


def _mistakes(outcomes: Outcomes, samples: Samples) -> Iterator[Mistake]:
    for place, line in outcomes.worst(MOST_MISTAKES):
        try:
            image = samples.image(place)
        except BadSampleError:
            continue
        step = max(1, -(-max(image.shape[1:]) // _LARGEST_SIDE))
        yield Mistake(image[:, ::step, ::step], samples.name(place), line)


def write_report(folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> None:
    """Write a report into a folder, which is made if it is not there.

    Errors: Failure with E331 where a file is there that is not archdsl's, E332 where it cannot be written
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    # Tables first: they bear no mark, so that one which is another's is found before a picture is replaced.
    for name, content in sorted(files.items(), key=lambda file: not file[0].endswith(".csv")):
        write_output(folder / name, content, name.rpartition(".")[2], overwrite=overwrite)
