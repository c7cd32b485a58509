"""From strokes, canvas and picture files to the 28×28 images that models see.

NumPy and Pillow only.
"""
