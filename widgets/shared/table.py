"""A table whose rows can be ticked, sorted and opened, and that keeps its place when they change.

``st.dataframe`` imports pandas, 50 MiB for every server; it sorts only the rows that it was sent,
and a screen reader finds no table in its canvas.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from widgets.shared.plot import content_time

CSS = """
.frame { container-type: inline-size; overflow: auto; max-height: var(--height);
  font: 0.875rem/1.35 var(--st-font); color: var(--st-text-color); }
.frame:focus-visible { outline: 2px solid var(--st-primary-color); }
table { width: 100%; border-collapse: separate; border-spacing: 0;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.4rem 0.5rem; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--st-border-color-light); background: var(--st-background-color); }
th { position: sticky; top: 0; z-index: 2; font-weight: 600; }
tbody:hover td, tbody.on td { background: var(--st-secondary-background-color); }
.ticks tbody { cursor: pointer; }
.right { text-align: right; }
.pinned { position: sticky; z-index: 1; }
th.pinned { z-index: 3; }
.wrap { white-space: normal; overflow-wrap: break-word; }
.cut, .cut button { overflow: hidden; text-overflow: ellipsis; }
td.cut button { display: block; max-width: 100%; }
.tick { width: 1rem; }
.noted td { border-bottom: 0; }
.note td { padding-top: 0; white-space: normal; }
.note small { position: sticky; left: 6.9rem; display: block; width: fit-content;
  max-width: calc(100cqw - 8rem); }
input { width: 1rem; height: 1rem; margin: 0; vertical-align: middle; cursor: pointer;
  accent-color: var(--st-primary-color); }
button { padding: 0; border: 0; background: none; font: inherit; color: inherit;
  text-align: inherit; cursor: pointer; }
td button { font-weight: 600; }
td button:hover { text-decoration: underline; }
th button::after { content: "↕"; padding-left: 0.2rem; opacity: 0.6; }
th[aria-sort=ascending] button::after { content: "↑"; opacity: 1; }
th[aria-sort=descending] button::after { content: "↓"; opacity: 1; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--st-primary-color);
  outline-offset: 1px; }
.dot { display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.4rem;
  border-radius: 50%; vertical-align: -0.05rem; }
small { font-size: 0.8rem; color: color-mix(in srgb, var(--st-text-color) 72%, transparent); }
.progress { height: 2px; margin-top: 1px; background: var(--st-border-color); }
.progress i { display: block; height: 100%; background: var(--st-primary-color); }
@media (max-width: 640px) { .frame { max-height: min(var(--height), 26rem) } }
@container (max-width: 480px) {
  .wide { display: none }
  th, td { padding-inline: 0.25rem }
  .note small { left: 2.2rem; max-width: calc(100cqw - 3rem) }
  .pinned { left: auto !important; max-width: 7.2rem !important; min-width: 0 !important }
}
"""

JS = """
const make = (tag, name, text) => Object.assign(document.createElement(tag),
  { className: name ?? '', textContent: text ?? '' })

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const frame = parentElement.querySelector('.frame')
  if (frame.since > data.since) return
  frame.since = data.since
  const { columns, rows, order, ticked, clicks, label, height } = JSON.parse(data.content)
  const theme = getComputedStyle(frame)
  const colors = theme.getPropertyValue('--st-chart-categorical-colors').split(',')
  const color = (text) => colors[text.match(/\\d+/)[0] % colors.length]
  frame.style.setProperty('--height', height)
  frame.setAttribute('aria-label', label)
  const grid = frame.querySelector('table'), head = grid.tHead
  const ticks = ticked !== null
  grid.classList.toggle('ticks', ticks)
  // The browser's own ticks hold until the server has seen the last of them.
  if (ticks && !(frame.clicks > clicks)) { frame.ticked = new Set(ticked); frame.clicks = clicks }

  const dot = (text) => {
    const disc = make('span', 'dot')
    disc.style.background = color(text)
    return disc
  }
  const checkbox = (name) => Object.assign(make('input'), { type: 'checkbox', ariaLabel: name })
  const styled = (cell, column) => {
    if (column.right) cell.classList.add('right')
    if (column.wide) cell.classList.add('wide')
    if (column.wrap) cell.classList.add('wrap')
    if (column.pin) {
      cell.classList.add('pinned', column.wrap ? 'wrap' : 'cut')
      const [left, minWidth, maxWidth] = column.pin
      Object.assign(cell.style, { left, minWidth, maxWidth })
    }
    return cell
  }
  const headers = JSON.stringify([columns, order, ticks, colors])
  if (frame.headers !== headers) {
    const row = make('tr')
    if (ticks) {
      row.append(make('th', 'tick pinned'))
      row.firstChild.style.left = 0
      row.firstChild.append(checkbox('Tick all on this page'))
    }
    columns.forEach((column) => {
      const cell = styled(make('th'), column)
      cell.scope = 'col'
      if (column.color) cell.append(dot(column.color))
      if (column.help) cell.title = column.help
      if (column.order) {
        cell.append(Object.assign(make('button', '', column.label), { value: column.order }))
        if (order.replace('-', '') === column.order)
          cell.ariaSort = order[0] === '-' ? 'descending' : 'ascending'
      } else cell.append(column.label)
      row.append(cell)
    })
    head.replaceChildren(row)
    frame.headers = headers
  }

  const fill = (body, { id, name, note, cells }) => {
    const row = make('tr', note && 'noted')
    body.dataset.id = id
    body.replaceChildren(row)
    if (ticks) {
      const cell = row.appendChild(make('td', 'tick pinned'))
      cell.style.left = 0
      cell.append(checkbox('Compare ' + name))
    }
    cells.forEach((cell, index) => {
      const td = styled(make('td'), columns[index])
      if (cell.color) td.append(dot(cell.color))
      td.append(cell.opens ? make('button', 'open', cell.text) : make('span', '', cell.text))
      if (cell.tone) td.lastChild.style.color = `var(--st-${cell.tone}-text-color)`
      if (cell.more) td.append(' ', make('small', '', cell.more))
      if (cell.title) td.title = cell.title
      if (cell.progress !== null) {
        const bar = td.appendChild(make('div', 'progress')).appendChild(make('i'))
        bar.style.width = 100 * cell.progress + '%'
      }
      row.append(td)
    })
    if (!note) return
    const below = body.appendChild(make('tr', 'note')).appendChild(make('td'))
    below.colSpan = columns.length + ticks
    below.append(make('small', '', note))
  }
  const old = new Map([...grid.tBodies].map((body) => [body.dataset.id, body]))
  rows.forEach((content, index) => {
    const body = old.get(content.id) ?? make('tbody')
    old.delete(content.id)
    const text = JSON.stringify([content, headers])
    if (body.text !== text) fill(body, content)
    body.text = text
    if (grid.tBodies[index] !== body) grid.insertBefore(body, grid.tBodies[index] ?? null)
  })
  old.forEach((body) => body.remove())

  const mark = () => {
    if (!ticks) return
    const all = [...grid.tBodies], on = all.filter((body) => frame.ticked.has(body.dataset.id))
    all.forEach((body) => {
      const is = frame.ticked.has(body.dataset.id)
      body.classList.toggle('on', is)
      body.querySelector('input').checked = is
    })
    const box = head.querySelector('input')
    box.checked = on.length > 0 && on.length === all.length
    box.indeterminate = on.length > 0 && on.length < all.length
  }
  const tick = (ids, on) => {
    ids.forEach((id) => on ? frame.ticked.add(id) : frame.ticked.delete(id))
    frame.clicks += 1
    mark()
    setStateValue('ticked', { ids: [...frame.ticked], clicks: frame.clicks })
  }
  mark()
  frame.onclick = ({ target }) => {
    const id = target.closest('tbody')?.dataset.id
    if (target.matches('th button')) setTriggerValue('order', target.value)
    else if (target.matches('th input')) tick(rows.map((one) => one.id), target.checked)
    else if (target.matches('.open')) setTriggerValue('open', id)
    else if (id && ticks && !getSelection().toString()) tick([id], !frame.ticked.has(id))
  }
}
"""

_mount = st.components.v2.component(
    "digits_table",
    html='<div class="frame" role="region" tabindex="0"><table><thead></thead></table></div>',
    css=CSS,
    js=JS,
)


@dataclass(frozen=True)
class Column:
    """A column: ``order`` is what a click on its head asks for, "" where it sorts nothing.

    A ``wide`` column is left out where there is no room, as on a phone; ``wrap`` breaks its lines.
    ``pin`` is the left edge and the least and largest width, in CSS, of one that stays while others
    scroll below it.
    ``color`` is ``run_color``'s.
    """

    label: str
    order: str = ""
    right: bool = False
    wide: bool = False
    wrap: bool = False
    pin: tuple[str, str, str] | None = None
    color: str = ""
    help: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell's text; ``more`` is smaller beside it, ``title`` on hover.

    ``tone`` is a color of the theme, such as "red"; ``progress`` is from 0 to 1; one that ``opens``
    is a button.
    """

    text: str = ""
    more: str = ""
    title: str = ""
    color: str = ""
    tone: str = ""
    progress: float | None = None
    opens: bool = False


@dataclass(frozen=True)
class Row:
    """A row, the name by which its checkbox is called, a cell for each column, a line below."""

    id: str
    name: str
    cells: Sequence[Cell]
    note: str = ""


def table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    key: str,
    label: str,
    height: str = "999rem",
    order: str = "",
    ticked: Collection[str] | None = None,
    on_tick: Callable[[list[str]], None] | None = None,
    on_order: Callable[[str], None] | None = None,
    on_open: Callable[[str], None] | None = None,
) -> None:
    """Show rows of plain text; ``height`` is CSS, beyond which they scroll below their head.

    ``order`` is the ``Column.order`` by which they are sorted, after "-" from high to low.
    ``ticked`` are ids, of rows elsewhere too; ``None`` leaves the checkboxes out. ``on_tick``
    receives all that are ticked, ``on_order`` a column's ``order``, ``on_open`` a row's id.
    """
    clicks_key = f"{key}-clicks"

    def ticked_now() -> None:
        value = _value(key, "ticked")
        if on_tick and isinstance(value, dict):
            st.session_state[clicks_key] = int(value["clicks"])
            on_tick([str(id) for id in value["ids"]])

    def call(name: str, then: Callable[[str], None] | None) -> Callable[[], None]:
        def called() -> None:
            if then and (value := _value(key, name)) is not None:
                then(str(value))

        return called

    content = json.dumps(  # as text, see plot
        {
            "columns": [asdict(column) for column in columns],
            "rows": [asdict(row) for row in rows],
            "order": order,
            "ticked": None if ticked is None else list(ticked),
            "clicks": st.session_state.get(clicks_key, 0),
            "label": label,
            "height": height,
        }
    )
    _mount(
        data={"content": content, "since": content_time(key, content)},
        key=key,
        on_ticked_change=ticked_now,
        on_order_change=call("order", on_order),
        on_open_change=call("open", on_open),
    )


def _value(key: str, name: str) -> Any:
    return st.session_state[key].get(name)
