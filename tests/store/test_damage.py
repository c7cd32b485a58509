"""One damaged run: every reader says so in a sentence that names the file, and no other run cares.

Each test damages one file of a complete run in one way and asks for all that pages ask for.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from digits.recipes.recipe import AUGMENTATIONS, Recipe
from digits.store import curves, finetuning, learning_rate, runs
from digits.store.run_folder import Run
from digits.store.status import Owner, Status
from tests.damage import ANY, CURVE, INSTEAD, RESULT, VALUES, complete_run, damage, json_with

READERS: dict[str, Callable[[Run], object]] = {
    "name": lambda run: run.name,
    "preset": lambda run: run.preset,
    "created": lambda run: run.created,
    "recipe": lambda run: run.recipe,
    "status": lambda run: run.status,
    "step_metrics": Run.step_metrics,
    "epoch_metrics": Run.epoch_metrics,
    "gaps": Run.gaps,
    "validation_sample": Run.validation_sample,
    "result": Run.result,
    "test_probabilities": Run.test_probabilities,
    "test_probabilities_of_epoch": lambda run: run.test_probabilities(1),
    "val_probabilities": lambda run: run.val_probabilities(1),
    "probabilities_over_epochs": lambda run: run.probabilities_over_epochs(0),
    "final_epoch": Run.final_epoch,
    "saved_epochs": Run.saved_epochs,
    "evaluated_epochs": Run.evaluated_epochs,
    "weights_path": lambda run: run.weights_path(1),
    "embedding_map": lambda run: run.embedding_map("pca"),
    "robustness": Run.robustness,
    "job_progress": lambda run: run.job_progress("tsne"),
    "has_model": lambda run: run.has_model,
    "has_embeddings": lambda run: run.has_embeddings,
    "stop_requested": lambda run: run.stop_requested,
    "pause_epoch": Run.pause_epoch,
    "thinned_epochs": Run.thinned_epochs,
    "learning_rate_changes": learning_rate.changes,
    "learning_rate_requested": learning_rate.requested,
    "file_stamps": lambda run: run.file_stamps("status.json", "weights"),
    "curve": lambda run: curves.curve(run, "loss", seconds=True),
    "load_data": finetuning.load_data,
    "before_after": finetuning.before_after,
    "seen_drawings": finetuning.seen_drawings,
}
FILES = (
    "about.json",
    "before_after.npz",
    "drawings.npz",
    "epochs.csv",
    "learning_rate_changes.json",
    "learning_rate_request.json",
    "map_pca.npy",
    "pause.json",
    "recipe.json",
    "result.json",
    "robustness.json",
    "sample_images.npy",
    "sample_probabilities.npy",
    "status.json",
    "steps.csv",
    "test_probabilities",
    "test_probabilities.npy",
    "test_probabilities/0001.npy",
    "thinned.json",
    "val_probabilities/0001.npy",
    "weights",
)
MAY_BE_MISSING = (
    "epochs.csv",
    "learning_rate_changes.json",
    "learning_rate_request.json",
    "map_pca.npy",
    "pause.json",
    "result.json",
    "robustness.json",
    "sample_probabilities.npy",
    "steps.csv",
    "test_probabilities",
    "test_probabilities/0001.npy",
    "thinned.json",
    "weights",
)


@pytest.fixture
def sound() -> Run:
    """The run beside, that nothing may happen to."""
    return complete_run("Sound", finetunes=False)


@pytest.fixture
def run(sound: Run) -> Run:
    return complete_run()


def complaints(run: Run, readers: Iterable[str] = READERS) -> dict[str, str]:
    """What each reader says is wrong; fails where one says it otherwise than it should."""
    said = {}
    for name in readers:
        try:
            READERS[name](run)
        except ValueError as error:
            said[name] = str(error)
    for name, text in said.items():
        assert len(text) < 400, name
        assert "\n" not in text, name
        assert str(runs.root()) not in text, name
    return said


def assert_others_do_not_care(run: Run, sound: Run) -> None:
    assert set(runs.all()) == {run, sound}
    assert sound in runs.search("sound")
    assert sound in runs.done()
    assert runs.queue() == []
    assert complaints(sound) == {} or set(complaints(sound)) == {"load_data", "before_after"}


@pytest.mark.parametrize(
    ("file", "kind"),
    [(file, kind) for file in FILES for kind in (INSTEAD if file.endswith("json") else ANY)],
)
def test_what_lies_in_the_place_of_a_file_is_told_by_its_name(
    run: Run, sound: Run, file: str, kind: str
) -> None:
    damage(run.folder / file, kind)
    said = complaints(run)
    unnoticed = kind == "missing" and file in MAY_BE_MISSING
    unnoticed |= file in ("steps.csv", "epochs.csv") and kind in ("empty", "zeros")  # told as gaps
    unnoticed |= file in ("weights", "test_probabilities")  # as if no epoch had been kept
    assert bool(said) or unnoticed or bool(run.gaps())
    assert all(file.partition("/")[0].partition(".")[0] in text for text in said.values()), said
    assert_others_do_not_care(run, sound)
    run.delete()
    assert runs.all() == [sound]


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "link out", "empty"])
def test_what_lies_in_the_place_of_a_run_is_a_damaged_run_that_can_be_deleted(
    run: Run, sound: Run, kind: str
) -> None:
    damage(run.folder, kind)
    said = complaints(run)
    assert {"name", "status", "recipe"} <= set(said)
    assert_others_do_not_care(run, sound)
    assert runs.open(run.id) == run
    assert runs.search("damaged") == [run]
    run.delete()
    assert runs.all() == [sound]
    assert Path("/etc/passwd").exists()


def test_a_link_to_a_run_elsewhere_is_no_run(run: Run, sound: Run, tmp_path: Path) -> None:
    elsewhere = run.folder.rename(tmp_path / "elsewhere")
    run.folder.symlink_to(elsewhere)
    assert {"name", "status", "recipe", "result"} <= set(complaints(run))
    assert_others_do_not_care(run, sound)
    run.delete()
    assert (elsewhere / "status.json").exists()


CONTENTS = {
    "status.json": dataclasses.asdict(
        Status("failed", 1, 2, 3, 6, 5.0, 1.0, owner=Owner("host", 1, 1.0))
    ),
    "about.json": {"name": "Name", "preset": ""},
    "result.json": RESULT,
    "recipe.json": json.loads(Recipe(dataset="uci").to_json()),
}
HARMLESS = {  # values that a field may have
    ("status.json", "message"): ('"x"',),
    ("status.json", "since"): ('"x"',),
    ("status.json", "note"): ('"x"',),
    ("status.json", "images_per_second"): ("0.5",),
    ("status.json", "seconds_left"): ("null", "0.5"),
    ("status.json", "owner"): ("null",),
    ("about.json", "name"): ('"x"',),
    ("about.json", "preset"): ('"x"',),
    ("result.json", "run"): ('"x"',),
    ("result.json", "precision"): ('"x"',),
    ("result.json", "images_per_second"): ("null", "0.5"),
    ("result.json", "train_accuracy"): ("null", "0.5"),
    **{
        ("result.json", field): ("0.5",)
        for field in RESULT
        if isinstance(RESULT[field], float) and field not in ("images_per_second", "train_accuracy")
    },
    ("recipe.json", "train_images"): ("null",),
    ("recipe.json", "finetune"): ("null", "[]", "{}"),
    ("recipe.json", "conv"): ("[]", "{}"),
    ("recipe.json", "dense"): ("[]", "{}"),
    ("recipe.json", "teachers"): ("[]", "{}"),
    ("recipe.json", "batch_norm"): ("true",),
    ("recipe.json", "restarts"): ("true",),
    **{
        ("recipe.json", field): ("0.5",)
        for field in ("conv_dropout", "dropout", "learning_rate", "distillation", *AUGMENTATIONS)
    },
}


@pytest.mark.parametrize(
    ("file", "field"), [(file, field) for file, content in CONTENTS.items() for field in content]
)
def test_a_wrong_value_in_a_field_is_damage(run: Run, sound: Run, file: str, field: str) -> None:
    readers = ("name", "preset", "recipe", "status", "result", "gaps", "seen_drawings")
    for value in VALUES:
        (run.folder / file).write_text(json_with(CONTENTS[file], field, value))
        said = complaints(run, readers)
        if value in HARMLESS.get((file, field), ()):
            assert not [text for text in said.values() if file in text], (value, said)
        else:
            assert [text for text in said.values() if file in text], (value, said)
    assert_others_do_not_care(run, sound)


@pytest.mark.parametrize("field", CURVE)
def test_a_wrong_value_in_robustness_curves_is_damage(run: Run, field: str) -> None:
    for value in set(VALUES) - {'"x"' if field == "unit" else ""}:
        curve = json_with(CURVE, field, value)
        (run.folder / "robustness.json").write_text(f'{{"shift": {curve}}}')
        assert set(complaints(run, ["robustness", "result"])) == {"robustness"}, value


@pytest.mark.parametrize(
    ("file", "array"),
    [
        ("test_probabilities.npy", np.full((360, 10), np.nan, np.float32)),
        ("test_probabilities.npy", np.full((360, 10), np.inf, np.float32)),
        ("test_probabilities.npy", np.full((360, 10), -1, np.float32)),
        ("test_probabilities.npy", np.zeros((360, 11), np.float32)),
        ("test_probabilities.npy", np.zeros(3600, np.float32)),
        ("test_probabilities.npy", np.zeros((360, 10), "U3")),
        ("test_probabilities/0002.npy", np.full((7, 10), 0.1, np.float16)),
        ("sample_images.npy", np.zeros((3, 28, 28), np.uint8)),
        ("sample_images.npy", np.zeros((20, 28, 28))),
        ("sample_labels.npy", np.full(20, 200, np.uint8)),
        ("sample_probabilities.npy", np.full((5, 10), 0.1, np.float16)),
        ("map_pca.npy", np.full((360, 2), np.nan, np.float32)),
        ("map_pca.npy", np.zeros((360, 3), np.float32)),
    ],
)
def test_an_array_of_a_wrong_shape_or_value_is_damage(
    run: Run, sound: Run, file: str, array: np.ndarray
) -> None:
    np.save(run.folder / file, array)
    said = complaints(run)
    assert said
    assert all(file.partition("_")[0].partition("/")[0] in text for text in said.values()), said
    assert_others_do_not_care(run, sound)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000, 10), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 10), }",
        "{'descr': 'O', 'fortran_order': False, 'shape': (360, 10), }",
        "{'descr': [], 'fortran_order': 1}",
        "((((((((((((",
        "'''",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (360, 10), 1L: 2}",
    ],
)
@pytest.mark.filterwarnings("ignore:Reading .* file required additional header parsing")
def test_a_hostile_header_of_an_array_is_damage(run: Run, header: str) -> None:
    text = header.encode().ljust(118) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(100)
    (run.folder / "test_probabilities.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"test_probabilities\.npy of run .* is damaged"):
        run.test_probabilities()


@pytest.mark.parametrize("file", ["epochs.csv", "steps.csv"])
@pytest.mark.parametrize(
    "numbers", [(-1, 1), (0, 1), (1, 1), (2, 1), (1.5, 2), ("nan", 1), ("inf", 1), (1, "1e999")]
)
def test_rows_that_are_not_in_order_are_damage(
    run: Run, file: str, numbers: tuple[float, float]
) -> None:
    path = run.folder / file
    header, row = path.read_text().splitlines()[:2]
    rest = row.partition(",")[2]
    path.write_text("\n".join([header, *(f"{number},{rest}" for number in numbers), ""]))
    said = complaints(run)
    assert said
    assert all(file in text for text in said.values()), said


def test_rows_that_are_missing_are_told_and_shift_no_other(run: Run) -> None:
    assert run.gaps() == []
    for file in ("epochs.csv", "steps.csv"):
        header, _, *rows = (run.folder / file).read_text().splitlines(keepends=True)
        (run.folder / file).write_text("".join([header, *rows]))
    epochs, steps = run.gaps()
    assert epochs == f"epochs.csv of run {run.id} has 1 of 2 rows: its curves have a gap."
    assert steps == f"steps.csv of run {run.id} has 5 of 6 rows: its curves have a gap."
    assert run.saved_epochs() == run.evaluated_epochs() == [2]
    assert run.final_epoch() == 2
    (run.folder / "epochs.csv").unlink()
    assert "0 of 2 rows" in run.gaps()[0]


@pytest.fixture
def stranger() -> Iterator[Path]:
    """A place that every user of this machine may enter, and this process as one of them."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o777)
        yield Path(place)


@pytest.mark.parametrize("file", [*FILES, "."])
def test_what_may_not_be_read_is_told_by_its_name(
    stranger: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("DIGITS_RUNS", str(stranger / "runs"))
    sound, run = complete_run("Sound", finetunes=False), complete_run()
    for path in run.folder.rglob("*"):
        path.chmod(0o777)
    for path in (run.folder / file, *(run.folder / file).glob("*")):
        path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65_534)  # root may read everything
        try:
            said, listed = complaints(run), runs.all()
            assert sound in runs.search("sound")
        finally:
            os.seteuid(0)
    else:
        said, listed = complaints(run), runs.all()
    assert set(listed) == {run, sound}
    assert said or file in ("weights", "test_probabilities", "test_probabilities/0001.npy")


def test_a_folder_whose_name_is_no_date_is_a_damaged_run(run: Run, sound: Run) -> None:
    odd = Run(run.folder.rename(run.folder.with_name("20269999-999999-abcdef")))
    assert set(complaints(odd)) == {"created"}
    assert set(runs.all()) == {odd, sound}


@pytest.mark.parametrize("pid", [2**31 - 1, 1, 4_000_000])
def test_an_owner_that_never_was_is_gone(run: Run, pid: int) -> None:
    owner = Owner(Owner.of(os.getpid()).host, pid, 12.5)
    run.write_status(Status("running", owner=owner))
    assert run.status.state == "interrupted"


def test_a_name_is_one_line_of_a_bounded_length(run: Run) -> None:
    for name in ("a\nb\r\n\tc", "x" * 10_000, "\u202eevil\u202c", "\0\x1b[31m", "  ", "é" * 80):
        (run.folder / "about.json").write_text(json.dumps({"name": name, "preset": ""}))
        assert 0 < len(run.name) <= 80
        assert run.name.isprintable()
    (run.folder / "about.json").write_text('{"name": "a\\nb", "preset": ""}')
    assert run.name == "a b"
    assert runs.create(Recipe(), "x" * 10_000).name == "x" * 79 + "…"
