"""The report of runs: complete, self-contained, and all that people wrote is text in it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from digits.recipes.recipe import Recipe
from digits.report.pictures import Line, chart, saliency_colors, ticks
from digits.report.report import report
from digits.store import forks, runs
from digits.store.run_folder import Run
from digits.store.verdict import verdict
from tests.damage import RESULT, complete_run

HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(2)> & </title>'


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_tells_all_of_a_run_in_one_file(run: Run) -> None:
    run.write_notes("Trained in class.\nTwice.")
    page = report([run], lambda run, image, digit: np.ones((28, 28)))
    parsed = Tags(page)
    for words in ("Trained in class.\nTwice.", "90.00%", "86.47% – 92.69%", "Learning rate (peak)"):
        assert words in parsed.text
    for words in ("Confusion matrix", "3 mistakes", "Calibration", "model.fit(", "tensorflow 2."):
        assert words in parsed.text
    pictures = [told for tag, told in parsed.tags if tag == "img"]
    assert len(pictures) == 6  # each mistake, and what spoke for the answer
    assert all(str(told["src"]).startswith("data:image/png;base64,") for told in pictures)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "http" not in page.replace("http-equiv", "")
    assert len(page) < 500_000


def test_names_and_notes_are_text_whatever_they_say(run: Run) -> None:
    run.rename(HOSTILE)
    run.write_notes(HOSTILE)
    other = complete_run("Other", finetunes=False)
    for page in (report([run]), report([run, other])):
        parsed = Tags(page)
        assert not {"script"} & {tag for tag, _ in parsed.tags}
        assert not [told for _, told in parsed.tags if "onerror" in told]
        assert HOSTILE in parsed.text


def test_a_comparison_shows_settings_that_differ_and_a_verdict(run: Run) -> None:
    other = complete_run("Other", finetunes=False)
    page = Tags(report([run, other])).text
    assert "Comparison of 2 runs" in page
    assert "No difference that 360 test images can show" in page
    assert page.count("A run") > 3
    assert "Confusion matrix" not in page


def seeds(name: str, *accuracies: float, rate: float) -> list[Run]:
    """Finished runs on UCI's digits that differ in their seed alone, with these accuracies."""
    recipe = Recipe(dataset="uci", epochs=2, learning_rate=rate)
    made = runs.create_seeds(recipe, name, "", len(accuracies))
    for run, accuracy in zip(made, accuracies, strict=True):
        run.write_result(RESULT | {"run": run.id, "test_accuracy": accuracy})
    return made


def test_groups_of_seeds_have_mean_range_and_verdict() -> None:
    low, high = seeds("<Low>", 0.8, 0.81, 0.85, rate=0.001), seeds("High", 0.9, 0.92, rate=0.01)
    page = Tags(report([low[0], *high, *low[1:]])).text
    assert "<Low> × 3 Test accuracy 82.00%, mean of 3, from 80.00% to 85.00%." in page
    assert "High × 2 Test accuracy 91.00%, mean of 2, from 90.00% to 92.00%." in page
    assert verdict([low, high], ["<Low> × 3", "High × 2"]) in page
    page = Tags(report(low)).text
    assert "<Low> × 3 Test accuracy 82.00%, mean of 3" in page
    assert "No difference" not in page


def test_runs_of_which_one_has_no_other_seeds_are_not_grouped() -> None:
    page = Tags(report([*seeds("Low", 0.8, 0.81, rate=0.001), *seeds("High", 0.9, rate=0.01)])).text
    assert "mean of" not in page


def test_a_fork_and_a_learning_rate_changed_under_way_are_told(run: Run) -> None:
    changed = "Learning rate changed under way: lr 0.002 → 0.001 after epoch 0.7."
    run.rename("<b>")
    fork = forks.fork(run, 1, replace(run.recipe, epochs=1), "Fork")
    fork.write_result(RESULT | {"run": fork.id})
    fork.write_test_probabilities(run.test_probabilities())
    assert "Forked from 1 <b> after epoch 1." in Tags(report([fork])).text
    assert changed in Tags(report([run])).text
    assert "Forked from" not in Tags(report([run])).text
    both = Tags(report([run, fork])).text
    assert f"1 <b> {changed}" in both
    assert "2 Fork Forked from 1 <b> after epoch 1." in both


def test_what_cannot_be_reported_is_a_sentence(run: Run) -> None:
    (run.folder / "result.json").unlink()
    with pytest.raises(ValueError, match="has no result yet"):
        report([run])


def test_a_chart_keeps_within_its_frame_and_says_what_it_shows() -> None:
    x = np.linspace(0, 5, 2_000)
    drawn = chart([Line("a <b>", x, np.sin(x))], "Waves", "Epochs")
    [path] = re.findall(r'd="M([\d. L]+)"', drawn.partition("<figcaption")[0])
    points = np.array([point.split() for point in path.split("L")], float)
    assert len(points) == 400
    assert points.min() >= 0
    assert points.max(axis=0)[0] <= 520
    assert points.max(axis=0)[1] <= 240
    assert "a &lt;b&gt;" in drawn
    assert chart([], "Nothing", "Epochs") == ""
    assert "circle" in chart([Line("one", x[:1], x[:1])], "One point", "Epochs")


@pytest.mark.parametrize("bounds", [(0, 1), (0.9712, 0.9987), (0.1, 230), (-3, 17)])
def test_ticks_are_few_round_and_inside(bounds: tuple[float, float]) -> None:
    found = ticks(*bounds)
    assert 2 <= len(found) <= 6
    assert bounds[0] - 1e-9 <= min(found)
    assert max(found) <= bounds[1] + 1e-9


def test_saliency_is_orange_for_and_blue_against() -> None:
    values = np.zeros((28, 28))
    values[0, :2] = 5, -5
    colors = saliency_colors(values)
    assert colors[0, 0, 0] > colors[0, 0, 2]
    assert colors[0, 1, 2] > colors[0, 1, 0]
    assert (colors[1:] == 255).all()
    assert (saliency_colors(values * 0) == 255).all()
