"""Many small images as one large one."""

import numpy as np


def montage(images: np.ndarray, scale: int = 1) -> np.ndarray:
    """Lay images out as a table: (rows, columns, h, w) to (rows·h·scale, columns·w·scale)."""
    rows, columns, height, width = images.shape
    table = images.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return table.repeat(scale, axis=0).repeat(scale, axis=1)
