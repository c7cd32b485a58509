"""What a fine-tuning run trains on, and its accuracy before and after."""

import numpy as np
import streamlit as st

from digits.evaluation.metrics import mcnemar
from digits.store import finetuning
from digits.store.finetuning import BeforeAfter, FinetuningData
from digits.store.run_folder import Run
from widgets.shared.drawings import probabilities_at_epochs
from widgets.shared.format import as_text, counted
from widgets.shared.gallery import gallery
from widgets.shared.plot import plot
from widgets.shared.session import test_set


def finetuning_summary(run: Run) -> str:
    """What a fine-tuning run trains on, and its base model, in two sentences."""
    finetune, data = run.recipe.finetune, finetuning.load_data(run)
    if not finetune:
        raise ValueError(f"Run {run.id} is no fine-tuning run.")
    replay = f"with {finetune.replay:,} replayed images" if finetune.replay else "without replay"
    return (
        f"Fine-tuning on {counted(len(data.y_train), 'drawing')}, each {finetune.repeats} times "
        f"per epoch, {replay}; {counted(len(data.y_held_out), 'drawing')} held out. Base model: "
        f"run {as_text(finetune.base_run)}."
    )


def finetuning_result(run: Run) -> None:
    """Accuracy before and after on test images and drawings, and the held-out drawings."""
    data, probabilities = finetuning.load_data(run), finetuning.before_after(run)
    _, y_test = test_set(run.recipe.dataset)
    test_after = run.test_probabilities()
    if len(y_test) != len(test_after):
        raise ValueError("The test set has changed since this run was tested.")
    st.header("Before and after fine-tuning", anchor=False)
    test, held_out, train = st.columns(3, gap="medium")
    with test:
        _before_after("Test images", y_test, probabilities.test_before, test_after)
    with held_out:
        before, after = probabilities.held_out_before, probabilities.held_out_after
        _before_after("Held-out drawings", data.y_held_out, before, after)
    with train:
        before, after = probabilities.train_before, probabilities.train_after
        _before_after("Training drawings", data.y_train, before, after)
    left, right = st.columns(2, gap="medium")
    with left:
        _over_epochs(run, data, probabilities, y_test)
    with right:
        _held_out(data, probabilities)


def _before_after(name: str, y: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
    """Accuracy by probabilities (n, 10) before and after, and what the difference is worth."""
    was, now = before.argmax(axis=1) == y, after.argmax(axis=1) == y
    change = 100 * (now.mean() - was.mean())
    st.metric(
        f"{name} ({len(y):,})", f"{was.mean():.2%} → {now.mean():.2%}", f"{change:+.2f} points"
    )
    learned, forgotten = int((now & ~was).sum()), int((was & ~now).sum())
    verdict = mcnemar(now, was).in_words("After", "Before")
    st.caption(f"{learned:,} learned, {forgotten:,} forgotten. {verdict}")


def _over_epochs(
    run: Run, data: FinetuningData, probabilities: BeforeAfter, y_test: np.ndarray
) -> None:
    """Both accuracies after every epoch; 0 is before the first."""
    evaluated, saved = run.evaluated_epochs(), [0, *run.saved_epochs()]
    p_test = [probabilities.test_before, *(run.test_probabilities(epoch) for epoch in evaluated)]
    p_held_out = probabilities_at_epochs(run, saved, data.x_held_out)
    traces = [
        {
            "name": name,
            "x": epochs,
            "y": [(p.argmax(axis=1) == y).mean() for p in p_epochs],
            "mode": "lines+markers",
            "hovertemplate": "%{y:.2%}",
        }
        for name, epochs, p_epochs, y in (
            ("test images", [0, *evaluated], p_test, y_test),
            ("held-out drawings", saved, p_held_out, data.y_held_out),
        )
    ]
    title = "Accuracy during fine-tuning"
    layout = {
        "title": {"text": title, "font": {"size": 14}, "x": 0, "y": 0.98},
        "xaxis": {"title": {"text": "Epoch; 0 is before"}, "dtick": -(-len(saved) // 10)},
        "yaxis": {"tickformat": ".0%", "nticks": 6},
        "hovermode": "x",
        "margin": {"t": 56},
    }
    alt = "Accuracy on test images and on held-out drawings, before and after each epoch."
    plot(traces, layout, key="train-finetuning", height=320, alt=alt)


def _held_out(data: FinetuningData, probabilities: BeforeAfter) -> None:
    """The held-out drawings: those that changed first, then those still misclassified."""
    y = data.y_held_out
    before = probabilities.held_out_before.argmax(axis=1)
    after = probabilities.held_out_after.argmax(axis=1)
    order = np.lexsort([y, after == y, before == after])[:100]
    st.caption("Held-out drawings: predicted before → after")
    gallery(
        data.x_held_out[order],
        [f"{before[i]} → {after[i]} {'✓' if after[i] == y[i] else '✗'}" for i in order],
        key="train-held-out",
        names=[f"A drawn {y[i]}, predicted as {before[i]} → {after[i]}" for i in order],
        size=40,
    )
