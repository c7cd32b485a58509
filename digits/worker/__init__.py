"""What runs on workers: the only place that imports TensorFlow, SciPy and scikit-learn."""

import gc
import os
import platform
import sys
from types import ModuleType

# TensorFlow uses oneDNN's convolutions by itself only where the processor has AVX-512. Elsewhere
# they train the presets in 0.4 to 0.9 times the time, too. TensorFlow decides at its import.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Keras has wrappers for scikit-learn, whose import takes a second of a worker's start. Nothing here
# uses them, so Keras finds these in their place.
_wrappers = ModuleType("keras.src.wrappers.sklearn_wrapper")
_wrappers.__dict__.update(SKLearnClassifier=None, SKLearnRegressor=None, SKLearnTransformer=None)
sys.modules.setdefault(_wrappers.__name__, _wrappers)

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
