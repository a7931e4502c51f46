"""The error that training raises for what its user can mend."""

from archdsl.text.failure import Failure


class TrainingError(Failure):
    """A run that cannot start or go on."""
