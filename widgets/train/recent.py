"""The latest runs below the curves: which of them the charts show, and a way back to each."""

import json
from typing import Any

import streamlit as st

from digits.recipes.differences import closest_preset
from digits.store import runs
from digits.store.run_folder import Run
from digits.store.status import DONE
from widgets.shared.format import training_time
from widgets.shared.plot import content_time, run_color
from widgets.shared.session import choose_run, tell_rate_changes
from widgets.train import controls

ROWS = 5
DRAWN = 4  # earlier runs on the charts at once

CSS = """
table { width: 100%; border-collapse: collapse; font-size: 0.95rem; color: var(--st-text-color); }
th { font-weight: 400; color: var(--st-gray-text-color, var(--st-text-color)); text-align: left; }
th, td { padding: 0.2rem 0.5rem; border-bottom: 1px solid var(--st-border-color); }
tr:last-child td { border-bottom: 0; }
tr.current td { background: var(--st-secondary-background-color); }
td:first-child { width: 1.5rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.name { width: 60%; overflow-wrap: anywhere; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%;
  margin-right: 0.5em; }
button { font: inherit; color: var(--st-link-color); background: none; border: 0; padding: 0.1rem;
  cursor: pointer; text-align: left; }
button:hover { text-decoration: underline; }
input { accent-color: var(--st-primary-color); width: 1rem; height: 1rem; cursor: pointer; }
@media (max-width: 640px) { .wide { display: none; } }
"""

JS = """
const cell = (row, kind, content = '') => {
  const td = row.appendChild(document.createElement('td'))
  td.className = kind
  td.append(content)
  return td
}
const control = (tag, name, properties) => {
  const element = Object.assign(document.createElement(tag), properties)
  element.setAttribute('aria-label', name)
  return element
}

export default function ({ data, parentElement, setTriggerValue }) {
  const body = parentElement.querySelector('tbody')
  if (body.since > data.since) return
  const focused = parentElement.activeElement?.ariaLabel
  body.since = data.since
  const style = getComputedStyle(body)
  const colors = style.getPropertyValue('--st-chart-categorical-colors').split(',')
  body.replaceChildren()
  for (const run of JSON.parse(data.rows)) {
    const row = body.appendChild(document.createElement('tr'))
    row.classList.toggle('current', run.current)
    const box = control('input', `Show ${run.label} on the charts`, { type: 'checkbox',
      checked: run.shown || run.current, disabled: run.current,
      onchange: () => setTriggerValue('tick', JSON.stringify([run.id, box.checked])) })
    cell(row, '', box)
    const dot = document.createElement('span')
    dot.className = 'dot'
    dot.style.background = colors[run.color % colors.length]
    const open = control('button', `Open ${run.label}`, { textContent: run.label,
      onclick: () => setTriggerValue('open', run.id) })
    const name = cell(row, 'name', dot)
    name.append(run.current ? run.label : open)
    cell(row, 'number', run.stands)
    cell(row, 'number wide', run.test)
    cell(row, 'number wide', run.time)
    cell(row, 'number', control('button', `Load the recipe of ${run.label}`,
      { textContent: 'Load', onclick: () => setTriggerValue('load', run.id) }))
  }
  for (const element of body.querySelectorAll('button, input'))
    if (focused && element.ariaLabel === focused) element.focus()
}
"""

HEADS = '<th></th><th>Run</th><th class="number">Validation</th><th class="number wide">Test</th>'
HTML = f"""<table><thead><tr>{HEADS}<th class="number wide">Time</th><th></th></tr></thead>
<tbody></tbody></table>"""

_mount = st.components.v2.component("digits_recent_runs", html=HTML, css=CSS, js=JS)


def recent_runs(run: Run) -> list[Run]:
    """The run itself, then this visitor's latest, then the latest of all."""
    own = st.session_state.get("own-runs", [])
    done = runs.done()
    others = sorted(done[: 4 * ROWS], key=lambda other: other.id not in own)  # keeps their order
    return [run, *(other for other in others if other != run)][:ROWS]


def earlier_runs(run: Run, listed: list[Run]) -> list[Run]:
    """The listed runs that the charts show behind ``run``: those ticked, by default the latest."""
    ticked: dict[str, bool] = st.session_state.get("train-ticked", {})
    others = [other for other in listed if other != run]
    default = {other.id for other in others[:2]}
    return [other for other in others if ticked.get(other.id, other.id in default)][:DRAWN]


def run_before(run: Run, listed: list[Run]) -> Run | None:
    """The latest listed run that ended before this one began, on the same digits."""
    for other in listed:
        if other.id < run.id and runs.summary(other).state in DONE:
            try:
                if other.recipe.dataset == run.recipe.dataset:
                    return other
            except ValueError:
                continue  # damaged
    return None


def show_recent(run: Run, listed: list[Run], shown: list[Run]) -> None:
    """The table; a tick shows a run on the charts, its name opens it, Load takes its recipe."""
    rows = json.dumps([_row(other, other == run, other in shown) for other in listed])
    key = "train-recent"
    data = {"rows": rows, "since": content_time(key, rows)}
    clicked = _mount(
        data=data,
        key=key,
        on_tick_change=_tick,
        on_open_change=lambda: None,
        on_load_change=lambda: None,
    )
    if id := clicked.get("open") or clicked.get("load"):
        other = next(other for other in listed if other.id == id)
        if clicked.get("open"):
            choose_run(other)
        else:
            tell_rate_changes(other)
            controls.load(other.recipe, other.preset or closest_preset(other.recipe))
        st.rerun()


def _tick() -> None:
    id, ticked = json.loads(st.session_state["train-recent"]["tick"])
    st.session_state["train-ticked"] = {**st.session_state.get("train-ticked", {}), id: ticked}


def _row(run: Run, current: bool, shown: bool) -> dict[str, Any]:
    """What a row tells; of a damaged run only its name."""
    summary = runs.summary(run)
    row = {
        "id": run.id,
        "label": summary.label,
        "color": int(run_color(run)[len("color(") : -1]),
        "current": current,
        "shown": shown,
        "stands": summary.state,
        "test": "",
        "time": "",
    }
    if summary.state == "running":
        status = run.status
        row["stands"] = f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
    elif summary.state in DONE and (result := summary.result):
        row["stands"] = f"{result['val_accuracy']:.2%}"
        row["test"] = f"{result['test_accuracy']:.2%}"
        row["time"] = training_time(result)
    return row
