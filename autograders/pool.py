"""Where jobs run: on this machine's fork server, a few at a time.

A pool has a `size`, `submit(job) -> Future[Result]` and `close()`, so that a cluster
(`autograders.cluster`) can stand in for a machine.
"""

from __future__ import annotations

import atexit
import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Generic, Protocol, TypeVar

from .forkserver import ForkServer
from .job import Job, Result
from .sandbox import SandboxUnavailable

Key = TypeVar("Key", bound=Hashable)


class ClusterUnavailable(RuntimeError):
    """The scheduler does not answer, or a worker cannot grade as this machine would."""


class Pool(Protocol):
    """Something that runs jobs in the background, `size` of them at once."""

    size: int

    def submit(self, job: Job) -> Future[Result]:
        """Queue a job. An error in the future is the pool's fault, never the submission's."""

    def close(self) -> None:
        """Stop what runs and free the machine."""


class LocalPool:
    """Threads that wait on one fork server.

    Parameters
    ----------
    workers : int
        Jobs run at once.
    sandbox : bool
        Whether jobs run inside the sandbox.

    Raises
    ------
    SandboxUnavailable
        If `sandbox` is asked for and cannot be had here.
    """

    def __init__(self, workers: int, *, sandbox: bool = True) -> None:
        self.size = workers
        self.sandbox = sandbox
        self.server = ForkServer(sandbox=sandbox)
        self.server.start()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="grader")

    def submit(self, job: Job) -> Future[Result]:
        """Queue a job."""
        return self._threads.submit(self.server.run, job)

    def run(self, job: Job) -> Result:
        """Run one job now."""
        return self.server.run(job)

    def close(self) -> None:
        """Drop what waits and end the fork server with everything in it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.server.close()


@cache
def local_pool(workers: int, unsandboxed: bool) -> LocalPool:
    """Return this process's pool, kept warm for the next class (formgrader grades one student a call).

    Raises
    ------
    SandboxUnavailable
        If there is no sandbox and the configuration does not allow to go on without.
    """
    try:
        pool = LocalPool(workers)
    except SandboxUnavailable as cause:
        if not unsandboxed:
            raise
        logging.getLogger(__name__).warning("Grading WITHOUT a sandbox: %s", cause)
        pool = LocalPool(workers, sandbox=False)
    _open.append(pool)
    return pool


@cache
def cluster_pool(address: str, workers: int, unsandboxed: bool) -> Pool:
    """Return this process's connection to a scheduler, kept for the next class as well.

    Raises
    ------
    ClusterUnavailable, SandboxUnavailable
        See :class:`autograders.cluster.ClusterPool`.
    """
    from .cluster import ClusterPool  # dask is asked for only where it is used

    pool = ClusterPool(address, workers, unsandboxed=unsandboxed)
    _open.append(pool)
    return pool


_open: list[Pool] = []


@atexit.register
def drop_pools() -> None:
    """End this process's pools and what they run; the next class starts one anew."""
    local_pool.cache_clear()
    cluster_pool.cache_clear()
    while _open:
        _open.pop().close()


class Ahead(Generic[Key]):
    """Work through `keys` in order while the next few already run.

    Memory stays flat: at most `window` submissions are in flight, however large the class.

    Parameters
    ----------
    keys : iterable
        What will be asked for, in this order; one that is skipped costs nothing but its run.
    start : callable
        Begins the work of one key; an exception it raises comes out of `take`, for that key alone.
    window : int
        How many may be under way.
    """

    def __init__(self, keys: Iterable[Key], start: Callable[[Key], Future], window: int) -> None:
        self._keys: Iterator[Key] = iter(keys)
        self._start = start
        self._window = window
        self._running: deque[tuple[Key, Future]] = deque()

    def take(self, key: Key) -> Future:
        """Return the future of `key`, having begun the ones after it."""
        self._fill()
        while self._running:
            found, future = self._running.popleft()
            if found == key:
                self._fill()
                return future
            future.cancel()
            self._fill()
        return self._begin(key)

    def _fill(self) -> None:
        while len(self._running) < self._window:
            try:
                key = next(self._keys)
            except StopIteration:
                return
            self._running.append((key, self._begin(key)))

    def _begin(self, key: Key) -> Future:
        try:
            return self._start(key)
        except Exception as error:
            failed: Future = Future()
            failed.set_exception(error)
            return failed
