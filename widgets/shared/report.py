"""The button that downloads the lab report of runs, which is composed when it is pressed."""

import re
from html import escape

import numpy as np
import streamlit as st

from digits.report.report import report
from digits.store import runs
from digits.store.models import ModelRef
from digits.store.run_folder import Run
from widgets.shared.session import started_engine


def report_button(all_runs: list[Run]) -> None:
    """Download the report of these runs."""

    def saliency(run: Run, image: np.ndarray, digit: int) -> np.ndarray:
        return started_engine().saliency(ModelRef(run), image, [digit])[0]

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
        f"{file_stem(all_runs[0]) if len(all_runs) == 1 else 'comparison'}.html",
        "text/html",
        key="report",
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


def file_stem(run: Run) -> str:
    """The name of the file that a visitor gets, without its ending."""
    summary = runs.summary(run)
    if summary.preset == "adadelta":
        return "mnist"
    return "-".join(re.findall(r"[\w.]+", summary.name.lower())) or run.id
