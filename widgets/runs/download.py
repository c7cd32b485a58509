"""The downloads of ticked runs: report, script and notebook, and the model in each format."""

import streamlit as st

from digits.recipes.keras_script import keras_script
from digits.recipes.notebook import notebook
from digits.store import exports, files, forks, runs
from digits.store.exports import FORMATS, Check, Exports
from digits.store.run_folder import Run
from widgets.shared.background_job import offer_job
from widgets.shared.format import as_text
from widgets.shared.report import file_stem, report_button
from widgets.shared.table import Cell, Column, Row, table

OFFER = (
    "Write the model as SavedModel, LiteRT and ONNX, and test each file on all test images in a "
    "process of its own. It takes about half a minute in the background."
)
DOWNLOADED = "runs-downloaded"  # in the session: ids of the runs whose downloads are open
COLUMNS = (
    Column("Format"),
    Column("Size", right=True),
    Column("One image", right=True, help="Median time of one image on one thread"),
    Column("Accuracy", right=True, help="On the test images"),
    Column("Other answers", right=True, help="Test images with another answer than Keras gives"),
    Column("Largest difference", right=True, wide=True, help="Of any probability, to Keras's"),
)
UNCHECKED = [Cell("–")] * (len(COLUMNS) - 1)


def _close() -> None:
    st.session_state.pop(DOWNLOADED, None)


@st.dialog("Download", icon=":material/download:", width="large", on_dismiss=_close)
def download(ticked: list[Run]) -> None:
    """Of one run everything, of several a report of all and their models.

    It stays open when the page runs again, as it does at the end of an export.
    """
    with st.container(horizontal=True):
        report_button(ticked)
        if len(ticked) == 1:
            try:
                _scripts(ticked[0])
            except ValueError as error:
                st.error(as_text(error), icon=":material/broken_image:")
    for run in ticked:
        if len(ticked) > 1:
            st.markdown(as_text(runs.summary(run).label))
        try:
            _models(run, exports.read(run), alone=len(ticked) == 1)
        except ValueError as error:
            st.error(as_text(error), icon=":material/broken_image:")


def _scripts(run: Run) -> None:
    """What trains the network anew: recipe, script, notebook."""
    stages = forks.stages(run)
    for label, content, ending in (
        ("Keras script", keras_script(*stages), ".py"),
        ("Notebook", notebook(*stages), ".ipynb"),
        ("Recipe", run.recipe.to_json(), ".recipe.json"),
    ):
        st.download_button(
            label, content, file_stem(run) + ending, icon=":material/code:", on_click="ignore"
        )


def _models(run: Run, known: Exports, *, alone: bool) -> None:
    """A button for each file that is there, and what the check of each format found."""
    with st.container(horizontal=True):
        for name, format in FORMATS.items():
            path = exports.path(run, name)
            if files.is_plain(run.folder, format.file):
                st.download_button(
                    format.title,
                    path.read_bytes,
                    file_stem(run)
                    + (f"-{path.stem}" if format.title.startswith("LiteRT") else "")
                    + path.suffix,
                    key=f"runs-{name}-{run.id}",
                    icon=":material/download:",
                    on_click="ignore",
                )
    if not alone:
        return
    if known["checks"] or known["problems"]:
        rows = [_row(name, known) for name in FORMATS]
        table(COLUMNS, rows, key="runs-exports", label="Formats of the model")
        st.caption(
            "Input: (n, 28, 28, 1) float32, 0 for paper and 1 for ink. Output: ten probabilities."
        )
    if exports.missing(run):
        offer_job(run, "export", "Export and test", OFFER)


def _row(name: str, known: Exports) -> Row:
    format, check = FORMATS[name], known["checks"].get(name)
    cells = _figures(check) if check else UNCHECKED
    note = "" if check else known["problems"].get(name, "")
    return Row(name, format.title, [Cell(format.title), *cells], note)


def _figures(check: Check) -> list[Cell]:
    differing, largest = check["differing"], check["largest_difference"]
    return [
        Cell(f"{check['bytes'] / 1000:,.0f} kB"),
        Cell(f"{check['milliseconds']:.2f} ms"),
        Cell(f"{check['accuracy']:.2%}"),
        Cell(f"{differing:,} of {check['images']:,}"),
        Cell(f"{largest:.1g}" if largest < 0.001 else f"{largest:.3f}"),
    ]
