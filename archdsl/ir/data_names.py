"""What data sets are called. `archdsl.training.data.catalogue` loads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from archdsl.text.suggest import nearest

DATA_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "digits": "digits",
        "imagefolder": "imagefolder:DIR",
        "csv": "csv:FILE",
        "pixels": "pixels:FILE",
        "pairs": "pairs:DIR",
        "synthetic": "synthetic:3x224x224/1000",
    }
)
"""What a name begins with, and how it is written whole."""


class WrongName(NamedTuple):
    """A name that no data set has: what is wrong with it, and what there is."""

    message: str
    form: str
    """How one that begins alike is written whole; empty where none does."""
    help: str
    """What to do where none does."""


def wrong_name(text: str) -> WrongName | None:
    """Say what is wrong with a data set's name; None where one is called so, whether its files are there or not.

    >>> wrong_name("imagefolder:pets"), wrong_name("digit")
    (None, WrongName(message='no data set is called `digit`', form='', help='the nearest is `digits`'))
    """
    word, colon, rest = text.partition(":")
    form = DATA_FORMS.get(word)
    if form is None:
        near = nearest(word, DATA_FORMS)
        forms = ", ".join(f"`{other}`" for other in DATA_FORMS.values())
        help = f"the nearest is `{DATA_FORMS[near]}`" if near else f"there is {forms}"
        return WrongName(f"no data set is called `{text}`", "", help)
    is_whole = bool(rest) if ":" in form else not colon
    if not is_whole or "\0" in text:
        return WrongName(f"`{text}` is no data set", form, "")
    return None
