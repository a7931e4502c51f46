"""The spec as it is written: layout, parser, syntax tree, formatter, and the habits of other tools."""
