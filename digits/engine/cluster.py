"""The embedded cluster: ``python -m digits.engine.cluster`` runs a scheduler and its workers.

The first line on standard output is the scheduler's address. End of file on standard input
means that the parent is gone, however it died; then everything here shuts down.
"""

import asyncio
import multiprocessing
import os
import sys

import dask
from distributed import Nanny, Scheduler

from digits.store.status import LAST_EXIT

HERE = "127.0.0.1"  # everybody who reaches the scheduler's port can run code
# What dask watches itself with, for its dashboard: together 6 % of a core while nothing is done.
UNWATCHED = {
    "distributed.admin.tick.interval": "500ms",
    "distributed.worker.profile.enabled": False,
}
RESOURCES = {"train": 1}  # so a worker trains one run at a time; predictions ask for none


class TellingNanny(Nanny):
    """Tells each worker how the one before it ended, so that a run can say what it died of."""

    async def _on_worker_exit(self, exitcode: int) -> None:
        self.env[LAST_EXIT] = str(exitcode)
        await super()._on_worker_exit(exitcode)


async def serve(workers: int, address_to: int) -> None:
    dask.config.set(UNWATCHED)  # for the workers, too
    async with Scheduler(host=HERE, port=0, dashboard_address=f"{HERE}:0") as scheduler:
        nannies = [
            TellingNanny(
                scheduler.address,
                host=HERE,
                nthreads=3,  # one trains, one answers the pen, one explains
                memory_limit=0,
                resources=RESOURCES,
                preload=["digits.worker.preload"],
                dashboard_address=f"{HERE}:0",
            )
            for _ in range(workers)
        ]
        _starting = asyncio.gather(*nannies)
        os.write(address_to, f"{scheduler.address}\n".encode())
        parent = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(parent), sys.stdin
        )
        await parent.read()
        for worker in multiprocessing.active_children():
            worker.kill()  # nothing is lost: what it has done is on disk
        os._exit(0)


if __name__ == "__main__":
    answer = os.dup(1)
    os.dup2(2, 1)  # what workers print must not fill a pipe that nobody reads
    asyncio.run(serve(int(os.environ.get("DIGITS_WORKERS", "1")), answer))
