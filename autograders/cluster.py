"""Jobs on other machines, through `dask.distributed`.

A pool like the local one: `nbgrader autograde` hands it jobs and stays the one that mends, marks and writes
the gradebook. A worker holds no files of the course, only this package and what notebooks import; each
has its own fork server and its own sandbox. When a worker dies, the scheduler gives its jobs to another.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import ExitStack

from distributed import Client, LocalCluster

from .fingerprint import engine_version
from .job import Job, Result
from .pool import ClusterUnavailable, LocalPool, local_pool

LOCAL = "local"
CONNECT_SECONDS = 30
_starting = threading.Lock()


class ClusterPool:
    """A scheduler's workers.

    Parameters
    ----------
    address : str
        The scheduler's address, such as ``tcp://10.0.0.5:8786``, or ``"local"`` for a cluster on this machine
        that ends with the pool.
    workers : int
        Jobs run at once by a local cluster; for another, the least number to keep under way, which an
        adaptive cluster needs in order to grow. What its workers' threads can take is kept under way anyway.
    unsandboxed : bool
        Whether a worker without a sandbox may grade all the same.

    Raises
    ------
    ClusterUnavailable
        If the scheduler does not answer, or a worker runs another version of the engine.
    SandboxUnavailable
        If a worker has no sandbox and must have one.
    """

    def __init__(self, address: str, workers: int, *, unsandboxed: bool = False) -> None:
        self._open = ExitStack()
        self._terms = (engine_version(), unsandboxed)
        try:
            if address == LOCAL:
                # security=True: TLS with throw-away keys, or any user of this machine could send it work.
                cluster = self._open.enter_context(
                    LocalCluster(
                        n_workers=1,
                        threads_per_worker=workers,
                        memory_limit=None,  # the jobs' own limits hold
                        dashboard_address="127.0.0.1:0",
                        security=True,
                    )
                )
                self.client = self._open.enter_context(Client(cluster))
            else:
                self.client = self._open.enter_context(_connect(address))
            self.client.run(_ready, *self._terms)
            self.size = max(1, workers, sum(self.client.nthreads().values()))
            self._executor = self.client.get_executor(pure=False)
        except BaseException:
            self._open.close()
            raise

    def submit(self, job: Job) -> Future[Result]:
        """Queue a job."""
        return self._executor.submit(_run, job, *self._terms)

    def close(self) -> None:
        """Drop what is queued and leave the cluster; one of our own ends."""
        self._executor.shutdown(wait=False)
        self._open.close()


def _connect(address: str) -> Client:
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(f"No scheduler answers at {address!r}: {error}") from None


# On a worker


async def _ready(version: str, unsandboxed: bool) -> None:
    """Start a worker's fork server before the first job, so that a worker that cannot grade says so."""
    await asyncio.to_thread(_pool, version, unsandboxed)


def _run(job: Job, version: str, unsandboxed: bool) -> Result:
    """Run one job; dask has a thread for each that it sends at once."""
    return _pool(version, unsandboxed).run(job)


def _pool(version: str, unsandboxed: bool) -> LocalPool:
    if version != engine_version():
        raise ClusterUnavailable(
            "A worker runs another version of the engine, or of torch, numpy, nbgrader or IPython, than the "
            "grader: marks could differ. Install the same on both and start the worker again."
        )
    with _starting:  # dask's threads begin together
        return local_pool(1, unsandboxed)
