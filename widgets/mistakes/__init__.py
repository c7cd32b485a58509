"""What the Mistakes page is built from: views that each select the digits to show."""
