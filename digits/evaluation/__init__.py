"""What predictions say about a model, and about its labels. NumPy only; knows nothing of runs."""
