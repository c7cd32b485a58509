"""A sweep while it runs and after it: one view of its trials, the answer, and the best trials."""

import statistics

import streamlit as st

from digits.evaluation.metrics import wilson_interval
from digits.recipes.halving import Trial
from digits.recipes.space import describe
from digits.store import runs
from digits.store.files import reason
from digits.store.sweeps import Answer, Entry, Plan, Progress, Sweep
from widgets.shared.cards import cards
from widgets.shared.format import as_text, duration
from widgets.shared.link import choice
from widgets.shared.plot import run_color
from widgets.shared.session import drive_sweeps
from widgets.shared.table import Cell, Column, Row, table
from widgets.sweeps import by_setting, views
from widgets.sweeps.trials import Shown, read

OPENED = "sweep-opened"  # session key: the run that the visitor clicked
INTERVAL = 1.0  # seconds between two looks at a sweep under way
VIEWS = {
    "progress": ("Progress", views.progress),
    "curves": ("Curves", views.curves),
    "parallel": ("Parallel", by_setting.parallel),
    "importance": ("Importance", by_setting.importance),
    "slices": ("Slices", by_setting.slices),
    "cost": ("Cost", views.cost),
}
STATES = {"active": "training", "paused": "paused", "ended": "done", "failed": "failed"}


def results(sweep: Sweep) -> None:
    """Everything that is known of the sweep, followed while it is under way."""
    try:
        over = sweep.progress.state != "running"
    except ValueError as error:
        st.error(as_text(error), icon=":material/broken_image:")
        return
    st.fragment(_results, run_every=None if over else INTERVAL)(sweep, over)


def _results(sweep: Sweep, was_over: bool) -> None:
    view = choice(
        "View",
        {id: name for id, (name, _) in VIEWS.items()},
        key="view",
        label_visibility="collapsed",
    )
    try:
        shown, progress = read(sweep), sweep.progress
        answer, finals = sweep.answer([one.trial for one in shown.tried]), sweep.entries("final")
    except (ValueError, OSError) as error:
        st.error(as_text(reason(error)), icon=":material/broken_image:")
        return
    over = progress.state != "running"
    if over != was_over or OPENED in st.session_state:
        st.rerun()
    if not over:
        drive_sweeps()
    left, right = cards([12, 8], "sweep")
    with right:  # first, for the importance can take seconds
        _answer(sweep.plan, answer, finals, progress)
        _best(shown)
    with left:
        if not any(tried.trial.accuracies for tried in shown.tried):
            _explain_nothing(shown, progress)
        else:
            _, draw = VIEWS[view]
            if opened := draw(shown):
                _open(opened)
                st.rerun()


def _explain_nothing(shown: Shown, progress: Progress) -> None:
    if shown.tried and all(tried.trial.state == "failed" for tried in shown.tried):
        st.info("The runs of all trials were deleted or failed: nothing is left to compare.")
    elif progress.state != "running":
        st.info(f"No trial came to the end of an epoch. {as_text(progress.message)}")
    elif shown.tried:
        st.info("The first trials are being trained; the chart begins with their first epoch.")
    else:
        st.info("The first trial is being prepared.", icon="spinner")


def _answer(plan: Plan, answer: Answer, finals: list[Entry], progress: Progress) -> None:
    """How far the sweep is, its best trial, and the test of the winner."""
    with st.container(horizontal=True, gap="medium"):
        st.metric("Trials", f"{answer.trials:,} of {plan.trials:,}", width="content")
        st.metric(
            "Epochs",
            f"{answer.epochs:,}",
            help=f"Of all trials together; {plan.base.epochs * answer.trials:,} without pauses.",
            width="content",
        )
        limit = f" of {plan.minutes:g} min" if plan.minutes else ""
        st.metric("Time", duration(progress.seconds) + limit, width="content")
    if answer.best:
        st.markdown(
            f"Best validation accuracy **{answer.best.accuracy:.2%}**, after "
            f"{answer.best.epochs} of {plan.base.epochs} epochs: "
            f"**{as_text(describe(dict(answer.best.values)))}**"
        )
    elif finals:
        st.markdown(
            f"The winner: **{as_text(describe(dict(finals[0].values)))}**. Its trial was deleted."
        )
    if answer.test_accuracies:
        st.success(_verdict(answer.test_accuracies, finals), icon=":material/trophy:")
    elif progress.message:
        st.info(as_text(progress.message), icon=":material/info:")
    elif progress.state == "finished":
        st.info("The runs of the winner were deleted or failed; start a new sweep.")


def _verdict(accuracies: tuple[float, ...], finals: list[Entry]) -> str:
    """The winner on the test images: mean and range over its seeds, with what chance adds."""
    mean = statistics.mean(accuracies)
    total = next((s["test_images"] for entry in finals if (s := _result(entry))), 0)
    low, high = wilson_interval(round(mean * total), total)
    seeds = f"{len(accuracies)} seeds" if len(accuracies) > 1 else "1 seed"
    return (
        f"The winner, trained in full with {seeds}: test accuracy **{mean:.2%}** "
        f"({min(accuracies):.2%} – {max(accuracies):.2%}); 95% interval of one run "
        f"{low:.2%} – {high:.2%}."
    )


def _result(entry: Entry) -> dict | None:
    return dict(result) if (result := runs.summary(entry.run).result) else None


def _best(shown: Shown) -> None:
    """The best trials; a click on one opens its run."""
    ranked = sorted(shown.tried, key=lambda tried: _rank(tried.trial))[:50]
    if not ranked:
        return
    rows = [
        Row(
            tried.run.id,
            f"trial {tried.trial.number}",
            [
                Cell(f"{tried.trial.number}", color=run_color(tried.run), opens=True),
                Cell(describe(dict(tried.trial.values))),
                Cell(f"{tried.trial.accuracy:.2%}" if tried.trial.accuracies else "–"),
                Cell(f"{tried.trial.epochs}", title=STATES[tried.trial.state]),
                Cell(STATES[tried.trial.state]),
            ],
        )
        for tried in ranked
    ]
    columns = [
        Column("Trial"),
        Column("Settings", wrap=True),
        Column("Validation", right=True),
        Column("Epochs", right=True),
        Column("", wide=True),
    ]
    table(
        columns,
        rows,
        key="sweep-trials-table",
        label="The best trials",
        height="max(12rem, var(--card) - 14rem)",
        on_open=_open,
    )


def _rank(trial: Trial) -> tuple[bool, float, int]:
    return trial.state == "failed", -trial.accuracy, trial.number


def _open(id: str) -> None:
    """Open the run when the page runs next."""
    st.session_state[OPENED] = id
