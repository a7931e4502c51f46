"""What a diagram that cannot be drawn raises."""

from __future__ import annotations


class DrawError(Exception):
    """A diagram that cannot be drawn here; the message says what mends it."""
