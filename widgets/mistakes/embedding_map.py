"""The test digits as the network sees them: alike ones near each other, to choose from by lasso."""

from typing import Any, Literal

import numpy as np
import streamlit as st

from digits.evaluation.predictions import Predictions, Selection
from digits.store.runs import Run
from widgets.mistakes.selection import close_digit
from widgets.shared.background_job import offer_job
from widgets.shared.format import counted
from widgets.shared.plot import plot
from widgets.shared.session import engine

METHODS = {"pca": "PCA", "tsne": "t-SNE"}
SIDE = 1000  # the map's width and height; whole numbers are half the text
EVERYWHERE = (0, 100)  # percent of the map


def view(run: Run, tested: Predictions) -> Selection | None:
    """The map; gives the digits in the lasso or the window, or all mistakes without either."""
    with st.container(horizontal=True):
        method: Literal["pca", "tsne"] = st.segmented_control(
            "Map",
            METHODS,
            default="pca",
            required=True,
            key="map",
            format_func=METHODS.__getitem__,
            bind="query-params",
            on_change=_lift,
        )
        drag = st.segmented_control(
            "Select with",
            ["lasso", "box"],
            default="lasso",
            required=True,
            key="drag",
            format_func=str.capitalize,
        )
    places = _places(run, method)
    if places is None:
        return None
    if len(places) != len(tested.y):
        raise ValueError(
            f"The map of run {run.id} is of another test set; delete map_{method}.npy."
        )
    revision = f"{run.id}-{method}"
    _chart(places, tested, drag, revision)
    window = _window(places)
    st.caption(
        "Alike to the final model is near; rings are mistakes after the chosen epoch. Draw around "
        "digits to see just those, click one to see it large, double-click to lift the lasso."
    )
    drawn_on, lasso = st.session_state.get("lasso", ("", []))
    if lasso and drawn_on == revision:
        found, where = np.array(lasso), "inside the lasso"
    elif not window.all():
        found, where = np.flatnonzero(window), "in the window"
    else:
        found = np.flatnonzero(~tested.right)
        return Selection(tested, found, f"{counted(len(found), 'mistake')} everywhere on the map")
    wrong = int((~tested.right[found]).sum())
    return Selection(
        tested, found, f"{counted(len(found), 'digit')} {where}, {wrong:,} of them mistakes"
    )


def _places(run: Run, method: Literal["pca", "tsne"]) -> np.ndarray | None:
    """Where the test images lie, (n, 2) int from 0 to 1,000; the PCA is made when it is missing."""
    places = run.embedding_map(method)
    if places is None and method == "tsne":
        offer_job(
            run,
            "tsne",
            "Make the t-SNE map",
            "t-SNE puts digits that the network finds alike side by side. It takes a minute or "
            "two in the background; look at the rest of the page meanwhile.",
        )
        return None
    if places is None:
        try:
            with st.spinner("The network looks at every digit once, which takes some seconds …"):
                places = engine().pca_map(run)
        except OSError as error:
            raise ValueError(f"There is no map: {error}") from error
    low, high = places.min(axis=0), places.max(axis=0)
    return np.rint((places - low) / np.maximum(high - low, 1e-9) * SIDE).astype(int)


def _chart(places: np.ndarray, tested: Predictions, drag: str, revision: str) -> None:
    """A trace for each digit in its colour, and one that rings the mistakes.

    A lasso stays drawn, and is heeded, as long as the map is of the same ``revision``.
    """
    traces: list[dict[str, Any]] = [
        {
            "type": "scattergl",
            "mode": "markers",
            "name": str(digit),
            "hoverinfo": "skip",
            "x": places[tested.y == digit, 0],
            "y": places[tested.y == digit, 1],
            "marker": {"size": 4, "opacity": 0.6},
        }
        for digit in range(10)
    ]
    wrong = ~tested.right
    traces.append(
        {
            "type": "scattergl",
            "mode": "markers",
            "name": "mistakes",
            "hoverinfo": "skip",
            "x": places[wrong, 0],
            "y": places[wrong, 1],
            "marker": {
                "size": 9,
                "symbol": "circle-open",
                "color": "var(--st-text-color)",
                "line": {"width": 1.5},
            },
        }
    )
    names = [
        {
            "x": x,
            "y": y,
            "text": f"<b>{digit}</b>",
            "showarrow": False,
            "font": {"size": 20},
            "bgcolor": "var(--st-background-color)",
            "opacity": 0.85,
            "borderpad": 2,
        }
        for digit in range(10)
        if (tested.y == digit).any()
        for x, y in [np.median(places[tested.y == digit], axis=0)]
    ]
    axis = {"visible": False, "range": [-0.03 * SIDE, 1.03 * SIDE]}
    layout = {
        "xaxis": axis,
        "yaxis": axis,
        "dragmode": drag,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "annotations": names,
        "uirevision": revision,
    }
    alt = f"Map of {len(places):,} test digits, coloured by label; {wrong.sum():,} mistakes ringed."

    def choose(point: dict[str, Any]) -> None:
        st.session_state["digit"] = _index(tested, point["trace"], point["point"])

    def draw_around(points: list[tuple[int, int]]) -> None:
        st.session_state["lasso"] = revision, sorted({_index(tested, *point) for point in points})
        close_digit()

    plot(
        traces,
        layout,
        key="feature-map",
        height=520,
        alt=alt,
        on_click=choose,
        on_select=draw_around,
    )


def _window(places: np.ndarray) -> np.ndarray:
    """The lasso of those who have no mouse: which digits lie in a part of the map, (n,) bool."""
    with st.expander("Select without a mouse", icon=":material/keyboard:"):
        across = st.slider(
            "From left to right",
            *EVERYWHERE,
            EVERYWHERE,
            format="%d%%",
            key="across",
            on_change=_lift,
        )
        up = st.slider(
            "From bottom to top", *EVERYWHERE, EVERYWHERE, format="%d%%", key="up", on_change=_lift
        )
    low, high = np.array([across, up]).T * SIDE / 100
    return ((places >= low) & (places <= high)).all(axis=1)


def _index(tested: Predictions, trace: int, point: int) -> int:
    """Which test image a point of the chart is."""
    shown = tested.y == trace if trace < 10 else ~tested.right
    return int(np.flatnonzero(shown)[point])


def _lift() -> None:
    st.session_state.pop("lasso", None)
    close_digit()
