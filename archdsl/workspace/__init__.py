"""Specs that are open in an editor: texts that change, and what is known of each without starting anew."""

from archdsl.workspace.workspace import CheckedText, Workspace

__all__ = ["CheckedText", "Workspace"]
