"""How far a run that trains or waits has come: a bar under a line of words."""

import streamlit as st

from digits.store import runs
from digits.store.expected_time import expected_seconds
from digits.store.run_folder import Run, one_line
from digits.store.status import DONE, UNFINISHED, Status
from widgets.shared.feed import FOLLOW
from widgets.shared.format import LONGEST, duration
from widgets.shared.plot import followed

CSS = """
.progress { display: grid; gap: 0.35rem; min-width: min(20rem, 80vw); color: var(--st-text-color);
  font: 1rem/1.4 var(--st-font); font-variant-numeric: tabular-nums; }
.words { overflow-wrap: anywhere; }
.track { height: 0.5rem; border-radius: 0.25rem; background: var(--st-border-color); }
.bar { height: 100%; border-radius: 0.25rem; background: var(--st-primary-color);
  transition: width 0.3s linear; }
"""

JS = """
FOLLOW
export default function ({ data, parentElement }) {
  const progress = parentElement.querySelector('.progress'), { since } = data
  if (progress.since > since) return
  progress.since = since
  const show = ({ words, share }) => {
    progress.querySelector('.words').textContent = words
    const track = progress.querySelector('.track'), percent = Math.floor(100 * share)
    track.firstChild.style.width = 100 * share + '%'
    track.setAttribute('aria-valuenow', percent)
    track.setAttribute('aria-valuetext', words)
  }
  show(data)
  follow(progress, data.feed, (content) => content?.since > since && show(content[data.part]))
  return () => follow(progress)
}
""".replace("FOLLOW", FOLLOW)

HTML = """<div class="progress"><div class="words"></div>
<div class="track" role="progressbar" aria-label="Progress of the run" aria-valuemin="0"
  aria-valuemax="100"><div class="bar"></div></div></div>"""

_mount = st.components.v2.component("digits_progress", html=HTML, css=CSS, js=JS)


def progress(run: Run, status: Status, feed: str) -> None:
    """Show the line and its bar; ``feed`` is the address of what ``fresh_progress`` gives."""
    fresh = fresh_progress(run, status)
    key = "train-progress"
    _mount(data={**fresh, **followed((feed, "progress"), key, "")}, key=key)


def fresh_progress(run: Run, status: Status) -> dict[str, str | float]:
    """The words, and the share that is done; of a run that has just ended too."""
    name = runs.summary(run).label
    if status.state == "queued":
        return {"words": f"{name} · {_waiting(run)}", "share": 0.0}
    if status.state in DONE and (result := run.result()):
        words = f"test accuracy {result['test_accuracy']:.2%}"
        return {"words": f"{name} · {words}", "share": 1.0}
    if status.state not in UNFINISHED:  # a moment before the page tells more of it
        return {"words": f"{name} · {status.state}", "share": 1.0}
    epoch = f"epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
    speed = f"{status.images_per_second:,.0f} images/s"
    left = "" if status.seconds_left is None else f" · {duration(status.seconds_left)} left"
    words = one_line(status.message, LONGEST) or f"{epoch} · {speed}{left}"
    done = status.step / status.steps if status.steps else 0.0
    return {"words": f"{name} · {words}", "share": min(1.0, done)}


def _waiting(run: Run) -> str:
    """How many runs are ahead in the queue, and how long they take."""
    queue = runs.queue()
    ahead = queue[: queue.index(run)] if run in queue else []
    if not ahead:
        return "queued, next in line: it begins when a worker is free and has loaded TensorFlow."
    seconds = [_seconds_left(other) for other in ahead]
    known = [one for one in seconds if one is not None]
    wait = f", about {duration(sum(known))}" if len(known) == len(seconds) else ""
    return f"queued: {len(ahead)} {'run' if len(ahead) == 1 else 'runs'} ahead{wait}."


def _seconds_left(run: Run) -> float | None:
    try:
        left = run.status.seconds_left
        return expected_seconds(run.recipe) if left is None else left
    except ValueError:
        return None
