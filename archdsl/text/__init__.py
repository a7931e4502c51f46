"""Texts and what is said of them: sources, spans, diagnostics, the codes' pages, renderers, the one writer of files."""
