"""Ways to look beneath an answer; each is given the model, what it saw, and what it said."""
