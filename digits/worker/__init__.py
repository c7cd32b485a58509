"""What runs on workers: the only place that imports TensorFlow, SciPy and scikit-learn."""

import sys
from types import ModuleType

# Keras has wrappers for scikit-learn, whose import takes a second of a worker's start. Nothing here
# uses them, so Keras finds these in their place.
_wrappers = ModuleType("keras.src.wrappers.sklearn_wrapper")
_wrappers.__dict__.update(SKLearnClassifier=None, SKLearnRegressor=None, SKLearnTransformer=None)
sys.modules.setdefault(_wrappers.__name__, _wrappers)
