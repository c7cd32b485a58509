"""Plotly charts that redraw in place, follow the theme and report clicks.

``st.plotly_chart`` builds a new chart for every change of data, which flickers when
a curve grows twice a second, and does not report clicks on the cells of a heat map. This
component keeps its chart and hands new data to ``Plotly.react``.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st

from digits.store import runs
from digits.store.runs import Run
from widgets.shared.feed import FOLLOW
from widgets.shared.static import STATIC

CSS = """
.plot { width: 100%; overflow: hidden; }
.plot.clickable .nsewdrag { cursor: pointer; }
.plot .parcoords .axis :is(.domain, .tick line) { stroke: var(--st-text-color); }
.plot .parcoords .axis-brush .highlight { stroke: var(--st-primary-color); }
"""

JS = """
FOLLOW
let library
const plotly = () => library ??= new Promise((resolve, reject) => {
  const script = document.createElement('script')
  script.src = new URL('app/static/plotly.min.js', document.baseURI)
  script.onload = () => resolve(window.Plotly)
  script.onerror = () => { library = undefined; script.remove(); reject() }
  document.head.append(script)
})

// The look of every chart, from the theme's variables; layout and traces may override it.
function template(theme) {
  const colors = (name) => theme(name).split(',')
  const scale = (name) => colors(name).map((color, i, all) => [i / (all.length - 1), color])
  const font = { family: theme('--st-font'), color: theme('--st-text-color'), size: 13 }
  const axis = { gridcolor: theme('--st-border-color-light'), linecolor: theme('--st-border-color'),
    zeroline: false, automargin: true, fixedrange: true,
    title: { standoff: 8, font: { size: 13 } } }
  return { layout: {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font, colorway: colors('--st-chart-categorical-colors'),
    colorscale: { sequential: scale('--st-chart-sequential-colors'),
      diverging: scale('--st-chart-diverging-colors') },
    xaxis: axis, yaxis: axis, dragmode: false, margin: { l: 8, r: 8, t: 24, b: 8 },
    legend: { orientation: 'h', x: 0, y: 1, yanchor: 'bottom' },
    hoverlabel: { bgcolor: theme('--st-secondary-background-color'),
      bordercolor: theme('--st-border-color'), font },
  }, data: { heatmap: [{ colorscale: scale('--st-chart-sequential-colors') }] } }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const div = parentElement.querySelector('.plot')
  if (div.since > data.since) return
  div.since = data.since
  const style = getComputedStyle(div)
  const theme = (name) => style.getPropertyValue(name).trim()
  // A string like "var(--st-red-color)" anywhere in the figure means that color of the theme, and
  // "color(3)" its fourth color for charts; "color(3,0.2)" lets a fifth of it show.
  const chartColors = theme('--st-chart-categorical-colors').split(',')
  const chartColor = (number, share) => chartColors[number % chartColors.length].trim()
    + (share ? Math.round(255 * share).toString(16).padStart(2, '0') : '')
  const color = (text) => text.startsWith('var(--') ? theme(text.slice(4, -1))
    : text.startsWith('color(') ? chartColor(...text.slice(6, -1).split(',')) : text
  const { traces, layout } = JSON.parse(data.figure, (_, value) =>
    typeof value === 'string' ? color(value) : value)
  const inPixels = typeof data.height === 'number'
  div.style.height = inPixels ? data.height + 'px' : data.height
  div.classList.toggle('clickable', data.clickable)
  div.setAttribute('role', 'img')
  div.clicked = ({ x, y, curveNumber, pointNumber }) =>
    setTriggerValue('click', { x, y, trace: curveNumber, point: pointNumber })
  div.selected = (points) => setTriggerValue('select', JSON.stringify(
    points.map(({ curveNumber, pointNumber }) => [curveNumber, pointNumber])))
  let gone = false
  const draw = async (fresh) => {  // what a feed has of the last traces, the axis and the words
    const Plotly = await plotly()
    if (gone) return
    const first = traces.length - (fresh?.traces.length ?? 0)
    const [low, high] = layout.meta ?? fresh?.range ?? []
    const height = inPixels ? data.height : div.offsetHeight || undefined
    const drawn = { uirevision: 'keep', ...layout, height, autosize: true,
      template: template(theme) }
    if (fresh?.range) drawn.yaxis = { ...layout.yaxis,
      range: [Math.min(low, fresh.range[0]), Math.max(high, fresh.range[1])] }
    div.setAttribute('aria-label', fresh?.alt ?? data.alt)
    Plotly.react(div, traces.map((trace, i) => ({ ...trace, ...fresh?.traces[i - first] })),
      drawn, { displayModeBar: false })
    if (div.resizing) return
    div.on('plotly_click', (event) => div.clicked(event.points[0]))
    div.on('plotly_selected', (event) => div.selected(event?.points ?? []))
    div.on('plotly_deselect', () => div.selected([]))
    // Also fires when a tab that hid the chart is opened.
    div.resizing = new ResizeObserver(() => div.offsetWidth && Plotly.Plots.resize(div))
    div.resizing.observe(div)
  }
  draw().catch(() => {
    div.textContent = 'The chart could not be loaded; reload the page to try again.'
  })
  let latest = data.since
  follow(div, data.feed, (content) => {
    if (!(content?.since > latest)) return
    latest = content.since
    draw(content[data.part])
  })
  return () => {
    gone = true
    follow(div)
    div.resizing?.disconnect()
    delete div.resizing
    window.Plotly?.purge(div)
  }
}
""".replace("FOLLOW", FOLLOW)

_mount = st.components.v2.component(
    "digits_plot",
    html='<div class="plot"></div>',
    css=CSS,
    js=JS,
    isolate_styles=False,  # Plotly puts its own rules in the page's head
)


def plot(
    traces: list[dict[str, Any]],
    layout: dict[str, Any],
    *,
    key: str,
    height: int | str = 320,
    alt: str,
    on_click: Callable[[dict[str, Any]], None] | None = None,
    on_select: Callable[[list[tuple[int, int]]], None] | None = None,
) -> dict[str, Any] | None:
    """Draw a Plotly figure of plain dicts; returns the point just clicked, else None.

    ``traces`` and ``layout`` are Plotly's own, with NumPy arrays where it wants lists, and
    ``"var(--st-…)"`` for a color of the theme, ``"color(n)"`` for one of its chart colors; NaN
    leaves a gap. ``height`` is in pixels. ``alt`` is the alternative text. The point is
    ``{"x": …, "y": …, "trace": number, "point": number in the trace}``, returned for one run of
    the script; ``on_click`` receives it before that run begins. ``on_select``
    receives the pairs of trace and point inside a lasso or box, none when the selection is cleared;
    the layout's ``dragmode`` chooses lasso or box.
    """
    return show(
        figure(traces, layout),
        key=key,
        height=height,
        alt=alt,
        on_click=on_click,
        on_select=on_select,
    )


def run_color(run: Run) -> str:
    """The color that a run keeps everywhere, for use in a figure."""
    return f"color({_color_number(run)})"


def color_dot(run: Run) -> str:
    """A disc in the run's color, as the address of a picture."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    color = st.get_option(f"theme.{theme}.chartCategoricalColors")[_color_number(run)]
    disc = f'<circle cx="6" cy="6" r="5" fill="{color}"/>'
    return "data:image/svg+xml," + quote(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12">{disc}</svg>'
    )


def _color_number(run: Run) -> int:
    """The place of the run's color in the theme, from 0; after the last color comes the first.

    Both themes have the same number of colors, so that a thread without a visitor can ask, too.
    """
    colors = st.get_option("theme.light.chartCategoricalColors")
    return max(0, runs.summary(run).number - 1) % len(colors)


def figure(traces: list[dict[str, Any]], layout: dict[str, Any]) -> str:
    """A figure as JSON for ``show``, to convert once what is drawn often."""
    return json.dumps(_plain({"traces": traces, "layout": layout}), allow_nan=False)


def fresh(
    traces: list[dict[str, Any]], y_range: tuple[float, float] | None, alt: str
) -> dict[str, Any]:
    """What the part of a feed has for a figure that follows it, fit for JSON.

    Each of ``traces`` has what changes of one of the figure's last traces. The axis gets
    ``y_range``, widened to what the figure's layout has as ``meta``.
    """
    part: dict[str, Any] = _plain({"traces": traces, "range": y_range, "alt": alt})
    return part


def show(
    figure: str,
    *,
    key: str,
    height: int | str = 320,
    alt: str,
    feed: tuple[str, str] | None = None,
    on_click: Callable[[dict[str, Any]], None] | None = None,
    on_select: Callable[[list[tuple[int, int]]], None] | None = None,
) -> dict[str, Any] | None:
    """Draw the result of ``figure``, as ``plot`` does.

    ``feed`` is the address of a feed and the part of it that has what is fresh: see ``fresh``.
    """
    _serve_plotly()

    def clicked() -> None:
        point = st.session_state[key].get("click")
        if on_click and point:
            on_click(point)

    def selected() -> None:
        pairs = st.session_state[key].get("select")
        if on_select and pairs is not None:
            on_select([(trace, point) for trace, point in json.loads(pairs)])

    # As text: for anything else, Streamlit imports pandas to look for tables in it.
    data = {
        "figure": figure,
        "height": height,
        "alt": alt,
        "clickable": on_click is not None,
        **followed(feed, key, figure),
    }
    mounted = _mount(data=data, key=key, on_click_change=clicked, on_select_change=selected)
    return mounted.get("click")


def content_time(key: str, content: str) -> int:
    """When the component of that key got this content, in microseconds since 1970.

    A component that is new on the page and changes at once can receive its data out of order;
    with this time it can ignore data older than what it shows.
    """
    state_key, mark = f"{key}-since", hash(content)
    last_mark, since = st.session_state.get(state_key, (None, 0))
    if last_mark != mark:
        since = time.time_ns() // 1000
        st.session_state[state_key] = mark, since
    return since


def followed(feed: tuple[str, str] | None, key: str, content: str) -> dict[str, Any]:
    """Of a component's data: the feed that it follows, if any, and since when this is shown."""
    if feed is None:
        return {"feed": None, "since": content_time(key, content)}
    address, part = feed  # goes on from what was read just now
    return {"feed": address, "part": part, "since": time.time_ns() // 1000}


@cache
def _serve_plotly() -> None:
    """Copy plotly.js from the Python package to Streamlit's folder of static files."""
    package = find_spec("plotly")  # does not import it, which saves 16 MiB
    if package is None or package.origin is None:
        raise ModuleNotFoundError("Plotly is not installed: pip install -r requirements.txt")
    source = Path(package.origin).parent / "package_data" / "plotly.min.js"
    target = STATIC / source.name
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    STATIC.mkdir(exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")  # a second server may be copying too
    shutil.copyfile(source, partial)
    partial.replace(target)


def _plain(value: Any) -> Any:
    """Convert to what JSON can hold: arrays to lists, NaN and infinity to None.

    Numbers keep six digits: no screen shows more, and it halves the text.
    """
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
