"""What the Train page is built from."""
