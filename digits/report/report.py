"""Composes the report: settings, curves, mistakes, calibration and times of a run, or of several.

Every name, note and message is text of somebody else, and is escaped where it is written.
"""

import platform
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import metadata

import numpy as np

from digits.data import datasets
from digits.evaluation.calibration import reliability
from digits.evaluation.metrics import (
    confusion_matrix,
    misclassified,
    most_confused,
    wilson_interval,
)
from digits.evaluation.seeds import mean_in_words
from digits.recipes.differences import differences
from digits.recipes.hyperparameters import GROUPS
from digits.recipes.keras_script import keras_script
from digits.recipes.recipe import HYPERPARAMETERS, Recipe
from digits.report.pictures import Line, chart, picture, saliency_colors
from digits.report.style import STYLE
from digits.store import cross_validation, curves, forks, learning_rate
from digits.store.run_folder import Result, Run
from digits.store.seeds import all_have_seeds, by_seeds, common_name
from digits.store.verdict import verdict

WORST = 12  # misclassified digits that are shown
PACKAGES = ("tensorflow", "keras", "numpy", "streamlit")
METRICS = {"accuracy": "Accuracy", "loss": "Loss"}
Saliency = Callable[[Run, np.ndarray, int], np.ndarray]  # of an image for a digit: (28, 28)


def report(all_runs: Sequence[Run], saliency: Saliency | None = None) -> str:
    """The HTML of a report of one run, or of several beside one another.

    ``saliency`` explains a mistake; without it the digits stand alone. Raises ``ValueError`` when
    a file of a run is damaged or it has no result, and as ``datasets.load_test`` does.
    """
    title = all_runs[0].name if len(all_runs) == 1 else f"Comparison of {len(all_runs)} runs"
    sections = [_summary(all_runs), _verdict(all_runs), _history(all_runs), _notes(all_runs)]
    sections += [_curves(all_runs), _settings(all_runs)]
    if len(all_runs) == 1:
        sections += [_mistakes(all_runs[0], saliency), _calibration(all_runs[0])]
    sections += [_times(all_runs), _versions()]
    if len(all_runs) == 1:
        [run] = all_runs
        script = escape(keras_script(*forks.stages(run)))
        sections.append(f"<h2>Keras script</h2><pre>{script}</pre>")
    body = "\n".join(filter(None, sections))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _result(run: Run) -> Result:
    if result := run.result():
        return result
    raise ValueError(f"“{run.name}” has no result yet, so there is nothing to report.")


def _label(run: Run) -> str:
    return f"{run.number} {run.name}" if run.number else run.name


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table of text; the first cell of a row is its heading."""
    lines = ["<tr>" + "".join(f"<th>{escape(str(cell))}</th>" for cell in head) + "</tr>"]
    for first, *others in rows:
        cells = "".join(f"<td>{escape(str(cell))}</td>" for cell in others)
        lines.append(f"<tr><th>{escape(str(first))}</th>{cells}</tr>")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _summary(all_runs: Sequence[Run]) -> str:
    rows = []
    for run in all_runs:
        result, images = _result(run), _result(run)["test_images"]
        low, high = wilson_interval(round(result["test_accuracy"] * images), images)
        rows.append(
            (
                _label(run),
                f"{result['test_accuracy']:.2%}",
                f"{low:.2%} – {high:.2%}",
                f"{images:,}",
                f"{result['val_accuracy']:.2%}",
                f"{result['parameters']:,}",
                f"{run.created:%d %b %Y %H:%M} UTC",
            )
        )
    head = ("Run", "Test accuracy", "95% interval", "Test images", "Validation accuracy")
    return _table((*head, "Parameters", "Created"), rows)


def _verdict(all_runs: Sequence[Run]) -> str:
    """Which of two runs or groups is better, and of each group its mean and range."""
    recipes = {run: run.recipe for run in all_runs}
    groups = by_seeds(recipes) if all_have_seeds(recipes) else [(run,) for run in all_runs]
    names = [common_name(group) if len(group) > 1 else _label(group[0]) for group in groups]
    told = ""
    for name, group in zip(names, groups, strict=True):
        if len(group) > 1:
            mean = mean_in_words([_result(run)["test_accuracy"] for run in group])
            sentences = " ".join(filter(None, (cross_validation.in_words(group), mean)))
            told += f"<p><strong>{escape(name)}</strong> {escape(sentences)}</p>"
    if len(groups) == 2:
        try:
            sentence = verdict(groups, names)
        except ValueError as error:
            sentence = str(error)
        told += f"<p><strong>{escape(sentence)}</strong></p>"
    return told


def _history(all_runs: Sequence[Run]) -> str:
    """Of each run, which one it goes on from and how its learning rate was changed, if so."""
    told = []
    for run in all_runs:
        changed = learning_rate.changed_under_way(run, run.status)
        if sentences := " ".join(filter(None, (forks.origin(run), changed))):
            name = f"<strong>{escape(_label(run))}</strong> " if len(all_runs) > 1 else ""
            told.append(f"<p>{name}{escape(sentences)}</p>")
    return "".join(told)


def _notes(all_runs: Sequence[Run]) -> str:
    noted = [run for run in all_runs if run.notes]
    texts = [
        (f"<h3>{escape(_label(run))}</h3>" if len(all_runs) > 1 else "")
        + f'<div class="notes">{escape(run.notes)}</div>'
        for run in noted
    ]
    return "<h2>Notes</h2>" + "".join(texts) if noted else ""


def _curves(all_runs: Sequence[Run]) -> str:
    charts = []
    for metric, title in METRICS.items():
        lines = []
        for run in all_runs:
            parts = {f"val_{metric}": "validation", metric: "training"}
            for part, word in list(parts.items())[: 2 if len(all_runs) == 1 else 1]:
                name = word if len(all_runs) == 1 else _label(run)
                lines.append(Line(name, *curves.curve(run, part)))
        told = title if len(all_runs) == 1 else f"Validation {title.lower()}"
        charts.append(chart(lines, told, "Epochs", percent=metric == "accuracy"))
    return f'<h2>Curves</h2><div class="charts">{"".join(charts)}</div>'


def _settings(all_runs: Sequence[Run]) -> str:
    recipes = [run.recipe for run in all_runs]
    changed = {name for recipe in recipes for name in differences(recipe, recipes[0])}
    names = [name for group in GROUPS for name in HYPERPARAMETERS if _group(name) == group]
    rows = [
        (("≠ " * (name in changed)) + HYPERPARAMETERS[name].label, *_values(name, recipes))
        for name in sorted(names, key=lambda name: name not in changed)
    ]
    table = _table(("Setting", *map(_label, all_runs)), rows)
    return f'<h2>Settings</h2><div class="names">{table}</div>'


def _group(name: str) -> str:
    return HYPERPARAMETERS[name].group


def _values(name: str, recipes: Sequence[Recipe]) -> list[str]:
    described = HYPERPARAMETERS[name]
    values = [getattr(recipe, name) for recipe in recipes]
    if described.parts:
        return [" – ".join(map(str, value)) or "none" for value in values]
    return [("off", "on")[v] if isinstance(v, bool) else described.display(v) for v in values]


def _mistakes(run: Run, saliency: Saliency | None) -> str:
    x, y = datasets.load_test(run.recipe.dataset)
    p = run.test_probabilities()
    if len(p) != len(y):
        raise ValueError(f"“{run.name}” was tested on other images than are on this machine.")
    predicted, wrong = p.argmax(axis=1), misclassified(y, p)
    matrix = confusion_matrix(y, predicted)
    confused = [f"{label} as {other} ({n}×)" for label, other, n in most_confused(matrix)]
    told = ["<h2>Confusion matrix</h2>", _matrix(matrix)]
    told.append(f"<p>Most confused: {', '.join(confused) or 'none'}.</p>")
    told.append(f"<h2>Most confident of {len(wrong):,} mistakes</h2>" if len(wrong) else "")
    figures = []
    for index in wrong[:WORST]:
        label, answer = int(y[index]), int(predicted[index])
        pictures = [picture(x[index], f"Test image {index}, a {label}")]
        if saliency:
            values = saliency(run, x[index], answer)
            alt = f"What speaks for {answer} in test image {index}, and against it"
            pictures.append(picture(saliency_colors(values), alt))
        words = f"{label} as {answer}, {p[index, answer]:.1%}"
        figures.append(f"<figure>{''.join(pictures)}<figcaption>{words}</figcaption></figure>")
    told.append(f'<div class="digits">{"".join(figures)}</div>')
    if saliency and len(wrong):
        told.append("<p><small>Orange pixels speak for the predicted digit, blue ones against it")
        told.append(" (integrated gradients).</small></p>")
    return "".join(told)


def _matrix(matrix: np.ndarray) -> str:
    """Rows are labels, columns predictions; the more images, the darker a cell."""
    head = "<tr><th>true ↓ predicted →</th>" + "".join(f"<th>{d}</th>" for d in range(10)) + "</tr>"
    mistakes = max(1, int((matrix - np.diag(matrix.diagonal())).max()))
    rows = []
    for label, row in enumerate(matrix.tolist()):
        cells = []
        for predicted, n in enumerate(row):
            most, color = (
                (mistakes, "194,30,30") if predicted != label else (sum(row), "22,102,192")
            )
            look = f"background:rgba({color},{0.45 * n / max(1, most):.2f})"
            cells.append(f'<td style="{look}">{n:,}</td>')
        rows.append(f"<tr><th>{label}</th>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table class="matrix">{head}{"".join(rows)}</table></div>'


def _calibration(run: Run) -> str:
    _, y = datasets.load_test(run.recipe.dataset)
    found = reliability(y, run.test_probabilities())
    diagonal = Line("perfect", np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    line = Line("this model", found.confidence, found.accuracy)
    drawn = chart([line, diagonal], "Accuracy over confidence", "Confidence", percent=True)
    sentence = f"The mean gap between confidence and accuracy is {found.error:.2%}."
    return f'<h2>Calibration</h2><p>{sentence}</p><div class="charts">{drawn}</div>'


def _times(all_runs: Sequence[Run]) -> str:
    rows = []
    for run in all_runs:
        result = _result(run)
        speed = result["images_per_second"]
        rows.append(
            (
                _label(run),
                result["epochs"],
                f"{result['seconds']:.1f} s",
                f"{result['cpu_seconds']:.1f} s",
                "–" if speed is None else f"{speed:,.0f}",
                result["precision"],
            )
        )
    head = ("Run", "Epochs", "Training", "Processor time", "Images per second", "Precision")
    return "<h2>Times</h2>" + _table(head, rows)


def _versions() -> str:
    versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    python = f"Python {platform.python_version()}"
    moment = f"{datetime.now(UTC):%d %b %Y %H:%M} UTC"
    return f"<p><small>Written on {moment} with {', '.join([python, *versions])}.</small></p>"
