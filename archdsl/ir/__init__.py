"""The graph: bodies of nodes shared by equal calls, labels, what makes it legal, and its face in networkx."""
