"""The answer that follows the pen: the browser's while it moves, then the worker's."""

import base64
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import streamlit as st

from digits.ink.preprocessing import Preprocessing
from digits.multidigit.recognize import Recognition
from digits.store.model_arrays import ModelArrays, model_arrays
from digits.store.models import ModelRef
from widgets.draw.canvas import CANVAS, CanvasDrawing
from widgets.shared.format import percent
from widgets.shared.plot import content_time
from widgets.shared.static import module

CSS = """
.answer { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 1.4fr);
  gap: 0.75rem 1.5rem; align-items: start; font-variant-numeric: tabular-nums; }
.answer .headline { grid-column: 1 / -1; display: flex; align-items: baseline; gap: 0.75rem;
  min-height: 3.25rem; }
.answer .digit { font-size: 2.75rem; font-weight: 600; line-height: 1.15; }
.answer .share { font-size: 1.15rem; }
.answer .note { color: var(--st-gray-color); margin-left: auto; text-align: right; }
.answer .value { white-space: nowrap; }
.answer .bars { display: grid; grid-template-columns: 1rem 1fr; gap: 0.3rem 0.5rem;
  align-items: center; font-size: 0.875rem; }
.answer .track { display: flex; align-items: center; gap: 0.4rem; height: 1.35rem;
  padding-right: 6rem; }
.answer .bar { flex: none; height: 100%; min-width: 1px; border-radius: 2px;
  background: var(--st-border-color); }
.answer .highest .bar { background: var(--st-primary-color); }
.answer figure { margin: 0; max-width: 15rem; }
.answer img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  border-radius: var(--st-base-radius); background: #000; }
.answer figcaption { margin-top: 0.4rem; font-size: 0.875rem; color: var(--st-gray-color); }
.answer[data-provisional] .highest .bar { opacity: 0.6; }

/* In a low window the tools stand beside a smaller canvas, and the bars are closer together, so
   that the stages of the preprocessing are in it, too. */
@media (min-width: 641px) and (max-height: 850px) {
  .st-key-draw-board { --side: clamp(280px, 100dvh - 408px, 420px);
    flex-direction: row !important; }
  .st-key-draw-board > :first-child { flex: none; width: var(--side); }
  .st-key-draw-board > :nth-child(2) { flex: none; width: 126px; }
  :has(> .st-key-draw-board) { width: fit-content !important; flex: none !important; }
  .answer { row-gap: 0.25rem; }
  .answer .headline { min-height: 2.25rem; }
  .answer .digit { font-size: 1.75rem; }
  .answer .bars { row-gap: 0.1rem; line-height: 1.2; }
  .answer .track { height: 1.1rem; }
  .answer img { max-width: 11rem; }
}
@media (max-width: 640px) {
  .answer { grid-template-columns: minmax(0, 1fr) 8.5rem; gap: 0.5rem 0.75rem; }
  .answer .headline { min-height: 2.25rem; }
  .answer .digit { font-size: 2rem; }
  .answer .bars { gap: 0.1rem 0.4rem; line-height: 1.2; }
  .answer .track { height: 1.1rem; padding-right: 4.5rem; }
}
"""

JS = """
const EMPTY = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='
let recognizer

const percent = (share) => share > 0.999 ? 'over 99.9%' : (100 * share).toFixed(1) + '%'

function build(answer) {
  const bars = answer.querySelector('.bars')
  for (let digit = 0; digit < 10; digit++) {
    bars.insertAdjacentHTML('beforeend', `<span>${digit}</span>
      <span class="track"><span class="bar"></span><span class="value"></span></span>`)
  }
}

// Ten probabilities and the network's image of 28 by 28 bytes; null where there are none.
function show(answer, probabilities, image, provisional) {
  const shares = probabilities ?? Array(10).fill(0), part = (name) => answer.querySelector(name)
  const highest = shares.indexOf(Math.max(...shares))
  answer.toggleAttribute('data-provisional', provisional)
  answer.querySelectorAll('.track').forEach((track, digit) => {
    const share = shares[digit]
    track.classList.toggle('highest', digit === highest && share > 0)
    track.children[0].style.width = 100 * share + '%'
    track.children[1].textContent = share >= 0.001 ? percent(share) : ''
  })
  part('.digit').textContent = probabilities ? highest : ''
  part('.share').textContent = probabilities ? percent(shares[highest]) : ''
  part('.headline').setAttribute('aria-busy', provisional)  // spoken when it stands
  part('.note').textContent = provisional ? 'so far' : answer.data.note
  part('img').src = image ? picture(image) : EMPTY
}

let sheet
function picture(bytes) {
  sheet ??= Object.assign(document.createElement('canvas'), { width: 28, height: 28 })
  const pixels = new ImageData(28, 28)
  bytes.forEach((ink, i) => pixels.data.set([ink, ink, ink, 255], 4 * i))
  sheet.getContext('2d').putImageData(pixels, 0, 0)
  return sheet.toDataURL()
}

// Reads strokes as they are drawn on the canvas, with those before them. Returns a function that
// takes what the server has answered, and says whether that is all there is.
function follow(answer) {
  let stroke, frame
  let finished = []  // strokes that the server has not answered yet

  const add = ({ clientX, clientY }) => {
    const { box, points: [x, y] } = stroke
    const scale = answer.data.height / box.height
    x.push((clientX - box.left) * scale)
    y.push((clientY - box.top) * scale)
  }
  const update = async () => {
    frame = undefined
    const { networks, preprocess, predict } = await recognizer ?? {}
    const network = networks?.get(answer.data.model)
    if (!stroke || !network) return
    const { canvas, box, points } = stroke, { height, options } = answer.data
    const width = Math.round(height * box.width / box.height)
    const ink = { width, height, get data() { return inkOn(canvas, width, height) } }
    const image = preprocess(ink, [...answer.data.strokes, ...finished, points], options)
    if (image) show(answer, [...predict(network, image)], image.data, true)
  }
  const settle = () => show(answer, answer.data.probabilities, answer.data.image, false)
  const forget = () => {
    finished = []
    if (!stroke) settle()
  }
  // What the server does not answer is sent again; while it is busy, this costs nothing.
  const confirm = (canvas, wait) => wait < 30_000 && setTimeout(() => {
    if (!finished.length || !canvas.isConnected || !answer.isConnected) return
    canvas.getRootNode().querySelector('[aria-label^="Update the app"]').click()
    confirm(canvas, 2 * wait)
  }, wait)
  const listeners = {
    pointerdown(event) {
      const canvas = event.composedPath()[0]
      if (stroke || !event.isPrimary || event.button || !canvas.matches?.('.upper-canvas')) return
      if (canvas.getRootNode().querySelector('[aria-label^=Edit][aria-pressed=true]')) return
      const box = canvas.getBoundingClientRect()
      stroke = { id: event.pointerId, canvas, box, points: [[], []] }
      listeners.pointermove(event)
    },
    pointermove(event) {
      if (event.pointerId !== stroke?.id) return
      const events = event.getCoalescedEvents?.() ?? []
      for (const each of events.length ? events : [event]) add(each)
      frame ??= requestAnimationFrame(update)
    },
    pointerup(event) {
      if (event.pointerId !== stroke?.id) return
      const { canvas, box, points: [[x], [y]] } = stroke, height = answer.data.height
      const width = Math.round(height * box.width / box.height)
      finished.push(stroke.points)
      stroke = undefined
      answer.querySelector('.note').textContent = 'recognizing …'
      // A canvas that has just come on the page may not have taken the stroke.
      afterFrames(2, () =>
        inkOn(canvas, width, height)[Math.floor(y) * width + Math.floor(x)] || forget())
      confirm(canvas, 2000)
    },
    click(event) {  // undo, redo and the like
      if (event.isTrusted && event.composedPath()[0].closest?.('.tools')) forget()
    },
  }
  listeners.pointercancel = listeners.pointerup
  for (const [kind, listener] of Object.entries(listeners)) {
    const listen = (event) => answer.isConnected ? listener(event)
      : document.removeEventListener(kind, listen, true)
    document.addEventListener(kind, listen, true)
  }
  return ({ canvas, strokes }, before) => {
    if (canvas !== before?.canvas) finished = []
    finished = finished.filter((drawn) => !strokes.some((answered) => sameStart(answered, drawn)))
    return !stroke && !finished.length
  }
}

function afterFrames(count, act) {
  requestAnimationFrame(() => count > 1 ? afterFrames(count - 1, act) : act())
}

function sameStart([x, y], [otherX, otherY]) {  // the canvas knows the mouse in whole pixels
  return Math.hypot(x[0] - otherX[0], y[0] - otherY[0]) < 2
}

// What is on a canvas of Fabric's and below it, with the stroke that is being drawn, at that size:
// a byte for each pixel.
function inkOn(canvas, width, height) {
  const sheet = new OffscreenCanvas(width, height).getContext('2d')
  sheet.fillRect(0, 0, width, height)
  for (const layer of canvas.closest('.dc-container').querySelectorAll('canvas')) {
    sheet.drawImage(layer, 0, 0, width, height)
  }
  return sheet.getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 0)
}

export default function ({ data: { content, since }, parentElement }) {
  const answer = parentElement.querySelector('.answer'), data = JSON.parse(content)
  if (answer.since > since) return
  answer.since = since
  data.image &&= Uint8Array.from(atob(data.image), (letter) => letter.charCodeAt())
  if (!answer.receive) build(answer)
  answer.receive ??= follow(answer)
  const all = answer.receive(data, answer.data)
  answer.data = data
  answer.querySelector('.bars').setAttribute('aria-label', data.alt)
  if (data.model) recognizer ??= import(new URL(data.module, document.baseURI))
    .catch(() => { recognizer = undefined })  // then the server's answers alone are shown
  if (all || !answer.hasAttribute('data-provisional')) {
    show(answer, data.probabilities, data.image, false)
  }
}
"""
HTML = """
<div class="answer">
  <div class="headline" aria-live="polite"><span class="digit"></span><span class="share"></span>
    <span class="note"></span></div>
  <div class="bars" role="img"></div>
  <figure><img alt="The drawing as the model sees it, enlarged so that its pixels show.">
    <figcaption>What the network sees: 28 × 28</figcaption></figure>
</div>
"""

MODULE = module("recognizer.mjs")

# Apart from the answer, so that the weights are not sent with every stroke.
MODEL_CSS = """
[class*=st-key-draw-model] {
  position: absolute;
}
"""
MODEL_JS = """
export default function ({ data }) {
  import(new URL('MODULE', document.baseURI)).then(({ networks, readNetwork }) => {
    const network = readNetwork(data)
    networks.clear()
    networks.set(network.name, network)
  }, () => {})
}
""".replace("MODULE", MODULE)

_mount = st.components.v2.component(
    "digits_live_answer", html=HTML, css=CSS, js=JS, isolate_styles=False
)
_mount_model = st.components.v2.component(
    "digits_model_arrays", css=MODEL_CSS, js=MODEL_JS, isolate_styles=False
)


def send_model(model: ModelRef) -> None:
    """Send the model to the browser, where it is small enough, so that it can follow the pen."""
    arrays = _arrays(model)
    if isinstance(arrays, ModelArrays):
        _mount_model(data=arrays.content, key="draw-model")


def live_answer(
    model: ModelRef | None,
    drawing: CanvasDrawing,
    options: Preprocessing,
    recognition: Recognition | None,
) -> None:
    """The digit, its ten probabilities as bars, and the image that the network sees.

    They follow the pen until they get the next recognition, if ``model`` has been sent. The
    alternative text of the bars tells by the strokes which drawing they belong to.
    """
    arrays = _arrays(model) if model else ""
    strokes = drawing.strokes
    alt = f"Strokes: {len(strokes)}."
    p = recognition.probabilities if recognition else None
    if p is not None:
        shares = ", ".join(f"{digit}: {percent(share)}" for digit, share in enumerate(p))
        alt += f" Probabilities: {shares}."
    if drawing.on_image:
        options = replace(options, redraw=False)
    content = json.dumps(
        {
            "module": MODULE,
            "model": arrays.name if isinstance(arrays, ModelArrays) else None,
            "note": arrays if isinstance(arrays, str) else "",
            "canvas": st.session_state[CANVAS],
            "height": drawing.ink.shape[0],
            "strokes": [stroke.tolist() for stroke in strokes],
            "options": asdict(options),
            "probabilities": None if p is None else p.tolist(),
            "image": recognition and base64.b64encode(recognition.image.tobytes()).decode(),
            "alt": alt,
        }
    )
    key = "draw-answer"
    _mount(data={"content": content, "since": content_time(key, content)}, key=key)
    if p is not None:
        head_start()


def head_start() -> None:
    """Let the browser show the answer before it gets what comes below.

    It draws in one piece what comes at once, and the explanations take as long as the way to the
    answer.
    """
    time.sleep(0.05)


def _arrays(model: ModelRef) -> ModelArrays | str:
    """What the browser needs to follow the pen, or a sentence on why it cannot."""
    changed = model.path.stat().st_mtime_ns if model.path.exists() else 0
    return _read_arrays(model, model.path, changed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_arrays(_model: ModelRef, path: Path, changed: int) -> ModelArrays | str:
    try:
        return model_arrays(_model)
    except ValueError as error:
        return f"Answers when the pen is lifted. {error}"
