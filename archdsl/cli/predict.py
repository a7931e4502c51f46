"""`archdsl predict`: say what a run's network sees in images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import write_output
from archdsl.cli.options import OverwriteOption
from archdsl.cli.runs_of import (
    DeviceOption,
    RunArgument,
    RunFormat,
    RunFormatOption,
    WeightsChoice,
    WeightsOption,
    numbers,
)
from archdsl.text.failure import Failure, cannot, require
from archdsl.text.render.display import visible

if TYPE_CHECKING:
    from archdsl.training.run.prediction import Prediction


def predict_images(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Files of images.", show_default=False)],
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes are told.")] = 5,
    weights: WeightsOption = WeightsChoice.BEST,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write masks and images here, as PNG."),
    ] = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
    format: RunFormatOption = RunFormat.TEXT,
) -> None:
    r"""Say what a run's network sees in images.

    They are prepared as the run measured its own. The exit code is 1 if one cannot be read; the others are told all the
    same. Needs torch: `pip install "archdsl\[train]"`.
    """
    from archdsl.backends.summary import write_json
    from archdsl.training.run.loading import open_run

    require("torch", "torchvision", "PIL", "safetensors", extra="train")
    opened = open_run(run)
    from archdsl.training.run.prediction import predict

    has_pictures = opened.record.kind in ("mask", "image")
    names = _outputs(images, output if has_pictures else None)
    if opened.record.kind == "image" and output is None:
        raise Failure(f"{opened.record.model} gives images", "say where to write them: `-o FOLDER`")
    if output is not None and not has_pictures:
        raise Failure(f"{opened.record.model} gives no pictures that `-o` could write", "leave it out")
    found: list[dict[str, object]] = []
    unread = 0
    for one in predict(opened, images, weights.value, top=top, device=device):
        written = names.get(one.path) if one.picture is not None else None
        if one.picture is not None and written is not None:
            write_output(written, one.picture, "png", images, overwrite=overwrite)
        if one.unread:
            unread += 1
            say(f"`{one.path}` cannot be read: {one.unread}", "error: ")
        if format is RunFormat.JSON:
            found.append(_record(one, written))
        elif not one.unread:
            write(_text(one, written))
    if format is RunFormat.JSON:
        write(write_json(found))
    if unread:
        raise typer.Exit(FINDINGS)


def _outputs(images: Sequence[Path], folder: Path | None) -> Mapping[Path, Path]:
    """Choose a file for each image: of its name, with the old suffix kept where two would have the same.

    Errors: Failure where two have one name all the same, or the folder cannot be made
    """
    if folder is None:
        return dict[Path, Path]()
    paths = list(dict.fromkeys(images))
    stems = Counter(path.stem for path in paths)
    chosen = {path: folder / f"{path.stem if stems[path.stem] == 1 else path.name}.png" for path in paths}
    names, count = Counter(chosen.values()).most_common(1)[0]
    if count > 1:
        raise Failure(f"{count} images would be written as `{names}`", "predict those of each folder by themselves")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(cannot("write", folder, error), code="E332") from None
    return chosen


def _record(one: Prediction, written: Path | None) -> dict[str, object]:
    if one.unread:
        return {"file": str(one.path), "error": one.unread}
    found: dict[str, object] = {"file": str(one.path)}
    if one.ranked:
        share = "share" if one.picture is not None else "probability"
        found["classes"] = [{"class": name, **numbers({share: part})} for name, part in one.ranked]
    if one.number is not None:
        found.update(numbers({"number": one.number}))
    if written is not None:
        found["written"] = str(written)
    return found


def _text(one: Prediction, written: Path | None) -> str:
    lines = [visible(str(one.path))]
    lines += [f"  {part:7.2%}  {visible(name)}" for name, part in one.ranked]
    if one.number is not None:
        lines.append(f"  {one.number:.6g}")
    if written is not None:
        lines.append(f"  written to {visible(str(written))}")
    return "\n".join(lines) + "\n"
