"""Deleted runs, which stay beside the others for a while, so that a deletion can be undone.

A folder of the trash bears the second of its deletion: ``deleted-1767225600-<id>``. It is in no
list. The next deletion removes what has been there for long, and so does a run that needs its room.
"""

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from digits.store import files
from digits.store.run_folder import Run

SECONDS = 900  # for which a deletion can be undone
ROOM = 10**9  # bytes: where fewer are free, a deletion is for good at once
DELETED = re.compile(r"deleted-(?:(\d+)-)?\S+")


def keeps(run: Run) -> bool:
    """Whether a deletion of the run can be undone: not where the disk is nearly full."""
    return shutil.disk_usage(run.folder.parent).free > ROOM


def discard(run: Run) -> None:
    """Delete a run so that ``restore`` brings it back, where there is room for that.

    Raises ``ValueError`` as ``Run.delete`` does.
    """
    root = run.folder.parent
    empty(root, SECONDS)
    if keeps(run):
        run.delete(to=_place(root, run.id))
    else:
        run.delete()


def restore(root: Path, id: str) -> None:
    """Bring back a deleted run. Raises ``LookupError`` when it is gone for good."""
    places = sorted(root.glob(f"deleted-*-{id}"))
    try:
        places[-1].rename(root / id)
    except (IndexError, OSError) as error:
        raise LookupError(f"Run {id} cannot be brought back: it was removed for good.") from error
    files.writes += 1


def empty(root: Path, older_than: float = 0) -> None:
    """Remove for good what was deleted so many seconds ago; what cannot be removed stays."""
    try:
        names = os.listdir(root)
    except OSError:
        return
    for name in names:
        deleted = DELETED.fullmatch(name)
        if deleted and time.time() - int(deleted[1] or 0) >= older_than:
            with suppress(OSError):
                files.clear(root / name)


def _place(root: Path, id: str) -> Path:
    return root / f"deleted-{int(time.time())}-{id}"
