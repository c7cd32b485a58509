"""Teach it: the set-up of a lesson, and what it changed."""

import dataclasses

import numpy as np
import streamlit as st

from digits import teaching
from digits.drawings import Drawing
from digits.metrics import mcnemar
from digits.recipe import Lesson
from digits.run import Run
from widgets.gallery import gallery
from widgets.plot import plot
from widgets.session import choose, engine, label, test_set
from widgets.traced import traced
from widgets.words import counted

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
REPLAYS = (0, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
PRACTICE = 500  # drawings, repeated, in an epoch unless the visitor wants otherwise


def teach(runs: list[Run], kept: list[Drawing], reader: Run | None) -> None:
    """The controls of a lesson for one of the runs, at first ``reader``, and its button."""
    first = runs.index(reader) if reader in runs else 0
    start = st.selectbox("Who learns", runs, index=first, format_func=label)
    left, right = st.columns(2, gap="medium")
    with left:
        share = st.slider("Drawings to learn", 0.1, 0.9, 0.5, 0.1, format="percent", key="share",
                          help="The others are held back: they tell what it learned.")  # fmt: skip
        seed = st.number_input("Which ones: seed", 0, 9999, 0, key="half")
        usual = min(50, max(1, round(PRACTICE / (share * len(kept)))))
        repeats = st.slider("Each drawing, times an epoch", 1, 50, usual, key="repeats")
    with right:
        replay = st.select_slider(
            "Replay: images that it knows, an epoch", REPLAYS, 2_000, key="replay",
            format_func=lambda n: "None" if not n else "All" if n == REPLAYS[-1] else f"{n:,}",
            help="From the data set that it was trained on. Without any, see what it forgets.",
        )  # fmt: skip
        epochs = st.slider("Epochs", 1, 30, 5, key="lesson-epochs")
        rate = st.select_slider(
            "Learning rate (Adam)", RATES, 3e-4, key="lesson-rate", format_func="{:g}".format
        )
    try:
        lesson = Lesson(start.id, share, int(seed), repeats, replay)
        taught, held = teaching.divide(kept, lesson, teaching.known(start))
        st.caption(
            f"It learns {counted(len(taught), 'drawing')}, and {counted(len(held), 'other')} "
            f"{'tells' if len(held) == 1 else 'tell'} before and after."
        )
        recipe = dataclasses.replace(
            start.recipe, lesson=lesson, epochs=epochs, learning_rate=rate, optimizer="adam",
            schedule="constant", patience=0,
        )  # fmt: skip
    except ValueError as error:
        st.info(str(error), icon=":material/info:")
        return
    if st.button("Teach it", type="primary", icon=":material/school:"):
        try:
            job = teaching.create(start, recipe, kept, f"{start.name}, taught")
        except (ValueError, OSError) as error:
            st.error(str(error), icon=":material/error:")
            return
        engine().submit(job)
        choose(job)
        st.switch_page("pages/train.py", query_params={"run": job.id})


def lesson_in_words(job: Run) -> str:
    """What a run learns, and from where it started."""
    lesson, material = job.recipe.lesson, teaching.material(job)
    if not lesson:
        raise ValueError(f"Run {job.id} has no lesson.")
    replay = f"among {lesson.replay:,} images that it knows" if lesson.replay else "without replay"
    return (
        f"Learns {counted(len(material.y_taught), 'drawing')}, each {lesson.repeats} times an "
        f"epoch, {replay}; {counted(len(material.y_held), 'other')} held back. It started as run "
        f"{lesson.start_from}."
    )


def learned(job: Run) -> None:
    """What a lesson changed: both scores before and after, and the drawings held back."""
    material, answers = teaching.material(job), teaching.answers(job)
    _, y_test = test_set(job.recipe.dataset)
    after = job.probabilities()
    if len(y_test) != len(after):
        raise ValueError("The test set has changed since this run was tested.")
    st.subheader("Before and after the lesson", anchor=False)
    columns = st.columns(3, gap="medium")
    for column, (name, y, old, new) in zip(
        columns,
        (
            ("Test images", y_test, answers.test_before, after),
            ("Drawings held back", material.y_held, answers.held_before, answers.held_after),
            ("Drawings learned", material.y_taught, answers.taught_before, answers.taught_after),
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
    job: Run, material: teaching.Material, answers: teaching.Answers, y_test: np.ndarray
) -> None:
    """Both accuracies after every epoch; 0 is before the lesson."""
    tested = job.epochs_tested()
    test = [answers.test_before, *(job.test_probabilities(epoch) for epoch in tested)]
    curves = {"test images": ([0, *tested], test, y_test)}
    kept = [0, *job.epochs_kept()]
    held = traced(job, kept, material.x_held)
    curves["drawings held back"] = (kept, list(held), material.y_held)
    traces = [
        {
            "name": name, "x": x, "y": [(p.argmax(axis=1) == y).mean() for p in all_p],
            "mode": "lines+markers", "hovertemplate": "%{y:.2%}",
        }
        for name, (x, all_p, y) in curves.items()
    ]  # fmt: skip
    layout = {
        "title": {"text": "Accuracy through the lesson", "font": {"size": 14}, "x": 0, "y": 0.98},
        "xaxis": {"title": {"text": "Epoch; 0 is before"}, "dtick": -(-len(kept) // 10)},
        "yaxis": {"tickformat": ".0%", "nticks": 6},
        "hovermode": "x",
        "margin": {"t": 56},
    }
    alt = "Accuracy on test images and on drawings held back, before and after each epoch."
    plot(traces, layout, key="lesson", height=320, alt=alt)


def _held_back(material: teaching.Material, answers: teaching.Answers) -> None:
    """The drawings held back: those that changed first, then those still misread."""
    y = material.y_held
    was, now = answers.held_before.argmax(axis=1), answers.held_after.argmax(axis=1)
    order = np.lexsort([y, now == y, was == now])[:100]
    st.caption("The drawings held back, as read before → after")
    gallery(
        material.x_held[order],
        [f"{was[i]} → {now[i]} {'✓' if now[i] == y[i] else '✗'}" for i in order],
        key="held-back",
        names=[f"A drawn {y[i]}, read as {was[i]} before and {now[i]} after" for i in order],
        size=40,
    )
