"""A run is a folder: what it holds, how it is written, and how a run goes on from it."""
