"""Ways to look at what a network got wrong; each gives the images that it is about."""
