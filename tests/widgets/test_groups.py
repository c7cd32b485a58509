"""Ticked runs as groups: by seeds, by a setting, or each alone."""

from dataclasses import replace

import pytest

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import Run
from tests.widgets.test_runs_list import opened
from widgets.runs import compare
from widgets.runs.compare import differing
from widgets.runs.groups import EACH, KEY, SEEDS, grouped
from widgets.shared.plot import run_color

RECIPE = Recipe(dataset="uci")


@pytest.fixture
def made() -> list[Run]:
    low = runs.create_seeds(RECIPE, "Low", "", 3)
    high = runs.create_seeds(replace(RECIPE, learning_rate=0.1), "High", "", 2)
    return [*low, *high]


def test_seeds_of_a_recipe_are_a_group_with_the_name_they_share(made: list[Run]) -> None:
    groups = grouped({run: run.recipe for run in made}, SEEDS, made)
    assert [(group.name, len(group.runs)) for group in groups] == [("Low × 3", 3), ("High × 2", 2)]
    assert len({group.color for group in groups}) == 2
    alone = grouped({run: run.recipe for run in made}, EACH, made)
    assert [group.runs for group in alone] == [(run,) for run in made]


def test_groups_differ_in_color_where_their_first_runs_do_not() -> None:
    folds = [
        *runs.create_folds(RECIPE, "A", ""),
        *runs.create_folds(replace(RECIPE, dropout=0.5), "B", ""),
    ]
    first, second = grouped({run: run.recipe for run in folds}, SEEDS, folds)
    assert run_color(first.runs[0]) == run_color(second.runs[0]) == first.color
    assert second.color == run_color(second.runs[1])


def test_runs_are_grouped_by_any_setting(made: list[Run]) -> None:
    other = runs.create(replace(RECIPE, dropout=0.5), "Other")
    groups = grouped({run: run.recipe for run in [*made, other]}, "learning_rate", made)
    assert [(group.name, len(group.runs)) for group in groups] == [("lr 0.001", 4), ("lr 0.1", 2)]


def test_they_are_grouped_from_the_start_where_all_have_seeds(made: list[Run]) -> None:
    app = opened("runs", compare=",".join(run.id for run in made))
    assert app.selectbox(key=KEY).value == SEEDS
    other = runs.create(replace(RECIPE, dropout=0.5), "Other")
    app = opened("runs", compare=",".join(run.id for run in [*made, other]))
    assert app.selectbox(key=KEY).value == EACH
    assert app.selectbox(key=KEY).options[2:] == [
        "Group by dropout before output",
        "Group by learning rate (peak)",
    ]


def test_a_group_for_which_nothing_was_written_is_a_caption(made: list[Run]) -> None:
    (made[0].folder / "recipe.json").write_text("{")
    app = opened("runs", compare=",".join(run.id for run in made))
    assert "The verdict comes when" in " ".join(caption.value for caption in app.caption)


def test_a_group_under_way_has_the_mean_of_the_runs_that_have_a_curve(
    made: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def chart() -> tuple[list[dict], dict]:
        drawn = []
        monkeypatch.setattr(compare, "plot", lambda *figure, **_: drawn.append(figure))
        groups = grouped({run: run.recipe for run in made[:3]}, SEEDS, made[:3])
        compare._curves(groups, "val_accuracy", "Epochs")
        return drawn[0]

    traces, layout = chart()
    assert traces == []
    assert layout["yaxis"]["range"] == [0, 1]
    for run, accuracy in zip(made[:2], (0.8, 0.9), strict=True):
        run.append_epochs([(1, *[accuracy] * 7)])  # the third is still queued
    low, high, mean = chart()[0]
    assert [low["y"], mean["y"], high["y"]] == [pytest.approx([y]) for y in (0.8, 0.85, 0.9)]


def test_settings_that_vary_within_both_groups_alike_do_not_tell_them_apart() -> None:
    low = [replace(RECIPE, seed=seed) for seed in range(3)]
    high = [replace(recipe, learning_rate=0.1) for recipe in low]
    told = [[cell.text for cell in row.cells] for row in differing([low, high])]
    assert told == [["Learning rate (peak)", "0.001", "0.1"]]
    told = [[cell.text for cell in row.cells] for row in differing([low, high[:1]])]
    assert told[-1] == ["Seed", "3 values", "0"]
