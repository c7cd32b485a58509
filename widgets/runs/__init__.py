"""What the Runs page is built from."""
