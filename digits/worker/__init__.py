"""What runs on workers: the only place that imports TensorFlow, SciPy and scikit-learn."""
