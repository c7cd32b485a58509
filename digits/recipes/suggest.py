"""What a sweep tries next, and which hyperparameters mattered.

Optuna is imported inside functions only, and these run on workers: it brings pandas and SciPy
along, which the server does without.
"""

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from digits.recipes.halving import Trial
from digits.recipes.recipe import Recipe
from digits.recipes.space import ATTEMPTS, Range, Space, Values, apply, from_texts, to_texts

if TYPE_CHECKING:
    import optuna

Sampler = Literal["tpe", "random", "grid"]
SAMPLERS: dict[Sampler, str] = {"tpe": "TPE (learns)", "random": "Random", "grid": "Grid"}

STARTUP = 10  # trials at random before TPE has anything to learn from
# Trials that TPE learns from; it would weigh the others little, and take longer.
BEST, LATEST, ACTIVE = 25, 50, 25
MIN_IMPORTANCE = 10  # trials with a result, before importances mean anything
MAX_IMPORTANCE = 1_000  # of the latest, for more would take seconds


def suggest(
    space: Space, base: Recipe, sampler: Sampler, seed: int, trials: Sequence[Trial]
) -> Values | None:
    """The values of the next trial, ``None`` when a grid has no point left.

    The same trials give the same values. Raises ``ValueError`` when no network can be built.
    """
    rng = np.random.default_rng([seed, len(trials)])
    if sampler == "grid":
        points = space.grid(base)
        order = np.random.default_rng(seed).permutation(len(points))
        return points[order[len(trials)]] if len(trials) < len(points) else None
    if learns(sampler, trials):
        study = _study(space, _remembered(trials), int(rng.integers(2**31)))
        for _ in range(ATTEMPTS // 20):
            values = _from_optuna(space, study.ask(_distributions(space)).params)
            try:
                apply(base, values)
            except ValueError:
                continue  # the study now has it as one that runs, and looks elsewhere
            return values
    return space.draw(base, rng)


def learns(sampler: Sampler, trials: Sequence[Trial]) -> bool:
    """Whether ``suggest`` learns from the trials, for which it needs Optuna."""
    told = islice(filter(_tells, trials), STARTUP)
    return sampler == "tpe" and len(list(told)) == STARTUP


def importance(space: Space, trials: Sequence[Trial]) -> dict[str, float]:
    """How much each hyperparameter decided which trials were best: shares that add up to 1.

    Empty with fewer than ``MIN_IMPORTANCE`` results. Source: PED-ANOVA, Watanabe et al. 2023.
    """
    told = [trial for trial in trials if _tells(trial)][-MAX_IMPORTANCE:]
    if len(told) < MIN_IMPORTANCE:
        return {}
    import optuna

    quantile = max(0.1, 3 / len(told))  # of few trials more are taken for the best
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
    study = _study(space, told, seed=0, final=True)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _tells(trial: Trial) -> bool:
    return bool(trial.accuracies) or trial.state == "failed"


def _remembered(trials: Sequence[Trial]) -> list[Trial]:
    """The best that went furthest, and the latest of the others and of those without a result."""
    told = [trial for trial in trials if _tells(trial)]
    active = [trial for trial in trials if not _tells(trial)]
    best = nlargest(BEST, told, key=lambda trial: (trial.epochs, trial.accuracy))
    numbers = {trial.number for trial in best}
    others = [trial for trial in told[-BEST - LATEST :] if trial.number not in numbers]
    return [*best, *others[-LATEST:], *active[-ACTIVE:]]


def _study(space: Space, trials: Sequence[Trial], seed: int, final: bool = False) -> "optuna.Study":
    """The trials as Optuna knows them: paused ones are pruned, with what they have reached.

    With ``final``, each is complete with the accuracy that it has.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions, states = _distributions(space), optuna.trial.TrialState
    for trial in trials:
        more: dict[str, Any] = {"state": states.RUNNING}
        if final or trial.state == "ended":
            more = {"state": states.COMPLETE, "value": trial.accuracy}
        elif _tells(trial):
            steps = {max(1, trial.epochs): trial.accuracy}
            more = {"state": states.PRUNED, "intermediate_values": steps}
        parameters = _to_optuna(space, trial.values)
        study.add_trial(
            optuna.trial.create_trial(params=parameters, distributions=distributions, **more)
        )
    return study


def _distributions(space: Space) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    distributions: dict[str, Any] = {}
    for name, dimension in space.dimensions.items():
        if not isinstance(dimension, Range):
            words = [to_texts({name: value})[name] for value in dimension.values]
            distributions[name] = CategoricalDistribution(words)
        elif dimension.whole:
            low, high = int(dimension.low), int(dimension.high)
            distributions[name] = IntDistribution(low, high, log=dimension.log)
        else:
            distributions[name] = FloatDistribution(
                dimension.low, dimension.high, log=dimension.log
            )
    return distributions


def _to_optuna(space: Space, values: Any) -> Values:
    """Values as Optuna has them: choices by their text, for it knows no tuples."""
    return {
        name: values[name] if isinstance(dimension, Range) else to_texts({name: values[name]})[name]
        for name, dimension in space.dimensions.items()
    }


def _from_optuna(space: Space, parameters: Values) -> Values:
    values = {}
    for name, dimension in space.dimensions.items():
        value = parameters[name]
        if isinstance(dimension, Range):
            values[name] = dimension.nearest(value)
        else:
            values |= from_texts({name: value})
    return values
