"""The themes that options take are those of the backends."""

from archdsl.backends.theme import THEMES
from archdsl.cli.themes import ThemeChoice


def test_an_option_takes_every_theme_in_their_order() -> None:
    assert [theme.value for theme in ThemeChoice] == list(THEMES)
