"""What keeps a chart from being drawn."""


class ChartError(Exception):
    """A chart that cannot be drawn here: the fact in one line, and what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(f"{message}; {help}" if help else message)
        self.message, self.help = message, help
