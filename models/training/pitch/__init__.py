"""Makes the pitch model: mix, train, convert, score. `python -m models.training.pitch --help`."""
