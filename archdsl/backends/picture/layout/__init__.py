"""Where everything in a picture goes: boxes, frames, and the ways of the edges.

The flow of a network is a chain of stations that every path goes through, and between two stations there are branches
beside each other, each of them such a chain again. Laid out like that, the flow is a straight line, branches stand
beside each other without overlap, and a shortcut has a lane of its own.
"""

from archdsl.backends.picture.layout.arrangement import Arrangement, Point, Route
from archdsl.backends.picture.layout.page import arrange

__all__ = ["Arrangement", "Point", "Route", "arrange"]
