"""Which number format a network trains in: bfloat16 where the hardware has it."""

from pathlib import Path

import tensorflow as tf

CPU_FLAGS = {"amx_bf16", "avx512_bf16"}


def choose(wish: str) -> str:
    """The Keras precision policy for a recipe's ``precision``: auto, float32 or bfloat16."""
    if wish == "float32" or (wish == "auto" and not bfloat16_in_hardware()):
        return "float32"
    return "mixed_bfloat16"


def bfloat16_in_hardware() -> bool:
    """Whether the processor, or else the first GPU, multiplies bfloat16 by itself."""
    if gpus := tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and bool(CPU_FLAGS & set(cpuinfo.read_text().split()))
