"""Graph to facts, and graph to graph: one pass a file."""
