"""Data sets: what they hold, how they are read, and how they are fed to a network."""
