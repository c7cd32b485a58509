"""The button that downloads the lab report of runs, which is composed when it is pressed."""

from html import escape

import numpy as np
import streamlit as st

from digits.report.report import report
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from widgets.shared.session import engine


def report_button(all_runs: list[Run], name: str) -> None:
    """Download the report of these runs as a file of that name."""
    ready = engine()

    def saliency(run: Run, image: np.ndarray, digit: int) -> np.ndarray:
        return ready.saliency(ModelRef(run), image, [digit])[0]

    def compose() -> str:
        try:
            return report(all_runs, saliency)
        except OSError:  # no worker answers, or a data set is not on this machine
            return _without_saliency(all_runs)
        except ValueError as error:
            return _sentence(error)

    st.download_button(
        "Lab report",
        compose,
        f"{name}.html",
        "text/html",
        key="runs-report",
        icon=":material/lab_profile:",
        help="One file for reading and printing, without the network: settings, curves, mistakes, "
        "calibration and notes.",
        on_click="ignore",
    )


def _without_saliency(all_runs: list[Run]) -> str:
    try:
        return report(all_runs)
    except (ValueError, OSError) as error:
        return _sentence(error)


def _sentence(error: Exception) -> str:
    return f"<!doctype html><p>There is no report: {escape(str(error))}</p>"
