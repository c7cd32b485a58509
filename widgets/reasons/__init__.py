"""Ways to look beneath an answer; each is given the drawing as the network read it."""
