"""Groups of runs that differ in their seed alone, and what such a group is called."""

from dataclasses import replace

from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.seeds import all_have_seeds, by_seeds, common_name, siblings

RECIPE = Recipe(dataset="uci")


def test_runs_are_grouped_whatever_their_order() -> None:
    low = runs.create_seeds(RECIPE, "Low", "", 2)
    high = runs.create_seeds(replace(RECIPE, learning_rate=0.1), "High", "", 2)
    recipes = {run: run.recipe for run in (low[1], *high, low[0])}
    assert by_seeds(recipes) == [(low[1], low[0]), tuple(high)]
    assert all_have_seeds(recipes)


def test_a_repetition_with_the_same_seed_a_pair_and_a_single_run_make_no_groups() -> None:
    low = runs.create_seeds(RECIPE, "Low", "", 3)
    assert all_have_seeds({run: run.recipe for run in low})
    assert not all_have_seeds({run: run.recipe for run in low[:2]})
    assert not all_have_seeds(dict.fromkeys(low, RECIPE))
    other = runs.create(replace(RECIPE, dropout=0.5), "Other")
    assert not all_have_seeds({run: run.recipe for run in [*low, other]})


def test_a_group_is_called_as_its_first_run_but_for_the_seed() -> None:
    made = runs.create_seeds(RECIPE, "Low", "", 3)
    assert common_name(made) == "Low × 3"
    made[0].rename("My own")
    assert common_name(made) == "My own"
    made[0].rename("Fast · seed 12 · uci")
    assert common_name(made) == "Fast · uci"


def test_folds_are_a_group_of_their_own() -> None:
    folds, seeds = runs.create_folds(RECIPE, "Low", ""), runs.create_seeds(RECIPE, "Low", "", 2)
    assert by_seeds({run: run.recipe for run in [*folds, *seeds]}) == [tuple(folds), tuple(seeds)]
    assert common_name(folds[2:]) == "Low × 10"
    assert siblings(folds[4]) == folds


def test_runs_started_together_find_each_other() -> None:
    made = runs.create_seeds(RECIPE, "Low", "", 3)
    assert siblings(made[1]) == made
    assert siblings(runs.create(RECIPE, "Alone")) == []
