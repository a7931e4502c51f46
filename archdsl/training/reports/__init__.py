"""What is written of a run for people: curves, confusion matrix, tables by class, and the worst mistakes."""
