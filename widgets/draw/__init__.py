"""What the Draw page is built from."""
