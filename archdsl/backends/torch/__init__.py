"""Facts to code: the PyTorch file that a network compiles to, written as a careful person would."""
