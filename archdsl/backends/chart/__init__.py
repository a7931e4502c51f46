"""Charts of networks, by way of matplotlib: cost by depth, receptive fields by depth, and networks as points."""

from archdsl.backends.chart.plots import FORMATS, plot_costs, plot_fields, plot_points
from archdsl.backends.chart.points import NetworkPoint, family_of
from archdsl.backends.chart.profile import Layer, Profile, Section, profile

__all__ = [
    "FORMATS",
    "Layer",
    "NetworkPoint",
    "Profile",
    "Section",
    "family_of",
    "plot_costs",
    "plot_fields",
    "plot_points",
    "profile",
]
