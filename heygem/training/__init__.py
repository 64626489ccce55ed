"""Makes the embedded default: renders people who talk, trains the lip model on them. Begin reading at default.py."""
