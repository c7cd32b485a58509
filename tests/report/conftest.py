"""A finished run to report, whose model makes mistakes."""

import numpy as np
import pytest

from digits.store.run_folder import Run
from tests.damage import complete_run


@pytest.fixture
def run() -> Run:
    made = complete_run("A run", finetunes=False)
    p = made.test_probabilities().copy()
    p[:3] = np.roll(p[:3], 1, axis=1)  # three mistakes
    made.write_test_probabilities(p)
    return made
