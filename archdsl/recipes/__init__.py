"""Training recipes as data: a class for each statement, without torch. `archdsl.training` carries them out."""
