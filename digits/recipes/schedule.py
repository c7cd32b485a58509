"""The learning rate of every step, for the preview and for training."""

import numpy as np

from digits.recipes.recipe import Recipe


def learning_rates(recipe: Recipe, steps: int) -> np.ndarray:
    """The learning rate of each of ``steps`` training steps: (steps,) float32.

    ``one-cycle`` climbs for 30 % of the steps from 1/25 of the peak and falls to 1/10,000 of
    that, both along a cosine. Source: Smith & Topin 2018; the shares are PyTorch's defaults.
    """
    peak = recipe.learning_rate
    t = np.arange(steps) / max(1, steps - 1)  # 0 at the first step, 1 at the last
    if recipe.schedule == "cosine":
        rates = peak * (1 + np.cos(np.pi * t)) / 2
    elif recipe.schedule == "one-cycle":
        start, end, turn = peak / 25, peak / 25 / 1e4, 0.3
        up = start + (peak - start) * (1 - np.cos(np.pi * t / turn)) / 2
        down = end + (peak - end) * (1 + np.cos(np.pi * (t - turn) / (1 - turn))) / 2
        rates = np.where(t < turn, up, down)
    else:
        rates = np.full(steps, peak)
    return rates.astype(np.float32)
