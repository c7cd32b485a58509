"""What the Sweeps page is built from."""
