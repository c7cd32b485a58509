"""The sets of digits: which are here, their splits, what they look like; and how to add MNIST."""

import numpy as np
import streamlit as st
from PIL import Image

from digits.data import datasets, mnist_files
from widgets.shared.plot import plot
from widgets.shared.session import test_set, via_app

via_app()

CREATORS = {
    "mnist": "MNIST: Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0",
    "mnist-small": "MNIST: Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0",
    "uci": "UCI optical recognition of handwritten digits: E. Alpaydin, C. Kaynak 1998, CC BY 4.0",
}
COLUMNS = 12  # samples of each digit


@st.cache_data(max_entries=3, show_spinner="Reading the digits …")
def overview(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, str]:
    """Images of each digit in each split, a sheet of samples, the note."""
    digits = datasets.load(name)  # 47 MB of MNIST, gone when this returns
    splits = {"Training": digits.y_train, "Validation": digits.y_val, "Test": digits.y_test}
    counts = {split: np.bincount(y, minlength=10) for split, y in splits.items()}
    rows = [digits.x_train[digits.y_train == digit][:COLUMNS] for digit in range(10)]
    samples = np.pad(np.stack(rows), ((0, 0), (0, 0), (1, 1), (1, 1)))  # (10, 12, 30, 30)
    return counts, samples.swapaxes(1, 2).reshape(300, 30 * COLUMNS), digits.note


def show_anew() -> None:
    """Start over with the MNIST that has just come."""
    overview.clear()
    test_set.clear()
    st.session_state["dataset"] = "mnist"
    st.toast("MNIST is here.", icon=":material/check_circle:")
    st.rerun()


def add_mnist() -> None:
    """Download MNIST, or take files that the visitor has; says how either went."""
    if st.button(
        "Download MNIST (11 MB)", type="primary", icon=":material/download:", key="download"
    ):
        bar = st.progress(0.0, "Downloading MNIST …")

        def progress(done: int, total: int) -> None:
            bar.progress(min(done / (total or 12e6), 1.0), f"{done / 1e6:.1f} MB")

        try:
            mnist_files.download(progress)
        except (OSError, ValueError) as error:
            bar.empty()
            st.error(str(error), icon=":material/cloud_off:")
        else:
            show_anew()
    with st.expander("Use files that you have", icon=":material/upload_file:", key="files"):
        st.markdown(
            "Put `mnist.npz` or MNIST's four IDX files into a folder, and start the app with the "
            "environment variable `DIGITS_DATA` set to it. Or upload them here; Google Colab's "
            "`mnist_train_small.csv` does as well."
        )
        with st.form("upload", clear_on_submit=True, border=False):
            files = st.file_uploader("Files of digits", accept_multiple_files=True)
            st.form_submit_button("Add", icon=":material/add:")
    for file in files:
        try:
            st.success(mnist_files.add(file.name, file))
            overview.clear()  # CSV files have their say in what mnist-small is
            test_set.clear()
        except (OSError, ValueError) as error:
            st.error(str(error))
    if files and datasets.available("mnist"):
        show_anew()


st.title("Data", anchor=False)
try:
    mnist_files.check()
except (FileNotFoundError, ValueError) as error:
    say = st.info if isinstance(error, FileNotFoundError) else st.error
    problem = str(error).removesuffix(mnist_files.WAY_OUT)  # that is this page
    say(f"{problem}Until MNIST is added, UCI's 1,797 coarser digits stand in for it.")
    add_mnist()

at_hand = [name for name in datasets.NAMES if datasets.available(name)]
name = st.segmented_control(
    "Data set",
    at_hand,
    default=datasets.default(),
    required=True,
    key="dataset",
    bind="query-params",
)
try:
    counts, sheet, note = overview(name)
except (OSError, ValueError) as error:
    st.error(str(error), icon=":material/broken_image:")
    st.stop()
if note:
    st.caption(note)

uses = {
    "Training": "The network learns from these.",
    "Validation": "These decide between settings and when to stop.",
    "Test": "These are only for the final accuracy.",
}
with st.container(horizontal=True):
    for split, per_digit in counts.items():
        st.metric(f"{split} images", f"{per_digit.sum():,}", help=uses[split], border=True)

digits = [str(digit) for digit in range(10)]
st.subheader("Images of each digit", anchor=False)
plot(
    [{"type": "bar", "name": split, "x": digits, "y": counts[split]} for split in counts],
    {
        "barmode": "stack",
        "xaxis": {"type": "category", "title": {"text": "Digit"}},
        "yaxis": {"tickformat": ","},
        "legend": {"traceorder": "normal"},
    },
    key="counts",
    height=280,
    alt="Images of each digit: "
    + ", ".join(f"{sum(counts[split][d] for split in counts):,} of {d}" for d in range(10)),
)

st.subheader("What they look like", anchor=False)
size = 3 * sheet.shape[1], 3 * sheet.shape[0]
st.image(
    Image.fromarray(sheet).resize(size, Image.Resampling.NEAREST),
    width="stretch",
    alt=f"{COLUMNS} training images of each digit, a row for each from 0 to 9",
)
st.caption(f"28×28 pixels each, white ink on black. {CREATORS[name]}.")
