"""Imports Keras, and TensorFlow with it, as fast as a worker's start can; imported first of all."""

import gc
import sys

# Keras also takes DataFrames where pandas is installed, as Streamlit has it: a quarter second more.
_pandas = sys.modules.get("pandas")
sys.modules["pandas"] = None  # type: ignore[assignment]  # an import of it fails, which Keras expects

# What is imported stays, so looking for garbage in it, now or later, is in vain: half a second.
gc.disable()
import keras  # noqa: E402, F401

gc.freeze()
gc.enable()

del sys.modules["pandas"]
if _pandas:
    sys.modules["pandas"] = _pandas
