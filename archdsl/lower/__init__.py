"""Syntax tree to graph: the spec is run as a program whose steps build the network."""
