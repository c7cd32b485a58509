"""A model as plain arrays for the browser; what they compute is tested in tests/widgets."""

import json
import zipfile

import keras
import numpy as np
import pytest

from digits.recipes.recipe import Conv, Recipe
from digits.store import runs
from digits.store.model_arrays import model_arrays
from digits.store.models import SHIPPED_MODEL, ModelRef
from digits.worker import model


def saved(network: keras.Model) -> ModelRef:
    run = runs.create(Recipe(), "Saved")
    run.write_model(network.save)
    return ModelRef(run)


def header(content: bytes) -> dict:
    return json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])


def test_the_shipped_model_has_all_its_weights_and_two_arrays_for_each_normalization() -> None:
    content = model_arrays(ModelRef()).content
    network = keras.models.load_model(SHIPPED_MODEL, compile=False)
    sizes = [size for layer in header(content)["layers"] for size in layer["weights"]]
    channels = sum(
        layer.moving_mean.shape[0] for layer in network.layers if layer.name.startswith("norm")
    )
    assert sum(sizes) == network.count_params() - 2 * channels
    assert len(content) % 4 == 0
    kernel = np.asarray(network.get_layer("conv1").kernel)
    start = 4 + int.from_bytes(content[:4], "little")
    first = np.frombuffer(content, "<f4", kernel.size, start)
    assert np.array_equal(first, kernel.ravel())


def test_equal_models_have_one_name_and_others_another() -> None:
    first, second = (saved(model.build(Recipe(seed=seed))) for seed in (0, 1))
    assert model_arrays(first) == model_arrays(saved(model.build(Recipe(seed=0))))
    assert model_arrays(first).name != model_arrays(second).name
    assert header(model_arrays(first).content)["name"] == model_arrays(first).name


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(conv=(Conv(32),), dense=(128,)),
        Recipe(conv=(Conv(64, pool=False), Conv(64)), head="global-average"),
    ],
    ids=["parameters", "multiplications"],
)
def test_a_model_that_is_too_large_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="too large"):
        model_arrays(saved(model.build(recipe)))


def test_a_layer_that_the_browser_does_not_know_is_named() -> None:
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.LayerNormalization()])
    with pytest.raises(ValueError, match="LayerNormalization"):
        model_arrays(saved(network))
    padded = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 3, padding="same", name="wide")]
    )
    with pytest.raises(ValueError, match="layer wide as it is set up"):
        model_arrays(saved(padded))


def test_a_missing_or_damaged_model_is_said_in_a_sentence() -> None:
    ref = ModelRef(runs.create(Recipe(), "Empty"))
    with pytest.raises(ValueError, match="has no model"):
        model_arrays(ref)
    for content in (b"", b"no archive", SHIPPED_MODEL.read_bytes()[:5000]):
        ref.path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^The model file is damaged\.$"):
            model_arrays(ref)
    with zipfile.ZipFile(ref.path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="damaged"):
        model_arrays(ref)
