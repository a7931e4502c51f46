"""The looks that pictures and charts are drawn in, as an option takes them."""

from enum import StrEnum


class ThemeChoice(StrEnum):
    """For a light page, a dark one, or black on white: the names of `archdsl.backends.theme.THEMES`.

    It stands here too because reading an option loads no backend.
    """

    LIGHT = "light"
    DARK = "dark"
    PRINT = "print"
