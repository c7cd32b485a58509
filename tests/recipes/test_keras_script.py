"""The plain Keras script of a recipe is one that runs and builds the same network."""

import dataclasses

import keras
import numpy as np
import pytest

from digits.recipes import layers
from digits.recipes.keras_script import keras_script
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Recipe
from digits.recipes.schedule import RateChange

RECIPES = {name: preset.recipe for name, preset in PRESETS.items()} | {
    "everything": Recipe(
        conv=(Conv(8, 5), Conv(8, pool=False)),
        batch_norm=True,
        conv_dropout=0.1,
        dropout=0.2,
        optimizer="sgd",
        loss="categorical_crossentropy",
        label_smoothing=0.1,
        patience=2,
        schedule="cosine",
        rotation=5.0,
    )
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_the_script_trains_the_network_of_the_recipe(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = dataclasses.replace(RECIPES[name], epochs=1)
    digits = np.random.default_rng(0)
    pair = digits.integers(0, 256, (40, 28, 28), np.uint8), digits.integers(0, 10, 40, np.uint8)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (pair, pair))
    names: dict = {}
    exec(compile(keras_script(recipe), "script", "exec"), names)
    model = names["model"]
    assert model.count_params() == layers.count_parameters(recipe)
    assert [layer.name for layer in model.layers] == [row.name for row in layers.layers(recipe)]
    assert model.optimizer.name.lower().startswith(recipe.optimizer)
    assert float(model.optimizer.learning_rate) == pytest.approx(recipe.learning_rate)
    loss, accuracy = eval(capsys.readouterr().out.splitlines()[-1])
    assert np.isfinite(loss)
    assert 0 <= accuracy <= 1


def test_a_script_changes_the_learning_rate_as_the_run_did() -> None:
    script = keras_script(Recipe(), (RateChange(10, 0.0005), RateChange(20, 0.002)))
    [line] = [line for line in script.splitlines() if "optimizer=" in line]
    optimizer = eval(line.strip().removeprefix("optimizer=").removesuffix(","), {"keras": keras})
    rates = []
    for step in (0, 9, 10, 19, 20):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.001, 0.001, 0.0005, 0.0005, 0.002])


def test_the_first_lines_of_the_script_name_what_it_leaves_out() -> None:
    head = keras_script(RECIPES["everything"]).split('"""')[1]
    assert "cosine schedule" in head
    assert "augmentation" in head
    assert "Left out" not in keras_script(RECIPES["simple"])
