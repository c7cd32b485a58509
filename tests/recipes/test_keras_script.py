"""The plain Keras script of a recipe is one that runs and builds the same network."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest

from digits.recipes import layers
from digits.recipes.keras_script import Stage, keras_script
from digits.recipes.presets import PRESETS
from digits.recipes.recipe import Conv, Fork, Recipe
from digits.recipes.schedule import RateChange, learning_rates

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


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Runs the script of stages on noise in place of MNIST; gives the script's names."""
    draw = np.random.default_rng(0)
    train, test = (
        (draw.integers(0, 256, (n, 28, 28), np.uint8), draw.integers(0, 10, n, np.uint8))
        for n in (54_040, 40)
    )
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (train, test))

    def run(*stages: Stage) -> dict:
        names: dict = {}
        exec(compile(keras_script(*stages), "script", "exec"), names)
        return names

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_the_script_trains_the_network_of_the_recipe(
    name: str, ran: Callable[..., dict], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = dataclasses.replace(RECIPES[name], epochs=1, train_images=40)
    model = ran(Stage(recipe))["model"]
    assert model.count_params() == layers.count_parameters(recipe)
    assert [layer.name for layer in model.layers] == [row.name for row in layers.layers(recipe)]
    assert model.optimizer.name.lower().startswith(recipe.optimizer)
    if recipe.schedule == "constant":
        assert float(model.optimizer.learning_rate) == pytest.approx(recipe.learning_rate)
    loss, accuracy = eval(capsys.readouterr().out.splitlines()[-1])
    assert np.isfinite(loss)
    assert 0 <= accuracy <= 1


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_a_script_sets_the_learning_rate_of_every_step_as_the_run_did(
    schedule: str, restarts: bool, ran: Callable[..., dict]
) -> None:
    recipe = Recipe(train_images=32, batch_size=10, epochs=3, schedule=schedule, restarts=restarts)
    changes = (RateChange(5, 0.0005), RateChange(9, 0.002))
    names = ran(Stage(recipe, changes))
    assert names["rates"] == pytest.approx(learning_rates(recipe, 12, changes), rel=1e-4)
    assert int(names["model"].optimizer.iterations) == 12
    assert float(names["model"].optimizer.learning_rate) == pytest.approx(names["rates"][-1])
    assert list(names["steps"]) == []


def test_a_script_of_a_fork_trains_its_ancestors_first_and_goes_on_with_their_weights(
    ran: Callable[..., dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[dict] = []
    fit = keras.Sequential.fit

    def watched(model: keras.Sequential, x: np.ndarray, *data: np.ndarray, **options: Any) -> Any:
        begins = [model.get_weights(), [v.numpy() for v in model.optimizer.variables]]
        done = fit(model, x, *data, **options)
        ends = [model.get_weights(), [v.numpy() for v in model.optimizer.variables]]
        fits.append({"begins": begins, "ends": ends, "images": len(x), **options})
        return done

    monkeypatch.setattr(keras.Sequential, "fit", watched)
    first = Recipe(train_images=20, batch_size=10, epochs=5, batch_norm=True)
    other = {"dropout": 0.3, "loss": "categorical_crossentropy", "learning_rate": 0.01}
    second = dataclasses.replace(first, train_images=30, epochs=2, **other)
    third = dataclasses.replace(first, optimizer="sgd", epochs=1)
    changes = (RateChange(1, 0.002),)
    names = ran(
        Stage(first, epochs=3), Stage(second, changes, epochs=1, keeps_optimizer=True), Stage(third)
    )
    assert [fit["epochs"] for fit in fits] == [3, 1, 1]
    assert [fit["images"] for fit in fits] == [20, 30, 20]
    for before, after in pairwise(fits):
        for own, taken in zip(after["begins"][0], before["ends"][0], strict=True):
            assert (own == taken).all()
    steps, rate, *slots = fits[1]["begins"][1]
    assert (int(steps), float(rate)) == (6, pytest.approx(0.01))
    for own, taken in zip(slots, fits[0]["ends"][1][2:], strict=True):
        assert (own == taken).all()
    assert any(slot.any() for slot in slots)
    assert float(fits[1]["ends"][1][1]) == pytest.approx(0.002)
    assert int(fits[2]["begins"][1][0]) == 0
    assert isinstance(names["model"].optimizer, keras.optimizers.SGD)
    assert names["y_train"].shape == (54_040,)


def test_the_first_lines_of_the_script_name_what_it_leaves_out() -> None:
    head = keras_script(Stage(RECIPES["everything"])).split('"""')[1]
    assert "augmentation" in head
    assert "Left out" not in keras_script(Stage(RECIPES["simple"]))
    orphan = dataclasses.replace(RECIPES["simple"], fork=Fork("20260131-093000-4f2a1c", 2, 2))
    assert "the weights of the run that it was forked from" in keras_script(Stage(orphan))
