"""The folder of a run: what it holds, and a run taken up from it again."""
