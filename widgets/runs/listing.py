"""The table of runs: found, sorted, page by page; followed while one of them trains."""

from functools import lru_cache
from typing import Any

import streamlit as st

from digits.evaluation.metrics import wilson_interval
from digits.recipes.differences import closest_preset, differences, in_words
from digits.recipes.presets import PRESETS, for_available_data
from digits.store import runs
from digits.store.forks import origin
from digits.store.run_folder import Result, Run
from digits.store.runs import Summary
from digits.store.status import DONE, RESUMABLE, UNFINISHED, Status
from digits.store.thinning import thinned
from widgets.runs.selection import set_ticked, tick_all, ticked_ids
from widgets.shared.format import duration, training_time
from widgets.shared.plot import run_color
from widgets.shared.table import Cell, Column, Row, table

PER_PAGE = 20
NEWEST = "-created"
ROOM = "max(18rem, calc(100vh - 16rem))"  # what the window leaves below the toolbar
CHANGED = "runs-changed"  # in the session: what the whole page shows, by a click in its table
OPENED = "runs-opened"
COLUMNS = (
    Column("#", "number", pin=("2rem", "3.4rem", "3.4rem")),
    Column("Name", "name", pin=("6.4rem", "6rem", "13rem")),
    Column("State", "state"),
    Column("Validation", "val_accuracy", right=True, help="Accuracy on the validation images"),
    Column("Test", "test_accuracy", wide=True, help="Accuracy on the test images, 95% interval"),
    Column("Loss", "val_loss", right=True, wide=True, help="On the validation images, in nats"),
    Column("Parameters", "parameters", right=True, wide=True),
    Column("Epochs", "epochs", right=True, wide=True),
    Column("Time", "seconds", right=True, wide=True, help="Of training"),
    Column("Changed settings", wide=True, help="Beside those of its preset"),
    Column("Created", "created", wide=True, help="UTC"),
)
HIGH_FIRST = ("number", "val_accuracy", "test_accuracy", "created")
TONES = {
    "running": "blue",
    "failed": "red",
    "interrupted": "orange",
    "queued": "gray",
    "paused": "gray",
    "cancelled": "gray",
}


def find() -> list[Run]:
    """The runs that match what the visitor types, in the order of the link."""
    text = st.text_input(
        "Find",
        key="find",
        type="search",
        placeholder="Find, such as: adam failed",
        icon=":material/search:",
        on_change=_first_page,
        bind="query-params",
        width=200,
        label_visibility="collapsed",
    )
    matches = runs.search(text or "")
    if text and not matches:
        st.caption("No matching runs.", width="content")
    else:
        count, total = len(matches), len(runs.all())
        shown = f"{count:,} of {total:,} runs" if text else f"{total:,} run{'s' * (total != 1)}"
        st.caption(shown, width="content")
    return ordered(matches, order())


def order() -> str:
    """What the list is sorted by: a column's ``order``, after "-" from high to low."""
    asked = st.query_params.get("order", NEWEST)
    return asked if asked.removeprefix("-") in {column.order for column in COLUMNS} else NEWEST


def ordered(matches: list[Run], order: str) -> list[Run]:
    """The runs, newest first, sorted by a column; those without a value come last either way."""
    if order == NEWEST:
        return matches
    pairs = [(_value(runs.summary(run), order.removeprefix("-")), run) for run in matches]
    known = [pair for pair in pairs if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=order.startswith("-"))
    return [run for _, run in known] + [run for value, run in pairs if value is None]


def _value(summary: Summary, column: str) -> Any:
    if column == "created":
        return summary.run.id
    if column == "number":
        return summary.number or None
    if column in ("name", "state"):
        return str(getattr(summary, column)).lower()
    return summary.result[column] if summary.result else None  # type: ignore[literal-required]


def listing(matches: list[Run]) -> list[Run]:
    """A page of the table, and the way to the others below it; gives the runs of that page."""
    place = st.container()
    pages = max(1, -(-len(matches) // PER_PAGE))
    if st.session_state.get("page", 1) > pages:
        _first_page()
    page = 1
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            page = st.pagination(pages, key="page", bind="query-params")
            tick_all(matches)
    listed = matches[PER_PAGE * (page - 1) : PER_PAGE * page]
    active = [run for run in listed if runs.summary(run).state in UNFINISHED]
    with place:
        st.fragment(_table, run_every=1 if active else None)(listed, active)
    return listed


def _table(listed: list[Run], active: list[Run]) -> None:
    if st.session_state.pop(CHANGED, False):
        st.rerun()
    if any(runs.summary(run).state not in UNFINISHED for run in active):
        st.rerun()  # it has ended, and other actions are open to it
    table(
        COLUMNS,
        [row(runs.summary(run)) for run in listed],
        key="runs-table",
        label="Runs",
        height=ROOM,
        order=order(),
        ticked=ticked_ids(),
        on_tick=_tick,
        on_order=_sort,
        on_open=_open,
    )


def row(summary: Summary) -> Row:
    """A run in the table; read once while its folder does not change."""
    settled = summary.settled and summary.state in DONE
    return _settled_row(summary) if settled else _row(summary)


@lru_cache(maxsize=2_000)
def _settled_row(summary: Summary) -> Row:
    return _row(summary)


def _row(summary: Summary) -> Row:
    """Read from the files rather than the summary, which does not say what is damaged in them."""
    run = summary.run
    number = Cell(str(summary.number or "–"), color=run_color(run))
    try:
        run.result()
        status, recipe = run.status, run.recipe
        name = Cell(run.name, title=f"{run.name}: {recipe}", opens=True)
        cells = [number, name, _state(status), *_figures(run, summary, status)]
        cells += [Cell(_changed(run)), Cell(f"{run.created:%d %b %Y %H:%M}")]
        note = " ".join(filter(None, (_note(status), origin(run), thinned(run))))
    except ValueError as error:
        note = f"{error} The other files are untouched."
        cells = [number, Cell(summary.name), Cell("Damaged", tone="red")]
        cells += [Cell()] * (len(COLUMNS) - len(cells))
    return Row(run.id, summary.label, cells, note)


def _note(status: Status) -> str:
    """Why it did not end well, and what stays with the run."""
    told = status.state in RESUMABLE and not status.message.startswith(
        ("Interrupted", "Paused", "Cancelled")
    )
    return " ".join(filter(None, [status.message if told else "", status.note]))


def _state(status: Status) -> Cell:
    epoch, more, title = status.epoch, "", ""
    if status.state == "running":
        more = f"epoch {min(epoch + 1, status.epochs)}/{status.epochs}"
    elif status.state in RESUMABLE and epoch:
        more, title = f"{epoch}/{status.epochs}", f"after epoch {epoch} of {status.epochs}"
    progress = status.step / max(1, status.steps) if status.state in UNFINISHED else None
    tone = TONES.get(status.state, "")
    return Cell(status.state.capitalize(), more, title=title, tone=tone, progress=progress)


def _figures(run: Run, summary: Summary, status: Status) -> list[Cell]:
    """From validation accuracy to time: those of the last epoch until there is a result."""
    if result := summary.result:
        return [
            Cell(f"{result['val_accuracy']:.2%}"),
            test_cell(result),
            Cell(f"{result['val_loss']:.4f}"),
            Cell(f"{result['parameters']:,}"),
            Cell(f"{result['epochs']}"),
            Cell(training_time(result)),
        ]
    if not status.epoch:
        return [Cell()] * 6
    metrics = run.epoch_metrics()
    if not len(metrics["epoch"]):
        return [Cell()] * 6
    return [
        Cell(f"{metrics['val_accuracy'][-1]:.2%}"),
        Cell(),
        Cell(f"{metrics['val_loss'][-1]:.4f}"),
        Cell(),
        Cell(f"{status.epoch}"),
        Cell(duration(float(metrics["seconds"].sum()))),
    ]


def test_cell(result: Result) -> Cell:
    """The test accuracy with its 95 % interval."""
    total = result["test_images"]
    return accuracy_cell(round(result["test_accuracy"] * total), total)


def accuracy_cell(correct: int, total: int, title: str = "") -> Cell:
    """An accuracy with its 95 % interval; ``title`` is shown under the mouse."""
    low, high = wilson_interval(correct, total)
    return Cell(f"{correct / total:.2%}", more=f"{100 * low:.2f} – {high:.2%}", title=title)


def _changed(run: Run) -> str:
    """What distinguishes its recipe from its preset's, or from that of the closest preset."""
    preset = run.preset if run.preset in PRESETS else closest_preset(run.recipe)
    changed = differences(run.recipe, for_available_data(preset))
    words = [in_words(name, new) for name, (new, _) in changed.items()]
    return " · ".join(words + ["fine-tuned on drawings"] * bool(run.recipe.finetune))


def _tick(ids: list[str]) -> None:
    set_ticked(ids)
    st.session_state[CHANGED] = True


def _sort(column: str) -> None:
    """By this column, or the other way around when it is that already."""
    up, down = column, f"-{column}"
    first, second = (down, up) if column in HIGH_FIRST else (up, down)
    st.query_params["order"] = second if order() == first else first
    _first_page()
    st.session_state[CHANGED] = True


def _open(id: str) -> None:
    st.session_state[OPENED] = id
    st.session_state[CHANGED] = True


def _first_page() -> None:
    """Another list begins at its first page."""
    st.session_state["page"] = 1
