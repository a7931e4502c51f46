"""A graph as a spec's text, whatever it was made from."""
