"""The Mistakes page: metrics of a run, filters, views, and what is shown when data is missing."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from digits.data import datasets
from digits.recipes.recipe import Recipe
from digits.store import runs
from digits.store.run_folder import EPOCH_COLUMNS, Run
from digits.store.status import Status
from tests.conftest import PATIENCE
from tests.damage import RESULT
from widgets.shared.session import FORK

APP = str(Path(__file__).parents[2] / "app.py")


def finished_run(wrong: dict[tuple[int, int], int], name: str = "Tested") -> Run:
    """A run on the UCI digits that misclassifies so many of a label as another digit, no more."""
    return finish(runs.create(Recipe(dataset="uci"), name), wrong)


def finish(run: Run, wrong: dict[tuple[int, int], int]) -> Run:
    """Let a run on the UCI digits end so."""
    p = probabilities_with(wrong)
    _, y_test = datasets.load_test("uci")
    run.write_test_probabilities(p)
    accuracy = float((p.argmax(axis=1) == y_test).mean())
    metrics = {"test_accuracy": accuracy, "test_loss": 0.1, "test_images": len(y_test)}
    run.write_result(RESULT | metrics)
    run.write_status(Status("finished", epoch=1, epochs=1))
    return run


def probabilities_with(wrong: dict[tuple[int, int], int]) -> np.ndarray:
    """Probabilities (n, 10) float32 for the UCI test images with these mistakes."""
    _, y_test = datasets.load_test("uci")
    one_hot = np.eye(10, dtype=np.float32)
    p = one_hot[y_test] * 0.9 + np.float32(0.01)
    for (label, predicted), count in wrong.items():
        correct = np.flatnonzero((y_test == label) & (p.argmax(axis=1) == label))
        p[correct[:count]] = one_hot[predicted] * 0.8 + np.float32(0.02)
    return p


def run_with_epochs(epochs: list[dict[tuple[int, int], int]], stopped: bool = False) -> Run:
    """A run that after each epoch misclassifies so many of a label as another digit.

    Its final model is that of the last epoch, or better than all of them where it was stopped.
    """
    run = finished_run({} if stopped else epochs[-1], name="With epochs")
    for epoch, wrong in enumerate(epochs, 1):
        run.write_test_probabilities(probabilities_with(wrong).astype(np.float16), epoch)
        run.write_weights(Path.touch, epoch)
        run.append_epochs([[epoch, *[0.1] * (len(EPOCH_COLUMNS) - 1)]])
    return run


def opened(**query: str) -> AppTest:
    """The page as the link with that query shows it."""
    app = AppTest.from_file(APP, default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/mistakes.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def figures(app: AppTest) -> str:
    """The line of accuracy, mistakes and loss; empty without one."""
    return next((e.value for e in app.markdown if "wrong · loss" in e.value), "")


def wrong(app: AppTest) -> int:
    """The number of misclassified test images in that line."""
    return int(re.search(r"\*\*([\d,]+)\*\* of", figures(app))[1].replace(",", ""))  # type: ignore[index]


def test_without_a_run_the_page_says_what_to_do_first():
    app = opened()
    assert app.info
    assert not figures(app)


def test_the_page_counts_the_mistakes_and_gives_the_interval():
    finished_run({(4, 9): 3, (1, 7): 2})
    total = len(datasets.load_test("uci")[1])
    app = opened()
    assert f"**5** of {total} wrong" in figures(app)
    accuracy, low, high = map(float, re.findall(r"([\d.]+)%", figures(app)))
    assert accuracy == round(100 * (1 - 5 / total), 2)
    assert low < accuracy < high
    assert "**5 mistakes**" in words(app)


def test_the_most_confused_pair_is_a_button_that_filters_and_the_filter_can_be_lifted():
    finished_run({(4, 9): 3, (1, 7): 2})
    app = opened()
    next(button for button in app.button if button.label == "4 → 9 · 3").click().run()
    assert (app.session_state["label"], app.session_state["predicted"]) == (4, 9)
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    app.button(key="mistakes-all").click().run()
    assert "**5 mistakes**" in words(app)
    assert app.button(key="mistakes-all").disabled


def test_the_link_carries_run_filter_and_order():
    chosen = finished_run({(4, 9): 3})
    finished_run({(0, 6): 4}, name="Newer")
    app = opened(run=chosen.id, label="4", predicted="9", sort="Loss")
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    assert app.session_state["sort"] == "loss"


@pytest.mark.parametrize("label", ["4", "ten", "-1"])
def test_a_link_with_nonsense_in_it_still_shows_the_page(label):
    finished_run({(4, 9): 3})
    app = opened(label=label, predicted="x", sort="beauty", page="99", view="tarot")
    assert "**3 mistakes**" in words(app)
    ignored = next(caption.value for caption in app.caption if "Ignored" in caption.value)
    for name in ("predicted=x", "sort=beauty", "page=99", "view=tarot"):
        assert name in ignored
    assert ("label=" in ignored) == (label != "4")


def test_a_cell_of_the_diagonal_shows_the_correct_digits():
    finished_run({(4, 9): 3})
    fours = int((datasets.load_test("uci")[1] == 4).sum())
    app = opened(label="4", predicted="4")
    assert f"**{fours - 3} digits** labeled 4 and predicted as 4" in words(app)


def test_a_filter_that_nothing_matches_says_so_and_can_be_lifted():
    finished_run({(4, 9): 3})
    app = opened(label="0", predicted="1")
    assert "No matching test images" in app.info[0].value
    app.button(key="mistakes-all").click().run()
    assert "**3 mistakes**" in words(app)


def test_a_run_without_mistakes_says_that_all_images_were_classified_correctly():
    finished_run({})
    app = opened()
    assert wrong(app) == 0
    assert "All test images were classified correctly" in app.success[0].value


@pytest.mark.parametrize("content", [None, b"", b"not an array"])
def test_damaged_or_missing_probabilities_are_named_in_one_sentence(content):
    file = finished_run({}).folder / "test_probabilities.npy"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    app = opened()
    assert "test_probabilities.npy" in app.error[0].value
    assert not figures(app)


def test_probabilities_of_another_test_set_are_not_compared_with_this_one():
    run = finished_run({})
    np.save(run.folder / "test_probabilities.npy", np.full((7, 10), 0.1, np.float32))
    app = opened()
    assert "tested on 7 images" in app.error[0].value


def test_a_test_set_that_is_not_at_hand_is_explained(monkeypatch, tmp_path):
    run = finished_run({})
    (run.folder / "recipe.json").write_text(Recipe(dataset="mnist").to_json())
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if datasets.available("mnist"):
        pytest.skip("MNIST is in a place that this test cannot hide")
    app = opened()
    assert app.info
    assert not figures(app)


def test_the_epoch_moves_figures_matrix_and_gallery_together():
    run_with_epochs([{(4, 9): 9, (1, 7): 2}, {(4, 9): 3}, {(1, 7): 1}])
    assert wrong(opened(epoch="1")) == 11
    app = opened(epoch="2", label="4", predicted="9")
    assert wrong(app) == 3
    assert "**3 mistakes** labeled 4 and predicted as 9" in words(app)
    assert any(button.label == "4 → 9 · 3" for button in app.button)
    assert wrong(opened()) == 1


def test_a_fork_takes_the_epoch_and_the_recipe_to_train_and_can_be_given_up():
    run = run_with_epochs([{(3, 5): 9}, {(3, 5): 4}, {(3, 5): 2}])
    app = opened(run=run.id, epoch="2")
    app.button("mistakes-fork").click().run()
    assert not app.exception
    assert app.button("train-fork").label == "Continues run 1, epoch 2"
    app = AppTest.from_file(APP, default_timeout=PATIENCE)  # for a test goes back to its first page
    app.session_state[FORK] = run.id, 2
    app.query_params["recipe"] = "fast;dataset=uci;conv=32x3p,64x3p;dense=64;batch_norm=false"
    app.run()
    assert app.button("train-fork").label == "Continues run 1, epoch 2"
    assert not app.button("train-start").disabled
    app.slider("dense").set_value(0).run()
    assert app.button("train-start").disabled
    assert "A fork keeps the network of its parent" in words(app)
    app.button("train-fork").click().run()
    assert not app.exception
    assert not app.button("train-start").disabled
    assert "train-fork" not in [button.key for button in app.button]


def test_the_lab_report_of_the_run_is_at_hand():
    finished_run({(3, 5): 1})
    [button] = opened().get("download_button")
    assert button.proto.label == "Lab report"


def test_an_epoch_whose_weights_were_removed_is_told_and_cannot_be_forked():
    run = run_with_epochs([{(3, 5): 9}, {(3, 5): 4}, {(3, 5): 2}])
    run.remove_weights([2])
    app = opened(run=run.id, epoch="2")
    assert app.button("mistakes-fork").disabled
    app = opened(run=run.id, epoch="3")
    assert not app.button("mistakes-fork").disabled
    told = "The weights of epoch 2 were removed to save disk space."
    assert told in [caption.help for caption in app.caption]


@pytest.mark.parametrize("epoch", ["0", "4", "-1", "last"])
def test_a_link_with_an_epoch_that_never_was_still_shows_the_page(epoch):
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    app = opened(epoch=epoch)
    assert wrong(app) in {3, 9}
    assert any(f"epoch={epoch}" in caption.value for caption in app.caption)


def test_a_run_stopped_within_an_epoch_has_its_final_model_after_the_last_whole_one():
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}], stopped=True)
    app = opened()
    assert wrong(app) == 0
    slider = app.select_slider(key="epoch")
    assert slider.options == ["1", "2", "final"]
    slider.set_value(2).run()
    assert wrong(app) == 3


def test_a_run_that_was_stopped_in_its_first_epoch_shows_its_final_model():
    run_with_epochs([], stopped=True)
    app = opened()
    assert figures(app)
    assert not app.select_slider


def test_a_run_with_weights_but_no_predictions_per_epoch_offers_to_compute_them():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(run.folder / "test_probabilities")
    app = opened()
    assert any("Evaluate every epoch" in button.label for button in app.button)
    assert wrong(app) == 3


def test_a_run_whose_epoch_files_are_gone_says_so_and_shows_its_final_model():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}])
    shutil.rmtree(run.folder / "test_probabilities")
    shutil.rmtree(run.folder / "weights")
    app = opened()
    assert any("No per-epoch checkpoints" in caption.value for caption in app.caption)
    assert wrong(app) == 3


def test_a_torn_file_of_one_epoch_is_named_and_the_others_still_show():
    run = run_with_epochs([{(4, 9): 9}, {(4, 9): 3}, {(1, 7): 1}])
    (run.folder / "test_probabilities" / "0002.npy").write_bytes(b"torn")
    app = opened(epoch="2")
    assert "0002.npy" in app.error[0].value
    assert wrong(opened(epoch="1")) == 9


def test_forgetting_shows_when_each_digit_was_learned_and_which_were_forgotten():
    run_with_epochs([{(4, 9): 9}, {(4, 9): 3}, {(4, 9): 3, (1, 7): 2}, {(4, 9): 1}])
    assert "**6 digits** learned in epoch 2" in words(opened(view="forgetting", epoch="2"))
    assert "**4 digits** learned in epoch 4" in words(opened(view="forgetting"))
    forgotten = opened(view="forgetting", learning="forgotten")
    assert "**2 digits** correct after one epoch, misclassified after the next" in words(forgotten)
    never = opened(view="Learning", learning="Never learned")  # as links once said it
    assert "**1 digit** misclassified after every epoch" in words(never)
    assert never.query_params["view"] == "forgetting"
    assert never.query_params["learning"] == "never"


def test_forgetting_needs_more_than_one_epoch_and_says_so():
    run_with_epochs([{(4, 9): 9}])
    app = opened(view="forgetting")
    assert "more" in app.info[0].value


def test_the_scores_of_each_class_and_the_figures_of_the_matrix_are_read_by_all():
    """Precision and recall in the chart's alternative text; every cell's figure in contrast."""
    finished_run({(4, 9): 3})
    y_test = datasets.load_test("uci")[1]
    fours, nines = int((y_test == 4).sum()), int((y_test == 9).sum())
    chart = opened(view="per-class").get("bidi_component")
    told = "\n".join(str(element.proto) for element in chart)
    assert f"4 {1 - 3 / fours:.1%} and 100.0%" in told
    assert f"9 100.0% and {nines / (nines + 3):.1%}" in told


def test_two_runs_are_compared_in_one_sentence_and_by_their_digits():
    a = finished_run({(4, 9): 20, (1, 7): 1}, name="A")
    b = finished_run({(4, 9): 3, (0, 6): 1}, name="B")
    app = opened(run=a.id, view="compare", other=b.id)
    assert "**B is better: 18 digits against 1, p < 0.001.**" in words(app)
    assert "**1 digit** that only A classifies correctly" in words(app)
    app = opened(run=a.id, view="compare", other=b.id, side="only-b")
    assert "**18 digits** that only B classifies correctly" in words(app)


def test_with_one_run_alone_there_is_nothing_to_compare_and_the_page_says_what_to_do():
    finished_run({(4, 9): 3})
    assert "second" in opened(view="compare").info[0].value
