"""The Embedding map view: test digits in two dimensions, to select with a lasso."""

from typing import Any, Literal

import numpy as np
import streamlit as st

from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.shared.background_job import offer_job
from widgets.shared.format import counted
from widgets.shared.link import choice
from widgets.shared.plot import plot
from widgets.shared.session import engine

Method = Literal["pca", "tsne"]

METHODS: dict[str, str] = {"pca": "PCA", "tsne": "t-SNE"}
SIDE = 1000  # width and height of the map; as integers, coordinates are half the text
WHOLE = (0, 100)  # percent of the map
CELLS = 16  # along each side of the map, to place the labels in; two of them hold a label
LASSO = "mistakes-lasso"  # session key: the map's revision, and the selected indices


def view(run: Run, predictions: Predictions) -> Selection | None:
    """The map; returns the digits in the lasso or the region, or all mistakes without either."""
    with st.container(horizontal=True):
        method: Method = choice(  # type: ignore[assignment]
            "Projection", METHODS, key="map", on_change=_clear_lasso, label_visibility="collapsed"
        )
        tool = st.segmented_control(
            "Select with",
            ["lasso", "box"],
            default="lasso",
            required=True,
            key="mistakes-tool",
            format_func=str.capitalize,
            label_visibility="collapsed",
        )
    points = _coordinates(run, method)
    if points is None:
        return None
    if len(points) != len(predictions.y):
        raise ValueError(
            f"map_{method}.npy of run {run.id} is of another test set; delete the file."
        )
    revision = f"{run.id}-{method}"
    _chart(points, predictions, tool, revision)
    region = _region(points)
    st.caption(
        "Nearby points look similar to the final model; rings mark mistakes after the chosen "
        "epoch. Draw around digits to select them, click one to see its details, double-click to "
        "clear the selection."
    )
    drawn_on, lasso = st.session_state.get(LASSO, ("", []))
    if lasso and drawn_on == revision:
        indices, where = np.array(lasso), "in the lasso"
    elif not region.all():
        indices, where = np.flatnonzero(region), "in the region"
    else:
        indices = np.flatnonzero(~predictions.correct)
        title = f"{counted(len(indices), 'mistake')} on the whole map"
        return Selection(predictions, indices, title)
    wrong = int((~predictions.correct[indices]).sum())
    title = f"{counted(len(indices), 'digit')} {where}, {wrong:,} misclassified"
    return Selection(predictions, indices, title)


def _coordinates(run: Run, method: Method) -> np.ndarray | None:
    """Positions of the test images, (n, 2) int from 0 to 1,000; ``None`` while t-SNE is missing.

    A missing PCA is computed at once. Raises ``ValueError`` where that fails.
    """
    points = run.embedding_map(method)
    if points is None and method == "tsne":
        offer_job(
            run,
            "tsne",
            "Compute the t-SNE map",
            "t-SNE places digits with similar embeddings side by side. It takes a minute or two in "
            "the background.",
        )
        return None
    if points is None:
        try:
            with st.spinner("Computing the embeddings of all digits; this takes some seconds …"):
                points = engine().pca_map(run)
        except OSError as error:
            raise ValueError(f"There is no map: {error}") from error
    low, high = points.min(axis=0), points.max(axis=0)
    return np.rint((points - low) / np.maximum(high - low, 1e-9) * SIDE).astype(int)


def _chart(points: np.ndarray, predictions: Predictions, tool: str, revision: str) -> None:
    """A trace for each digit in its color, and one of rings around the mistakes.

    A lasso stays on screen, and in force, while the map keeps its ``revision``.
    """
    wrong = ~predictions.correct
    ring = {"size": 9, "symbol": "circle-open", "color": "var(--st-text-color)"}
    traces: list[dict[str, Any]] = [
        *[
            _trace(str(digit), points[predictions.y == digit], {"size": 4, "opacity": 0.6})
            for digit in range(10)
        ],
        _trace("mistakes", points[wrong], {**ring, "line": {"width": 1.5}}),
    ]
    labels = [
        {
            "x": x,
            "y": y,
            "text": f"<b>{digit}</b>",
            "showarrow": False,
            "font": {"size": 16},
            "bgcolor": "var(--st-background-color)",
            "bordercolor": f"color({digit})",
            "borderwidth": 3,
            "borderpad": 2,
        }
        for digit, (x, y) in label_positions(points, predictions.y).items()
    ]
    axis = {"visible": False, "range": [-0.03 * SIDE, 1.03 * SIDE]}
    layout = {
        "xaxis": axis,
        "yaxis": axis,
        "dragmode": tool,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "annotations": labels,
        "uirevision": revision,
    }

    def index_of(trace: int, point: int) -> int:
        shown = predictions.y == trace if trace < 10 else wrong
        return int(np.flatnonzero(shown)[point])

    def open_digit(point: dict[str, Any]) -> None:
        st.session_state["digit"] = index_of(point["trace"], point["point"])

    def select(pairs: list[tuple[int, int]]) -> None:
        st.session_state[LASSO] = revision, sorted({index_of(*pair) for pair in pairs})
        close_digit()

    plot(
        traces,
        layout,
        key="mistakes-map",
        height="max(15rem, calc(var(--card) - 10.5rem))",
        alt=f"Map of {len(points):,} test digits in the color of their label, with rings around "
        f"{wrong.sum():,} mistakes.",
        on_click=open_digit,
        on_select=select,
    )


def label_positions(points: np.ndarray, y: np.ndarray) -> dict[int, tuple[float, float]]:
    """Where to name each digit: among many of its kind and few others, apart from other names.

    ``points`` is (n, 2) from 0 to 1,000, ``y`` (n,) the digits. No two names are in neighboring
    cells; a digit whose cells are taken is named in the nearest free cell.
    """
    cell = np.minimum(points * CELLS // SIDE, CELLS - 1).astype(int)
    counts = np.zeros((10, CELLS, CELLS))
    np.add.at(counts, (y, *cell.T), 1)
    score = counts**2 / np.maximum(counts.sum(axis=0), 1)
    columns, rows = np.indices((CELLS, CELLS))
    left = set(np.unique(y).tolist())
    for digit in left:
        column, row = np.median(cell[y == digit], axis=0)
        score[digit] -= 1e-6 * np.hypot(columns - column, rows - row)
    positions = {}
    while left:
        digit = max(left, key=lambda digit: score[digit].max())
        column, row = np.unravel_index(score[digit].argmax(), (CELLS, CELLS))
        score[:, (abs(columns - column) < 2) & (abs(rows - row) < 2)] = -np.inf
        positions[digit] = ((column + 0.5) * SIDE / CELLS, (row + 0.5) * SIDE / CELLS)
        left.remove(digit)
    return positions


def _trace(name: str, points: np.ndarray, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "hoverinfo": "skip",
        "x": points[:, 0],
        "y": points[:, 1],
        "marker": marker,
    }


def _region(points: np.ndarray) -> np.ndarray:
    """Which digits lie in the region of two range sliders, (n,) bool: a lasso for the keyboard."""
    with st.expander("Select without a mouse", icon=":material/keyboard:"):
        ranges = [
            st.slider(label, *WHOLE, WHOLE, format="%d%%", key=key, on_change=_clear_lasso)
            for label, key in (
                ("Horizontal range", "mistakes-horizontal"),
                ("Vertical range", "mistakes-vertical"),
            )
        ]
    low, high = np.array(ranges).T * SIDE / 100
    return ((points >= low) & (points <= high)).all(axis=1)


def _clear_lasso() -> None:
    st.session_state.pop(LASSO, None)
    close_digit()
