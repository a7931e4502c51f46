"""The commands, put together. Only the one that runs is imported, since a check should not wait for the others."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

from archdsl import __version__
from archdsl.cli.console import write
from archdsl.cli.importing import Importing
from archdsl.text.render.display import visible


class Command(NamedTuple):
    """A command: the function of a module of this folder, and an example of it."""

    module: str
    function: str
    example: str


# In the order of a session: what there is, what to write, what can be known, what can be made of it.
COMMANDS = {
    "list": Command("list", "list_networks", "archdsl list --format csv"),
    "new": Command("new", "new_spec", "archdsl new tiny"),
    "check": Command("check", "check_specs", 'archdsl check tiny.arch resnet50 --set "norm=group(32)"'),
    "fmt": Command("fmt", "format_specs", "archdsl fmt tiny.arch"),
    "explain": Command("explain", "explain_code", "archdsl explain E213"),
    "summary": Command("summary", "summarise_network", "archdsl summary resnet50 --input 3x160x160 --set classes=10"),
    "diff": Command("diff", "compare_networks", 'archdsl diff resnet50 --set "norm=group(32)"'),
    "draw": Command("draw", "draw_network", "archdsl draw resnet50 -o resnet50.svg"),
    "plot": Command(
        "plot", "plot_networks", "archdsl plot resnet mobilenet_v3 efficientnet --kind scatter -o accuracy.svg"
    ),
    "compile": Command("compile", "compile_network", "archdsl compile resnet50 -o resnet50.py"),
    "weights": Command(
        "weights", "compare_weights", "archdsl weights mobilenet_v2 mobilenetv2_100.safetensors --from timm"
    ),
    "recipes": Command("recipes", "list_recipes", "archdsl recipes resnet_paper"),
    "data": Command("data", "describe_data", "archdsl data imagefolder:pets -o sheet.png"),
    "train": Command("train", "train_network", "archdsl train tiny.arch --data digits --epochs 10"),
    "finetune": Command(
        "train", "finetune_network", "archdsl finetune resnet18 --weights resnet18.safetensors --data imagefolder:pets"
    ),
    "eval": Command("eval", "evaluate_run", "archdsl eval runs/tiny -o report"),
    "predict": Command("predict", "predict_images", "archdsl predict runs/tiny cat.jpg --top 3"),
    "features": Command("features", "write_features", "archdsl features runs/tiny cat.jpg --tap gap -o features.npz"),
    "runs": Command("runs", "list_runs", "archdsl runs runs -o runs.png"),
    "experiment": Command("experiment", "run_experiment", "archdsl experiment norms --seeds 2"),
}


@contextmanager
def _shown() -> Generator[None]:
    """Let what is said of wrong usage quote an argument without what a terminal obeys."""
    try:
        yield
    except Exception as error:
        # Typer has had two homes for the class of these errors, and both have this.
        if hasattr(error, "format_message"):
            error.__dict__["message"] = visible(str(error.__dict__.get("message", "")))
        raise


class Commands(TyperGroup):
    """The commands by name, each made of its function when it is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Their names are what a misspelt one is compared with.
        self.commands.update({name: TyperCommand(name) for name in COMMANDS})

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Read the arguments before the command's name."""
        with _shown():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        with _shown():
            return super().invoke(ctx)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        """Return a command; None where there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        alone = typer.Typer(add_completion=False, context_settings=_SETTINGS)
        module = f"archdsl.cli.{entry.module}"
        with Importing(module):
            function = getattr(import_module(module), entry.function)
        alone.command(cmd_name, epilog=f"Example: {entry.example}")(function)
        return cast("TyperCommand", typer.main.get_command(alone))


_SETTINGS = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    cls=Commands,
    name="archdsl",
    help="Neural networks from short specs: check, summarise, draw, compile to PyTorch, train.",
    epilog="Example: archdsl summary resnet50",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


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
