"""Convolutional networks on handwritten digits: data, training, evaluation; knows no web page."""
