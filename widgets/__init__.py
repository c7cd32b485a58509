"""What the pages are built from: the live chart, the gallery, and what pages share."""
