"""What the Data page is built from."""
