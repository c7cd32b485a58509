"""Lessons on small data: which drawings are learned, what changes, what is forgotten."""

import dataclasses

import numpy as np
import pytest

from digits.data import datasets
from digits.ink import collection
from digits.ink.collection import Drawing
from digits.recipes.recipe import Finetuning, Recipe
from digits.store import finetuning, runs
from digits.store.models import ModelRef
from digits.store.runs import Run
from digits.store.status import Status
from digits.worker.predict import load, predict, predict_at_epochs
from digits.worker.trainer import train
from tests.worker.test_trainer import Killed, die_at

pytestmark = pytest.mark.slow

# The digits of a pocket calculator, which no hand writes so: bars between six corners.
CORNERS = [(0, 0), (1, 0), (1, 1), (1, 2), (0, 2), (0, 1)]
BARS = {"a": (0, 1), "b": (1, 2), "c": (2, 3), "d": (3, 4), "e": (4, 5), "f": (5, 0), "g": (5, 2)}
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abfgcd")


def calculator_digit(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes of a digit whose corners are not quite where they should be."""
    corners = np.array(CORNERS) * 500 + rng.normal(0, 25, (6, 2))
    return [corners[list(BARS[bar])].T for bar in LIT[digit]]


@pytest.fixture
def kept() -> list[Drawing]:
    """Four drawings of each digit."""
    rng = np.random.default_rng(0)
    return [
        collection.add(digit, calculator_digit(digit, rng)) for digit in range(10) for _ in range(4)
    ]


def recipe_of(start: Run, **lesson: float) -> Recipe:
    fields = {"repeats": 10, "replay": 300} | lesson
    taught = Finetuning(start.id, **fields)  # type: ignore[arg-type]
    return dataclasses.replace(start.recipe, epochs=4, learning_rate=0.002, finetune=taught)


def started(start: Run, recipe: Recipe) -> Run:
    run = finetuning.create(start, recipe, collection.all(), "Taught")
    run.write_status(Status("queued", epochs=recipe.epochs))
    return run


def accuracy(p: np.ndarray, y: np.ndarray) -> float:
    return float((p.argmax(axis=1) == y).mean())


def test_the_lesson_is_learned_and_told_by_drawings_that_were_held_back(
    trained: Run, kept: list[Drawing]
) -> None:
    run = started(trained, recipe_of(trained))
    result = train(run)
    assert result is not None
    material, answers = finetuning.load_data(run), finetuning.before_after(run)
    before = accuracy(answers.held_out_before, material.y_held_out)
    after = accuracy(answers.held_out_after, material.y_held_out)
    assert after > before + 0.15
    _, y = datasets.load_test("uci")
    assert accuracy(answers.test_before, y) == trained.result()["test_accuracy"]  # type: ignore[index]
    assert result["test_accuracy"] > accuracy(answers.test_before, y) - 0.05
    final = load(ModelRef(run))
    assert predict(final, material.x_held_out) == pytest.approx(answers.held_out_after, abs=1e-6)
    assert accuracy(answers.train_after, material.y_train) >= after
    first, *_, last = predict_at_epochs(run, [0, 1, 4], material.x_held_out)
    assert first == pytest.approx(answers.held_out_before, abs=1e-5)
    assert last == pytest.approx(answers.held_out_after, abs=1e-5)


def test_without_replay_the_network_forgets_what_it_knew(trained: Run, kept: list[Drawing]) -> None:
    scores = []
    for replay in (0, 1000):
        recipe = dataclasses.replace(recipe_of(trained, replay=replay), learning_rate=0.01)
        result = train(started(trained, recipe))
        assert result is not None
        scores.append(result["test_accuracy"])
    assert scores[0] < scores[1] - 0.05


def test_half_of_each_digit_is_learned_and_nothing_both_learned_and_held_back(
    kept: list[Drawing],
) -> None:
    lesson = Finetuning("20260131-093000-4f2a1c")
    taught, held = finetuning.split(kept, lesson)
    assert {one.id for one in taught} | {one.id for one in held} == {one.id for one in kept}
    for part in (taught, held):
        assert np.bincount([one.label for one in part]).tolist() == [2] * 10
    again, _ = finetuning.split(kept[::-1], lesson)
    assert [one.id for one in again] == [one.id for one in taught]
    other, _ = finetuning.split(kept, dataclasses.replace(lesson, seed=1))
    assert {one.id for one in other} != {one.id for one in taught}
    few, many = finetuning.split(kept, dataclasses.replace(lesson, train_share=0.01))
    assert (len(few), len(many)) == (1, 39)


def test_too_few_drawings_for_a_lesson_are_a_sentence(trained: Run) -> None:
    collection.add(1, [np.array([[0.0, 9], [0, 9]])])
    with pytest.raises(ValueError, match="two drawings"):
        finetuning.create(trained, recipe_of(trained), collection.all(), "Taught")
    assert runs.all() == [trained]


def test_what_a_network_was_ever_taught_is_never_held_back(
    trained: Run, kept: list[Drawing]
) -> None:
    recipe = dataclasses.replace(recipe_of(trained), epochs=1)
    first = started(trained, recipe)
    train(first)
    known = finetuning.seen_drawings(first)
    assert len(known) == 20
    assert {one.key for one in finetuning.unseen(first, kept)} == {one.key for one in kept} - known
    second = started(first, recipe_of(first, seed=1))
    taught, held = finetuning.split(kept, Finetuning(first.id, seed=1), known)
    assert not known & {one.key for one in held}
    assert len(finetuning.load_data(second).y_held_out) == len(held) < 20
    assert finetuning.seen_drawings(second) == known | {one.key for one in taught}
    everything = frozenset(one.key for one in kept)
    with pytest.raises(ValueError, match="none can be held out"):
        finetuning.split(kept, Finetuning(first.id), everything)


def test_the_training_images_are_the_drawings_repeated_and_the_replay(
    trained: Run, kept: list[Drawing]
) -> None:
    recipe = recipe_of(trained, repeats=3, replay=100)
    assert recipe.finetune
    material = finetuning.load_data(finetuning.create(trained, recipe, kept, "Taught"))
    sets = datasets.load("uci", recipe.split)
    mixed = finetuning.mix_with_replay(sets, recipe.finetune, material)
    assert len(mixed.x_train) == 3 * 20 + 100
    own = {image.tobytes() for image in sets.x_train}
    assert sum(image.tobytes() in own for image in mixed.x_train) == 100
    held = {image.tobytes() for image in material.x_held_out}
    assert not any(image.tobytes() in held for image in mixed.x_train)
    assert mixed.x_test is sets.x_test
    assert mixed.x_val is sets.x_val


def test_a_lesson_goes_on_when_its_start_and_its_drawings_are_gone(
    trained: Run, kept: list[Drawing]
) -> None:
    whole, torn = (started(trained, recipe_of(trained)) for _ in range(2))
    train(whole)
    with pytest.raises(Killed):
        train(torn, die_at(epoch=2))
    trained.delete()
    for one in kept:
        collection.delete(one.id)
    result = train(torn)
    assert result is not None
    assert torn.epoch_metrics()["epoch"].tolist() == [1, 2, 3, 4]
    assert torn.step_metrics()["loss"] == pytest.approx(whole.step_metrics()["loss"], abs=0.02)
    assert len(finetuning.before_after(torn).held_out_after) == 20


@pytest.mark.parametrize("file", [finetuning.BASE_MODEL, finetuning.DRAWINGS])
def test_a_lesson_whose_files_are_gone_ends_as_failed_with_a_sentence(
    trained: Run, kept: list[Drawing], file: str
) -> None:
    run = started(trained, recipe_of(trained))
    (run.folder / file).unlink()
    assert train(run) is None
    assert run.status.state == "failed"
    assert f"{file} of run {run.id} is missing" in run.status.message


def test_the_trace_follows_images_through_the_epochs(trained: Run) -> None:
    x, _ = datasets.load_test("uci")
    before, *through = predict_at_epochs(trained, [0, 1, 3], x[:50])
    assert before.max() < 0.9  # it knows nothing yet
    for epoch, p in zip((1, 3), through, strict=True):
        assert p == pytest.approx(trained.test_probabilities(epoch)[:50], abs=2e-3)
    with pytest.raises(ValueError, match="epoch 9"):
        predict_at_epochs(trained, [9], x[:1])
