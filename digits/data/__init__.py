"""Data sets: their files, splits and uploads. Knows nothing of models."""
