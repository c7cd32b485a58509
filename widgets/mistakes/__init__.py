"""The Mistakes page's views: each shows a chart and returns the selection of digits beside it."""
