"""What the Drawings page is built from."""
