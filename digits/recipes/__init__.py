"""What to train: hyperparameters, presets and what follows from them, without TensorFlow."""
