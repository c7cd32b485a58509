"""What runs on workers: the only place that imports TensorFlow, SciPy and scikit-learn."""

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
