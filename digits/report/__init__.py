"""A lab report of runs as one HTML file, which needs no network and no other file."""
