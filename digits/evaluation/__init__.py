"""Metrics of predictions, tests of labels, and what curves show. NumPy only; knows no runs."""
