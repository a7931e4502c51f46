"""A picture laid out by Graphviz: what it has written as DOT, drawn by the program `dot`."""

# The graphviz package says no types of its arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from archdsl.backends.picture.failure import DrawError

DotFormat: TypeAlias = Literal["svg", "png", "pdf"]
DOT_FORMATS: tuple[DotFormat, ...] = get_args(DotFormat)


def draw_dot(source: str, format: DotFormat) -> bytes:
    """Return what `dot` draws of a text in its language. The fonts are those of the machine.

    Errors: DrawError where the program is missing, or draws nothing
    """
    from graphviz import CalledProcessError, ExecutableNotFound, pipe

    try:
        return pipe("dot", format, source.encode(), quiet=True)
    except ExecutableNotFound:
        help = "install Graphviz (`apt-get install graphviz`, `brew install graphviz`), or leave the engine out"
        raise DrawError("the program `dot` is not installed", help) from None
    except CalledProcessError as error:
        raise DrawError("the program `dot` draws nothing of this picture", str(error).splitlines()[0]) from None
