"""What this machine computes with: number format, cores, and how operations share them.

On a processor, two single-threaded halves of a batch side by side are a quarter faster than one
batch whose every operation is split among the cores: no core waits for the other between two
operations. A GPU takes the batch whole.
"""

import os
from pathlib import Path

import tensorflow as tf

CPU_FLAGS = {"amx_bf16", "avx512_bf16"}
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
PARALLEL_OPS = min(2, CORES)

# TensorFlow reads these once, when it first computes something.
os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(PARALLEL_OPS))
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, CORES // PARALLEL_OPS)))


def precision_policy(precision: str) -> str:
    """The Keras policy for a recipe's ``precision``: auto, float32 or bfloat16."""
    if precision == "float32" or (precision == "auto" and not bfloat16_in_hardware()):
        return "float32"
    return "mixed_bfloat16"


def bfloat16_in_hardware() -> bool:
    """Whether the first GPU, or else the processor, multiplies bfloat16 natively."""
    if gpus := tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and bool(CPU_FLAGS & set(cpuinfo.read_text().split()))
