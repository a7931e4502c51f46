"""The commands, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from archdsl import __version__
from archdsl.cli.check import check_specs
from archdsl.cli.compile import compile_network
from archdsl.cli.console import write
from archdsl.cli.diff import compare_networks
from archdsl.cli.draw import draw_network
from archdsl.cli.explain import explain_code
from archdsl.cli.fmt import format_specs
from archdsl.cli.list import list_networks
from archdsl.cli.new import new_spec
from archdsl.cli.plot import plot_networks
from archdsl.cli.summary import summarise_network
from archdsl.cli.train import train_network
from archdsl.cli.weights import compare_weights

# In the order of a session: what there is, what to write, what can be known, what can be made of it.
COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", list_networks, "archdsl list --format csv"),
    ("new", new_spec, "archdsl new tiny"),
    ("check", check_specs, 'archdsl check tiny.arch resnet50 --set "norm=group(32)"'),
    ("fmt", format_specs, "archdsl fmt tiny.arch"),
    ("explain", explain_code, "archdsl explain E213"),
    ("summary", summarise_network, "archdsl summary resnet50 --input 3x160x160 --set classes=10"),
    ("diff", compare_networks, 'archdsl diff resnet50 --set "norm=group(32)"'),
    ("draw", draw_network, "archdsl draw resnet50 -o resnet50.svg"),
    ("plot", plot_networks, "archdsl plot resnet mobilenet_v3 efficientnet --kind scatter -o accuracy.svg"),
    ("compile", compile_network, "archdsl compile resnet50 -o resnet50.py"),
    ("weights", compare_weights, "archdsl weights mobilenet_v2 mobilenetv2_100.safetensors --from timm"),
    ("train", train_network, "archdsl train tiny.arch --data digits --epochs 10"),
)

app = typer.Typer(
    name="archdsl",
    help="Neural networks from short specs: check, summarise, draw, compile to PyTorch, train.",
    epilog="Example: archdsl summary resnet50",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _function, _example in COMMANDS:
    app.command(_name, epilog=f"Example: {_example}")(_function)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        write(f"archdsl {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    del version
