"""The difference of two networks, written."""

from archdsl.backends.difference.record import write_markdown, write_record
from archdsl.backends.difference.text import write_text

__all__ = ["write_markdown", "write_record", "write_text"]
