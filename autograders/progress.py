"""Progress of a class through grading."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


class Progress:
    """A bar with rate and time left on a terminal, a line now and then in a log.

    While there is a bar, the terminal is spared what nbgrader says of every submission (unless it was asked
    to debug); warnings appear above the bar, and log files get all.
    """

    def __init__(self, total: int, log: logging.Logger, every: float = 10.0) -> None:
        self._bar = tqdm(total=total, unit="nb", disable=None, dynamic_ncols=True, desc="autograde")
        self._log, self._every, self._total = log, every, total
        self._redirected = ExitStack()
        if not self._bar.disable:
            levels = [handler.level for handler in log.handlers if type(handler) is logging.StreamHandler]
            self._redirected.enter_context(logging_redirect_tqdm([log]))
            if logging.DEBUG not in levels:
                log.handlers[-1].setLevel(logging.WARNING)  # the one that stands in for the terminal's
        self._done, self._start, self._told = 0, time.monotonic(), time.monotonic()

    def step(self) -> None:
        """Count one graded notebook."""
        self._done += 1
        self._bar.update()
        now = time.monotonic()
        if self._bar.disable and now - self._told > self._every:
            self._told = now
            rate = self._done / (now - self._start)
            left = (self._total - self._done) / rate
            self._log.info(
                "%d of %d graded, %.0f a minute, %.0f s left", self._done, self._total, rate * 60, left
            )

    def close(self) -> None:
        """End the bar and say what was done."""
        self._bar.close()
        self._redirected.close()
        seconds = time.monotonic() - self._start
        if self._done:
            self._log.info(
                "%d notebooks graded in %.0f s (%.0f a minute)",
                self._done,
                seconds,
                60 * self._done / seconds,
            )
