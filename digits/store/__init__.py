"""What lives on disk: run folders and the models in them. The worker writes, pages read."""
