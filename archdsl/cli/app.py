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


class Command(NamedTuple):
    """A command: the function of a module of this folder, the first words of what it says of itself, and an example."""

    module: str
    function: str
    summary: str
    example: str


# In the order of a session: what there is, what to write, what can be known, what can be made of it.
COMMANDS = {
    "list": Command("list", "list_networks", "List the networks that come with archdsl.", "archdsl list --format csv"),
    "new": Command("new", "new_spec", "Start a spec.", "archdsl new tiny"),
    "check": Command(
        "check",
        "check_specs",
        "Say what is wrong with specs.",
        'archdsl check tiny.arch resnet50 --set "norm=group(32)"',
    ),
    "fmt": Command("fmt", "format_specs", "Put specs into the one style.", "archdsl fmt tiny.arch"),
    "explain": Command("explain", "explain_code", "Explain the code of a diagnostic.", "archdsl explain E213"),
    "summary": Command(
        "summary",
        "summarise_network",
        "Tell a network's shapes and costs.",
        "archdsl summary resnet50 --input 3x160x160 --set classes=10",
    ),
    "diff": Command(
        "diff", "compare_networks", "Say how two networks differ.", 'archdsl diff resnet50 --set "norm=group(32)"'
    ),
    "draw": Command("draw", "draw_network", "Draw a network.", "archdsl draw resnet50 -o resnet50.svg"),
    "plot": Command(
        "plot",
        "plot_networks",
        "Draw charts of networks.",
        "archdsl plot resnet mobilenet_v3 efficientnet --kind scatter -o accuracy.svg",
    ),
    "compile": Command(
        "compile", "compile_network", "Write a network as a PyTorch file.", "archdsl compile resnet50 -o resnet50.py"
    ),
    "weights": Command(
        "weights",
        "compare_weights",
        "Say what of a file of weights fits a network.",
        "archdsl weights mobilenet_v2 mobilenetv2_100.safetensors --from timm",
    ),
    "recipes": Command(
        "recipes", "list_recipes", "List the training recipes, or show one.", "archdsl recipes resnet_paper"
    ),
    "data": Command("data", "describe_data", "Look at a data set.", "archdsl data imagefolder:pets -o sheet.png"),
    "train": Command(
        "train",
        "train_network",
        "Train a network, or go on with a run.",
        "archdsl train tiny.arch --data digits --epochs 10",
    ),
    "finetune": Command(
        "train",
        "finetune_network",
        "Train a network on from weights: `train` with --weights, and `fine_tune` as its usual recipe.",
        "archdsl finetune resnet18 --weights resnet18.safetensors --data imagefolder:pets",
    ),
    "eval": Command("eval", "evaluate_run", "Measure a run's network.", "archdsl eval runs/tiny -o report"),
    "predict": Command(
        "predict",
        "predict_images",
        "Say what a run's network sees in images.",
        "archdsl predict runs/tiny cat.jpg --top 3",
    ),
    "features": Command(
        "features",
        "write_features",
        "Tell what flows at places inside a network when images pass through it.",
        "archdsl features runs/tiny cat.jpg --tap gap -o features.npz",
    ),
    "runs": Command("runs", "list_runs", "Compare runs.", "archdsl runs runs -o runs.png"),
    "experiment": Command(
        "experiment",
        "run_experiment",
        "Carry an experiment out, or list those there are.",
        "archdsl experiment norms --seeds 2",
    ),
}


@contextmanager
def _shown() -> Generator[None]:
    """Let what is said of wrong usage quote an argument without what a terminal obeys."""
    try:
        yield
    except Exception as error:
        # Typer has had two homes for the class of these errors, and both have this.
        if hasattr(error, "format_message"):
            from archdsl.text.render.display import visible

            error.__dict__["message"] = visible(str(error.__dict__.get("message", "")))
        raise


class Commands(TyperGroup):
    """The commands by name, each made of its function when it is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # What a misspelt name is compared with, and what the list of commands shows, which imports none of them.
        self.commands.update({name: TyperCommand(name, help=entry.summary) for name, entry in COMMANDS.items()})

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """Read the arguments before the command's name."""
        with _shown():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        with _shown():
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the options before a command's name, and the commands."""
        ctx.meta[_LISTING] = True
        super().format_help(ctx, formatter)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; None where there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or _LISTING in ctx.meta:
            return self.commands.get(cmd_name)
        alone = typer.Typer(add_completion=False, context_settings=_SETTINGS)
        module = f"archdsl.cli.{entry.module}"
        with Importing(module):
            function = getattr(import_module(module), entry.function)
        alone.command(cmd_name, epilog=f"Example: {entry.example}")(function)
        return cast("TyperCommand", typer.main.get_command(alone))


_LISTING = "archdsl.listing"
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
