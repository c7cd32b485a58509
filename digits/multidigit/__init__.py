"""Numbers of several digits, on a canvas or on a photo. Models come in as plain functions."""
