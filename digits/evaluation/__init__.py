"""Metrics of a model's predictions, and tests of their labels. NumPy only; knows no runs."""
