"""Images: read from files, and changed as a recipe says."""
