"""Teach it: the set-up of a lesson, and what it changed."""

import dataclasses

import numpy as np
import streamlit as st

from digits.evaluation.metrics import mcnemar
from digits.ink.collection import Drawing
from digits.recipes.recipe import Finetuning
from digits.store import finetuning
from digits.store.runs import Run
from widgets.shared.epoch_traces import probabilities_at_epochs
from widgets.shared.format import counted
from widgets.shared.gallery import gallery
from widgets.shared.plot import plot
from widgets.shared.session import choose_run, engine, run_label, test_set

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
REPLAYS = (0, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
PRACTICE = 500  # drawings, repeated, in an epoch unless the visitor wants otherwise


def finetune_controls(runs: list[Run], kept: list[Drawing], reader: Run | None) -> None:
    """The controls of a lesson for one of the runs, at first ``reader``, and its button."""
    first = runs.index(reader) if reader in runs else 0
    start = st.selectbox("Who learns", runs, index=first, format_func=run_label)
    left, right = st.columns(2, gap="medium")
    with left:
        share = st.slider(
            "Drawings to learn",
            0.1,
            0.9,
            0.5,
            0.1,
            format="percent",
            key="share",
            help="The others are held back: they tell what it learned.",
        )
        seed = st.number_input("Which ones: seed", 0, 9999, 0, key="half")
        usual = min(50, max(1, round(PRACTICE / (share * len(kept)))))
        repeats = st.slider("Each drawing, times an epoch", 1, 50, usual, key="repeats")
    with right:
        replay = st.select_slider(
            "Replay: images that it knows, an epoch",
            REPLAYS,
            2_000,
            key="replay",
            format_func=lambda n: "None" if not n else "All" if n == REPLAYS[-1] else f"{n:,}",
            help="From the data set that it was trained on. Without any, see what it forgets.",
        )
        epochs = st.slider("Epochs", 1, 30, 5, key="lesson-epochs")
        rate = st.select_slider(
            "Learning rate (Adam)", RATES, 3e-4, key="lesson-rate", format_func="{:g}".format
        )
    try:
        lesson = Finetuning(start.id, share, int(seed), repeats, replay)
        taught, held = finetuning.split(kept, lesson, finetuning.seen_drawings(start))
        st.caption(
            f"It learns {counted(len(taught), 'drawing')}, and {counted(len(held), 'other')} "
            f"{'tells' if len(held) == 1 else 'tell'} before and after."
        )
        recipe = dataclasses.replace(
            start.recipe,
            finetune=lesson,
            epochs=epochs,
            learning_rate=rate,
            optimizer="adam",
            schedule="constant",
            patience=0,
        )
    except ValueError as error:
        st.info(str(error), icon=":material/info:")
        return
    if st.button("Teach it", type="primary", icon=":material/school:"):
        try:
            job = finetuning.create(start, recipe, kept, f"{start.name}, taught")
        except (ValueError, OSError) as error:
            st.error(str(error), icon=":material/error:")
            return
        engine().submit(job)
        choose_run(job)
        st.switch_page("pages/train.py", query_params={"run": job.id})


def finetuning_summary(job: Run) -> str:
    """What a run learns, and from where it started."""
    lesson, material = job.recipe.finetune, finetuning.load_data(job)
    if not lesson:
        raise ValueError(f"Run {job.id} has no lesson.")
    replay = f"among {lesson.replay:,} images that it knows" if lesson.replay else "without replay"
    return (
        f"Learns {counted(len(material.y_train), 'drawing')}, each {lesson.repeats} times an "
        f"epoch, {replay}; {counted(len(material.y_held_out), 'other')} held out. Base run "
        f"{lesson.base_run}."
    )


def finetuning_result(job: Run) -> None:
    """What a lesson changed: both scores before and after, and the drawings held back."""
    material, answers = finetuning.load_data(job), finetuning.before_after(job)
    _, y_test = test_set(job.recipe.dataset)
    after = job.test_probabilities()
    if len(y_test) != len(after):
        raise ValueError("The test set has changed since this run was tested.")
    st.subheader("Before and after the lesson", anchor=False)
    columns = st.columns(3, gap="medium")
    for column, (name, y, old, new) in zip(
        columns,
        (
            ("Test images", y_test, answers.test_before, after),
            (
                "Drawings held back",
                material.y_held_out,
                answers.held_out_before,
                answers.held_out_after,
            ),
            ("Drawings learned", material.y_train, answers.train_before, answers.train_after),
        ),
        strict=True,
    ):
        with column:
            _before_after(name, old.argmax(axis=1) == y, new.argmax(axis=1) == y)
    left, right = st.columns(2, gap="medium")
    with left:
        _through_epochs(job, material, answers, y_test)
    with right:
        _held_back(material, answers)


def _before_after(name: str, was: np.ndarray, now: np.ndarray) -> None:
    """Accuracy before and after on the same images, (n,) bool each, and what that is worth."""
    change = 100 * (now.mean() - was.mean())
    st.metric(
        f"{name} ({len(now):,})", f"{was.mean():.2%} → {now.mean():.2%}", f"{change:+.2f} points"
    )
    gained, lost = int((now & ~was).sum()), int((was & ~now).sum())
    verdict = mcnemar(now, was).in_words("After", "Before")
    st.caption(f"{gained:,} learned, {lost:,} forgotten. {verdict}")


def _through_epochs(
    job: Run,
    material: finetuning.FinetuningData,
    answers: finetuning.BeforeAfter,
    y_test: np.ndarray,
) -> None:
    """Both accuracies after every epoch; 0 is before the lesson."""
    tested = job.evaluated_epochs()
    test = [answers.test_before, *(job.test_probabilities(epoch) for epoch in tested)]
    curves = {"test images": ([0, *tested], test, y_test)}
    kept = [0, *job.saved_epochs()]
    held = probabilities_at_epochs(job, kept, material.x_held_out)
    curves["drawings held back"] = (kept, list(held), material.y_held_out)
    traces = [
        {
            "name": name,
            "x": x,
            "y": [(p.argmax(axis=1) == y).mean() for p in all_p],
            "mode": "lines+markers",
            "hovertemplate": "%{y:.2%}",
        }
        for name, (x, all_p, y) in curves.items()
    ]
    layout = {
        "title": {"text": "Accuracy through the lesson", "font": {"size": 14}, "x": 0, "y": 0.98},
        "xaxis": {"title": {"text": "Epoch; 0 is before"}, "dtick": -(-len(kept) // 10)},
        "yaxis": {"tickformat": ".0%", "nticks": 6},
        "hovermode": "x",
        "margin": {"t": 56},
    }
    alt = "Accuracy on test images and on drawings held back, before and after each epoch."
    plot(traces, layout, key="finetune", height=320, alt=alt)


def _held_back(material: finetuning.FinetuningData, answers: finetuning.BeforeAfter) -> None:
    """The drawings held back: those that changed first, then those still misread."""
    y = material.y_held_out
    was, now = answers.held_out_before.argmax(axis=1), answers.held_out_after.argmax(axis=1)
    order = np.lexsort([y, now == y, was == now])[:100]
    st.caption("The drawings held back, as read before → after")
    gallery(
        material.x_held_out[order],
        [f"{was[i]} → {now[i]} {'✓' if now[i] == y[i] else '✗'}" for i in order],
        key="held-back",
        names=[f"A drawn {y[i]}, read as {was[i]} before and {now[i]} after" for i in order],
        size=40,
    )
