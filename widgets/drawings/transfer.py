"""Export and import of drawings as files of pen digits, and the removal of damaged ones."""

import streamlit as st

from digits.ink import collection, pen_digits
from digits.ink.collection import Drawing
from widgets.shared.format import as_text, counted, filled

MAX_IMPORT = 5_000  # drawings of one file
IMPORTED = "drawings-imported"  # key of the session's state: what the last import has added


def delete_damaged(drawings: list[Drawing], problems: list[str]) -> None:
    """Name the problems, above a button that deletes the files that are no drawings."""
    st.error("  \n".join(map(as_text, problems[:5])), icon=":material/broken_image:")
    if st.button(f"Delete damaged files ({len(problems)})", icon=":material/delete:"):
        readable = {drawing.id for drawing in drawings}
        _confirm([id for id in collection.ids() if id not in readable])


@st.dialog("Delete damaged files?", icon=":material/delete:")
def _confirm(ids: list[str]) -> None:
    st.write(f"{counted(len(ids), 'damaged file')} will be deleted; the drawings stay.")
    if st.button(filled("Delete"), type="primary"):
        for id in ids:
            collection.delete(id)
        st.rerun()


def export_drawings(drawings: list[Drawing]) -> None:
    """A button that downloads all drawings as one file."""
    st.download_button(
        f"Export {len(drawings):,} drawing{'s' * (len(drawings) != 1)}",
        collection.export(drawings),
        "drawings.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def import_report() -> None:
    """What the last import has added, told once."""
    if IMPORTED in st.session_state:
        st.success(st.session_state.pop(IMPORTED), icon=":material/check_circle:")


def import_drawings() -> None:
    """A form that adds the drawings of a file, all of them or none."""
    with st.form("drawings-import", clear_on_submit=True, border=False):
        file = st.file_uploader("A file of pen digits, .json or .json.gz", max_upload_size=16)
        submitted = st.form_submit_button("Import", icon=":material/upload:")
    if not submitted or file is None:
        return
    try:
        digits = pen_digits.parse_pen_digits(file.name, file)
        digits = [digit for digit in digits if not digit.suspect]
        if len(digits) > MAX_IMPORT:
            raise ValueError(
                f"{file.name} holds {len(digits):,} digits; import {MAX_IMPORT:,} at most."
            )
        bar, added = st.progress(0.0, "Importing …"), 0
        for done, drawing in enumerate(collection.add_new(digits, collection.all()), 1):
            added += drawing is not None
            if done % 20 == 0:
                bar.progress(done / len(digits), f"{done:,} of {len(digits):,}")
    except (ValueError, OSError) as error:
        st.error(as_text(error), icon=":material/error:")
        return
    duplicates = len(digits) - added
    st.session_state[IMPORTED] = f"{added:,} drawing{'s' * (added != 1)} added" + (
        f"; {duplicates:,} already here." if duplicates else "."
    )
    st.rerun()
