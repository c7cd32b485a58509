"""The rules on recorded runs, half of which were not looked at while they were tuned."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.diagnosis import FINE, RECORDED, Recorded, recorded
from digits.evaluation.diagnosis import Curves, diagnose

PLAIN_EARLY = ("diverged", "guessing")  # what a visitor need not wait for


@cache
def all_runs() -> list[Recorded]:
    return recorded()


def cut(curves: Curves, share: float) -> Curves:
    """The curves of a run that goes on, after a share of its steps."""
    steps = int(share * len(curves.rates))
    epochs = len(curves.val_loss) * steps // len(curves.rates)
    ends = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
    return replace(
        curves,
        loss=curves.loss[:steps],
        accuracy=curves.accuracy[:steps],
        ended=False,
        **{name: getattr(curves, name)[:epochs] for name in ends},
    )


def test_the_recordings_are_small_and_hold_several_runs_of_each_kind() -> None:
    assert RECORDED.stat().st_size < 300_000
    assert len(all_runs()) >= 40
    assert len({one.name for one in all_runs()}) == len(all_runs())


@pytest.mark.parametrize("held_out", [False, True])
def test_the_rules_tell_most_runs_rightly_and_call_no_healthy_run_ill(held_out: bool) -> None:
    runs = [one for one in all_runs() if one.held_out == held_out]
    said = {one.name: diagnose(one.curves) for one in runs}
    assert all(said.values())
    kinds = [(one.kind, diagnosis.kind) for one in runs if (diagnosis := said[one.name])]
    assert np.mean([kind == answer for kind, answer in kinds]) >= 0.8
    fine = [answer for kind, answer in kinds if kind in FINE]
    assert sum(answer not in FINE for answer in fine) < 0.05 * len(fine)


def test_what_is_plain_is_told_while_the_run_goes_on() -> None:
    for one in all_runs():
        if one.kind in PLAIN_EARLY and len(one.curves.loss) > 60:
            diagnosis = diagnose(cut(one.curves, 0.6))
            assert diagnosis, one.name
            assert diagnosis.kind in (*PLAIN_EARLY, "rate too high"), one.name


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
def test_no_healthy_run_is_called_ill_while_it_goes_on(share: float) -> None:
    fine = [one for one in all_runs() if one.kind in FINE]
    early = {one.name: diagnose(cut(one.curves, share)) for one in fine}
    ill = [name for name, diagnosis in early.items() if diagnosis and diagnosis.kind not in FINE]
    assert len(ill) < 0.05 * len(fine), ill


def test_every_sentence_cites_figures_and_overfitting_its_epoch() -> None:
    for one in all_runs():
        diagnosis = diagnose(one.curves)
        assert diagnosis, one.name
        assert re.search(r"\d", diagnosis.sentence), one.name
        assert (diagnosis.since is not None) == (diagnosis.kind == "overfitting"), one.name
        if diagnosis.since:
            assert 1 <= diagnosis.since < len(one.curves.val_loss), one.name


def test_nothing_is_said_of_a_run_that_was_stopped_after_a_few_steps() -> None:
    for one in all_runs():
        few = replace(cut(one.curves, 3.5 / len(one.curves.rates)), ended=True)
        assert len(few.loss) <= 3
        if not len(few.val_loss):
            assert diagnose(few) is None or few.infinite, one.name


def test_nothing_is_said_before_the_first_step() -> None:
    curves = cut(all_runs()[0].curves, 0.0)
    assert diagnose(curves) is None
    assert diagnose(replace(curves, ended=True)) is None
    infinite = diagnose(replace(curves, infinite=True))
    assert infinite
    assert infinite.sentence == "The loss became infinite in epoch 1."
