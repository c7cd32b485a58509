"""What all who watch a run are told of it while it goes on, and how often they look themselves."""

import json
import secrets
import time
from functools import lru_cache
from typing import Any

import streamlit as st

from digits.store.learning_rate import CHANGES
from digits.store.run_folder import ABOUT, EPOCHS, PAUSE, SAMPLE_PROBABILITIES, STATUS, Run
from digits.store.status import Status
from widgets.shared.feed import feed
from widgets.train.charts import fresh_curves
from widgets.train.progress import fresh_progress
from widgets.train.sample import fresh_sample

INTERVAL = 1.0  # seconds after which a page asks for the feed again
FIRST_STEP_INTERVAL = 0.3  # the same while the run's first step is awaited
LOOK_INTERVAL = 5.0  # seconds after which a page's script looks at the run even if nothing is told
CROWD = 30  # visitors from whom on all look less often, so that their looks a second stay as many
SPREAD = 0.04  # seconds for each visitor of a crowd, over which all look at what is new
SLOWEST = 1.5  # times less often does the largest crowd ask for the feed
GONE = 60.0  # seconds after which a visitor who has not looked no longer counts

_looked: dict[str, float] = {}  # when each visitor of a run that goes on has looked last
_changes: dict[str, tuple[tuple[Any, ...], int]] = {}  # of each run: what ``look`` saw, and when


def run_feed(run: Run) -> str:
    """The address of a file that follows the run: its progress, curves and validation digits."""
    return feed(run.id, lambda: _content(run))


def look(run: Run, status: Status) -> int:
    """When it last changed what only a page's script can show, in microseconds since 1970."""
    shown = (
        status.state,
        status.message,
        status.note,
        status.epoch,
        status.step > 0,
        *run.file_stamps(EPOCHS, CHANGES, PAUSE, ABOUT),
        any(run.file_stamps(SAMPLE_PROBABILITIES)),
    )
    before, since = _changes.get(run.id, ((), 0))
    if shown != before:
        since = time.time_ns() // 1000
        _changes[run.id] = shown, since
    return since


def slower() -> float:
    """How many times less often each looks because many do; counts this visitor."""
    now = time.monotonic()
    _looked[st.session_state.setdefault("visitor", secrets.token_hex(8))] = now
    return _slower()


def _slower() -> float:
    now = time.monotonic()
    for visitor, moment in list(_looked.items()):
        if now - moment > GONE:
            _looked.pop(visitor, None)
    return max(1.0, len(_looked) / CROWD)


def _content(run: Run) -> bytes:
    status = run.status
    awaited = status.step == 0
    content = {
        "seconds": (FIRST_STEP_INTERVAL if awaited else INTERVAL) * min(SLOWEST, _slower()),
        "look": look(run, status),
        "spread": SPREAD * len(_looked) if len(_looked) > CROWD else 0,
        "progress": fresh_progress(run, status),
        **_drawn(run, run.file_stamps(STATUS, EPOCHS, SAMPLE_PROBABILITIES)),
    }
    return json.dumps(content).encode()


@lru_cache(maxsize=64)
def _drawn(run: Run, changed: tuple[int, ...]) -> dict[str, Any]:
    """What is drawn of the run, made anew when ``changed`` changes, and when that was."""
    since, status = time.time_ns() // 1000, run.status
    return {"since": since, **fresh_curves(run, status), "sample": fresh_sample(run)}
