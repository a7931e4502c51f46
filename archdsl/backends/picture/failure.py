"""What a diagram that cannot be drawn raises."""

from __future__ import annotations

from archdsl.text.failure import Failure


class DrawError(Failure):
    """A diagram that cannot be drawn here."""
