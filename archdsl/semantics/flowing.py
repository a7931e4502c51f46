"""What expressions say of what flows in a network: its channels, values by their labels, and texts that name them."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.ir.trouble import Reported, Trouble
from archdsl.ops.shape import Shape
from archdsl.semantics.env import Env
from archdsl.semantics.values import Setting, Unknown, is_value
from archdsl.syntax import tree
from archdsl.text.source import Span

MAX_TEXT = 1_000
"""Characters of a text that is put together."""


def channels_of(name: str, shape: Shape | Unknown | None, span: Span) -> int:
    """Return the channels of what flows, for `in` or `cin`, or raise why there is no such number."""
    if isinstance(shape, Unknown):
        raise Reported
    if shape is None:
        if name == "cin":
            message = "only a block has `cin`, the channels that enter it"
            raise Trouble("E121", message, span, help="write `in`, the channels at this place")
        help = "begin with `input [C, H, W]`"
        raise Trouble("E121", f"`{name}` has no value: nothing flows in here", span, help=help)
    if shape.axis is None:
        message = f"`{name}` has no value: no axis of {shape} is the channels"
        help = "write the number; or take the axes apart by `rearrange`, which keeps the channels' axis by its name"
        raise Trouble("E225", message, span, help=help)
    channels = shape.channels
    if not isinstance(channels, int):
        raise Trouble(
            "E118",
            f"`{name}` is {channels} here, which depends on the image's size",
            span,
            help="pool to a fixed size first, so that the network's weights do not depend on the image",
        )
    return channels


def referred(node: tree.Reference, name: str, outputs: tuple[str, ...], env: Env) -> Setting:
    """Return the value that `@` means, given the label and output behind it, or raise why there is none."""
    if env.sight is not None:
        return env.sight.take(node, name, outputs, env.names)
    held = env.names.get(name)
    if isinstance(held, Unknown):
        raise Reported
    if held is not None and is_value(held) and not outputs:
        return held
    message = f"`{node.span.text}` is a value that flows, and nothing flows here"
    help = "a value is known in the body that it flows in, and in blocks and functions that are called there with it"
    raise Trouble("E128", message, node.span, help=help)


def joined_text(pieces: Iterable[str], span: Span) -> str:
    """Return a text that is put together, or raise where it is too long."""
    text = "".join(pieces)
    if len(text) > MAX_TEXT:
        raise Trouble("E116", f"a text that is put together has at most {MAX_TEXT:,} characters", span)
    return text
