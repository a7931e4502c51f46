"""`archdsl new`: start a spec."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

from archdsl.checking import check
from archdsl.cli.console import say, write
from archdsl.cli.files import write_output
from archdsl.cli.options import OverwriteOption
from archdsl.text.failure import Failure
from archdsl.text.files import cannot_write
from archdsl.text.render.display import visible
from archdsl.text.source import Source

STARTER = """\
## A small residual network for 8x8 grey images, such as the handwritten digits that `archdsl train` brings along.

# `norm` and `act` below are whatever stands here; `--set "norm=group(8)"` turns the whole network over.
defaults { norm=batch act=relu }

# A block is a function: `c` has to be given, `s` has a default. In a repeat, only the first block gets a `stride`.
block basic(c, stride s=1) {
  residual {
    conv1: conv c s=s; bn1: norm; act  # a label names the module and its keys in the state_dict
    conv2: conv c;     bn2: norm       # input channels are worked out
  } shortcut downsample { conv c k=1 s=s; norm }  # built only where stride or channels ask for it
  act
}

model NAME(classes=10) {
  input [1, 8, 8]  # channels, height, width
  stem: { conv 32; norm; act }
  layer{stage}: stages [2, 2] double c=32 { basic c }  # per stage: 2 blocks; then twice the channels, half the image
  gap; flatten; fc: fc classes
  assert parameters < 1M
}
"""


def new_spec(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the model is called.", show_default=False)],
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="Where to put the file.", file_okay=False)
    ] = Path(),
    overwrite: OverwriteOption = False,
) -> None:
    """Start a spec.

    NAME.arch gets a commented network that can be trained as it is. A file that is there is left alone.
    """
    text = STARTER.replace("NAME", name)
    path = folder / f"{name}.arch"
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or iskeyword(name) or check(Source(text, path.name)):
        words = re.sub(r"\W+", "_", name.removesuffix(".arch"), flags=re.ASCII).strip("_")
        usable = words if re.fullmatch(r"[A-Za-z]\w*", words, re.ASCII) and words != name else "my_network"
        raise Failure(f"a model cannot be called `{name}`", f"use letters, digits and underscores, as in `{usable}`")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    write_output(path, text, "arch", (), overwrite=overwrite)
    write(f"{visible(str(path))}\n")
    say(f"Next: archdsl check {path}, archdsl summary {path}, archdsl train {path} --data digits")
