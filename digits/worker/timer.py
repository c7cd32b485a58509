"""Where the time of a run goes: seconds on the wall and of the processor, by what they went to."""

import time
from collections import defaultdict


class Timer:
    """One thing at a time: ``turn_to`` ends what was before. Processor time is the process's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.cpu_seconds: dict[str, float] = defaultdict(float)
        self.what, self.since = "start", self._now()

    def turn_to(self, what: str) -> None:
        (wall, cpu), (wall_before, cpu_before) = self._now(), self.since
        self.seconds[self.what] += wall - wall_before
        self.cpu_seconds[self.what] += cpu - cpu_before
        self.what, self.since = what, (wall, cpu)

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()
