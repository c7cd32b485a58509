"""What the saved drawings, a mode of the Draw page, are built from."""
