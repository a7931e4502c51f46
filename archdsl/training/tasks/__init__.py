"""What an output is trained and measured on: a loss and figures for each kind of data. `build.task_of` chooses."""
